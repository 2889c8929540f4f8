"""What users write, in both colours, without a cast. No type checker may object."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Annotated, Any, assert_type
from uuid import UUID, uuid4

from pydantic import Field

from sqliter import SqliterDB, StatementEvent
from sqliter.asyncio import AsyncQueryBuilder, AsyncSqliterDB
from sqliter.lookups import lookup
from sqliter.model import BaseDBModel, ForeignKey, FullText, KeyedModel, unique
from sqliter.query import QueryBuilder, func
from sqliter.query.annotated import AnnotatedRow
from sqliter.query.page import KeysetPage
from sqliter.query.search import Hit


class Author(BaseDBModel):
    name: str
    email: Annotated[str, unique()]
    born: int | None = None


class Book(BaseDBModel):
    title: str
    tags: list[str] = []
    author_id: int = ForeignKey(Author, on_delete="CASCADE")

    class Meta:
        table_name = "books"
        indexes = ["title", ("author_id", "title")]
        unique_indexes = [("title", "author_id")]
        fts = FullText(["title"], tokenizer="porter", prefixes=[2, 3])


class Document(KeyedModel):
    pk: UUID = Field(default_factory=uuid4)  # ty: ignore  # it looks at all bases
    text: str


class Country(KeyedModel):
    pk: str = Field()  # ty: ignore
    name: str


class Remark(BaseDBModel):
    document_id: UUID = ForeignKey(Document)


def keyed(db: SqliterDB, document: Document) -> None:
    assert_type(document.pk, UUID)
    assert_type(db.get(Document, document.pk), Document | None)
    assert_type(db.bulk_delete(Document, [document, document.pk]), int)
    db.select(Document).filter(Document.pk == document.pk)
    db.insert(Country(pk="fr", name="France"))
    db.insert(Remark(document_id=db.save(Document(text="Hi")).pk))


def named(author: Author) -> None:
    assert_type(author.name, str)


def told(author: Author, change: str) -> None:
    assert_type(author.born, int | None)


async def awaited(author: Author) -> None:
    assert_type(author.email, str)


def slow(event: StatementEvent) -> bool:
    assert_type(event.params, tuple[int | float | str | bytes | None, ...])
    assert_type(event.error, BaseException | None)
    return event.duration > 1


@lookup("glob")
def glob(column: str, value: str) -> tuple[str, list[str]]:
    return f"{column} GLOB ?", [value]


assert_type(glob("name", "a*"), tuple[str, list[str]])


def blocking() -> None:
    db = SqliterDB("library.db", durability="full", busy_timeout=1.5, slow_query=0.5)
    assert_type(db.on_statement(slow), Callable[[], None])
    assert_type(db.on(Author, "before_insert", named), Callable[[], None])
    db.on(Author, "after_commit", told)
    assert_type(db.slow_query, float | None)
    db.slow_query = None
    assert_type(SqliterDB.create(memory=True), SqliterDB)
    assert_type(db.connect(), sqlite3.Connection)
    assert_type(db.conn, sqlite3.Connection | None)
    db.create_table(Author, exists_ok=True)
    db.create_indexes(Author, ["name", ("name", "born")], unique=True)

    ada = db.insert(Author(name="Ada", email="ada@example.org"))
    assert_type(ada, Author)
    assert_type(ada.pk, int)
    assert_type(ada.email, str)
    assert_type(ada.born, int | None)
    book = Book(title="Notes", author_id=ada.pk)
    assert_type(db.bulk_insert([book]), list[Book])
    assert_type(db.bulk_insert((book,), timestamp_override=True), list[Book])
    assert_type(db.get(Book, 1), Book | None)
    assert_type(db.get(Book, 1, bypass_cache=True, cache_ttl=2.5), Book | None)
    db.update(book)
    assert_type(db.update_where(Book, {"title": "x"}, {"title": "y"}), int)
    db.delete(Book, book.pk)
    assert_type(db.save(book), Book)
    assert_type(db.save(book, fields=["title"]), Book)
    db.update(book, fields=["title"])
    assert_type(db.insert(book, returning=["title"]), Book)
    page = db.select(Book).order("title").page_after(None, size=10)
    assert_type(page, KeysetPage[Book])
    assert_type(page.items, list[Book])
    assert_type(page.next_cursor, str | None)
    assert_type(db.select(Book).delete_returning(), list[Book])
    assert_type(db.select(Book).update_returning({"title": "y"}), list[Book])
    counted = db.select(Author).annotate(n=func.count()).fetch_annotated()
    assert_type(counted, list[AnnotatedRow[Author]])
    assert_type(counted[0].instance, Author)
    assert_type(counted[0].values, dict[str, Any])
    assert_type(db.upsert(book), Book)
    assert_type(db.upsert(book, conflict=("title",), update=[]), Book)
    assert_type(db.bulk_upsert([book], update=["tags"]), list[Book])
    assert_type(db.get_or_create(Book, title="Notes"), tuple[Book, bool])
    found, is_new = db.update_or_create(Book, {"tags": ["x"]}, title="Notes", pk=1)
    assert_type(found, Book)
    assert_type(is_new, bool)
    assert_type(db.bulk_update([book], ["title"]), int)
    assert_type(db.bulk_delete(Book, [1, 2]), int)
    assert_type(db.bulk_delete(Book, db.bulk_insert([book])), int)
    assert_type(db.bulk_delete(Book, (1, book)), int)
    db.refresh(book)
    db.refresh(book, fields=["title"])

    query = db.select(Book)
    assert_type(query, QueryBuilder[Book])
    assert_type(query.filter(title="Notes", author_id__in=[1, 2]), QueryBuilder[Book])
    assert_type(query.order("-title", "pk", nulls="last"), QueryBuilder[Book])
    assert_type(query.limit(3).offset(1).only("title"), QueryBuilder[Book])
    assert_type(query.clone(), QueryBuilder[Book])
    assert_type(query.fetch_all(), list[Book])
    assert_type(query.fetch_one(), Book | None)
    assert_type(query.fetch_first(), Book | None)
    assert_type(query.fetch_last(), Book | None)
    assert_type(query.count(), int)
    assert_type(query.exists(), bool)
    assert_type(query.update({"title": "x"}), int)
    assert_type(query.delete(), int)
    assert_type(query.to_sql(), tuple[str, tuple[Any, ...]])
    assert_type(db.select(Book, fields=["title"], exclude=("pk",)), QueryBuilder[Book])
    groups = query.group_by("author_id").annotate(n=func.count()).having(n__gt=1)
    assert_type(groups, QueryBuilder[Book])
    assert_type(groups.fetch_dicts(), list[dict[str, Any]])
    search = query.search("notes", weights={"title": 2})
    assert_type(search, QueryBuilder[Book])
    hits = search.fetch_hits("title", before="[", after="]", words=8)
    assert_type(hits, list[Hit[Book]])
    assert_type(hits[0].instance, Book)
    assert_type(hits[0].rank, float)
    assert_type(hits[0].texts, dict[str, str | None])
    db.rebuild_search(Book)
    for each in query.fetch_all():
        assert_type(each.title, str)
        assert_type(each.tags, list[str])
        assert_type(each.author_id, int)

    assert_type(db.execute("DELETE FROM books WHERE pk = ?", (1,)).rowcount, int)
    assert_type(db.fetch("SELECT 1"), list[dict[str, Any]])
    assert_type(db.fetch("SELECT * FROM books", model=Book), list[Book])
    assert_type(db.table_names, list[str])
    with db as same, db:
        assert_type(same, SqliterDB)
        db.rollback()
    db.commit()
    db.close()


async def awaiting() -> None:
    db = AsyncSqliterDB("library.db", durability="full", busy_timeout=1.5)
    assert_type(db.on_statement(slow), Callable[[], None])
    db.slow_query = 0.5
    assert_type(db.on(Author, "after_delete", awaited), Callable[[], None])
    assert_type(await AsyncSqliterDB.create(memory=True, reset=True), AsyncSqliterDB)
    await db.create_table(Author, exists_ok=True)
    await db.create_indexes(Author, ["name", ("name", "born")], unique=True)

    ada = await db.insert(Author(name="Ada", email="ada@example.org"))
    assert_type(ada, Author)
    book = Book(title="Notes", author_id=ada.pk)
    assert_type(await db.bulk_insert([book]), list[Book])
    assert_type(await db.bulk_insert((book,), timestamp_override=True), list[Book])
    assert_type(await db.get(Book, 1), Book | None)
    assert_type(await db.get(Book, 1, bypass_cache=True, cache_ttl=2.5), Book | None)
    await db.update(book)
    assert_type(await db.update_where(Book, {"title": "x"}, {"title": "y"}), int)
    await db.delete(Book, book.pk)
    assert_type(await db.save(book), Book)
    assert_type(await db.insert(book, returning=True), Book)
    assert_type(await db.select(Book).page_after(), KeysetPage[Book])
    assert_type(await db.select(Book).delete_returning(), list[Book])
    assert_type(await db.select(Book).update_returning({"title": "y"}), list[Book])
    rows = await db.select(Author).annotate(n=func.count()).fetch_annotated()
    assert_type(rows, list[AnnotatedRow[Author]])
    assert_type(await db.upsert(book), Book)
    assert_type(await db.upsert(book, conflict=("title",), update=[]), Book)
    assert_type(await db.bulk_upsert([book], update=["tags"]), list[Book])
    assert_type(await db.get_or_create(Book, title="Notes"), tuple[Book, bool])
    found, is_new = await db.update_or_create(Book, {"tags": ["x"]}, title="Notes")
    assert_type(found, Book)
    assert_type(is_new, bool)
    assert_type(await db.bulk_update([book], ["title"]), int)
    assert_type(await db.bulk_delete(Book, [1, 2]), int)
    assert_type(await db.bulk_delete(Book, await db.bulk_insert([book])), int)
    assert_type(await db.bulk_delete(Book, (1, book)), int)
    await db.refresh(book)
    await db.refresh(book, fields=["title"])

    query = db.select(Book)
    assert_type(query, AsyncQueryBuilder[Book])
    assert_type(query.filter(title="x", author_id__in=[1, 2]), AsyncQueryBuilder[Book])
    assert_type(query.order("-title", "pk", nulls="last"), AsyncQueryBuilder[Book])
    assert_type(query.limit(3).offset(1).only("title"), AsyncQueryBuilder[Book])
    assert_type(query.clone(), AsyncQueryBuilder[Book])
    assert_type(await query.fetch_all(), list[Book])
    assert_type(await query.fetch_one(), Book | None)
    assert_type(await query.fetch_first(), Book | None)
    assert_type(await query.fetch_last(), Book | None)
    assert_type(await query.count(), int)
    assert_type(await query.exists(), bool)
    assert_type(await query.update({"title": "x"}), int)
    assert_type(await query.delete(), int)
    assert_type(query.to_sql(), tuple[str, tuple[Any, ...]])
    assert_type(db.select(Book, fields=["title"]), AsyncQueryBuilder[Book])
    groups = query.group_by("author_id").annotate(n=func.count()).having(n__gt=1)
    assert_type(groups, AsyncQueryBuilder[Book])
    assert_type(await groups.fetch_dicts(), list[dict[str, Any]])
    search = query.search("title : notes", raw=True)
    assert_type(search, AsyncQueryBuilder[Book])
    assert_type(await search.fetch_hits("title"), list[Hit[Book]])
    await db.rebuild_search(Book)
    for each in await query.fetch_all():
        assert_type(each.title, str)
        assert_type(each.tags, list[str])

    assert_type((await db.execute("DELETE FROM books", ())).lastrowid, int | None)
    assert_type(await db.fetch("SELECT 1"), list[dict[str, Any]])
    assert_type(await db.fetch("SELECT * FROM books", model=Book), list[Book])
    assert_type(await db.get_table_names(), list[str])
    async with db as same, db:
        assert_type(same, AsyncSqliterDB)
        await db.rollback()
    connection = await db.connect()
    cursor = await connection.execute("SELECT 1")
    assert_type(await cursor.fetchall(), list[Any])
    await db.commit()
    await db.close()
