"""Whether what was read, or written, is what it should be."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.contenders.contender import Contender
from benchmarks.library import BookData

__all__ = ["same_books", "stored", "typed"]


def typed(contender: Contender, rows: Sequence[Any]) -> None:
    """Rows are instances, unless the contender works by hand."""
    for row in rows:
        assert isinstance(row, dict) is False
        if contender.typed:
            assert not isinstance(row, tuple)
            assert type(row.published) is date
            assert type(row.in_print) is bool
            assert type(row.price) is float


def same_books(
    contender: Contender, rows: Sequence[Any], expected: Sequence[BookData]
) -> None:
    """Rows are these books, whatever the order and their prices."""
    typed(contender, rows)
    found = [contender.book(row)._replace(price=0.0) for row in rows]
    assert sorted(found) == sorted(each._replace(price=0.0) for each in expected)


def stored(file: Path, table: str) -> int:
    """Return how many rows a new connection sees in ``authors`` or ``books``.

    Contenders name their tables alike, but for the plural.
    """
    with closing(sqlite3.connect(file)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master")]
        name = table if table in names else table.removesuffix("s")
        count: int = db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
    return count
