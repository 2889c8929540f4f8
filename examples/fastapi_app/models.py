"""What the library keeps. The models are request bodies and responses, too."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import Field

from sqliter.asyncio.orm import (
    AsyncBaseDBModel,
    AsyncForeignKey,
    AsyncManyToMany,
    AsyncReverseManyToMany,
    AsyncReverseRelationship,
    fk_id,
)
from sqliter.model import unique

__all__ = ["TABLES", "Author", "Book", "Key", "Reader", "Record", "Tag", "Text"]

Key: TypeAlias = Annotated[int, Field(gt=0, lt=2**63)]
"""A key that SQLite can have."""

Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]


def read_only(default: Any) -> Any:
    """Return a field that clients see but do not set; see ``bodies``."""
    return Field(default=default, json_schema_extra={"readOnly": True})


class Record(AsyncBaseDBModel):
    """What all models have; it is no table itself."""

    pk: int = read_only(0)
    created_at: int = read_only(0)
    updated_at: int = read_only(0)


class Author(Record):
    """Somebody who wrote a book."""

    name: Annotated[Text, unique()]
    books: ClassVar[AsyncReverseRelationship[Book]]


class Reader(Record):
    """Somebody who borrows books."""

    name: Text
    loans: ClassVar[AsyncReverseRelationship[Book]]


class Tag(Record):
    """A word that books are found by."""

    name: Annotated[Text, unique()]
    books: ClassVar[AsyncReverseManyToMany[Book]]


class Book(Record):
    """A copy on the shelf, or with the reader who borrowed it."""

    title: Text
    isbn: Annotated[Text, unique()]
    author_id: Key = fk_id()
    author: AsyncForeignKey[Author] = AsyncForeignKey(Author, related_name="books")
    borrower_id: int | None = read_only(None)
    borrower: AsyncForeignKey[Reader | None] = AsyncForeignKey(
        Reader, null=True, related_name="loans"
    )
    tags: AsyncManyToMany[Tag] = AsyncManyToMany(Tag, related_name="books")


TABLES = (Author, Reader, Tag, Book)
"""In this order they can be created."""
