"""Items that read."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, Iterable
from typing import Any

from benchmarks.contenders.contender import Contender
from benchmarks.figure import Figure
from benchmarks.items.checks import same_books, typed
from benchmarks.items.item import Item, TimedItem
from benchmarks.library import MIDDLE, Library, author, book

__all__ = ["READING", "Streamed", "drained"]

SHELF = Library(authors=500, books=5_000)


class Gets(TimedItem):
    """By primary key."""

    name = "get"
    figures = (
        Figure("`get` by primary key, 5,000 in sequence", blocking=1.4, asyncio=1.6),
    )
    library = SHELF

    def work(self, contender: Contender) -> Any:
        return contender.get(range(1, self.count(5_000) + 1))

    def check(self, contender: Contender, result: list[Any]) -> None:
        numbers = range(self.count(5_000))
        expected = [book(number, self.content.authors) for number in numbers]
        same_books(contender, result, expected)


class Select(TimedItem):
    """Half of the rows."""

    name = "select"
    figures = (
        Figure(
            "Filtered select of 10,000 rows as instances", blocking=2.1, asyncio=2.3
        ),
    )
    library = Library(books=20_000)

    def work(self, contender: Contender) -> Any:
        return contender.select(MIDDLE)

    def check(self, contender: Contender, result: list[Any]) -> None:
        numbers = range(self.content.books)
        every = [book(number, self.content.authors) for number in numbers]
        same_books(contender, result, [each for each in every if each.year >= MIDDLE])


class One(TimedItem):
    """By an indexed column."""

    name = "select-one"
    figures = (
        Figure(
            "Select of one row by an indexed column, 3,000 in sequence",
            blocking=1.5,
            asyncio=1.7,
        ),
    )
    library = SHELF

    def work(self, contender: Contender) -> Any:
        numbers = range(self.count(3_000))
        return contender.one(f"Book {number}" for number in numbers)

    def check(self, contender: Contender, result: list[Any]) -> None:
        numbers = range(self.count(3_000))
        expected = [book(number, self.content.authors) for number in numbers]
        same_books(contender, result, expected)


class Eager(TimedItem):
    """With the object at the other end of a foreign key."""

    name = "eager"
    figures = (
        Figure("5,000 rows with an eager foreign key", blocking=2.6, asyncio=2.7),
    )
    library = SHELF

    def work(self, contender: Contender) -> Any:
        return contender.eager()

    def check(self, contender: Contender, result: list[Any]) -> None:
        authors = self.content.authors
        assert len(result) == self.content.books
        typed(contender, result)
        for row in result:
            key = contender.book(row).author
            assert contender.author_name(row) == author(key - 1).name
            assert 1 <= key <= authors


class Children(TimedItem):
    """With the other side of a foreign key."""

    name = "prefetch"
    figures = (
        Figure("Prefetch of 500 authors with 10 books each", blocking=2.1, asyncio=2.3),
    )
    library = SHELF

    def work(self, contender: Contender) -> Any:
        return contender.children()

    def check(self, contender: Contender, result: list[tuple[Any, list[Any]]]) -> None:
        assert len(result) == self.content.authors
        typed(contender, [row for _, rows in result for row in rows])
        assert sum(len(rows) for _, rows in result) == self.content.books
        for _, rows in result:
            assert len({contender.book(row).author for row in rows}) == 1


class Tagged(TimedItem):
    """With both sides of a many-to-many relation."""

    name = "prefetch-many"
    figures = (
        Figure("Prefetch of 500 books with 5 tags each", blocking=1.5, asyncio=1.7),
    )
    library = Library(authors=50, books=500, tags=100, tags_per_book=5)

    def work(self, contender: Contender) -> Any:
        return contender.tagged()

    def check(self, contender: Contender, result: list[tuple[Any, list[Any]]]) -> None:
        assert len(result) == self.content.books
        typed(contender, [row for row, _ in result])
        assert Counter(len(tags) for _, tags in result) == {5: self.content.books}


class Groups(TimedItem):
    """No instances at all."""

    name = "group-by"
    figures = (Figure("Group by over 50,000 rows", blocking=1.05, asyncio=1.1),)
    library = Library(books=50_000)

    def work(self, contender: Contender) -> Any:
        return contender.groups()

    def check(self, contender: Contender, result: list[Any]) -> None:
        numbers = range(self.content.books)
        assert {year: count for year, count, _ in result} == Counter(
            1900 + number % 100 for number in numbers
        )
        for year, count, mean in result:
            same_year = range(year - 1900, self.content.books, 100)
            assert abs(mean - sum(same_year) / 4 / count) < 1e-6


def drained(contender: Contender, limit: int | None = None) -> Any:
    """Return the sum of all years, or what can be awaited for it."""
    rows = contender.iterate(limit)
    return _awaited(contender, rows) if contender.is_async else _sum(contender, rows)


def _sum(contender: Contender, rows: Iterable[Any]) -> int:
    if contender.typed:
        return sum(row.year for row in rows)
    return sum(row[2] for row in rows)


async def _awaited(contender: Contender, rows: AsyncIterable[Any]) -> int:
    total = 0
    if contender.typed:
        async for row in rows:
            total += row.year
    else:
        async for row in rows:
            total += row[2]
    return total


class Streamed(TimedItem):
    """One row after another."""

    name = "iterate"
    figures = (Figure("Iterating over 200,000 rows", blocking=2.2, asyncio=2.6),)
    library = Library(books=200_000)

    def work(self, contender: Contender) -> Any:
        return drained(contender)

    def check(self, contender: Contender, result: int) -> None:
        numbers = range(self.content.books)
        assert result == sum(1900 + number % 100 for number in numbers)


READING: tuple[type[Item], ...] = (
    *(Gets, Select, One, Eager, Children, Tagged, Groups, Streamed),
)
