"""Piccolo; what its relations do not load is put together by hand."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from piccolo.columns import (
    Boolean,
    Date,
    DoublePrecision,
    ForeignKey,
    Integer,
    Text,
)
from piccolo.engine.sqlite import SQLiteEngine, TransactionType
from piccolo.query.functions.aggregate import Avg, Count
from piccolo.table import Table, create_db_tables

from benchmarks.contenders.contender import AsyncContender, pragmas
from benchmarks.library import AuthorData, BookData

__all__ = ["Piccolo"]

BATCH = 1_000
"""Rows per statement."""

PATIENCE = 60
"""Seconds to wait for other connections."""

ENGINE = SQLiteEngine(timeout=PATIENCE)


class Normal(sqlite3.Connection):
    """A connection with the settings of everybody: Piccolo opens one per query."""

    full = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, value in pragmas(full=self.full).items():
            self.execute(f"PRAGMA {name} = {value}")


class Full(Normal):
    """The same, and each commit waits for the disk."""

    full = True


class Author(Table, tablename="authors", db=ENGINE):
    """Somebody who writes."""

    name = Text()
    country = Text()


class Tag(Table, tablename="tags", db=ENGINE):
    """A word."""

    name = Text()


class Book(Table, tablename="books", db=ENGINE):
    """What somebody wrote."""

    title = Text(index=True)
    year = Integer()
    price = DoublePrecision()
    published = Date()
    in_print = Boolean()
    author = ForeignKey(Author, index=True)


class Link(Table, tablename="books_tags", db=ENGINE):
    """Which book has which tag."""

    book = ForeignKey(Book, index=True)
    tag = ForeignKey(Tag, index=True)


def made(book: BookData) -> Book:
    """Return a new instance."""
    title, year, price, published, in_print, author = book
    return Book(
        title=title,
        year=year,
        price=price,
        published=published,
        in_print=in_print,
        author=author,
    )


class Piccolo(AsyncContender):
    """A connection per query, as Piccolo does it."""

    async def open(self) -> None:
        ENGINE.path = str(self.file)
        ENGINE.connection_kwargs["factory"] = Full if self.full else Normal

    async def close(self) -> None:
        pass

    async def create_tables(self) -> None:
        await create_db_tables(Author, Tag, Book, Link)

    async def add_authors(self, authors: Sequence[AuthorData]) -> None:
        await self._many(Author, [Author(**each._asdict()) for each in authors])

    async def add_tags(
        self, names: Sequence[str], links: Sequence[tuple[int, int]]
    ) -> None:
        await self._many(Tag, [Tag(name=name) for name in names])
        await self._many(Link, [Link(book=book, tag=tag) for book, tag in links])

    async def insert(self, books: Sequence[BookData]) -> None:
        for book in books:
            await made(book).save()

    async def bulk_insert(self, books: Sequence[BookData]) -> None:
        await self._many(Book, [made(book) for book in books])

    async def get(self, keys: Iterable[int]) -> list[Any]:
        return [await Book.objects().get(Book.id == key) for key in keys]

    async def one(self, titles: Iterable[str]) -> list[Any]:
        return [await Book.objects().get(Book.title == title) for title in titles]

    async def select(self, year: int) -> list[Any]:
        return await Book.objects().where(Book.year >= year)

    async def eager(self) -> list[Any]:
        return await Book.objects(Book.author)

    async def children(self) -> list[tuple[Any, list[Any]]]:
        authors = await Author.objects()
        keys = [author.id for author in authors]
        books = defaultdict(list)
        for book in await Book.objects().where(Book.author.is_in(keys)):
            books[book.author].append(book)
        return [(author, books[author.id]) for author in authors]

    async def tagged(self) -> list[tuple[Any, list[Any]]]:
        books = await Book.objects()
        keys = [book.id for book in books]
        tags = defaultdict(list)
        for link in await Link.objects(Link.tag).where(Link.book.is_in(keys)):
            tags[link.book].append(link.tag)
        return [(book, tags[book.id]) for book in books]

    async def update(self, books: Sequence[Any], price: float) -> None:
        for book in books:
            book.price = price
            await book.save()

    async def update_where(self, year: int, price: float) -> int:
        await Book.update({Book.price: price}).where(Book.year >= year)
        return await Book.count().where(Book.price == price)

    async def groups(self) -> list[Any]:
        columns = (Book.year, Count(), Avg(Book.price))
        rows = await Book.select(*columns).group_by(Book.year)
        return [tuple(row.values()) for row in rows]

    async def iterate(self, limit: int | None = None) -> AsyncIterator[Any]:
        query = Book.objects() if limit is None else Book.objects().limit(limit)
        async with await query.batch(batch_size=BATCH) as batches:
            async for batch in batches:
                for book in batch:
                    yield book

    async def _many(self, table: Any, instances: Sequence[Any]) -> None:
        async with ENGINE.transaction(transaction_type=TransactionType.immediate):
            for start in range(0, len(instances), BATCH):
                await table.insert(*instances[start : start + BATCH])

    def book(self, row: Any) -> BookData:
        author = row.author.id if isinstance(row.author, Author) else row.author
        return BookData(
            row.title, row.year, row.price, row.published, row.in_print, author
        )
