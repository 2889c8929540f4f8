"""The result cache as a query sees it: what hits, what misses, what is never stale."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from sqliter.model import BaseDBModel
from sqliter.query import func


class Item(BaseDBModel):
    name: str
    size: int = 0
    note: str | None = None
    blob: bytes = b""
    tags: list[str] = []

    class Meta:
        table_name = "items"


class Lean(BaseDBModel):
    """Another model of the same table."""

    name: str

    class Meta:
        table_name = "items"


class Other(BaseDBModel):
    name: str

    class Meta:
        table_name = "others"


@pytest.fixture
def db(make_db: Any, statements: Any) -> Any:
    """A database that caches, and logs what it really runs."""
    return make_db(cache_enabled=True, debug=True, logger=statements.logger)


async def seed(db: Any) -> None:
    await db.create_table(Item)
    await db.bulk_insert(
        [Item(name=name, size=size) for name, size in [("a", 1), ("b", 2)]]
    )
    await db.insert(Item(name="c", size=3, blob=b"x", tags=["t"]))
    db.clear_cache()


def numbers(db: Any) -> tuple[int, int]:
    """Hits and misses so far."""
    stats = db.get_cache_stats()
    return stats["hits"], stats["misses"]


@pytest.mark.parametrize(
    "terminal", ["fetch_all", "fetch_one", "fetch_first", "fetch_last"]
)
async def test_a_repeated_read_runs_no_statement(
    db: Any, statements: Any, terminal: str
) -> None:
    await seed(db)

    async def read() -> Any:
        query = db.select(Item).filter(size__gt=1).order("name").limit(5)
        return await getattr(query, terminal)()

    first = await read()
    with statements.watch():
        assert await read() == first
    assert statements.starting("SELECT") == []
    assert numbers(db) == (1, 1)


async def test_dictionaries_are_cached(db: Any, statements: Any) -> None:
    await seed(db)

    async def read() -> Any:
        return (
            await db.select(Item)
            .group_by("size")
            .annotate(n=func.count())
            .fetch_dicts()
        )

    first = await read()
    with statements.watch():
        assert await read() == first
    assert statements.starting("SELECT") == []
    assert numbers(db) == (1, 1)


async def test_caching_is_off_by_default(logged_db: Any, statements: Any) -> None:
    await logged_db.create_table(Item)
    for _ in range(2):
        with statements.watch():
            await logged_db.select(Item).fetch_all()
        assert len(statements.starting("SELECT")) == 1
    assert numbers(logged_db) == (0, 0)


async def test_count_and_exists_are_not_cached(db: Any, statements: Any) -> None:
    await seed(db)
    for terminal in ("count", "exists"):
        for _ in range(2):
            with statements.watch():
                await getattr(db.select(Item), terminal)()
            assert len(statements.starting("SELECT")) == 1
    assert numbers(db) == (0, 0)


async def test_nothing_found_is_cached_too(db: Any, statements: Any) -> None:
    await seed(db)
    for terminal, nothing in (
        ("fetch_all", []),
        ("fetch_one", None),
        ("fetch_last", None),
    ):
        assert await getattr(db.select(Item).filter(name="zz"), terminal)() == nothing
        with statements.watch():
            assert (
                await getattr(db.select(Item).filter(name="zz"), terminal)() == nothing
            )
        assert statements.statements == []


# What shares an entry and what does not

EQUIVALENT: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
    (lambda q: q.filter(name="a", size=1), lambda q: q.filter(size=1, name="a")),
    (lambda q: q.filter(name="a", size=1), lambda q: q.filter(size=1).filter(name="a")),
    (lambda q: q.limit(1).offset(1), lambda q: q.offset(1).limit(1)),
    (lambda q: q.fields(["name"]), lambda q: q.only("name")),
    (lambda q: q.fields(["name", "size"]), lambda q: q.fields(["size", "name"])),
    (lambda q: q.fields(["name"]), lambda q: q.fields(["pk", "name"])),
    (lambda q: q.limit(5).limit(2), lambda q: q.limit(2)),
    (lambda q: q.order("-name"), lambda q: q.order("name", reverse=True)),
    (lambda q: q.cache_ttl(60), lambda q: q),
]


@pytest.mark.parametrize(("first", "second"), EQUIVALENT)
async def test_equivalent_builders_share_an_entry(
    db: Any, first: Callable[[Any], Any], second: Callable[[Any], Any]
) -> None:
    await seed(db)
    answer = await first(db.select(Item)).fetch_all()
    assert await second(db.select(Item)).fetch_all() == answer
    assert numbers(db) == (1, 1)


async def test_select_and_fields_share_an_entry(db: Any) -> None:
    await seed(db)
    await db.select(Item, fields=["name"]).fetch_all()
    await db.select(Item).fields(["name"]).fetch_all()
    assert numbers(db) == (1, 1)


DIFFERENT: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
    (lambda q: q, lambda q: q.filter(name="a")),
    (lambda q: q.filter(name="a"), lambda q: q.filter(name="b")),
    (lambda q: q.filter(size__gt=1), lambda q: q.filter(size__gte=1)),
    (lambda q: q.filter(size__in=[1, 2]), lambda q: q.filter(size__in=[1])),
    (lambda q: q.filter(size__in=[1, 2]), lambda q: q.filter(size__not_in=[1, 2])),
    (lambda q: q.filter(note=None), lambda q: q.filter(note="None")),
    (lambda q: q.limit(1), lambda q: q.limit(2)),
    (lambda q: q.limit(1), lambda q: q.limit(1).offset(1)),
    (lambda q: q.order("name"), lambda q: q.order("-name")),
    (lambda q: q.order("note", nulls="first"), lambda q: q.order("note", nulls="last")),
    (lambda q: q.only("name"), lambda q: q.only("size")),
    (lambda q: q.only("name"), lambda q: q),
    (lambda q: q.filter(name=1), lambda q: q.filter(name="1")),
    (lambda q: q.filter(size=1), lambda q: q.filter(size=1.5)),
    (lambda q: q.filter(blob=b"x"), lambda q: q.filter(blob=b"'x'")),
]


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
async def test_different_builders_share_nothing(
    db: Any, first: Callable[[Any], Any], second: Callable[[Any], Any]
) -> None:
    await seed(db)
    await first(db.select(Item)).fetch_all()
    answer = await second(db.select(Item)).fetch_all()
    assert numbers(db) == (0, 2)
    assert answer == await second(db.select(Item)).bypass_cache().fetch_all()


async def test_one_and_all_share_nothing(db: Any) -> None:
    await seed(db)
    assert len(await db.select(Item).fetch_all()) == 3
    assert (await db.select(Item).fetch_one()).name == "a"
    assert len(await db.select(Item).fetch_all()) == 3
    assert numbers(db) == (1, 2)


async def test_first_and_last_share_nothing(db: Any) -> None:
    await seed(db)
    assert (await db.select(Item).order("name").fetch_first()).name == "a"
    assert (await db.select(Item).order("name").fetch_last()).name == "c"
    assert (await db.select(Item).order("name").fetch_first()).name == "a"


async def test_projections_share_nothing(db: Any) -> None:
    await seed(db)
    grouped = db.select(Item).group_by("size")
    assert await grouped.annotate(n=func.count()).having(n=1).fetch_dicts() != []
    other = db.select(Item).group_by("size").annotate(n=func.count()).having(n=2)
    assert await other.fetch_dicts() == []
    third = db.select(Item).group_by("size").annotate(n=func.sum("size")).having(n=1)
    assert await third.fetch_dicts() == [{"size": 1, "n": 1}]
    assert await db.select(Item).group_by("name").order("name").fetch_dicts() == [
        {"name": "a"},
        {"name": "b"},
        {"name": "c"},
    ]


@pytest.mark.defect("D-24")
async def test_bytes_and_text_share_nothing(db: Any) -> None:
    await seed(db)
    assert [
        row.name for row in await db.select(Item).filter(blob=b"x").fetch_all()
    ] == ["c"]
    assert await db.select(Item).filter(blob="b'x'").fetch_all() == []


@pytest.mark.defect("D-24")
async def test_numbers_that_look_different_as_text_share_nothing(db: Any) -> None:
    await db.create_table(Item)
    await db.bulk_insert([Item(name="1"), Item(name="1.0")])

    async def found(value: object, suffix: str = "") -> list[str]:
        given = [value] if suffix else value
        return [
            row.name
            for row in await db.select(Item)
            .filter(**{f"name{suffix}": given})
            .fetch_all()
        ]

    for suffix in ("", "__in"):
        assert await found(1, suffix) == ["1"]
        assert await found(1.0, suffix) == ["1.0"]
        assert await found(True, suffix) == ["1"]
        assert await found("1", suffix) == ["1"]
    assert numbers(db) == (0, 8)


@pytest.mark.defect("D-24")
async def test_two_models_of_one_table_share_nothing(db: Any) -> None:
    await seed(db)
    whole = await db.select(Item).order("pk").fetch_all()
    lean = await db.select(Lean).order("pk").fetch_all()
    assert {type(row) for row in whole} == {Item}
    assert {type(row) for row in lean} == {Lean}
    assert [row.name for row in lean] == ["a", "b", "c"]
    only = (db.select(Item).only("name"), db.select(Lean).only("name"))
    assert [type((await query.fetch_all())[0]) for query in only] == [Item, Lean]


@pytest.mark.defect("D-25")
async def test_values_of_several_types_on_one_field(db: Any, statements: Any) -> None:
    await seed(db)

    async def read() -> list[str]:
        query = db.select(Item).filter(name="a").filter(name=42)
        return [row.name for row in await query.fetch_all()]

    assert await read() == []
    query = (
        db.select(Item)
        .filter(name__ne="a")
        .filter(name__ne=None)
        .filter(size__in=[2, "x"])
    )
    assert [row.name for row in await query.fetch_all()] == ["b"]
    with statements.watch():
        assert await read() == []
    assert statements.statements == []


# Copies


@pytest.mark.defect("D-04")
async def test_a_hit_is_fresh_and_equal(db: Any) -> None:
    await seed(db)
    query = db.select(Item).order("pk")
    first = await query.fetch_all()
    second = await query.fetch_all()
    assert first == second
    assert first is not second
    assert first[0] is not second[0]


@pytest.mark.defect("D-04")
async def test_what_is_done_to_a_result_stays_there(db: Any) -> None:
    await seed(db)
    query = db.select(Item).order("pk")
    for _ in range(2):
        rows = await query.fetch_all()
        assert [(row.name, row.tags) for row in rows] == [
            ("a", []),
            ("b", []),
            ("c", ["t"]),
        ]
        rows[0].name = "changed"
        rows[2].tags.append("more")
        rows.pop()
    one = db.select(Item).filter(name="c")
    for _ in range(2):
        row = await one.fetch_one()
        assert row.tags == ["t"]
        row.tags.clear()
    groups = db.select(Item).group_by("name").order("name")
    for _ in range(2):
        dictionaries = await groups.fetch_dicts()
        assert dictionaries == [{"name": "a"}, {"name": "b"}, {"name": "c"}]
        dictionaries[0]["name"] = "changed"
        dictionaries.clear()


async def test_a_partial_row_stays_partial(db: Any) -> None:
    await seed(db)
    for _ in range(2):
        row = await db.select(Item).only("name").order("pk").fetch_one()
        assert row.model_fields_set == {"pk", "name"}
        with pytest.raises(AttributeError, match="not selected"):
            _ = row.size
    assert numbers(db) == (1, 1)


# Controls


async def test_bypass_neither_reads_nor_writes(db: Any, statements: Any) -> None:
    await seed(db)
    for _ in range(2):
        with statements.watch():
            assert len(await db.select(Item).bypass_cache().fetch_all()) == 3
        assert len(statements.starting("SELECT")) == 1
    assert numbers(db) == (0, 0)
    await db.select(Item).fetch_all()
    assert numbers(db) == (0, 1)
    with statements.watch():
        await db.select(Item).bypass_cache().fetch_all()
        await db.select(Item).bypass_cache().fetch_one()
        await db.select(Item).group_by("name").bypass_cache().fetch_dicts()
    assert len(statements.starting("SELECT")) == 3
    assert numbers(db) == (0, 1)


async def test_a_negative_time_to_live(db: Any) -> None:
    for seconds in (-1, -0.5):
        with pytest.raises(ValueError, match="TTL") as caught:
            db.select(Item).cache_ttl(seconds)
        assert str(caught.value) == "TTL must be non-negative"
    db.select(Item).cache_ttl(0).cache_ttl(0.5)


async def test_a_time_to_live_shorter_than_the_databases(make_db: Any) -> None:
    db = make_db(cache_enabled=True, cache_ttl=3600)
    await seed(db)
    await db.select(Item).cache_ttl(0.01).fetch_all()
    await asyncio.sleep(0.05)
    await db.select(Item).fetch_all()
    assert numbers(db) == (0, 2)


async def test_a_time_to_live_longer_than_the_databases(make_db: Any) -> None:
    db = make_db(cache_enabled=True, cache_ttl=0.01)
    await seed(db)
    await db.select(Item).cache_ttl(3600).fetch_all()
    await asyncio.sleep(0.05)
    await db.select(Item).fetch_all()
    assert numbers(db) == (1, 1)


async def test_the_last_time_to_live_wins(db: Any) -> None:
    await seed(db)
    await db.select(Item).cache_ttl(0.01).cache_ttl(3600).fetch_all()
    await asyncio.sleep(0.05)
    await db.select(Item).fetch_all()
    assert numbers(db) == (1, 1)


# Freshness


async def test_every_bulk_write_is_seen(db: Any) -> None:
    await seed(db)
    query = db.select(Item).order("pk")
    await query.fetch_all()
    assert await db.select(Item).filter(name="a").update({"size": 50}) == 1
    assert [row.size for row in await query.fetch_all()] == [50, 2, 3]
    assert await db.select(Item).filter(name="b").delete() == 1
    assert [row.size for row in await query.fetch_all()] == [50, 3]
    await db.update_where(Item, {"name": "c"}, {"size": 60})
    assert [row.size for row in await query.fetch_all()] == [50, 60]


async def test_a_write_elsewhere_leaves_the_entry(db: Any, statements: Any) -> None:
    await seed(db)
    await db.create_table(Other)
    await db.insert(Other(name="o"))
    await db.select(Item).fetch_all()
    await db.select(Other).update({"name": "p"})
    await db.select(Other).delete()
    with statements.watch():
        await db.select(Item).fetch_all()
    assert statements.starting("SELECT") == []


@pytest.mark.defect("D-03")
async def test_what_was_rolled_back_is_not_cached(db: Any) -> None:
    await seed(db)
    query = db.select(Item).order("pk")
    with pytest.raises(RuntimeError, match="undo"):
        async with db:
            await db.insert(Item(name="phantom"))
            await db.select(Item).filter(name="a").update({"size": 99})
            assert [row.size for row in await query.fetch_all()] == [99, 2, 3, 0]
            assert (
                await db.select(Item).filter(name="phantom").fetch_one()
            ) is not None
            raise RuntimeError("undo")
    assert [row.size for row in await query.fetch_all()] == [1, 2, 3]
    assert (await db.select(Item).filter(name="phantom").fetch_one()) is None


@pytest.mark.defect("D-03")
async def test_an_entry_from_before_the_block_is_not_served_inside(db: Any) -> None:
    await seed(db)
    query = db.select(Item).order("pk")
    await query.fetch_all()
    async with db:
        await db.select(Item).filter(name="a").update({"size": 99})
        assert [row.size for row in await query.fetch_all()] == [99, 2, 3]
    assert [row.size for row in await query.fetch_all()] == [99, 2, 3]


@pytest.mark.defect("D-03")
async def test_a_dropped_table_is_not_served(db: Any) -> None:
    await seed(db)
    await db.select(Item).fetch_all()
    await db.drop_table(Item)
    await db.create_table(Item)
    assert await db.select(Item).fetch_all() == []


@pytest.mark.defect("D-24")
async def test_a_write_through_one_model_is_seen_by_the_other(db: Any) -> None:
    await seed(db)
    await db.select(Item).fetch_all()
    await db.select(Lean).filter(name="a").update({"name": "z"})
    rows = await db.select(Item).order("pk").fetch_all()
    assert [row.name for row in rows] == ["z", "b", "c"]
