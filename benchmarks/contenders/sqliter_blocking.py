"""This library, blocking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, ClassVar

from benchmarks.contenders.contender import Contender, NotThereError
from benchmarks.library import AuthorData, BookData
from sqliter import SqliterDB
from sqliter.orm import (
    BaseDBModel,
    ForeignKey,
    ManyToMany,
    ReverseRelationship,
    fk_id,
)
from sqliter.query import func

__all__ = ["SqliterBlocking"]


class Author(BaseDBModel):
    """Somebody who writes."""

    name: str
    country: str
    books: ClassVar[ReverseRelationship[Book]]

    class Meta:
        """A name, so that no plural has to be found."""

        table_name = "authors"


class Tag(BaseDBModel):
    """A word."""

    name: str

    class Meta:
        """A name."""

        table_name = "tags"


class Book(BaseDBModel):
    """What somebody wrote."""

    title: str
    year: int
    price: float
    published: date
    in_print: bool
    author_id: int = fk_id()
    author: ForeignKey[Author] = ForeignKey(Author, related_name="books")
    tags: ManyToMany[Tag] = ManyToMany(Tag, related_name="books")

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


class SqliterBlocking(Contender):
    """``SqliterDB`` as it is by default."""

    def open(self) -> None:
        self.db = SqliterDB(self.file, durability="full" if self.full else "normal")

    def close(self) -> None:
        self.db.close()

    def create_tables(self) -> None:
        for model in (Author, Tag, Book):
            self.db.create_table(model)

    def add_authors(self, authors: Sequence[AuthorData]) -> None:
        self.db.bulk_insert([Author(**each._asdict()) for each in authors])

    def add_tags(self, names: Sequence[str], links: Sequence[tuple[int, int]]) -> None:
        tags = self.db.bulk_insert([Tag(name=name) for name in names])
        books = {book.pk: book for book in self.db.select(Book).fetch_all()}
        with self.db:
            for book, tag in links:
                books[book].tags.add(tags[tag - 1])

    def insert(self, books: Sequence[BookData]) -> None:
        for book in books:
            self.db.insert(made(book))

    def bulk_insert(self, books: Sequence[BookData]) -> None:
        self.db.bulk_insert([made(book) for book in books])

    def get(self, keys: Iterable[int]) -> list[Any]:
        return [self.db.get(Book, key) for key in keys]

    def one(self, titles: Iterable[str]) -> list[Any]:
        db = self.db
        return [db.select(Book).filter(title=each).fetch_one() for each in titles]

    def select(self, year: int) -> list[Book]:
        return self.db.select(Book).filter(year__gte=year).fetch_all()

    def eager(self) -> list[Book]:
        return self.db.select(Book).select_related("author").fetch_all()

    def children(self) -> list[tuple[Author, list[Book]]]:
        found = self.db.select(Author).prefetch_related("books").fetch_all()
        return [(author, author.books.fetch_all()) for author in found]

    def tagged(self) -> list[tuple[Book, list[Tag]]]:
        found = self.db.select(Book).prefetch_related("tags").fetch_all()
        return [(book, book.tags.fetch_all()) for book in found]

    def update(self, books: Sequence[Book], price: float) -> None:
        for book in books:
            book.price = price
            self.db.update(book)

    def update_where(self, year: int, price: float) -> int:
        return self.db.select(Book).filter(year__gte=year).update({"price": price})

    def groups(self) -> list[tuple[Any, ...]]:
        query = self.db.select(Book).group_by("year")
        query.annotate(count=func.count(), mean=func.avg("price"))
        return [tuple(row.values()) for row in query.fetch_dicts()]

    def iterate(self, limit: int | None = None) -> Iterator[Book]:
        query: Any = self.db.select(Book).limit(limit)
        if not hasattr(query, "iterate"):
            raise NotThereError
        return iter(query.iterate())

    def within(self, keys: Sequence[int]) -> list[Book]:
        return self.db.select(Book).filter(pk__in=keys).fetch_all()

    def key(self, row: Any) -> int:
        return row.pk
