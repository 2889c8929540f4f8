"""Long lists in conditions, on an SQLite that allows few variables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from sqliter import SqliterDB
from sqliter.model import BaseDBModel

LENGTH = 3000


class Row(BaseDBModel):
    whole: int | None = None
    real: float | None = None
    text: str | None = None
    blob: bytes | None = None
    price: Decimal | None = None
    key: UUID | None = None
    at: datetime | None = None

    class Meta:
        table_name = "rows"


def at(number: int) -> datetime:
    return datetime(2020, 1, 1, 0, 0, number % 60, number, tzinfo=UTC)


LISTS: dict[str, list[Any]] = {
    "whole": list(range(LENGTH)),
    "real": [number / 7 for number in range(LENGTH)],
    "text": [f"text {number}" for number in range(LENGTH)],
    "blob": [number.to_bytes(2, "big") for number in range(LENGTH)],
    "price": [Decimal(number) / 8 for number in range(LENGTH)],
    "key": [UUID(int=number) for number in range(LENGTH)],
    "at": [at(number) for number in range(LENGTH)],
}


@pytest.fixture
def db() -> Iterator[SqliterDB]:
    with closing(SqliterDB(memory=True)) as db:
        db.create_table(Row)
        db.connect().setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        yield db


@pytest.mark.defect("D-29")
@pytest.mark.parametrize("field", list(LISTS))
def test_a_list_longer_than_the_variables(db: SqliterDB, field: str) -> None:
    values = LISTS[field]
    inside, outside = values[1], values[-1]
    for value in (inside, outside, None):
        db.insert(Row(**{field: value}))
    found = db.select(Row).filter(**{f"{field}__in": values[:-1]}).fetch_all()
    assert [getattr(row, field) for row in found] == [inside]
    found = db.select(Row).filter(**{f"{field}__in": [*values[:-1], None]}).fetch_all()
    assert [getattr(row, field) for row in found] == [inside, None]
    found = db.select(Row).filter(**{f"{field}__not_in": values[:-1]}).fetch_all()
    assert [getattr(row, field) for row in found] == [outside]
    found = db.select(Row).filter(**{f"{field}__not_in": values}).fetch_all()
    assert found == []
