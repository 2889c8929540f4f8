"""Mistakes a type checker must find: exactly the lines marked as errors."""

from __future__ import annotations

from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.model import BaseDBModel, ForeignKey, FullText


class Author(BaseDBModel):
    name: str


class Book(BaseDBModel):
    title: str
    author_id: int = ForeignKey(Author, on_delete="DELETE")  # error


class NoModel:
    pass


def blocking(db: SqliterDB) -> None:
    SqliterDB("library.db", durabilty="full")  # error
    SqliterDB("library.db", durability="most")  # error
    SqliterDB(7)  # error
    Author(name=7)  # error
    Author()  # error
    db.create_table(Author(name="Ada"))  # error
    db.create_table(NoModel)  # error
    db.create_table(Author, False)  # error
    db.insert("Ada")  # error
    db.insert(Author)  # error
    db.insert(Author(name="Ada")).title  # error
    db.get(Author, 1).name  # error
    db.select(NoModel)  # error
    db.select(Author).fetch_all().name  # error
    db.select(Author).fetch_one().name  # error
    db.select(Author).limit("3")  # error
    db.select(Author).search(3)  # error
    db.select(Author).search("x", weights=["name"])  # error
    db.select(Author).search("x").fetch_hits(["name"])  # error
    FullText(["name"], tokenizer="latin")  # error
    db.select(Author).order("name", nulls="none")  # error
    db.select(Author).filter("name")  # error
    db.select(Author).annotate(n="count")  # error
    db.select(Author).fetch_al()  # error
    db.fetch("SELECT 1", (), Author)  # error
    db.fetch("SELECT 1", model=NoModel)  # error
    db.execute("SELECT 1", 1)  # error
    db.is_memory = True  # error
    db.update(Author)  # error
    db.in_transaction = False  # error
    db.save(Author)  # error
    db.save(Author(name="Ada")).title  # error
    db.save(Author(name="Ada"), fields=3)  # error
    db.insert(Author(name="Ada"), returning=3)  # error
    db.select(Author).page_after(3)  # error
    db.select(Author).page_after().items[0].title  # error
    db.select(Author).delete_returning()[0].title  # error
    db.select(Author).update_returning(["name"])  # error
    db.select(Author).fetch_annotated()[0].instance.title  # error
    db.upsert("Ada")  # error
    db.upsert(Author(name="Ada"), ["name"])  # error
    db.upsert(Author(name="Ada"), conflict=7)  # error
    db.upsert(Author(name="Ada")).title  # error
    db.bulk_upsert(Author(name="Ada"), conflict="name").name  # error
    db.get_or_create(Author, name="Ada").name  # error
    db.get_or_create(Author, ["name"], name="Ada")  # error
    db.get_or_create(Author(name="Ada"))  # error
    db.update_or_create(Author, name="Ada")[0].title  # error
    db.bulk_update([Author(name="Ada")])  # error
    db.bulk_update(["Ada"], ["name"])  # error
    db.bulk_delete(Author, ["Ada"])  # error
    db.bulk_delete([Author(name="Ada")])  # error
    db.refresh(Author)  # error
    db.on(Author, "after_select", print)  # error
    db.on(Author, "after_commit", lambda author: None)  # error
    db.on(Author, "after_insert", lambda author, change: None)  # error
    db.on(Author, "after_insert", lambda author: author.title)  # error
    db.refresh(Author(name="Ada")).name  # error


async def awaiting(db: AsyncSqliterDB) -> None:
    AsyncSqliterDB("library.db", cache=True)  # error
    with db:  # error
        pass
    (await db.get(Author, 1)).name  # error
    (await db.insert(Author(name="Ada"))).title  # error
    db.table_names  # error
    await db.select(Author)  # error
    await db.select(Author).limit("3").fetch_all()  # error
    for _ in db.select(Author).fetch_all():  # error
        pass
    book: Book = await db.insert(Author(name="Ada"))  # error
    names: list[str] = await db.fetch("SELECT 1")  # error
    db.debug = True  # error
    (await db.upsert(Author(name="Ada"))).title  # error
    author, is_new = db.get_or_create(Author, name="Ada")  # error
    (await db.update_or_create(Author, name="Ada"))[0].title  # error
    await db.bulk_delete(Author, 1)  # error
    print(book, names)
