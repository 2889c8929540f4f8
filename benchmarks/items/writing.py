"""Items that write."""

from __future__ import annotations

from itertools import count
from typing import Any

from benchmarks.contenders.contender import Contender
from benchmarks.figure import Figure
from benchmarks.items.checks import stored
from benchmarks.items.item import Item, TimedItem
from benchmarks.library import MIDDLE, Library, books

__all__ = ["WRITING"]

WARM = 20
"""How many books to write before it counts."""

_prices = count(1)


def new_price() -> float:
    """Return a price that no book has."""
    return next(_prices) + 0.125


class Inserts(TimedItem):
    """Rows one after another."""

    name = "insert"
    figures = (
        Figure(
            "1,000 single auto-commit inserts, one after another",
            blocking=1.3,
            asyncio=1.8,
        ),
    )
    is_fresh = True
    number = 1_000

    def warm_up(self, contender: Contender) -> None:
        some = books(WARM, self.content.authors)
        contender.call(lambda: contender.insert(some))

    def prepare(self, contender: Contender) -> None:
        self.books = books(self.count(self.number), self.content.authors)

    def work(self, contender: Contender) -> Any:
        return contender.insert(self.books)

    def check(self, contender: Contender, result: Any) -> None:
        assert stored(contender.file, "books") == WARM + len(self.books)


class BulkInsert(Inserts):
    """Rows at once."""

    name = "bulk-insert"
    figures = (Figure("Bulk insert of 20,000 rows", blocking=2.0, asyncio=2.0),)
    number = 20_000

    def warm_up(self, contender: Contender) -> None:
        some = books(WARM, self.content.authors)
        contender.call(lambda: contender.bulk_insert(some))

    def work(self, contender: Contender) -> Any:
        return contender.bulk_insert(self.books)


class Updates(TimedItem):
    """Objects that are there are changed one after another."""

    name = "update"
    figures = (
        Figure("Update of one row, 1,000 in sequence", blocking=1.4, asyncio=2.2),
    )
    library = Library(authors=500, books=5_000)

    def prepare(self, contender: Contender) -> None:
        self.price = new_price()
        keys = range(1, self.count(1_000) + 1)
        self.books = contender.call(lambda: contender.load(keys))

    def work(self, contender: Contender) -> Any:
        return contender.update(self.books, self.price)

    def check(self, contender: Contender, result: Any) -> None:
        keys = [contender.key(book) for book in self.books]
        found = contender.call(lambda: contender.get(keys))
        assert {contender.book(row).price for row in found} == {self.price}
        assert len(found) == self.count(1_000)


class BulkUpdate(TimedItem):
    """One statement changes half of the rows."""

    name = "bulk-update"
    figures = (
        Figure("Bulk update of 10,000 rows by filter", blocking=1.1, asyncio=1.1),
    )
    library = Library(books=20_000)

    def prepare(self, contender: Contender) -> None:
        self.price = new_price()

    def work(self, contender: Contender) -> Any:
        return contender.update_where(MIDDLE, self.price)

    def check(self, contender: Contender, result: int) -> None:
        rows = contender.call(lambda: contender.select(MIDDLE))
        assert len(rows) == result == self.content.books // 2
        assert {contender.book(row).price for row in rows} == {self.price}


WRITING: tuple[type[Item], ...] = (Inserts, BulkInsert, Updates, BulkUpdate)
