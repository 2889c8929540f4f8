"""The rows that a statement gives, fetched in slices."""

from __future__ import annotations

import sqlite3

from sqliter.core.statement import Row
from sqliter.engines.interpreter import Contention

SLICE = 64
"""Rows between two looks at the clock."""


def all_rows(cursor: sqlite3.Cursor) -> list[Row]:
    """Return them, and leave no statement open, whatever happens.

    The driver leaves one open whose text it cannot decode. As long as its error is
    known, later reads on the connection would see the database as it was then.
    """
    try:
        rows = cursor.fetchmany(SLICE)
        if len(rows) == SLICE:
            with Contention() as contention:
                while part := cursor.fetchmany(SLICE):
                    rows += part
                    contention.look()
    except BaseException:
        cursor.close()
        raise
    return rows


def some_rows(cursor: sqlite3.Cursor, size: int) -> list[Row]:
    """Return so many rows, or what is left."""
    rows: list[Row] = []
    with Contention() as contention:
        while part := cursor.fetchmany(min(SLICE, size - len(rows))):
            rows += part
            if len(rows) == size:
                break
            contention.look()
    return rows
