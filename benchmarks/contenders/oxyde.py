"""Oxyde, whose core is written in Rust."""

# No `from __future__ import annotations`: Oxyde reads the relations' annotations.
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from typing import Any

from oxyde import (
    AsyncDatabase,
    Avg,
    Count,
    Field,
    Model,
    PoolSettings,
    atomic,
    create_tables,
)

from benchmarks.contenders.contender import AsyncContender, NotThereError
from benchmarks.library import AuthorData, BookData

__all__ = ["Oxyde"]

BATCH = 1_000
"""Rows per statement."""


class Author(Model):
    """Somebody who writes."""

    id: int | None = Field(default=None, db_pk=True)
    name: str
    country: str
    books: list["Book"] = Field(db_reverse_fk="author")

    class Meta:
        """A table."""

        is_table = True


class Tag(Model):
    """A word."""

    id: int | None = Field(default=None, db_pk=True)
    name: str

    class Meta:
        """A table."""

        is_table = True


class Book(Model):
    """What somebody wrote."""

    id: int | None = Field(default=None, db_pk=True)
    title: str = Field(db_index=True)
    year: int
    price: float
    published: date
    in_print: bool
    author: Author | None = Field(default=None, db_index=True)
    tags: list[Tag] = Field(db_m2m=True, db_through="Link")

    class Meta:
        """A table."""

        is_table = True


class Link(Model):
    """Which book has which tag."""

    id: int | None = Field(default=None, db_pk=True)
    book: Book | None = Field(default=None, db_index=True)
    tag: Tag | None = Field(default=None, db_index=True)

    class Meta:
        """A table."""

        is_table = True


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


class Oxyde(AsyncContender):
    """Its pool as it is; it has WAL and ``synchronous=NORMAL`` by default."""

    async def open(self) -> None:
        mode = "FULL" if self.full else "NORMAL"
        settings = PoolSettings(sqlite_synchronous=mode, sqlite_busy_timeout=60_000)
        url = f"sqlite:///{self.file}"
        self.db = AsyncDatabase(url, settings=settings, overwrite=True)
        await self.db.connect()

    async def close(self) -> None:
        await self.db.disconnect()

    async def create_tables(self) -> None:
        self.file.touch()
        await create_tables(self.db)

    async def add_authors(self, authors: Sequence[AuthorData]) -> None:
        await self._many(Author, [Author(**each._asdict()) for each in authors])

    async def add_tags(
        self, names: Sequence[str], links: Sequence[tuple[int, int]]
    ) -> None:
        await self._many(Tag, [Tag(name=name) for name in names])
        await self._many(Link, [Link(book_id=book, tag_id=tag) for book, tag in links])

    async def insert(self, books: Sequence[BookData]) -> None:
        for book in books:
            await made(book).save()

    async def bulk_insert(self, books: Sequence[BookData]) -> None:
        await self._many(Book, [made(book) for book in books])

    async def get(self, keys: Iterable[int]) -> list[Any]:
        return [await Book.objects.get(id=key) for key in keys]

    async def one(self, titles: Iterable[str]) -> list[Any]:
        return [await Book.objects.filter(title=title).first() for title in titles]

    async def select(self, year: int) -> list[Any]:
        return await Book.objects.filter(year__gte=year).all()

    async def eager(self) -> list[Any]:
        return await Book.objects.join("author").all()

    async def children(self) -> list[tuple[Any, list[Any]]]:
        found = await Author.objects.prefetch("books").all()
        return [(author, author.books) for author in found]

    async def tagged(self) -> list[tuple[Any, list[Any]]]:
        found = await Book.objects.prefetch("tags").all()
        return [(book, book.tags) for book in found]

    async def update(self, books: Sequence[Any], price: float) -> None:
        for book in books:
            book.price = price
            await book.save()

    async def update_where(self, year: int, price: float) -> int:
        return await Book.objects.filter(year__gte=year).update(price=price)

    async def groups(self) -> list[Any]:
        query = Book.objects.values("year").group_by("year")
        rows = await query.annotate(count=Count("*"), mean=Avg("price")).all()
        return [(row["year"], row["count"], row["mean"]) for row in rows]

    def iterate(self, limit: int | None = None) -> AsyncIterator[Any]:
        raise NotThereError

    async def _many(self, model: Any, instances: Sequence[Any]) -> None:
        async with atomic():
            await model.objects.bulk_create(instances, batch_size=BATCH)
