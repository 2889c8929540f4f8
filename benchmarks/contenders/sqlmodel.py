"""SQLModel: SQLAlchemy's ORM with models of Pydantic."""

# No `from __future__ import annotations`: SQLModel reads the relations' annotations.
from datetime import date
from types import SimpleNamespace

from sqlmodel import Field, Relationship, Session, SQLModel

from benchmarks.contenders.sqlalchemy_blocking import SqlAlchemyBlocking

__all__ = ["SqlModel"]


class Link(SQLModel, table=True):
    """Which book has which tag."""

    __tablename__ = "books_tags"
    book_id: int = Field(foreign_key="books.id", primary_key=True)
    tag_id: int = Field(foreign_key="tags.id", primary_key=True)


class Author(SQLModel, table=True):
    """Somebody who writes."""

    __tablename__ = "authors"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    country: str
    books: list["Book"] = Relationship(back_populates="author")


class Tag(SQLModel, table=True):
    """A word."""

    __tablename__ = "tags"
    id: int | None = Field(default=None, primary_key=True)
    name: str


class Book(SQLModel, table=True):
    """What somebody wrote."""

    __tablename__ = "books"
    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(index=True)
    year: int
    price: float
    published: date
    in_print: bool
    author_id: int = Field(foreign_key="authors.id", index=True)
    author: Author = Relationship(back_populates="books")
    tags: list[Tag] = Relationship(link_model=Link)


class SqlModel(SqlAlchemyBlocking):
    """The same code as SQLAlchemy's, with SQLModel's session."""

    models = SimpleNamespace(Author=Author, Tag=Tag, Book=Book, links=Link.__table__)
    metadata = SQLModel.metadata
    session_class = Session
