"""The models of both SQLAlchemy contenders."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Column, Engine, ForeignKey, Table, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from benchmarks.contenders.contender import pragmas
from benchmarks.library import BookData

__all__ = ["Author", "Base", "Book", "Tag", "configure", "links", "made"]


class Base(DeclarativeBase):
    """What knows all tables."""


links = Table(
    "books_tags",
    Base.metadata,
    Column("book_id", ForeignKey("books.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Author(Base):
    """Somebody who writes."""

    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    country: Mapped[str]
    books: Mapped[list[Book]] = relationship(back_populates="author")


class Tag(Base):
    """A word."""

    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Book(Base):
    """What somebody wrote."""

    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(index=True)
    year: Mapped[int]
    price: Mapped[float]
    published: Mapped[date]
    in_print: Mapped[bool]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
    author: Mapped[Author] = relationship(back_populates="books")
    tags: Mapped[list[Tag]] = relationship(secondary=links)


def made(model: Any, book: BookData) -> Any:
    """Return a new instance."""
    title, year, price, published, in_print, author = book
    return model(
        title=title,
        year=year,
        price=price,
        published=published,
        in_print=in_print,
        author_id=author,
    )


def configure(engine: Engine, *, full: bool) -> None:
    """Set what everybody sets, on every connection."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for name, value in pragmas(full=full).items():
            cursor.execute(f"PRAGMA {name} = {value}")
        cursor.close()
