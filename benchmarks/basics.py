"""The common operations as ratios to raw ``sqlite3`` doing the same work.

    python benchmarks/basics.py [--rounds 5]

Each round runs raw, blocking and asyncio one after another on fresh files (WAL,
synchronous=NORMAL) and checks the results; the median of the rounds is printed. 1.0
means "as fast as raw". Absolute times are not printed: they say more about the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.model import BaseDBModel

INSERTS, BULK, GETS, ONES, UPDATES = 1_000, 20_000, 5_000, 3_000, 1_000


class Book(BaseDBModel):
    """What everybody stores: eight columns, three of them built in."""

    title: str
    year: int
    price: float
    published: date
    in_print: bool

    class Meta:
        """One index."""

        table_name = "books"
        indexes = ("title",)


def book(number: int) -> Book:
    """Return a new book."""
    return Book(
        title=f"Book {number}",
        year=1900 + number % 120,
        price=number / 4,
        published=date(2020, 1, 1 + number % 28),
        in_print=number % 2 == 0,
    )


COLUMNS = (
    '"created_at", "updated_at", "title", "year", "price", "published", "in_print"'
)
ROWS = "CREATE TABLE books (pk INTEGER PRIMARY KEY AUTOINCREMENT, created_at INTEGER, "
ROWS += "updated_at INTEGER, title TEXT, year INTEGER, price REAL, published INTEGER, "
ROWS += "in_print INTEGER)"
INSERT = f"INSERT INTO books ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
SELECT = f"SELECT pk, {COLUMNS} FROM books WHERE "


def row(number: int) -> tuple[Any, ...]:
    """Return the columns of the same book."""
    now, day = int(time.time()), 1_577_836_800 + 86_400 * (number % 28)
    year, price = 1900 + number % 120, number / 4
    return (now, now, f"Book {number}", year, price, day, number % 2 == 0)


def raw(folder: Path) -> dict[str, Callable[[], Any]]:
    """Return the items as raw sqlite3 does them."""
    db = sqlite3.connect(folder / "raw.db", isolation_level=None)
    for sql in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", ROWS):
        db.execute(sql)
    db.execute("CREATE INDEX idx_books_title ON books (title)")

    def inserts() -> None:
        for number in range(INSERTS):
            db.execute(INSERT, row(number))

    def bulk() -> None:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(INSERT, (row(number) for number in range(BULK)))
        db.execute("COMMIT")

    def gets() -> None:
        for key in range(1, GETS + 1):
            assert db.execute(f"{SELECT} pk = ?", (key,)).fetchone()[0] == key

    def many() -> None:
        assert len(db.execute(f"{SELECT} year >= ?", (1960,)).fetchall()) > 9_000

    def ones() -> None:
        for number in range(ONES):
            assert db.execute(
                f"{SELECT} title = ? LIMIT 1", (f"Book {number}",)
            ).fetchone()

    def updates() -> None:
        for key in range(1, UPDATES + 1):
            changed = (int(time.time()), 9.5, key)
            db.execute(
                "UPDATE books SET updated_at = ?, price = ? WHERE pk = ?", changed
            )

    return named(inserts, bulk, gets, many, ones, updates)


def blocking(folder: Path) -> dict[str, Callable[[], Any]]:
    """Return the items as ``SqliterDB`` does them."""
    db = SqliterDB(folder / "sync.db")
    db.create_table(Book)

    def inserts() -> None:
        for number in range(INSERTS):
            db.insert(book(number))

    def bulk() -> None:
        db.bulk_insert([book(number) for number in range(BULK)])

    def gets() -> None:
        for key in range(1, GETS + 1):
            found = db.get(Book, key)
            assert found is not None and found.pk == key

    def many() -> None:
        assert len(db.select(Book).filter(year__gte=1960).fetch_all()) > 9_000

    def ones() -> None:
        for number in range(ONES):
            assert db.select(Book).filter(title=f"Book {number}").fetch_one()

    def updates() -> None:
        for each in db.select(Book).limit(UPDATES).fetch_all():
            each.price = 9.5
            db.update(each)

    return named(inserts, bulk, gets, many, ones, updates)


def awaiting(folder: Path) -> dict[str, Callable[[], Awaitable[None]]]:
    """Return the items as ``AsyncSqliterDB`` does them."""
    db = AsyncSqliterDB(folder / "async.db")

    async def inserts() -> None:
        await db.create_table(Book)
        for number in range(INSERTS):
            await db.insert(book(number))

    async def bulk() -> None:
        await db.bulk_insert([book(number) for number in range(BULK)])

    async def gets() -> None:
        for key in range(1, GETS + 1):
            found = await db.get(Book, key)
            assert found is not None and found.pk == key

    async def many() -> None:
        assert len(await db.select(Book).filter(year__gte=1960).fetch_all()) > 9_000

    async def ones() -> None:
        for number in range(ONES):
            assert await db.select(Book).filter(title=f"Book {number}").fetch_one()

    async def updates() -> None:
        for each in await db.select(Book).limit(UPDATES).fetch_all():
            each.price = 9.5
            await db.update(each)

    return named(inserts, bulk, gets, many, ones, updates)


def named(*functions: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
    """Return functions by their names."""
    return {function.__name__: function for function in functions}


def timed(items: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Return the seconds each item took."""
    times = {}
    for name, item in items.items():
        start = time.perf_counter()
        item()
        times[name] = time.perf_counter() - start
    return times


async def timed_async(
    items: dict[str, Callable[[], Awaitable[None]]],
) -> dict[str, float]:
    """Return the seconds each item took inside one event loop."""
    times = {}
    for name, item in items.items():
        start = time.perf_counter()
        await item()
        times[name] = time.perf_counter() - start
    return times


def one_round() -> dict[str, tuple[float, float]]:
    """Return the ratios (blocking, asyncio) of each item."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = timed(raw(folder))
        sync = timed(blocking(folder))
        awaited = asyncio.run(timed_async(awaiting(folder)))
    return {
        item: (sync[item] / base[item], awaited[item] / base[item]) for item in base
    }


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = [one_round() for _ in range(parser.parse_args().rounds)]
    print("| item | blocking / raw | asyncio / raw |\n|---|---|---|")
    for item in rounds[0]:
        sync, awaited = (statistics.median(r[item][i] for r in rounds) for i in (0, 1))
        print(f"| {item} | {sync:.2f} | {awaited:.2f} |")


if __name__ == "__main__":
    main()
