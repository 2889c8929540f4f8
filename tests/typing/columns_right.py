"""Columns and expressions as users write them, without a cast. No checker may object."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, assert_type

from sqliter import SqliterDB
from sqliter.asyncio import AsyncQueryBuilder, AsyncSqliterDB
from sqliter.expressions import (
    Attribute,
    F,
    Q,
    case,
    cast,
    coalesce,
    col,
    exists,
    extract,
    func,
    outer,
    subquery,
)
from sqliter.orm import BaseDBModel, ForeignKey, fk_id
from sqliter.query import QueryBuilder


class Author(BaseDBModel):
    name: str
    born: int | None = None


class Book(BaseDBModel):
    title: str
    price: Decimal = Decimal(1)
    pages: int = 0
    published: date | None = None
    lent: bool = False
    author_id: int = fk_id()
    author: ForeignKey[Author] = ForeignKey(Author, related_name="books")


def conditions(db: SqliterDB) -> None:
    # A column is what it is on an instance; compared, it is a bool.
    assert_type(Author.pk, int)
    assert_type(Author.name, str)
    assert_type(Author.born, int | None)
    assert_type(Book.pages > 100, bool)
    assert_type(Author.name == "Ann", bool)

    # col() tells what else it can do.
    assert_type(col(Author.name), Attribute[str])
    assert_type(col(Author.born), Attribute[int | None])
    assert_type(col(Author.name).in_(["Ann", "Bob"]), Q)
    assert_type(col(Author.name) == "Ann", Q)
    assert_type(col(Author.name).startswith("A"), Q)
    assert_type(col(Book.pages).between(1, 2), Q)
    assert_type(col(Author.born).is_null(), Q)
    assert_type(col(Book.price) > Decimal("1.50"), Q)
    assert_type(col(Book.pages) > col(Author.pk), Q)
    assert_type(~Q(Book.pages > 100), Q)
    assert_type(Q(Book.pages > 100) | (Author.name == "x"), Q)
    assert_type(Q(Book.pages > 100) & Q(title="x"), Q)

    books = db.select(Book)
    assert_type(books.filter(Book.pages > 100), QueryBuilder[Book])
    books.filter(Book.title == "Notes", Book.pages < 9, lent=True)
    books.filter(Book.title.startswith("N"))
    books.filter(Q(Book.pages > 100) | ~Q(Book.title == "x"))
    books.filter(col(Book.author_id).in_([1, 2]) & col(Book.title).like("N%"))
    books.exclude_where(Book.pages == 0)
    # Across foreign keys: `to` is typed as what it leads to.
    books.filter(Book.author.to.name == "Ann")
    books.filter(col(Book.author.to.name).in_(["Ann"]))
    assert_type(Book.author.to.name, str)
    assert_type(Book.author.to.born, int | None)
    books.filter(Book.author.name == "Ann")  # not checked any further


def queries(db: SqliterDB) -> None:
    books = db.select(Book)
    assert_type(books.order(Book.title, "-pages"), QueryBuilder[Book])
    books.order(col(Book.pages).desc(nulls="last"), col(Book.title).asc())
    books.order(func.length(Book.title), Book.author.to.name)
    assert_type(
        books.update({Book.title: func.upper(Book.title), "pages": F("pages") + 1}), int
    )
    groups = books.group_by(Book.author_id).annotate(
        n=func.count(), total=func.sum(col(Book.pages) * 2), best=func.max(Book.price)
    )
    assert_type(groups, QueryBuilder[Book])
    groups.having(func.sum("pages") > 100, n__gte=2)
    assert_type(groups.fetch_dicts(), list[dict[str, Any]])
    rank = func.rank().over(partition_by=Book.author_id, order_by="-price")
    rows = books.values("title", Book.pages, rank=rank, big=Book.pages > 300)
    assert_type(rows, list[dict[str, Any]])
    assert_type(books.scalars(Book.title), list[Any])


def expressions(db: SqliterDB) -> None:
    books, authors = db.select(Book), db.select(Author)
    books.filter(F("price") * 2 > F("pages"), F("title") != F("author__name"))
    kind = case((Book.pages < 50, "thin"), (Q(pages__gt=500), "thick"), otherwise=None)
    books.values(kind=kind, born=coalesce(Book.author.to.born, 1900))
    books.filter(extract("year", Book.published) >= 2020)
    books.filter(cast(F("pages"), str).startswith("1"))
    books.filter(func.lower(Book.title).contains("sea"))
    mine = books.filter(Book.author_id == outer(Author.pk))
    assert_type(exists(mine), Q)
    authors.filter(exists(mine), ~exists(mine.filter(Book.pages > 3)))
    authors.filter(col(Author.pk).in_(subquery(books, Book.author_id)))
    books.filter(col(Book.pages) > subquery(books, func.avg("pages")))


async def awaiting(db: AsyncSqliterDB) -> None:
    books = db.select(Book)
    found = books.filter(Book.pages > 100, col(Book.title).startswith("N"))
    assert_type(found, AsyncQueryBuilder[Book])
    await db.select(Author).filter(exists(books)).fetch_all()
    assert_type(await books.update({Book.pages: F("pages") + 1}), int)
    assert_type(await books.values(twice=col(Book.pages) * 2), list[dict[str, Any]])
