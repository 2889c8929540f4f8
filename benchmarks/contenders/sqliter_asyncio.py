"""This library, with asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from typing import Any, ClassVar

from benchmarks.contenders.contender import AsyncContender, NotThereError
from benchmarks.library import AuthorData, BookData
from sqliter.asyncio import AsyncSqliterDB
from sqliter.asyncio.orm import (
    AsyncBaseDBModel,
    AsyncForeignKey,
    AsyncManyToMany,
    AsyncReverseRelationship,
    fk_id,
)
from sqliter.query import func

__all__ = ["SqliterAsyncio"]


class Author(AsyncBaseDBModel):
    """Somebody who writes."""

    name: str
    country: str
    books: ClassVar[AsyncReverseRelationship[Book]]

    class Meta:
        """A name, so that no plural has to be found."""

        table_name = "authors"


class Tag(AsyncBaseDBModel):
    """A word."""

    name: str

    class Meta:
        """A name."""

        table_name = "tags"


class Book(AsyncBaseDBModel):
    """What somebody wrote."""

    title: str
    year: int
    price: float
    published: date
    in_print: bool
    author_id: int = fk_id()
    author: AsyncForeignKey[Author] = AsyncForeignKey(Author, related_name="books")
    tags: AsyncManyToMany[Tag] = AsyncManyToMany(Tag, related_name="books")

    class Meta:
        """A name, and one index."""

        table_name = "books"
        indexes = ("title",)


def made(book: BookData) -> Book:
    """Return a new instance."""
    title, year, price, published, in_print, author = book
    return Book(
        title=title,
        year=year,
        price=price,
        published=published,
        in_print=in_print,
        author_id=author,
    )


class SqliterAsyncio(AsyncContender):
    """``AsyncSqliterDB`` as it is by default."""

    async def open(self) -> None:
        self.db = AsyncSqliterDB(
            self.file, durability="full" if self.full else "normal"
        )

    async def close(self) -> None:
        await self.db.close()

    async def create_tables(self) -> None:
        for model in (Author, Tag, Book):
            await self.db.create_table(model)

    async def add_authors(self, authors: Sequence[AuthorData]) -> None:
        await self.db.bulk_insert([Author(**each._asdict()) for each in authors])

    async def add_tags(
        self, names: Sequence[str], links: Sequence[tuple[int, int]]
    ) -> None:
        tags = await self.db.bulk_insert([Tag(name=name) for name in names])
        books = {book.pk: book for book in await self.db.select(Book).fetch_all()}
        async with self.db:
            for book, tag in links:
                await books[book].tags.add(tags[tag - 1])

    async def insert(self, books: Sequence[BookData]) -> None:
        for book in books:
            await self.db.insert(made(book))

    async def bulk_insert(self, books: Sequence[BookData]) -> None:
        await self.db.bulk_insert([made(book) for book in books])

    async def get(self, keys: Iterable[int]) -> list[Any]:
        return [await self.db.get(Book, key) for key in keys]

    async def one(self, titles: Iterable[str]) -> list[Any]:
        db = self.db
        return [await db.select(Book).filter(title=each).fetch_one() for each in titles]

    async def select(self, year: int) -> list[Book]:
        return await self.db.select(Book).filter(year__gte=year).fetch_all()

    async def eager(self) -> list[Book]:
        return await self.db.select(Book).select_related("author").fetch_all()

    async def children(self) -> list[tuple[Author, list[Book]]]:
        found = await self.db.select(Author).prefetch_related("books").fetch_all()
        return [(author, await author.books.fetch_all()) for author in found]

    async def tagged(self) -> list[tuple[Book, list[Tag]]]:
        found = await self.db.select(Book).prefetch_related("tags").fetch_all()
        return [(book, await book.tags.fetch_all()) for book in found]

    async def update(self, books: Sequence[Book], price: float) -> None:
        for book in books:
            book.price = price
            await self.db.update(book)

    async def update_where(self, year: int, price: float) -> int:
        return (
            await self.db.select(Book).filter(year__gte=year).update({"price": price})
        )

    async def groups(self) -> list[tuple[Any, ...]]:
        query = self.db.select(Book).group_by("year")
        query.annotate(count=func.count(), mean=func.avg("price"))
        return [tuple(row.values()) for row in await query.fetch_dicts()]

    def iterate(self, limit: int | None = None) -> AsyncIterator[Book]:
        query: Any = self.db.select(Book).limit(limit)
        if not hasattr(query, "iterate"):
            raise NotThereError
        return aiter(query.iterate())

    async def within(self, keys: Sequence[int]) -> list[Book]:
        return await self.db.select(Book).filter(pk__in=keys).fetch_all()

    def key(self, row: Any) -> int:
        return row.pk
