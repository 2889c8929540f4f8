"""`page_after()`: the pages have every row once, in order, whatever happens meanwhile."""

from __future__ import annotations

import base64
import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from typing import Any

import pytest
from contract.library import stocked
from support import Colour, StatementLog

from sqliter.exceptions import InvalidCursorError, InvalidOrderError, SqliterError
from sqliter.model import BaseDBModel, FullText
from sqliter.query import func
from sqliter.query.page import KeysetPage


class Shade(Enum):
    RED = "red"
    BLUE = "blue"


class Thing(BaseDBModel):
    name: str
    rank: int
    price: Decimal
    at: datetime | None = None
    day: date | None = None
    span: timedelta | None = None
    shade: Shade | None = None
    ok: bool | None = None
    blob: bytes | None = None
    ratio: float | None = None
    either: int | str | None = None
    tags: list[str] | None = None

    class Meta:
        table_name = "things"
        indexes = ["name", ("rank", "name"), "at"]


FIELDS = [
    name for name in Thing.model_fields if name not in ("created_at", "updated_at")
]
CHOICES: dict[str, list[Any]] = {
    "name": ["a", "B", "é", "", "a\x00b", "z'; --"],
    "rank": [-(2**63), 0, 1, 2**63 - 1],
    "price": [Decimal("1.10"), Decimal("1.1"), Decimal("-3"), Decimal("1E+2"), Decimal("9")],
    "at": [None, datetime(2020, 1, 1, tzinfo=UTC), datetime(1960, 5, 17, 1, 2, 3, 456789, UTC)],
    "day": [None, date(2020, 2, 29), date(1969, 12, 31)],
    "span": [None, timedelta(days=-1), timedelta(microseconds=1), timedelta(days=9)],
    "shade": [None, *Shade],
    "ok": [None, True, False],
    "blob": [None, b"", b"\x00\xff", b"a"],
    "ratio": [None, -0.0, 0.0, 0.1, 1e300, float("inf"), float("-inf")],
    "either": [None, 7, "7", "seven", -1],
    "tags": [None, [], ["b"]],
}  # fmt: skip


def thing(chance: random.Random) -> Thing:
    return Thing(**{name: chance.choice(values) for name, values in CHOICES.items()})


def some_order(chance: random.Random) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return what `order()` takes, with the key at the end as pages have it."""
    names = [
        chance.choice(("", "-")) + name
        for name in chance.sample(FIELDS, chance.randint(1, 4))
    ]
    if not any(name.removeprefix("-") == "pk" for name in names):
        names.append("-pk" if names[-1].startswith("-") else "pk")
    options: dict[str, Any] = {"nulls": chance.choice((None, "first", "last"))}
    if chance.random() < 0.3:
        options["reverse"] = True
    return tuple(names), options


def is_needless(names: tuple[str, ...]) -> bool:
    """Whether the key at the end is what pages put there by themselves."""
    directions = {name.startswith("-") for name in names[-2:]}
    return len(names) > 1 and "pk" in names[-1] and len(directions) == 1


async def walk(query: Any, size: int, between: Any = None) -> list[Any]:
    found: list[Any] = []
    page = await query.page_after(None, size)
    while True:
        found += page.items
        assert page.has_next is (page.next_cursor is not None)
        if page.next_cursor is None:
            return found
        assert len(page.items) == size
        if between is not None:
            await between(found)
        page = await query.page_after(page.next_cursor, size)


def keys(rows: list[Any]) -> list[int]:
    return [row.pk for row in rows]


@pytest.mark.only("sync")
@pytest.mark.only("memory")
@pytest.mark.parametrize("seed", range(3))
async def test_the_pages_are_what_fetch_all_gives(db: Any, seed: int) -> None:
    chance = random.Random(seed)
    await db.create_table(Thing)
    await db.bulk_insert([thing(chance) for _ in range(60)])
    for _ in range(60):
        names, options = some_order(chance)
        query = db.select(Thing).order(*names, **options)
        given = names[:-1] if is_needless(names) and chance.random() < 0.7 else names
        pages = query.clone().order(*given, **options)
        expected = await query.fetch_all()
        assert await walk(pages, chance.randint(1, 25)) == expected, (names, options)


@pytest.mark.only("sync")
@pytest.mark.only("memory")
async def test_rows_that_stay_are_neither_left_out_nor_repeated(db: Any) -> None:
    chance = random.Random(5)
    await db.create_table(Thing)
    for _ in range(40):
        await db.select(Thing).delete()
        rows = await db.bulk_insert([thing(chance) for _ in range(30)])
        gone, (names, options) = set[int](), some_order(chance)

        async def between(found: list[Any]) -> None:
            for row in (found[-1], chance.choice(rows)):
                if row.pk not in gone:
                    gone.add(row.pk)
                    await db.delete(Thing, row.pk)
            await db.insert(thing(chance))

        query = db.select(Thing).order(*names, **options)
        stays = [*keys(rows)]
        expected = keys(await query.fetch_all())
        found = keys(await walk(query, 4, between))
        assert len(found) == len(set(found))
        assert [pk for pk in found if pk in stays and pk not in gone] == [
            pk for pk in expected if pk not in gone
        ], (names, options)


ORDERS = [
    (("author__name", "title"), {}),
    (("-author__country__name", "pages"), {}),
    (("editor__name", "-title"), {}),
    (("-editor__name", "title"), {"nulls": "first"}),
    (("editor__age", "editor__name", "author__age"), {"nulls": "last"}),
    (("author__pk", "-pk", "title"), {}),
]


async def test_along_foreign_keys(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    for names, options in ORDERS:
        query = db.select(lib.Book).order(*names, **options)
        expected = keys(await query.fetch_all())
        for size in (1, 2, 3):
            assert keys(await walk(query, size)) == expected
        some = query.clone().filter(author__name__ne="Bob").select_related("editor")
        expected = keys(await some.fetch_all())
        assert keys(await walk(some.prefetch_related("tags"), 1)) == expected
    page = await db.select(lib.Book).prefetch_related("tags").page_after(None, 2)
    tags = [await lib.many(book.tags).count() for book in page.items]
    assert len(tags) == 2


async def test_pages_are_typed_and_start_anywhere(make_db: Any) -> None:
    db = make_db(cache_enabled=True)
    await db.create_table(Thing)
    assert await db.select(Thing).page_after() == KeysetPage([], None)
    row = {"name": "a", "price": Decimal(1)}
    await db.bulk_insert([Thing(rank=n // 2, **row) for n in range(5)])
    query = db.select(Thing).order("-rank")
    for _ in range(2):  # the second time from the cache
        page = await query.page_after(size=2)
        assert keys(page.items) == [5, 4]
        page = await query.page_after(page.next_cursor, 2**70)
        assert (keys(page.items), page.next_cursor) == ([3, 2, 1], None)
    assert db.get_cache_stats()["hits"] == 2
    partial = await query.only("name").page_after(None, 3)
    assert partial.items[0].model_dump() == {"pk": 5, "name": "a"}
    few = query.clone().filter(rank__gt=0)
    behind = await few.page_after(partial.next_cursor, 3)
    assert behind.items == []  # a cursor fits other filters


SQL = {
    ("name",): ('("name", "pk") > (?, ?)', "INDEX idx_things_name (name>?)"),
    ("-rank", "-name"): (
        '("rank", "name", "pk") < (?, ?, ?)',
        "INDEX idx_things_rank_name ((rank,name)<(?,?))",
    ),
    ("-rank", "name"): (
        '("rank" <= ? AND ("rank" < ? OR ("name", "pk") > (?, ?)))',
        "INDEX idx_things_rank_name (rank<?)",
    ),
    ("at",): ('("at", "pk") > (?, ?)', "INDEX idx_things_at (at>?)"),
    ("-at",): (
        '("at" < ? OR "at" IS NULL OR ("at" = ? AND "pk" < ?))',
        "INDEX idx_things_at",
    ),
    ("price",): ('("price" COLLATE sqliter_decimal, "pk") > (?, ?)', ""),
    ("pk", "name"): ('"pk" > ?', "PRIMARY KEY (rowid>?)"),
}


@pytest.mark.only("sync")
@pytest.mark.only("memory")
@pytest.mark.parametrize("order", SQL)
async def test_indexes_find_the_place(
    logged_db: Any, statements: StatementLog, order: tuple[str, ...]
) -> None:
    db = logged_db
    await db.create_table(Thing)
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    rows = [Thing(name="a", rank=1, price=Decimal(1), at=moment) for _ in range(3)]
    await db.bulk_insert(rows)
    query = db.select(Thing).order(*order)
    cursor = (await query.page_after(None, 1)).next_cursor
    events: list[Any] = []
    db.on_statement(events.append)
    await query.page_after(cursor, 1)
    test, plan = SQL[order]
    assert f" WHERE {test} ORDER BY " in events[-1].sql
    explained = await db.fetch(
        f"EXPLAIN QUERY PLAN {events[-1].sql}", events[-1].params
    )
    assert plan in explained[0]["detail"]


class Note(BaseDBModel):
    text: str

    class Meta:
        table_name = "notes"
        fts = FullText(["text"])


async def test_what_cannot_be_paged(db: Any) -> None:
    await db.create_table(Note)
    query = db.select(Note)
    for ranked in (
        query.clone().search("sea"),
        query.clone().search("sea").order("_rank"),
    ):
        with pytest.raises(InvalidOrderError, match="order by fields"):
            await ranked.page_after()
    assert (await query.clone().search("sea").order("text").page_after()).items == []
    wrong: list[Any] = [query.clone().limit(3), query.clone().offset(3)]
    for each in wrong:
        with pytest.raises(ValueError, match="leave them out"):
            await each.page_after()
    with pytest.raises(ValueError, match="size must be at least 1"):
        await query.page_after(None, 0)
    with pytest.raises(SqliterError, match="projection"):
        await query.clone().annotate(n=func.count()).page_after()
    with pytest.raises(TypeError, match="a cursor is a text"):
        await query.page_after(3)


async def test_cursors_that_are_none(db: Any) -> None:
    await db.create_table(Thing)
    row = {"rank": 1, "price": Decimal(1)}
    await db.bulk_insert([Thing(name=name, blob=b"x", **row) for name in "abc"])
    query = db.select(Thing).order("name", "blob")
    good = (await query.page_after(None, 1)).next_cursor
    assert good.isascii()
    assert good.replace("-", "").replace("_", "").isalnum()
    changed = good[:20] + ("A" if good[20] != "A" else "B") + good[21:]
    for bad in ("", "x", "a b", good[:-3], good + "AAAA", changed, "é", "A" * 9999):
        with pytest.raises(InvalidCursorError, match="give back next_cursor"):
            await query.page_after(bad, 1)
    for other in (query.clone().order("name"), query.clone().order("-name", "blob")):
        with pytest.raises(InvalidCursorError, match="another"):
            await other.page_after(good, 1)


def forged(text: str) -> str:
    """Return a cursor with this content, as somebody who has read the library might."""
    data = sha256(text.encode()).digest()[:9] + text.encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


async def test_forged_cursors_do_no_harm(db: Any) -> None:
    await db.create_table(Thing)
    row = {"rank": 1, "price": Decimal(1)}
    await db.bulk_insert([Thing(name=name, **row) for name in "abc"])
    query = db.select(Thing).order("name")
    good = (await query.page_after(None, 1)).next_cursor
    content = base64.urlsafe_b64decode(good + "=" * (-len(good) % 4))[9:].decode()
    shape = json.loads(content)[0]
    assert forged(content) == good
    seen: list[Any] = []
    db.on_statement(seen.append)
    texts = [
        "",
        "[]",
        "[" * 100_000,
        "[NaN]",
        "9" * 5000,
        '{"a":1}',
        "null",
        '["x",1,2]',
    ]
    lists = ['"a",2.0', '"a",null', '"a"', '"a",1,1', "[],1", "{},1", '{"hex":3},1']
    lists += ["NaN,1", '"\\ud800",1', f"{2**63},1", "true,1"]
    for text in texts + [f'["{shape}",{each}]' for each in lists]:
        with pytest.raises(InvalidCursorError):
            await query.page_after(forged(text), 1)
    assert not seen
    evil = "a'; DROP TABLE things; --"
    for values, found in (([evil, 1], ["b", "c"]), ([None, 0], ["a", "b", "c"])):
        cursor = forged(json.dumps([shape, *values]))
        page = await query.page_after(cursor)
        assert [each.name for each in page.items] == found
    assert not any("DROP" in event.sql for event in seen)
