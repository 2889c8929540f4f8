"""Tortoise ORM."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from tortoise import Tortoise, fields
from tortoise.functions import Avg, Count
from tortoise.models import Model

from benchmarks.contenders.contender import AsyncContender
from benchmarks.library import AuthorData, BookData

__all__ = ["TortoiseOrm"]


class Author(Model):
    """Somebody who writes."""

    id = fields.IntField(primary_key=True)
    name = fields.TextField()
    country = fields.TextField()
    books: Any


class Tag(Model):
    """A word."""

    id = fields.IntField(primary_key=True)
    name = fields.TextField()


class Book(Model):
    """What somebody wrote."""

    id = fields.IntField(primary_key=True)
    title = fields.CharField(max_length=200, db_index=True)
    year = fields.IntField()
    price = fields.FloatField()
    published = fields.DateField()
    in_print = fields.BooleanField()
    author: Any = fields.ForeignKeyField(
        "models.Author", related_name="books", db_index=True
    )
    tags: Any = fields.ManyToManyField(
        "models.Tag", related_name="books", through="books_tags"
    )


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


class TortoiseOrm(AsyncContender):
    """Its only connection, ``save()`` as it is."""

    async def open(self) -> None:
        mode = "FULL" if self.full else "NORMAL"
        url = f"sqlite://{self.file}?synchronous={mode}"
        await Tortoise.init(db_url=url, modules={"models": [__name__]})

    async def close(self) -> None:
        await Tortoise.close_connections()

    async def create_tables(self) -> None:
        await Tortoise.generate_schemas()

    async def add_authors(self, authors: Sequence[AuthorData]) -> None:
        await Author.bulk_create([Author(**each._asdict()) for each in authors])

    async def add_tags(
        self, names: Sequence[str], links: Sequence[tuple[int, int]]
    ) -> None:
        await Tag.bulk_create([Tag(name=name) for name in names])
        books = {book.id: book for book in await Book.all()}
        tags = {tag.id: tag for tag in await Tag.all()}
        for book, tag in links:
            await books[book].tags.add(tags[tag])

    async def insert(self, books: Sequence[BookData]) -> None:
        for book in books:
            await made(book).save()

    async def bulk_insert(self, books: Sequence[BookData]) -> None:
        await Book.bulk_create([made(book) for book in books])

    async def get(self, keys: Iterable[int]) -> list[Any]:
        return [await Book.get(id=key) for key in keys]

    async def one(self, titles: Iterable[str]) -> list[Any]:
        return [await Book.filter(title=title).first() for title in titles]

    async def select(self, year: int) -> list[Any]:
        return await Book.filter(year__gte=year)

    async def eager(self) -> list[Any]:
        return await Book.all().select_related("author")

    async def children(self) -> list[tuple[Any, list[Any]]]:
        found = await Author.all().prefetch_related("books")
        return [(author, list(author.books)) for author in found]

    async def tagged(self) -> list[tuple[Any, list[Any]]]:
        found = await Book.all().prefetch_related("tags")
        return [(book, list(book.tags)) for book in found]

    async def update(self, books: Sequence[Any], price: float) -> None:
        for book in books:
            book.price = price
            await book.save()

    async def update_where(self, year: int, price: float) -> int:
        return await Book.filter(year__gte=year).update(price=price)

    async def groups(self) -> list[Any]:
        query = Book.annotate(count=Count("id"), mean=Avg("price")).group_by("year")
        return await query.values_list("year", "count", "mean")

    def iterate(self, limit: int | None = None) -> AsyncIterator[Any]:
        query = Book.all()
        return aiter(query if limit is None else query.limit(limit))
