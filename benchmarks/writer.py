"""A program that commits to a file without a pause, until it is ended.

It overwrites one row of a table of its own, so the file does not grow.
"""

from __future__ import annotations

import sqlite3
import sys


def main() -> None:
    """Write for ever."""
    db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("CREATE TABLE IF NOT EXISTS noise (id INTEGER PRIMARY KEY, n INTEGER)")
    db.execute("INSERT OR REPLACE INTO noise VALUES (1, 0)")
    print("ready", flush=True)
    while True:
        db.execute("UPDATE noise SET n = n + 1")


if __name__ == "__main__":
    main()
