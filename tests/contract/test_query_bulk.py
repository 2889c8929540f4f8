"""Bulk `update()` and `delete()` of a query, and `update_where()`."""

from __future__ import annotations

import time
import warnings
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import pytest
from pydantic import Field
from support import Colour, Strange, unwrap

from sqliter.exceptions import (
    ForeignKeyConstraintError,
    InvalidFilterError,
    InvalidProjectionError,
    InvalidUpdateError,
    RecordDeletionError,
    RecordUpdateError,
)
from sqliter.model import BaseDBModel, ForeignKey, unique


class Shade(Enum):
    RED = "red"
    BLUE = "blue"


class Item(BaseDBModel):
    name: str
    size: int = 0
    note: str | None = None
    day: date | None = None
    tags: list[str] = []
    shade: Shade = Shade.RED
    price: Decimal = Decimal(1)
    small: Annotated[int, Field(ge=0, le=9)] = 0

    class Meta:
        table_name = "items"


class Badge(BaseDBModel):
    code: Annotated[str, unique()]

    class Meta:
        table_name = "badges"


class Parent(BaseDBModel):
    name: str

    class Meta:
        table_name = "parents"


class Child(BaseDBModel):
    name: str
    parent_id: int = ForeignKey(Parent, db_column="owner")

    class Meta:
        table_name = "children"


async def seed(db: Any) -> None:
    await db.create_table(Item)
    for name, size in (("a", 1), ("b", 2), ("c", 3)):
        row = Item(name=name, size=size, created_at=10, updated_at=20)
        await db.insert(row, timestamp_override=True)


async def family(db: Any) -> tuple[Parent, Parent]:
    await db.create_table(Parent)
    await db.create_table(Child)
    first, second = await db.insert(Parent(name="1")), await db.insert(Parent(name="2"))
    await db.insert(Child(name="kid", parent_id=first.pk))
    return first, second


async def rows(db: Any, model: Any = Item) -> list[Any]:
    return await db.select(model).order("pk").fetch_all()


async def sizes(db: Any) -> list[int]:
    return [row.size for row in await rows(db)]


# update


async def test_update_writes_the_matching_rows(db: Any) -> None:
    await seed(db)
    assert (
        await db.select(Item).filter(size__gt=1).update({"size": 9, "note": "big"}) == 2
    )
    assert [(row.size, row.note) for row in await rows(db)] == [
        (1, None),
        (9, "big"),
        (9, "big"),
    ]


async def test_update_without_a_filter_writes_every_row(db: Any) -> None:
    await seed(db)
    assert await db.select(Item).update({"size": 5}) == 3
    assert await sizes(db) == [5, 5, 5]


async def test_update_counts_matched_rows(db: Any) -> None:
    await seed(db)
    assert await db.select(Item).filter(size=1).update({"size": 1}) == 1
    assert await db.select(Item).filter(size=77).update({"size": 1}) == 0


async def test_update_takes_every_kind_of_condition(db: Any) -> None:
    await seed(db)
    assert await db.select(Item).filter(name__in=["a", "zz"]).update({"note": "x"}) == 1
    assert await db.select(Item).filter(name__icontains="B").update({"note": "x"}) == 1
    assert await db.select(Item).filter(note=None).update({"note": "y"}) == 1
    assert [row.note for row in await rows(db)] == ["x", "x", "y"]
    assert (
        await db.select(Item).filter(size__in=range(100_000)).update({"note": None})
        == 3
    )


@pytest.mark.parametrize("values", [{}, None], ids=repr)
async def test_updating_nothing_does_not_touch_the_database(
    logged_db: Any, statements: Any, values: Any
) -> None:
    with statements.watch():
        assert await logged_db.select(Item).filter(size=1).update(values) == 0
    assert statements.statements == []


async def test_an_update_is_one_statement(logged_db: Any, statements: Any) -> None:
    await seed(logged_db)
    with statements.watch():
        await logged_db.select(Item).filter(size=1).update({"note": "x"})
    assert len(statements.statements) == 1
    assert statements.statements[0].startswith('UPDATE "items" SET ')
    assert 'WHERE "size" = 1' in statements.statements[0]


async def test_update_touches_the_time_stamp(db: Any) -> None:
    await seed(db)
    before = int(time.time())
    await db.select(Item).filter(size__lt=3).update({"note": "x"})
    first, second, third = await rows(db)
    assert before <= first.updated_at <= int(time.time())
    assert first.updated_at == second.updated_at
    assert third.updated_at == 20
    assert first.created_at == 10


async def test_given_time_stamps_win(db: Any) -> None:
    await seed(db)
    await db.select(Item).filter(size=1).update({"updated_at": 123, "created_at": 45})
    first, second, _ = await rows(db)
    assert (first.updated_at, first.created_at) == (123, 45)
    assert (second.updated_at, second.created_at) == (20, 10)


async def test_values_are_encoded_as_in_an_insert(db: Any) -> None:
    await seed(db)
    values = {
        "day": date(2020, 2, 29),
        "tags": ["x", "y"],
        "shade": Shade.BLUE,
        "price": Decimal("2.50"),
        "note": None,
    }
    assert await db.select(Item).filter(size=1).update(values) == 1
    row = (await rows(db))[0]
    assert (row.day, row.tags, row.shade) == (date(2020, 2, 29), ["x", "y"], Shade.BLUE)
    assert row.price == Decimal("2.50")
    assert row.note is None
    assert (
        await db.select(Item).filter(day=date(2020, 2, 29), shade=Shade.BLUE).count()
        == 1
    )


@pytest.mark.defect("D-26")
async def test_values_are_coerced_as_by_the_model(db: Any) -> None:
    await seed(db)
    await (
        db.select(Item)
        .filter(size=1)
        .update({"size": "7", "shade": "blue", "small": "3"})
    )
    row = (await rows(db))[0]
    assert (row.size, row.shade, row.small) == (7, Shade.BLUE, 3)
    assert await db.select(Item).filter(size__gt=6).count() == 1


@pytest.mark.defect("D-26")
@pytest.mark.parametrize(
    "values",
    [
        {"size": "many"},
        {"size": None},
        {"size": 1.5},
        {"name": None},
        {"name": 5},
        {"tags": "x"},
        {"tags": [1]},
        {"shade": "green"},
        {"small": 10},
        {"day": "never"},
        {"updated_at": "now"},
        {"note": Strange()},
        {"note": "fine", "size": []},
    ],
    ids=str,
)
async def test_values_the_model_refuses(db: Any, values: dict[str, Any]) -> None:
    await seed(db)
    before = await rows(db)
    with pytest.raises(InvalidUpdateError) as caught:
        await db.select(Item).update(values)
    assert str(caught.value).startswith("Invalid update operation: ")
    assert list(values)[-1] in str(caught.value)
    assert await rows(db) == before


@pytest.mark.defect("D-26")
@pytest.mark.parametrize("values", [{"size": 2**63}, {"note": "\ud800"}], ids=ascii)
async def test_values_the_database_cannot_hold(db: Any, values: dict[str, Any]) -> None:
    await seed(db)
    before = await rows(db)
    with pytest.raises((InvalidUpdateError, RecordUpdateError)):
        await db.select(Item).update(values)
    assert await rows(db) == before
    assert await db.select(Item).update({"size": 4}) == 3


async def test_the_primary_key_is_never_updated(db: Any) -> None:
    await seed(db)
    for values in ({"pk": 5}, {"pk": 5, "zz": 1}, {"size": 1, "pk": 1}):
        with pytest.raises(InvalidUpdateError) as caught:
            await db.select(Item).update(values)
        assert str(caught.value) == (
            "Invalid update operation: Cannot update the primary key 'pk' via bulk update"
        )
    assert await sizes(db) == [1, 2, 3]


async def test_unknown_names_are_listed_in_order(db: Any) -> None:
    await seed(db)
    with pytest.raises(InvalidUpdateError, match="aa, zz"):
        await db.select(Item).update({"zz": 1, "size": 9, "aa": 1})
    assert await sizes(db) == [1, 2, 3]


async def test_update_ignores_the_window(db: Any) -> None:
    await seed(db)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert (
            await db.select(Item).order("name").limit(1).offset(1).update({"size": 4})
            == 3
        )
    assert await sizes(db) == [4, 4, 4]


@pytest.mark.defect("D-49")
async def test_update_warns_that_it_ignores_the_window(db: Any, colour: Colour) -> None:
    await seed(db)
    query = unwrap(db.select(Item)).limit(1)
    with pytest.warns(UserWarning, match="limit") as caught:
        answer = query.update({"size": 4})
        assert (await answer if colour is Colour.ASYNC else answer) == 3
    assert [warning.filename for warning in caught] == [__file__]


async def test_update_ignores_the_selection(db: Any) -> None:
    await seed(db)
    assert await db.select(Item).only("name").filter(size=1).update({"size": 4}) == 1
    assert await sizes(db) == [4, 2, 3]


async def test_a_renamed_column_is_updated_by_its_field(db: Any) -> None:
    _, second = await family(db)
    assert await db.select(Child).update({"parent_id": second.pk}) == 1
    assert (await rows(db, Child))[0].parent_id == second.pk
    with pytest.raises(InvalidUpdateError, match="owner"):
        await db.select(Child).update({"owner": 1})


@pytest.mark.defect("D-27")
async def test_an_update_to_a_missing_target(db: Any) -> None:
    first, _ = await family(db)
    for error in (ForeignKeyConstraintError, RecordUpdateError):
        with pytest.raises(error) as caught:
            await db.select(Child).update({"parent_id": 999})
        assert "FOREIGN KEY constraint failed" in str(caught.value)
    assert (await rows(db, Child))[0].parent_id == first.pk


async def test_an_update_that_breaks_uniqueness(db: Any) -> None:
    await db.create_table(Badge)
    await db.bulk_insert([Badge(code="a"), Badge(code="b")])
    with pytest.raises(RecordUpdateError) as caught:
        await db.select(Badge).update({"code": "c"})
    assert str(caught.value).startswith("Failed to update record in table: 'badges'")
    assert "UNIQUE constraint failed: badges.code" in str(caught.value)
    assert not isinstance(caught.value, ForeignKeyConstraintError)
    assert [row.code for row in await rows(db, Badge)] == ["a", "b"]


async def test_update_in_projection_mode(db: Any) -> None:
    query = db.select(Item).group_by("size")
    with pytest.raises(InvalidProjectionError, match=r"update\(\)"):
        await query.update({"size": 1})
    with pytest.raises(InvalidProjectionError, match=r"update\(\)"):
        await query.update({})
    with pytest.raises(InvalidProjectionError, match=r"delete\(\)"):
        await query.delete()


# update_where


async def test_update_where_is_filter_and_update(db: Any) -> None:
    await seed(db)
    assert await db.update_where(Item, {"size__gt": 1, "name": "b"}, {"note": "x"}) == 1
    assert [row.note for row in await rows(db)] == [None, "x", None]
    assert await db.update_where(Item, where={}, values={"size": 8}) == 3
    assert await db.update_where(Item, where={"size": 1}, values={"size": 9}) == 0
    assert await db.update_where(Item, where={"size": 8}, values={}) == 0
    assert await sizes(db) == [8, 8, 8]


async def test_update_where_checks_the_condition_first(db: Any) -> None:
    with pytest.raises(InvalidFilterError, match="zz"):
        await db.update_where(Item, {"zz": 1}, {"pk": 1})
    with pytest.raises(InvalidUpdateError, match="primary key"):
        await db.update_where(Item, {"size": 1}, {"pk": 1})


@pytest.mark.defect("D-09")
async def test_update_where_finds_dates(db: Any) -> None:
    await seed(db)
    await db.update_where(Item, {"size": 2}, {"day": date(2020, 1, 1)})
    assert await db.update_where(Item, {"day": date(2020, 1, 1)}, {"note": "x"}) == 1
    assert (
        await db.update_where(Item, {"day__lt": date(2019, 1, 1)}, {"note": "y"}) == 0
    )


# delete


async def test_delete_removes_the_matching_rows(db: Any) -> None:
    await seed(db)
    assert await db.select(Item).filter(size__gt=1).delete() == 2
    assert await sizes(db) == [1]
    assert await db.select(Item).filter(size=77).delete() == 0


async def test_delete_without_a_filter_empties_the_table(db: Any) -> None:
    await seed(db)
    assert await db.select(Item).delete() == 3
    assert await rows(db) == []


async def test_delete_ignores_window_order_and_selection(db: Any) -> None:
    await seed(db)
    query = (
        db.select(Item).only("name").order("name").limit(1).offset(1).filter(size__lt=3)
    )
    assert await query.delete() == 2
    assert await sizes(db) == [3]


async def test_a_delete_is_one_statement(logged_db: Any, statements: Any) -> None:
    await seed(logged_db)
    with statements.watch():
        await logged_db.select(Item).filter(size=1).delete()
    assert statements.statements == ['DELETE FROM "items" WHERE "size" = 1']


@pytest.mark.defect("D-27")
async def test_a_delete_of_a_row_in_use(db: Any) -> None:
    await family(db)
    for error in (ForeignKeyConstraintError, RecordDeletionError):
        with pytest.raises(error) as caught:
            await db.select(Parent).delete()
        assert "FOREIGN KEY constraint failed" in str(caught.value)
    assert await db.select(Parent).count() == 2
    assert await db.select(Parent).filter(name="2").delete() == 1


# Transactions


@pytest.mark.only("file")
async def test_a_bulk_write_is_committed(make_db: Any) -> None:
    db = make_db()
    await seed(db)
    await db.select(Item).filter(size=1).update({"size": 7})
    await db.select(Item).filter(size=2).delete()
    assert await sizes(make_db(filename=db.filename)) == [7, 3]


@pytest.mark.only("file")
async def test_a_bulk_write_in_a_block_waits_for_its_end(make_db: Any) -> None:
    db = make_db()
    await seed(db)
    other = make_db(filename=db.filename)
    async with db:
        await db.select(Item).filter(size=1).update({"size": 7})
        await db.select(Item).filter(size=2).delete()
        assert await sizes(db) == [7, 3]
        assert await sizes(other) == [1, 2, 3]
    assert await sizes(other) == [7, 3]


async def test_a_bulk_write_is_undone_with_its_block(db: Any) -> None:
    await seed(db)
    with pytest.raises(RuntimeError, match="enough"):
        async with db:
            await db.select(Item).update({"size": 7})
            await db.select(Item).filter(name="a").delete()
            raise RuntimeError("enough")
    assert await sizes(db) == [1, 2, 3]


@pytest.mark.defect("D-28")
async def test_a_failing_bulk_write_undoes_only_itself(make_db: Any) -> None:
    db = make_db(auto_commit=False)
    await db.create_table(Badge)
    await db.commit()
    await db.insert(Badge(code="a"))
    await db.insert(Badge(code="b"))
    with pytest.raises(RecordUpdateError):
        await db.select(Badge).update({"code": "c"})
    assert [row.code for row in await rows(db, Badge)] == ["a", "b"]
    await db.commit()
    assert [row.code for row in await rows(db, Badge)] == ["a", "b"]


@pytest.mark.defect("D-28")
async def test_a_failing_bulk_write_in_a_block_undoes_only_itself(db: Any) -> None:
    await db.create_table(Badge)
    async with db:
        await db.bulk_insert([Badge(code="a"), Badge(code="b")])
        with pytest.raises(RecordUpdateError):
            await db.select(Badge).update({"code": "c"})
        await db.insert(Badge(code="d"))
    assert [row.code for row in await rows(db, Badge)] == ["a", "b", "d"]


@pytest.mark.defect("D-28")
async def test_a_failed_bulk_write_holds_no_lock(db: Any) -> None:
    await family(db)
    with pytest.raises(RecordDeletionError):
        await db.select(Parent).delete()
    assert db.in_transaction is False
    assert (await db.insert(Parent(name="3"))).pk == 3
