"""What every contender can do, blocking or with ``await``."""

from __future__ import annotations

import asyncio
import gc
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.library import AuthorData, BookData

__all__ = ["PRAGMAS", "AsyncContender", "Contender", "NotThereError", "pragmas"]

PRAGMAS = {"journal_mode": "WAL", "synchronous": "NORMAL", "foreign_keys": 1}


def pragmas(*, full: bool) -> dict[str, Any]:
    """Return what everybody sets; ``full``: each commit waits for the disk."""
    return {**PRAGMAS, "synchronous": "FULL" if full else "NORMAL"}


class NotThereError(Exception):
    """The contender has no such feature."""


class Contender(ABC):
    """One way to use SQLite.

    All verbs of an asyncio contender are coroutines, but ``iterate`` and the plain
    readers below. A new file's keys run from 1, in the order of the insertion.

    Args:
        file: the database file, perhaps not there yet.
        full: ``synchronous=FULL`` instead of ``NORMAL``.
    """

    is_async: ClassVar[bool] = False
    typed: ClassVar[bool] = True
    """Whether rows come as instances with typed attributes."""

    def __init__(self, file: Path, *, full: bool = False) -> None:
        self.file = file
        self.full = full

    def leave(self) -> None:
        """Disconnect, whatever the colour."""
        self.call(self.close)

    # --- the clock ---

    def call(self, work: Callable[[], Any]) -> Any:
        """Return what ``work`` gives."""
        return work()

    def clocked(self, work: Callable[[], Any]) -> tuple[float, Any]:
        """Return the seconds that ``work`` takes, and what it gives."""
        gc.collect()
        start = time.perf_counter()
        result = work()
        return time.perf_counter() - start, result

    # --- the file ---

    @abstractmethod
    def open(self) -> Any:
        """Connect."""

    @abstractmethod
    def close(self) -> Any:
        """Disconnect."""

    @abstractmethod
    def create_tables(self) -> Any:
        """Create the tables, an index on the titles included."""

    @abstractmethod
    def add_authors(self, authors: Sequence[AuthorData]) -> Any:
        """Store authors."""

    @abstractmethod
    def add_tags(self, names: Sequence[str], links: Sequence[tuple[int, int]]) -> Any:
        """Store tags, and which book has which; both by key."""

    # --- what is measured ---

    @abstractmethod
    def insert(self, books: Sequence[BookData]) -> Any:
        """Store one after another, each in a transaction of its own."""

    @abstractmethod
    def bulk_insert(self, books: Sequence[BookData]) -> Any:
        """Store all at once."""

    @abstractmethod
    def get(self, keys: Iterable[int]) -> Any:
        """Return books, asked for one after another."""

    @abstractmethod
    def one(self, titles: Iterable[str]) -> Any:
        """Return books, asked for one after another."""

    @abstractmethod
    def select(self, year: int) -> Any:
        """Return the books from this year on."""

    @abstractmethod
    def eager(self) -> Any:
        """Return all books with their authors, from one statement."""

    @abstractmethod
    def children(self) -> Any:
        """Return all authors, each with the list of the books."""

    @abstractmethod
    def tagged(self) -> Any:
        """Return all books, each with the list of the tags."""

    def load(self, keys: Iterable[int]) -> Any:
        """Return books that ``update`` can take."""
        return self.get(keys)

    @abstractmethod
    def update(self, books: Sequence[Any], price: float) -> Any:
        """Change one after another, each in a transaction of its own."""

    @abstractmethod
    def update_where(self, year: int, price: float) -> Any:
        """Change the books from this year on; return how many."""

    @abstractmethod
    def groups(self) -> Any:
        """Return ``(year, number of books, mean price)`` of each year."""

    @abstractmethod
    def iterate(self, limit: int | None = None) -> Any:
        """Return an iterable over all books that does not hold them all."""

    def within(self, keys: Sequence[int]) -> Any:
        """Return the books of these keys, from one statement."""
        raise NotThereError

    # --- plain values, to check ---

    def book(self, row: Any) -> BookData:
        """Return the values of a book."""
        return BookData(
            *(row.title, row.year, row.price, row.published, row.in_print),
            row.author_id,
        )

    def author_name(self, row: Any) -> str:
        """Return the name of the author of a book that came with it."""
        name: str = row.author.name
        return name

    def key(self, row: Any) -> int:
        """Return the key of a book."""
        key: int = row.id
        return key


class AsyncContender(Contender):
    """A contender with an event loop; ``work`` gives what can be awaited."""

    is_async = True

    def __init__(self, file: Path, *, full: bool = False) -> None:
        super().__init__(file, full=full)
        self.runner = asyncio.Runner()

    def leave(self) -> None:
        super().leave()
        self.runner.close()

    def call(self, work: Callable[[], Any]) -> Any:
        """Return what ``work`` gives when awaited."""

        async def awaited() -> Any:
            return await work()

        return self.runner.run(awaited())

    def clocked(self, work: Callable[[], Any]) -> tuple[float, Any]:
        """Measure inside the event loop: starting it is not counted."""

        async def timed() -> tuple[float, Any]:
            start = time.perf_counter()
            result = await work()
            return time.perf_counter() - start, result

        gc.collect()
        return self.runner.run(timed())
