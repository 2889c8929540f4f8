"""A child: a program without this library that tries to write at once, when asked.

Arguments: the file.
"""

import sqlite3
import sys

from stress.processes import READY, say


def can_write(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    connection.execute("ROLLBACK")
    return True


if __name__ == "__main__":
    asked = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
    say(READY)
    for _ in sys.stdin:
        say("yes" if can_write(asked) else "no")
    asked.close()
