"""Writes that give the rows back: of queries, and of one record that is inserted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from contract.library import stocked
from support import Colour, StatementLog

from sqliter.exceptions import (
    ForeignKeyConstraintError,
    InvalidProjectionError,
    InvalidUpdateError,
    RecordDeletionError,
    RecordNotFoundError,
    RecordUpdateError,
)
from sqliter.expressions import F
from sqliter.model import BaseDBModel, ForeignKey
from sqliter.query import func


class Shop(BaseDBModel):
    name: str

    class Meta:
        table_name = "shops"


class Sale(BaseDBModel):
    text: str
    price: Decimal = Decimal(1)
    day: date | None = None
    tags: list[str] = []
    count: int = 0
    shop_id: int | None = ForeignKey(Shop, null=True, db_column="place")

    class Meta:
        table_name = "sales"
        version = "count"


async def fill(db: Any) -> list[Sale]:
    await db.create_table(Shop)
    await db.create_table(Sale)
    shop = await db.insert(Shop(name="corner"))
    day = date(2024, 2, 29)
    return await db.bulk_insert(
        [
            Sale(text="a", price=Decimal("1.10"), day=day, tags=["x"], shop_id=shop.pk),
            Sale(text="b"),
            Sale(text="c", price=Decimal("9")),
        ]
    )


def by_key(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: row.pk)


async def test_deleted_rows_come_back(logged_db: Any, statements: StatementLog) -> None:
    db = logged_db
    rows = await fill(db)
    statements.clear()
    gone = await db.select(Sale).filter(text__in=["a", "b"]).delete_returning()
    assert by_key(gone) == rows[:2]
    assert [type(row) for row in gone] == [Sale, Sale]
    (sql,) = statements.starting("DELETE")
    assert sql.startswith('DELETE FROM "sales" WHERE ')
    assert ' RETURNING "pk", "created_at", ' in sql
    assert '"place" AS "shop_id"' in sql
    assert await db.select(Sale).scalars("text") == ["c"]
    assert await db.select(Sale).filter(text="a").delete_returning() == []
    await db.insert(gone[0])  # it is an instance like any other
    assert await db.get(Sale, gone[0].pk) == gone[0]


async def test_updated_rows_come_back(db: Any) -> None:
    rows = await fill(db)
    query = db.select(Sale).filter(price__gte=Decimal("1.1"))
    found = by_key(await query.update_returning({"text": "new", "updated_at": 7}))
    assert [(row.pk, row.text, row.updated_at) for row in found] == [
        (rows[0].pk, "new", 7),
        (rows[2].pk, "new", 7),
    ]
    assert [row.count for row in found] == [1, 1]
    assert found == await query.clone().order("pk").fetch_all()
    await db.update(found[0])  # its version is the one in the file
    assert await query.update_returning({}) == []
    assert (await query.only("text").update_returning({"text": F("text")}))[
        0
    ].model_dump() == {"pk": 1, "text": "new"}


async def test_through_relations(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(author__name="Jane")
    found = by_key(await query.update_returning({"title": "new"}))
    assert [book.pk for book in found] == [1, 3]
    await db.select(lib.Comment).delete()
    gone = by_key(await query.delete_returning())
    assert [book.title for book in gone] == ["new", "new"]
    assert [book.author_id for book in gone] == [1, 1]
    for wrong in (
        query.clone().select_related("author"),
        query.prefetch_related("tags"),
    ):
        with pytest.raises(ValueError, match="leave select_related"):
            await wrong.delete_returning()
        with pytest.raises(ValueError, match="leave select_related"):
            await wrong.update_returning({"title": "x"})


async def test_nothing_is_written_if_it_fails(db: Any) -> None:
    rows = await fill(db)
    query = db.select(Sale)
    with pytest.raises(InvalidUpdateError):
        await query.update_returning({"price": "much"})
    with pytest.raises(InvalidUpdateError, match="nope"):
        await query.update_returning({"nope": 1})
    with pytest.raises(InvalidProjectionError):
        await query.clone().annotate(n=func.count()).delete_returning()
    with pytest.raises(ForeignKeyConstraintError):
        await db.select(Shop).delete_returning()
    with pytest.warns(UserWarning, match="update_returning.* ignores limit"):
        await query.clone().limit(1).update_returning({"text": "a"})
    await db.execute("UPDATE sales SET day = 'soon' WHERE text = 'a'")
    with pytest.raises(RecordDeletionError, match="soon"):
        await query.delete_returning()
    with pytest.raises(RecordUpdateError, match="soon"):
        await query.update_returning({"text": "b"})
    assert await query.filter(text="a").count() == len(rows)


async def test_caches_and_blocks_are_told(make_db: Any) -> None:
    db = make_db(cache_enabled=True)
    await fill(db)
    query = db.select(Sale).order("pk")
    assert len(await query.fetch_all()) == 3
    await db.select(Sale).filter(text="a").delete_returning()
    assert [row.text for row in await query.fetch_all()] == ["b", "c"]
    await db.select(Sale).update_returning({"text": "d"})
    assert [row.text for row in await query.fetch_all()] == ["d", "d"]
    with pytest.raises(RuntimeError, match="stop"):
        async with db:
            assert len(await db.select(Sale).delete_returning()) == 2
            raise RuntimeError("stop")
    assert [row.text for row in await query.fetch_all()] == ["d", "d"]


TRIGGERS = [
    "CREATE TRIGGER shout AFTER INSERT ON sales BEGIN "
    "UPDATE sales SET text = upper(NEW.text), day = 0 WHERE pk = NEW.pk; END",
    "CREATE TRIGGER quiet AFTER INSERT ON sales WHEN NEW.text = 'secret' BEGIN "
    "DELETE FROM sales WHERE pk = NEW.pk; END",
    "CREATE TRIGGER elsewhere AFTER INSERT ON sales BEGIN "
    "INSERT INTO shops (created_at, updated_at, name) VALUES (1, 1, NEW.text); END",
]


async def test_an_inserted_record_is_read_again(db: Any) -> None:
    await fill(db)
    for sql in TRIGGERS:
        await db.execute(sql)
    plain = await db.insert(Sale(text="plain"))
    assert (plain.text, plain.day) == ("plain", None)
    sale = Sale(text="whole", price=Decimal("2.0"))
    assert await db.insert(sale, returning=True) is sale
    assert (sale.text, sale.day, sale.pk) == ("WHOLE", date(1970, 1, 1), plain.pk + 1)
    assert sale == await db.get(Sale, sale.pk)
    sale.text = "changed"
    await db.update(sale)
    assert (await db.get(Sale, sale.pk)).text == "changed"
    some = await db.insert(Sale(text="some"), returning=["day", "shop_id"])
    assert (some.text, some.day, some.pk) == ("some", date(1970, 1, 1), sale.pk + 1)
    old = Sale(text="old", created_at=5)
    await db.insert(old, timestamp_override=True, returning=["text"])
    assert (old.created_at, old.text) == (5, "OLD")


async def test_what_is_inserted_and_read_is_all_or_nothing(db: Any) -> None:
    rows = await fill(db)
    for sql in TRIGGERS:
        await db.execute(sql)
    sale = Sale(text="new")
    for wrong, error in ((["nope"], ValueError), ("text", TypeError), (3, TypeError)):
        with pytest.raises(error):
            await db.insert(sale, returning=wrong)
    secret = Sale(text="secret")
    with pytest.raises(RecordNotFoundError):
        await db.insert(secret, returning=True)
    assert (secret.pk, secret.text) == (0, "secret")
    with pytest.raises(ForeignKeyConstraintError):
        await db.insert(Sale(text="lost", shop_id=99), returning=True)
    with pytest.raises(RuntimeError, match="stop"):
        async with db:
            await db.insert(sale, returning=True)
            assert (sale.text, sale.pk > 0) == ("NEW", True)
            raise RuntimeError("stop")
    assert (sale.text, sale.day, sale.pk, sale.created_at) == ("new", None, 0, 0)
    assert await db.select(Sale).count() == len(rows)
    assert await db.select(Shop).count() == 1


async def test_some_fields_are_updated(
    logged_db: Any, statements: StatementLog
) -> None:
    db = logged_db
    sale, *_ = await fill(db)
    await db.update_where(Sale, {"pk": sale.pk}, {"price": Decimal(50)})
    await db.refresh(sale, ["count"])
    sale.text, sale.price, sale.tags = "new", Decimal(3), ["y"]
    statements.clear()
    await db.update(sale, fields=["text"])
    assert statements.starting("UPDATE") == [
        f'UPDATE "sales" SET "text" = \'new\', "updated_at" = {sale.updated_at}, '
        f'"count" = 2 WHERE "pk" = {sale.pk} AND "count" IS 1 COLLATE BINARY'
    ]
    found = await db.get(Sale, sale.pk)
    assert (found.text, found.price, found.tags) == ("new", Decimal(50), ["x"])
    assert sale.tags == ["y"]
    assert await db.save(sale, fields=["tags"]) is sale
    found = await db.get(Sale, sale.pk)
    assert (found.price, found.tags, found.count) == (Decimal(50), ["y"], sale.count)
    await db.update(sale)  # what was left is still to be written
    assert (await db.get(Sale, sale.pk)).price == 3
    partial = await db.select(Sale, fields=["text", "count"]).fetch_one()
    with pytest.raises(RecordUpdateError, match="partial"):
        await db.update(partial, fields=["price"])


BAD_FIELDS: list[tuple[Any, type[Exception], str]] = [
    (["nope", "text"], ValueError, "no such fields: nope"),
    (["pk"], ValueError, "cannot be updated"),
    ([], ValueError, "needs the names"),
    ("text", TypeError, "a list of field names"),
]


async def test_fields_that_cannot_be_updated(db: Any) -> None:
    sale, *_ = await fill(db)
    sale.text = "new"
    for fields, error, text in BAD_FIELDS:
        for verb in (db.update, db.save):
            with pytest.raises(error, match=text):
                await verb(sale, fields=fields)
    with pytest.raises(ValueError, match="has no row yet"):
        await db.save(Sale(text="x"), fields=["text"])
    await db.delete(Sale, sale.pk)
    with pytest.raises(RecordNotFoundError):
        await db.update(sale, fields=["text"])
    assert await db.select(Sale).filter(text="new").count() == 0


async def test_updated_relations_are_those_that_are_named(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    book = await db.get(lib.Book, 1)
    # Not saved, but nobody asks for it.
    book.editor = lib.Author(name="nobody", country_id=1)
    book.title = "new"
    book.author = await db.get(lib.Author, 2)
    await db.update(book, fields=["title", "author"])
    found = await db.get(lib.Book, 1)
    assert (found.title, found.author_id) == ("new", 2)
    with pytest.raises(RecordUpdateError, match="not saved"):
        await db.update(book, fields=["editor"])
