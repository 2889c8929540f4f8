"""Records with what they are related to: the shapes of ``include_related=True``."""

from __future__ import annotations

from pydantic import BaseModel

from .models import Author, Book, Reader, Tag

__all__ = ["AuthorDetails", "BookDetails", "ReaderDetails"]


class AuthorDetails(BaseModel):
    """An author with the books."""

    pk: int
    name: str
    books: list[Book]


class ReaderDetails(BaseModel):
    """A reader with the borrowed books."""

    pk: int
    name: str
    loans: list[Book]


class BookDetails(BaseModel):
    """A book with its author, its tags and who has it."""

    pk: int
    title: str
    isbn: str
    author: Author
    borrower: Reader | None = None
    tags: list[Tag]
