"""The builder itself: how it is made, changed, copied and looked at."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from support import Colour, unwrap

import sqliter.query
from sqliter.exceptions import (
    InvalidFilterError,
    InvalidOffsetError,
    InvalidOrderError,
    InvalidProjectionError,
    InvalidRelationshipError,
    InvalidUpdateError,
    SqliterError,
)
from sqliter.model import BaseDBModel
from sqliter.query import AggregateSpec, QueryBuilder, func

TERMINALS = [
    "fetch_all",
    "fetch_one",
    "fetch_first",
    "fetch_last",
    "fetch_dicts",
    "count",
    "exists",
    "update",
    "delete",
    "explain",
]


class Item(BaseDBModel):
    name: str
    size: int = 0
    note: str | None = None

    class Meta:
        table_name = "items"


async def seed(db: Any) -> None:
    await db.create_table(Item)
    await db.bulk_insert([Item(name=name, size=ord(name) - 96) for name in "abc"])


async def names(query: Any) -> str:
    return "".join(row.name for row in await query.order("pk").fetch_all())


# How it is made


def test_the_package_exports_three_names() -> None:
    assert sorted(sqliter.query.__all__) == ["AggregateSpec", "QueryBuilder", "func"]


def test_the_deeper_paths() -> None:
    from sqliter.query import aggregates, query

    assert query.QueryBuilder is QueryBuilder
    assert aggregates.AggregateSpec is AggregateSpec
    assert aggregates.func is func
    assert aggregates.AggregateFunction
    assert query.FilterValue


async def test_select_makes_the_builder_of_its_colour(db: Any, colour: Colour) -> None:
    from sqliter.asyncio import AsyncQueryBuilder
    from sqliter.asyncio.query import AsyncQueryBuilder as same

    assert same is AsyncQueryBuilder
    wanted = AsyncQueryBuilder if colour is Colour.ASYNC else QueryBuilder
    assert type(unwrap(db.select(Item))) is wanted


async def test_the_constructor(db: Any) -> None:
    await seed(db)
    kind = type(unwrap(db.select(Item)))
    built = kind(unwrap(db), Item, ["name"])
    assert built.to_sql() == db.select(Item, ["name"]).to_sql()
    assert kind(unwrap(db), Item).to_sql() == db.select(Item).to_sql()
    with pytest.raises(ValueError, match="Invalid fields specified: zz"):
        kind(unwrap(db), Item, fields=["zz"])


async def test_what_a_builder_tells(db: Any) -> None:
    query = unwrap(db.select(Item))
    assert query.db is unwrap(db)
    assert query.model_class is Item
    assert query.table_name == "items"
    assert list(query.filters) == []
    assert query.projection_mode is False


def test_builders_are_generic() -> None:
    from sqliter.asyncio import AsyncQueryBuilder

    assert QueryBuilder[Item] is not None
    assert AsyncQueryBuilder[Item] is not None


async def test_building_needs_no_table_and_no_file(make_db: Any, tmp_path: Any) -> None:
    db = make_db(filename=str(tmp_path / "missing" / "x.db"))
    query = (
        db.select(Item)
        .filter(size__gt=1)
        .order("-name")
        .limit(1)
        .offset(1)
        .only("name")
    )
    assert query.to_sql()[1] == (1, 1, 1)


# How it is changed

CHAIN: list[tuple[str, Callable[[Any], Any]]] = [
    ("filter", lambda q: q.filter(size=1)),
    ("filter nothing", lambda q: q.filter()),
    ("fields", lambda q: q.fields(["name"])),
    ("no fields", lambda q: q.fields()),
    ("only", lambda q: q.only("name")),
    ("exclude", lambda q: q.exclude(["name"])),
    ("exclude nothing", lambda q: q.exclude()),
    ("order", lambda q: q.order("name")),
    ("order by nothing", lambda q: q.order()),
    ("limit", lambda q: q.limit(1)),
    ("no limit", lambda q: q.limit(None)),
    ("offset", lambda q: q.offset(1)),
    ("group_by", lambda q: q.group_by("name")),
    ("group_by nothing", lambda q: q.group_by()),
    ("annotate", lambda q: q.annotate(n=func.count())),
    ("annotate nothing", lambda q: q.annotate()),
    ("having nothing", lambda q: q.having()),
    ("bypass_cache", lambda q: q.bypass_cache()),
    ("cache_ttl", lambda q: q.cache_ttl(1)),
]


@pytest.mark.parametrize(
    "change", [call for _, call in CHAIN], ids=[name for name, _ in CHAIN]
)
async def test_chain_methods_return_the_same_builder(
    db: Any, change: Callable[[Any], Any]
) -> None:
    query = unwrap(db.select(Item))
    assert change(query) is query


async def test_having_returns_the_same_builder(db: Any) -> None:
    query = unwrap(db.select(Item)).group_by("name")
    assert query.having(name="a") is query


async def test_every_holder_sees_the_change(db: Any) -> None:
    await seed(db)
    base = db.select(Item)
    base.filter(size__gt=1)
    assert await names(base) == "bc"
    base.filter(size__lt=3)
    assert await names(base) == "b"


async def test_the_order_of_calls_does_not_matter(db: Any) -> None:
    await seed(db)
    one = (
        db.select(Item)
        .filter(size__gt=0)
        .order("-name")
        .limit(2)
        .offset(1)
        .only("name")
    )
    two = (
        db.select(Item)
        .only("name")
        .offset(1)
        .limit(2)
        .order("-name")
        .filter(size__gt=0)
    )
    assert one.to_sql() == two.to_sql()
    assert await one.fetch_all() == await two.fetch_all()


async def test_a_builder_may_run_again_and_again(db: Any) -> None:
    await seed(db)
    query = db.select(Item).filter(size__gt=1)
    assert await query.count() == 2
    await db.insert(Item(name="d", size=4))
    assert await query.count() == 3
    assert await names(query) == "bcd"
    query.filter(name="d")
    assert await names(query) == "d"


# How it is copied


@pytest.mark.defect("D-40")
@pytest.mark.parametrize(
    "branch", [lambda q: q.clone(), copy.copy], ids=["clone", "copy"]
)
async def test_a_branch_goes_its_own_way(db: Any, branch: Callable[[Any], Any]) -> None:
    await seed(db)
    base = db.select(Item).filter(size__gt=1)
    before = base.to_sql()
    left, right = branch(base), branch(base)
    assert unwrap(left) is not unwrap(base)
    assert type(unwrap(left)) is type(unwrap(base))
    assert left.to_sql() == before
    left.filter(name="b").order("-name").limit(1).only("name")
    right.filter(name="c").group_by("name").annotate(n=func.count()).having(n=1)
    assert base.to_sql() == before
    assert await names(base) == "bc"
    assert [row.name for row in await left.fetch_all()] == ["b"]
    assert await right.fetch_dicts() == [{"name": "c", "n": 1}]
    base.filter(name="nobody")
    assert [row.name for row in await left.fetch_all()] == ["b"]


@pytest.mark.defect("D-40")
async def test_a_branch_keeps_the_whole_question(db: Any) -> None:
    await seed(db)
    base = (
        db.select(Item, exclude=["note"])
        .filter(size__in=[1, 2])
        .order("-size")
        .offset(1)
    )
    assert await base.clone().fetch_all() == await base.fetch_all()
    grouped = (
        db.select(Item)
        .group_by("name")
        .annotate(n=func.count())
        .having(n=1)
        .order("-name")
    )
    assert await grouped.clone().fetch_dicts() == await grouped.fetch_dicts()
    assert grouped.clone().projection_mode is True


@pytest.mark.defect("D-40")
async def test_a_branch_keeps_its_cache_controls(make_db: Any) -> None:
    db = make_db(cache_enabled=True)
    await seed(db)
    for _ in range(2):
        await db.select(Item).bypass_cache().clone().fetch_all()
    assert db.get_cache_stats()["total"] == 0


# How it is looked at


async def test_to_sql_is_a_text_and_its_values(db: Any) -> None:
    text, values = db.select(Item).filter(size__gt=1, name="a").to_sql()
    assert isinstance(text, str)
    assert isinstance(values, tuple)
    assert values == (1, "a")
    assert text.count("?") == 2


async def test_to_sql_is_what_runs(logged_db: Any, statements: Any) -> None:
    await seed(logged_db)
    plain = logged_db.select(Item).filter(note=None).order("-name").fields(["name"])
    grouped = (
        logged_db.select(Item).group_by("name").annotate(n=func.count()).order("-n")
    )
    with statements.watch():
        await plain.fetch_all()
        await grouped.fetch_dicts()
    assert statements.starting("SELECT") == [plain.to_sql()[0], grouped.to_sql()[0]]


async def test_to_sql_runs_nothing(logged_db: Any, statements: Any) -> None:
    with statements.watch():
        logged_db.select(Item).filter(size__in=range(100_000)).to_sql()
    assert statements.statements == []


async def test_to_sql_can_be_run_by_hand(db: Any) -> None:
    await seed(db)
    text, values = (
        db.select(Item).filter(size__gt=1, note=None).only("name").limit(1).to_sql()
    )
    cursor = await (await db.connect()).execute(text, values)
    assert [tuple(row) for row in await cursor.fetchall()] == [("b", 2)]


async def test_explain_shows_the_plan(db: Any) -> None:
    await seed(db)
    lines = await db.select(Item).filter(size__gt=1).explain()
    assert isinstance(lines, list)
    assert all(isinstance(line, str) for line in lines)
    assert any("SCAN" in line and "items" in line for line in lines)
    lines = await db.select(Item).filter(pk=1).explain()
    assert any("SEARCH" in line and "PRIMARY KEY" in line for line in lines)


async def test_explain_explains_groups(db: Any) -> None:
    await seed(db)
    query = db.select(Item).group_by("name").annotate(n=func.count())
    assert any("GROUP BY" in line for line in await query.explain())


async def test_explain_changes_nothing(db: Any) -> None:
    await seed(db)
    query = db.select(Item).filter(size__gt=1)
    before = query.to_sql()
    await query.explain()
    assert query.to_sql() == before
    assert await names(query) == "bc"


# The two colours


@pytest.mark.parametrize("terminal", TERMINALS)
def test_terminals_are_awaited_in_async_only(terminal: str) -> None:
    from sqliter.asyncio import AsyncQueryBuilder

    assert inspect.iscoroutinefunction(getattr(AsyncQueryBuilder, terminal))
    assert not inspect.iscoroutinefunction(getattr(QueryBuilder, terminal))


@pytest.mark.defect("D-47")
def test_both_builders_have_the_same_public_names() -> None:
    from sqliter.asyncio import AsyncQueryBuilder

    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(QueryBuilder) == public(AsyncQueryBuilder)


@pytest.mark.defect("D-47")
def test_both_builders_take_the_same_arguments() -> None:
    from sqliter.asyncio import AsyncQueryBuilder

    for name, method in inspect.getmembers(QueryBuilder, inspect.isfunction):
        if not name.startswith("_"):
            twin = inspect.signature(getattr(AsyncQueryBuilder, name))
            assert list(inspect.signature(method).parameters.values()) == list(
                twin.parameters.values()
            ), name


@pytest.mark.only("async")
async def test_async_chain_methods_raise_at_the_call(db: Any) -> None:
    query = db.select(Item)
    for error, call in (
        (InvalidFilterError, lambda: query.filter(zz=1)),
        (InvalidOrderError, lambda: query.order("zz")),
        (InvalidOffsetError, lambda: query.offset(-1)),
        (ValueError, lambda: query.fields(["zz"])),
        (ValueError, lambda: query.cache_ttl(-1)),
        (InvalidProjectionError, lambda: query.having(n=1)),
    ):
        with pytest.raises(error):
            call()


# Errors


def test_query_errors_are_library_errors() -> None:
    texts = {
        InvalidFilterError("x"): "Failed to apply filter: invalid field 'x'",
        InvalidOrderError("x"): "Invalid order value - x",
        InvalidOffsetError(
            -1
        ): "Invalid offset value: '-1'. Offset must be a positive integer.",
        InvalidProjectionError("x"): "Invalid projection query operation: x",
        InvalidUpdateError("x"): "Invalid update operation: x",
        InvalidRelationshipError("a__b", "b", "M"): (
            "Invalid relationship path 'a__b': field 'b' is not a valid foreign key relationship "
            "on model M"
        ),
    }
    for error, text in texts.items():
        assert isinstance(error, SqliterError)
        assert str(error) == text
