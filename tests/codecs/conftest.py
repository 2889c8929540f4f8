"""What the codec tests share: a real column, and the process's zone."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sqliter.model.codecs import (
    DECIMAL_COLLATION,
    Codec,
    DecimalAvg,
    DecimalSum,
    compare_decimal,
)


class Column:
    """One column of a real table, declared as the codec says."""

    def __init__(self, codec: Codec, declared: str | None = None) -> None:
        self.codec = codec
        self.db = sqlite3.connect(":memory:")
        weakref.finalize(self, self.db.close)
        self.db.create_collation(DECIMAL_COLLATION, compare_decimal)
        self.db.create_aggregate("decimal_sum", 1, DecimalSum)  # type: ignore[arg-type]
        self.db.create_aggregate("decimal_avg", 1, DecimalAvg)  # type: ignore[arg-type]
        self.db.execute(f"CREATE TABLE t (v {declared or codec.storage})")

    def put(self, value: Any) -> None:
        """Insert one value through the codec."""
        stored = None if value is None else self.codec.store(value)
        self.db.execute("INSERT INTO t VALUES (?)", (stored,))

    def raw(self, sql: str = "SELECT v FROM t") -> list[Any]:
        """Give the first column of a query, as SQLite has it."""
        return [row[0] for row in self.db.execute(sql)]

    def read(self, sql: str = "SELECT v FROM t", *, utc: bool = False) -> list[Any]:
        """Give the first column of a query, decoded as a loader does."""
        return [self._load(stored, utc=utc) for stored in self.raw(sql)]

    def _load(self, stored: Any, *, utc: bool) -> Any:
        if stored is None:
            return None
        if type(stored) in self.codec.reads:
            return self.codec.load(stored, utc=utc)
        return self.codec.legacy(stored, utc=utc)


def _round_trip(codec: Codec, value: Any) -> Any:
    """Write and read one value; its storage class must be one the codec reads."""
    column = Column(codec)
    column.put(value)
    [stored] = column.raw()
    assert stored is None or type(stored) in codec.reads
    [loaded] = column.read()
    column.db.close()
    return loaded


@pytest.fixture
def round_trip() -> Callable[[Codec, Any], Any]:
    """Give a function that writes and reads one value."""
    return _round_trip


@pytest.fixture
def column() -> Callable[..., Column]:
    """Give a function that makes a column for a codec."""
    return Column


@pytest.fixture
def zone() -> Iterator[Callable[[str], None]]:
    """Give a function that changes the zone of this process."""
    before = os.environ.get("TZ")

    def change(name: str | None) -> None:
        if name is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = name
        time.tzset()

    yield change
    change(before)
