"""All rows that a statement gives, at once."""

from __future__ import annotations

import sqlite3

from sqliter.core.statement import Row


def all_rows(cursor: sqlite3.Cursor) -> list[Row]:
    """Return them, and leave no statement open, whatever happens.

    The driver leaves one open whose text it cannot decode. As long as its error is
    known, later reads on the connection would see the database as it was then.
    """
    try:
        return cursor.fetchall()
    except BaseException:
        cursor.close()
        raise
