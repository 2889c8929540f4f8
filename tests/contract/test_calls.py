"""What an operation costs, counted: calls of the library's own functions, and bytes.

A clock would judge the machine. The limits are a ratchet: lower them when the library got
better; a number far below its limit fails as well, so that nobody forgets to.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

import sqliter
from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.engines import inline, interpreter, place, prompt
from sqliter.model import BaseDBModel

LIBRARY = os.path.dirname(sqliter.__file__)


class Book(BaseDBModel):
    title: str
    year: int
    price: float
    in_print: bool = True

    class Meta:
        table_name = "books"


def book(number: int) -> Book:
    return Book(title=f"Book {number}", year=1900 + number % 100, price=number / 4)


def changed(found: Book) -> Book:
    found.price += 1
    return found


OPERATIONS: dict[str, Callable[[Any, Book], Any]] = {
    "get": lambda db, _: db.get(Book, 1),
    "insert": lambda db, _: db.insert(book(1)),
    "update": lambda db, found: db.update(changed(found)),
    "delete of a key": lambda db, found: db.delete(Book, found.pk),
    "fetch_one": lambda db, _: db.select(Book).filter(title="Book 1").fetch_one(),
    "fetch_all": lambda db, _: db.select(Book).filter(year=1).fetch_all(),
    "count": lambda db, _: db.select(Book).filter(year=1).count(),
}

LIMITS: dict[str, tuple[int, int]] = {
    "get": (17, 23),
    "insert": (48, 58),
    "update": (48, 58),
    "delete of a key": (31, 41),
    "fetch_one": (34, 40),
    "fetch_all": (33, 39),
    "count": (33, 39),
}
"""Calls of one operation: blocking, asyncio."""

PER_ROW = {"fetch_all": 0.035, "bulk_insert": 5.2, "iterate": 1.3}
"""Calls for each row of many."""

BYTES_PER_ROW = 600
"""Of an instance with seven columns, and the values in it."""


class Calls:
    """Counts calls of functions of the library; comprehensions are no functions.

    Meanwhile nothing is collected: what earlier tests left behind may call something.
    """

    count = 0

    def __enter__(self) -> Calls:
        gc.disable()
        sys.setprofile(self._note)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)
        gc.enable()

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith((LIBRARY, "<string>")):
            self.count += not code.co_name.startswith("<")


@pytest.fixture(autouse=True)
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the machine was never slow: what is short counts as short."""
    monkeypatch.setattr(prompt, "BUDGET", 10)
    monkeypatch.setattr(inline, "SHARE", 10)
    monkeypatch.setattr(interpreter, "HELD_UP", 10)
    monkeypatch.setattr(place, "PAUSE", 10)
    monkeypatch.setattr(interpreter._turns, "_disputed_until", 0.0)


@pytest.mark.parametrize("name", OPERATIONS)
def test_calls_of_an_operation(name: str, tmp_path: Any) -> None:
    with SqliterDB(tmp_path / "x.db") as db:
        db.create_table(Book)
    operation = OPERATIONS[name]
    for _ in range(2):  # the first time much is prepared
        db.insert(book(1))
        operation(db, db.select(Book).order("-pk").fetch_one())
    db.insert(book(1))
    found = db.select(Book).order("-pk").fetch_one()
    with Calls() as calls:
        operation(db, found)
    judge(calls.count, LIMITS[name][0])


@pytest.mark.parametrize("name", OPERATIONS)
def test_awaited_calls_of_an_operation(name: str, tmp_path: Any) -> None:
    async def count() -> int:
        db = AsyncSqliterDB(tmp_path / "x.db")
        await db.create_table(Book)
        operation = OPERATIONS[name]
        for _ in range(2):
            await db.insert(book(1))
            await operation(db, await db.select(Book).order("-pk").fetch_one())
        await db.insert(book(1))
        found = await db.select(Book).order("-pk").fetch_one()
        with Calls() as calls:
            await operation(db, found)
        await db.close()
        return calls.count

    judge(asyncio.run(count()), LIMITS[name][1])


def judge(count: float, limit: float) -> None:
    assert 0.8 * limit <= count <= limit, f"{count} calls, the limit is {limit}"


ROWS = 2_000


@pytest.fixture
def many(tmp_path: Any) -> SqliterDB:
    db = SqliterDB(tmp_path / "x.db")
    db.create_table(Book)
    db.bulk_insert([book(n) for n in range(ROWS)])
    db.select(Book).limit(1).fetch_all()
    return db


def per_row(work: Callable[[], object]) -> float:
    with Calls() as calls:
        work()
    return calls.count / ROWS


def test_calls_for_each_row_that_is_read(many: SqliterDB) -> None:
    count = per_row(lambda: many.select(Book).fetch_all())
    judge(count, PER_ROW["fetch_all"])


def test_calls_for_each_row_that_is_iterated_over(many: SqliterDB) -> None:
    count = per_row(lambda: list(many.select(Book).iterate()))
    judge(count, PER_ROW["iterate"])


def test_calls_for_each_row_that_is_inserted(many: SqliterDB) -> None:
    books = [book(n) for n in range(ROWS)]
    judge(per_row(lambda: many.bulk_insert(books)), PER_ROW["bulk_insert"])


def test_bytes_of_each_row_that_is_read(many: SqliterDB) -> None:
    many.select(Book).fetch_all()
    tracemalloc.start()
    try:
        kept = many.select(Book).fetch_all()
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    judge(size / len(kept), BYTES_PER_ROW)
