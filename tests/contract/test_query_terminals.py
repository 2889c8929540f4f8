"""What the terminals return, how many statements they cost, and how they fail."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sqliter.exceptions import (
    DatabaseConnectionError,
    RecordDeletionError,
    RecordFetchError,
    RecordUpdateError,
)
from sqliter.model import BaseDBModel
from sqliter.query import func


class Item(BaseDBModel):
    name: str
    size: int
    rank: int | None = None

    class Meta:
        table_name = "items"


ROWS = [
    ("d", 3, None),
    ("b", 1, 2),
    ("e", 2, 1),
    ("a", 2, None),
    ("c", 3, 5),
    ("f", 1, 4),
]


async def seed(db: Any) -> None:
    await db.create_table(Item)
    await db.bulk_insert(
        [Item(name=name, size=size, rank=rank) for name, size, rank in ROWS]
    )


def name_of(row: Any) -> str | None:
    return None if row is None else row.name


# fetch_all and fetch_one


async def test_fetch_all(db: Any) -> None:
    await seed(db)
    rows = await db.select(Item).order("pk").fetch_all()
    assert isinstance(rows, list)
    assert all(type(row) is Item for row in rows)
    assert [(row.name, row.size, row.rank) for row in rows] == ROWS
    assert [row.pk for row in rows] == [1, 2, 3, 4, 5, 6]
    assert await db.select(Item).filter(name="zz").fetch_all() == []


async def test_fetch_all_hands_out_fresh_objects(db: Any) -> None:
    await seed(db)
    query = db.select(Item).filter(name="a")
    first, second = await query.fetch_all(), await query.fetch_all()
    assert first == second
    assert first[0] is not second[0]


async def test_fetch_one(db: Any) -> None:
    await seed(db)
    assert name_of(await db.select(Item).filter(name="c").fetch_one()) == "c"
    assert await db.select(Item).filter(name="zz").fetch_one() is None
    assert name_of(await db.select(Item).order("name").fetch_one()) == "a"
    assert name_of(await db.select(Item).order("-name").offset(1).fetch_one()) == "e"
    assert await db.select(Item).order("name").limit(0).fetch_one() is None
    assert name_of(await db.select(Item).order("name").limit(-1).fetch_one()) == "a"
    assert await db.select(Item).offset(6).fetch_one() is None


# fetch_first and fetch_last

ORDERS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    ((), {}),
    (("pk",), {}),
    (("-pk",), {}),
    (("name",), {}),
    (("name",), {"reverse": True}),
    (("size", "name"), {}),
    (("size", "-name"), {}),
    (("-size", "name"), {"reverse": True}),
    (("rank", "pk"), {}),
    (("-rank", "pk"), {}),
    (("rank", "-pk"), {"nulls": "last"}),
    (("-rank", "name"), {"nulls": "first"}),
]
WINDOWS: list[tuple[int | None, int]] = [
    (None, 0),
    (None, 2),
    (3, 0),
    (2, 3),
    (1, 1),
    (0, 0),
    (4, 4),
    (None, 6),
    (-1, 1),
]


@pytest.mark.defect("D-21")
@pytest.mark.parametrize(("limit", "offset"), WINDOWS)
@pytest.mark.parametrize(("names", "options"), ORDERS, ids=str)
async def test_first_and_last_of_the_order_within_the_window(
    db: Any,
    names: tuple[str, ...],
    options: dict[str, Any],
    limit: int | None,
    offset: int,
) -> None:
    await seed(db)
    query = db.select(Item).order(*names, **options).limit(limit).offset(offset)
    everything = [row.name for row in await query.fetch_all()]
    assert name_of(await query.fetch_first()) == (everything[0] if everything else None)
    assert name_of(await query.fetch_last()) == (everything[-1] if everything else None)


async def test_first_and_last_without_an_order(db: Any) -> None:
    await seed(db)
    await db.delete(Item, 1)
    await db.insert(Item(name="low", size=0, pk=-5))
    assert name_of(await db.select(Item).fetch_first()) == "low"
    assert name_of(await db.select(Item).fetch_last()) == "f"
    assert name_of(await db.select(Item).filter(size=2).fetch_first()) == "e"
    assert name_of(await db.select(Item).filter(size=2).fetch_last()) == "a"


@pytest.mark.defect("D-21")
async def test_the_window_of_an_unordered_query(db: Any) -> None:
    await seed(db)
    assert name_of(await db.select(Item).offset(2).fetch_first()) == "e"
    assert name_of(await db.select(Item).offset(2).fetch_last()) == "f"
    assert name_of(await db.select(Item).limit(2).fetch_last()) == "b"
    assert name_of(await db.select(Item).limit(3).offset(1).fetch_last()) == "a"
    assert await db.select(Item).limit(0).fetch_first() is None
    assert await db.select(Item).limit(0).fetch_last() is None
    assert await db.select(Item).offset(6).fetch_last() is None


@pytest.mark.defect("D-21")
async def test_the_key_decides_between_equals(db: Any) -> None:
    await seed(db)
    assert name_of(await db.select(Item).order("size").fetch_last()) == "c"
    assert (
        name_of(await db.select(Item).order("rank", nulls="last").fetch_last()) == "a"
    )
    assert (
        name_of(await db.select(Item).order("size").filter(size=1).fetch_last()) == "f"
    )


async def test_first_and_last_of_nothing(db: Any) -> None:
    await db.create_table(Item)
    assert await db.select(Item).fetch_first() is None
    assert await db.select(Item).fetch_last() is None
    assert await db.select(Item).order("name").fetch_last() is None


# count and exists


async def test_count_and_exists(db: Any) -> None:
    await db.create_table(Item)
    assert await db.select(Item).count() == 0
    assert await db.select(Item).exists() is False
    await seed(db)
    assert await db.select(Item).count() == 6
    assert await db.select(Item).exists() is True
    assert await db.select(Item).filter(size=2).count() == 2
    assert await db.select(Item).filter(size=9).count() == 0
    assert await db.select(Item).filter(size=9).exists() is False
    assert await db.select(Item).only("name").count() == 6
    assert await db.select(Item).order("name").filter(rank__isnull=True).count() == 2


@pytest.mark.defect("D-20")
async def test_count_within_the_window(db: Any) -> None:
    await seed(db)
    assert await db.select(Item).limit(2).count() == 2
    assert await db.select(Item).limit(0).count() == 0
    assert await db.select(Item).limit(99).count() == 6
    assert await db.select(Item).offset(1).count() == 5
    assert await db.select(Item).offset(9).count() == 0
    assert await db.select(Item).limit(4).offset(4).count() == 2
    assert await db.select(Item).filter(size=1).limit(1).count() == 1
    assert await db.select(Item).offset(1).exists() is True
    assert await db.select(Item).offset(6).exists() is False
    assert await db.select(Item).limit(0).exists() is False
    assert await db.select(Item).limit(-1).exists() is True


# Nothing is left behind


@pytest.mark.defect("D-22")
@pytest.mark.parametrize(
    "terminal",
    ["fetch_all", "fetch_one", "fetch_first", "fetch_last", "count", "exists"],
)
@pytest.mark.parametrize("windowed", [False, True])
async def test_a_terminal_leaves_the_builder_as_it_was(
    db: Any, terminal: str, windowed: bool
) -> None:
    await seed(db)
    query = db.select(Item).filter(size__lt=3)
    if windowed:
        query.order("-name").limit(3).offset(1).fields(["name"])
    before = query.to_sql()
    expected = [row.name for row in await query.fetch_all()]
    answer = await getattr(query, terminal)()
    assert query.to_sql() == before
    assert [row.name for row in await query.fetch_all()] == expected
    assert await getattr(query, terminal)() == answer


@pytest.mark.defect("D-22")
async def test_a_write_leaves_the_builder_as_it_was(db: Any) -> None:
    await seed(db)
    query = db.select(Item).filter(size=1).only("rank")
    before = query.to_sql()
    assert await query.update({"rank": 7}) == 2
    assert query.to_sql() == before
    assert (await query.fetch_one()).rank == 7
    assert await query.delete() == 2
    assert query.to_sql() == before
    assert await query.fetch_all() == []


# Statements


@pytest.mark.parametrize(
    "terminal",
    ["fetch_all", "fetch_one", "fetch_first", "fetch_last", "count", "exists"],
)
async def test_a_terminal_is_one_statement(
    logged_db: Any, statements: Any, terminal: str
) -> None:
    await seed(logged_db)
    query = logged_db.select(Item).filter(size__gt=1).order("name").limit(3).offset(1)
    await query.fetch_all()
    with statements.watch():
        await getattr(query, terminal)()
    assert len(statements.statements) == 1
    assert len(statements.starting("SELECT")) == 1


async def test_building_runs_nothing(logged_db: Any, statements: Any) -> None:
    with statements.watch():
        query = (
            logged_db.select(Item, fields=["name"]).filter(size__in=[1]).order("name")
        )
        query.limit(1).offset(1).only("size").exclude(
            ["name"]
        ).bypass_cache().cache_ttl(5)
        query.clone().to_sql()
        logged_db.select(Item).group_by("size").annotate(n=func.count()).having(
            n__gt=1
        ).to_sql()
    assert statements.statements == []


@pytest.mark.defect("D-32")
async def test_one_row_is_asked_for_where_one_is_needed(
    logged_db: Any, statements: Any
) -> None:
    await seed(logged_db)
    for terminal in ("fetch_one", "fetch_first", "fetch_last"):
        with statements.watch():
            await getattr(logged_db.select(Item).order("name"), terminal)()
        assert "LIMIT 1" in statements.starting("SELECT")[0]


@pytest.mark.defect("D-32")
async def test_exists_does_not_count(logged_db: Any, statements: Any) -> None:
    await seed(logged_db)
    with statements.watch():
        assert await logged_db.select(Item).exists() is True
    assert "COUNT" not in statements.starting("SELECT")[0].upper()


async def test_a_count_without_a_window_is_plain(
    logged_db: Any, statements: Any
) -> None:
    await seed(logged_db)
    with statements.watch():
        await logged_db.select(Item).filter(size=2).count()
    assert statements.starting("SELECT") == [
        'SELECT COUNT(*) FROM "items" WHERE "size" = 2'
    ]


# Failures


@pytest.mark.parametrize(
    "terminal",
    ["fetch_all", "fetch_one", "fetch_first", "fetch_last", "count", "exists"],
)
async def test_reading_a_missing_table(db: Any, terminal: str) -> None:
    with pytest.raises(RecordFetchError) as caught:
        await getattr(db.select(Item).order("name"), terminal)()
    assert str(caught.value).startswith("Failed to fetch record from table: 'items'")
    assert "no such table" in str(caught.value)
    assert isinstance(caught.value.__cause__, sqlite3.Error)


async def test_grouping_a_missing_table(db: Any) -> None:
    with pytest.raises(RecordFetchError, match="items"):
        await db.select(Item).group_by("size").fetch_dicts()


async def test_writing_to_a_missing_table(db: Any) -> None:
    with pytest.raises(RecordUpdateError) as update:
        await db.select(Item).update({"size": 1})
    assert str(update.value).startswith("Failed to update record in table: 'items'")
    with pytest.raises(RecordDeletionError) as deletion:
        await db.select(Item).delete()
    assert str(deletion.value).startswith("Failed to delete record from table: 'items'")
    assert "no such table" in str(deletion.value)


async def test_a_failure_does_not_spoil_the_builder(db: Any) -> None:
    query = db.select(Item).order("name")
    with pytest.raises(RecordFetchError):
        await query.fetch_all()
    await seed(db)
    assert len(await query.fetch_all()) == 6


@pytest.mark.only("file")
@pytest.mark.parametrize(
    "terminal", ["fetch_all", "fetch_last", "count", "exists", "delete"]
)
async def test_a_database_that_cannot_be_opened(
    make_db: Any, tmp_path: Path, terminal: str
) -> None:
    db = make_db(filename=str(tmp_path / "missing" / "folder" / "x.db"))
    query = db.select(Item).filter(size=1)
    with pytest.raises(DatabaseConnectionError, match=r"x\.db"):
        await getattr(query, terminal)()
    with pytest.raises(DatabaseConnectionError):
        await query.update({"size": 2})
