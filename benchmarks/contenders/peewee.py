"""Peewee."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import peewee

from benchmarks.contenders.contender import Contender, pragmas
from benchmarks.library import AuthorData, BookData

__all__ = ["Peewee"]

BATCH = 1_000
"""Rows per statement: SQLite takes 32,766 values."""

database = peewee.SqliteDatabase(None)


class Model(peewee.Model):
    """What all models share."""

    class Meta:
        """One database."""

        database = database


class Author(Model):
    """Somebody who writes."""

    name = peewee.TextField()
    country = peewee.TextField()


class Tag(Model):
    """A word."""

    name = peewee.TextField()


class Book(Model):
    """What somebody wrote."""

    title = peewee.TextField(index=True)
    year = peewee.IntegerField()
    price = peewee.DoubleField()
    published = peewee.DateField()
    in_print = peewee.BooleanField()
    author = peewee.ForeignKeyField(Author, backref="books")


class Link(Model):
    """Which book has which tag."""

    book = peewee.ForeignKeyField(Book, backref="links")
    tag = peewee.ForeignKeyField(Tag, backref="links")


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


class Peewee(Contender):
    """One connection, ``save()`` as it is."""

    def open(self) -> None:
        database.init(self.file, pragmas=pragmas(full=self.full))
        database.connect()

    def close(self) -> None:
        database.close()

    def create_tables(self) -> None:
        database.create_tables([Author, Tag, Book, Link])

    def add_authors(self, authors: Sequence[AuthorData]) -> None:
        self._many(Author, [Author(**each._asdict()) for each in authors])

    def add_tags(self, names: Sequence[str], links: Sequence[tuple[int, int]]) -> None:
        self._many(Tag, [Tag(name=name) for name in names])
        self._many(Link, [Link(book=book, tag=tag) for book, tag in links])

    def insert(self, books: Sequence[BookData]) -> None:
        for book in books:
            made(book).save()

    def bulk_insert(self, books: Sequence[BookData]) -> None:
        self._many(Book, [made(book) for book in books])

    def get(self, keys: Iterable[int]) -> list[Any]:
        return [Book.get_by_id(key) for key in keys]

    def one(self, titles: Iterable[str]) -> list[Any]:
        return [Book.get(Book.title == title) for title in titles]

    def select(self, year: int) -> list[Any]:
        return list(Book.select().where(Book.year >= year))

    def eager(self) -> list[Any]:
        return list(Book.select(Book, Author).join(Author))

    def children(self) -> list[tuple[Any, list[Any]]]:
        found = peewee.prefetch(Author.select(), Book.select())
        return [(author, author.books) for author in found]

    def tagged(self) -> list[tuple[Any, list[Any]]]:
        found = peewee.prefetch(Book.select(), Link.select(), Tag.select())
        return [(book, [link.tag for link in book.links]) for book in found]

    def update(self, books: Sequence[Any], price: float) -> None:
        for book in books:
            book.price = price
            book.save()

    def update_where(self, year: int, price: float) -> int:
        count: int = Book.update(price=price).where(Book.year >= year).execute()
        return count

    def groups(self) -> list[Any]:
        columns = (Book.year, peewee.fn.COUNT(), peewee.fn.AVG(Book.price))
        return list(Book.select(*columns).group_by(Book.year).tuples())

    def iterate(self, limit: int | None = None) -> Iterator[Any]:
        rows: Iterator[Any] = Book.select().limit(limit).iterator()
        return rows

    def _many(self, model: Any, instances: Sequence[Any]) -> None:
        with database.atomic():
            model.bulk_create(instances, batch_size=BATCH)
