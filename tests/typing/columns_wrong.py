"""Mistakes with columns a type checker must find: the lines marked as errors."""

from __future__ import annotations

from datetime import date

from sqliter import SqliterDB
from sqliter.expressions import F, Q, case, cast, col, exists, extract, outer
from sqliter.orm import BaseDBModel, ForeignKey


class Author(BaseDBModel):
    name: str
    born: int | None = None


class Book(BaseDBModel):
    title: str
    pages: int = 0
    published: date | None = None
    author: ForeignKey[Author] = ForeignKey(Author, related_name="books")


def names(db: SqliterDB) -> None:
    db.select(Author).filter(Author.nam == "Ann")  # error
    db.select(Author).order(Author.age)  # error
    db.select(Author).group_by(Author.agee)  # error
    db.select(Book).update({Book.titel: "x"})  # error
    db.select(Book).filter(Book.author.to.nam == "Ann")  # error
    db.select(Book).filter(col(Book.author.to.title) == "x")  # error
    db.select(Book).values(x=Book.price)  # error
    col(Author.name).begins("A")  # error
    Author.name.in_(["Ann"])  # error


def types(db: SqliterDB) -> None:
    db.select(Book).filter(Book.pages > "100")  # error
    db.select(Book).filter(Book.title < 3)  # error
    db.select(Book).filter(Book.title.startswith(3))  # error
    db.select(Book).filter(Book.author.to.name > 3)  # error
    col(Book.pages) > "100"  # error
    col(Book.title) <= 3  # error
    col(Book.title).in_([1, 2])  # error
    col(Book.pages).not_in(["x"])  # error
    col(Book.pages).between("a", "b")  # error
    col(Book.title).like(3)  # error
    col(Book.title).startswith(b"x")  # error
    col(Book.pages).asc(nulls="middle")  # error


def places(db: SqliterDB) -> None:
    db.select(Book).filter(Book.title)  # error
    db.select(Book).filter(col(Book.title))  # error
    db.select(Book).filter(F("pages"))  # error
    db.select(Book).filter("title")  # error
    db.select(Book).annotate(x=3)  # error
    Q(Book.pages)  # error
    F(3)  # error
    case(("x", 1))  # error
    cast(F("pages"), date)  # error
    extract("century", Book.published)  # error
    exists(Book)  # error
    exists(Book.pages > 3)  # error
    outer()  # error
