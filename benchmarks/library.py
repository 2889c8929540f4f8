"""The data everybody stores: authors, their books, and tags."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

__all__ = [
    "MIDDLE",
    "AuthorData",
    "BookData",
    "Library",
    "author",
    "book",
    "books",
    "scaled",
]

MIDDLE = 1950
"""Half of the books are from this year or later."""

_FIRST_DAY = date(2020, 1, 1)


class AuthorData(NamedTuple):
    """An author, as plain values."""

    name: str
    country: str


class BookData(NamedTuple):
    """A book, as plain values; ``author`` is the author's key."""

    title: str
    year: int
    price: float
    published: date
    in_print: bool
    author: int


def author(number: int) -> AuthorData:
    """Return the author of this number."""
    return AuthorData(f"Author {number}", f"Country {number % 50}")


def book(number: int, authors: int) -> BookData:
    """Return the book of this number; the authors take turns."""
    return BookData(
        title=f"Book {number}",
        year=1900 + number % 100,
        price=number / 4,
        published=_FIRST_DAY + timedelta(days=number % 1_000),
        in_print=number % 2 == 0,
        author=1 + number % authors,
    )


def books(count: int, authors: int) -> list[BookData]:
    """Return so many books."""
    return [book(number, authors) for number in range(count)]


def scaled(count: int, scale: float) -> int:
    """Return a part of ``count``, at least ten."""
    return count if scale == 1 else max(10, round(count * scale))


@dataclass(frozen=True)
class Library:
    """What is in a file before an item is measured."""

    authors: int = 100
    books: int = 0
    tags: int = 0
    tags_per_book: int = 0

    def at(self, scale: float) -> Library:
        """Return a smaller library."""
        return Library(
            scaled(self.authors, scale),
            scaled(self.books, scale) if self.books else 0,
            self.tags,
            self.tags_per_book,
        )

    @property
    def name(self) -> str:
        """A name for its file."""
        return f"{self.authors}-{self.books}-{self.tags}"

    @property
    def links(self) -> list[tuple[int, int]]:
        """The keys of books and tags that belong together."""
        return [
            (number + 1, 1 + (number + offset) % self.tags)
            for number in range(self.books)
            for offset in range(self.tags_per_book)
        ]
