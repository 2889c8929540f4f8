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
    RecordInsertionError,
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
