"""Functions, cases, windows and sub-queries: wherever a query takes an expression."""

# No `from __future__ import annotations`: Pydantic reads the annotations of local classes.

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
from contract.library import stocked
from support import Colour, StatementLog, unwrap

from sqliter.exceptions import (
    InvalidFilterError,
    InvalidOrderError,
    InvalidProjectionError,
    InvalidUpdateError,
    RecordFetchError,
    RecordUpdateError,
)
from sqliter.expressions import (
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
from sqliter.model import BaseDBModel


class Level(Enum):
    LOW = "l"
    HIGH = "h"


class Sale(BaseDBModel):
    shop: str
    note: str | None = None
    price: float = 1.0
    count: int = 1
    gift: int | None = None
    exact: Decimal = Decimal("1.10")
    at: datetime = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    day: date = date(2020, 1, 2)
    paid: bool = True
    level: Level = Level.LOW
    data: bytes = b"abc"

    class Meta:
        table_name = "sales"


class Stop(BaseDBModel):
    sale: int
    length: int = 0

    class Meta:
        table_name = "stops"


ROWS: list[dict[str, Any]] = [
    {"shop": "a", "price": 1.5, "count": 3, "gift": 2, "note": "Sea"},
    {"shop": "b", "price": 0.5, "count": 8, "exact": Decimal("-2.05")},
    {"shop": "a", "price": 4.0, "count": 1, "gift": 0, "exact": Decimal(10)},
    {"shop": "b", "price": 2.0, "count": 5, "paid": False, "level": Level.HIGH},
]


async def fill(db: Any) -> None:
    await db.create_table(Sale)
    await db.create_table(Stop)
    await db.bulk_insert([Sale(**row) for row in ROWS])
    await db.bulk_insert([Stop(sale=1, length=2), Stop(sale=1, length=9), Stop(sale=3)])


def mine() -> Any:
    return Stop.sale == outer(Sale.pk)


EXACTS = [Decimal("1.10"), Decimal("-2.05"), Decimal(10), Decimal("1.10")]

VALUES: dict[str, tuple[Any, list[Any]]] = {
    "arithmetic": (F("price") * 2 - 1, [2.0, 0.0, 7.0, 3.0]),
    "division": (F("count") / 2, [1.5, 4.0, 0.5, 2.5]),
    "by zero": (F("count") / (F("count") - 3), [None, 8 / 5, -0.5, 2.5]),
    "NULL": (F("gift") + 1, [3, None, 1, None]),
    "texts": (F("shop") + "/" + F("note"), ["a/Sea", None, None, None]),
    "coalesce": (coalesce(F("note"), F("shop")), ["Sea", "b", "a", "b"]),
    "numbers of both kinds": (coalesce(F("gift"), 0.5), [2, 0.5, 0, 0.5]),
    "nullif": (func.nullif(F("count"), 3), [None, 8, 1, 5]),
    "nullif decimal": (
        func.nullif(F("exact"), Decimal("1.1")),
        [None, *EXACTS[1:3], None],
    ),
    "case": (
        case((Sale.count > 4, "many"), (Q(count=1), "one"), otherwise="few"),
        ["few", "many", "one", "many"],
    ),
    "case of NULL": (case((F("gift") > 0, 1), otherwise=0), [1, 0, 0, 0]),
    "case without otherwise": (case((F("gift") > 0, 1)), [1, None, None, None]),
    "case of truth": (case((Sale.count > 4, True), otherwise=False), [False, True] * 2),
    "case of enum": (
        case((Sale.count > 4, Sale.level), otherwise=Level.HIGH),
        [Level.HIGH, Level.LOW, Level.HIGH, Level.HIGH],
    ),
    "case of days": (
        case((Sale.count > 4, extract("date", Sale.at)), otherwise=Sale.day),
        [date(2020, 1, 2)] * 4,
    ),
    "iif": (
        func.iif(Sale.count > 4, Sale.exact, Decimal(0)),
        [0, EXACTS[1], 0, EXACTS[3]],
    ),
    "cast to text": (cast(F("count"), str) + "!", ["3!", "8!", "1!", "5!"]),
    "cast to int": (cast(F("price"), int), [1, 0, 4, 2]),
    "cast to float": (cast(F("exact"), float), [1.1, -2.05, 10.0, 1.1]),
    "cast to bytes": (cast(F("shop"), bytes), [b"a", b"b", b"a", b"b"]),
    "year": (extract("year", Sale.at), [2020] * 4),
    "hour": (extract("hour", F("at")), [3] * 4),
    "date": (extract("date", Sale.at), [date(2020, 1, 2)] * 4),
    "len": (extract("len", Sale.note), [3, None, None, None]),
    "text": (func.upper(func.substr(F("note"), 1, 2)), ["SE", None, None, None]),
    "bytes": (func.substr(F("data"), 2, 1), [b"b"] * 4),
    "any function": (
        func.printf("%s-%d", F("shop"), F("count")),
        ["a-3", "b-8", "a-1", "b-5"],
    ),
    "least of several": (func.min(F("count"), F("price"), 2.5), [1.5, 0.5, 1, 2.0]),
    "greatest decimal": (
        func.max(F("exact"), Decimal(1)),
        [EXACTS[0], 1, 10, EXACTS[3]],
    ),
    "truth": (Sale.count > 4, [False, True, False, True]),
    "truth of NULL": (F("gift") > 0, [True, None, False, None]),
    "not": (~(F("gift") > 0), [False, True, True, True]),
    "q": (Q(count__gt=4) | Q(shop="a"), [True] * 4),
    "window": (func.sum(F("count")).over(), [17] * 4),
    "rank": (func.rank().over(partition_by=Sale.shop, order_by="-count"), [1, 1, 2, 2]),
    "running": (
        func.sum("count").over(
            order_by="pk", frame="rows between 1 preceding and current row"
        ),
        [3, 11, 9, 6],
    ),
    "case of a window": (
        case(
            (func.row_number().over(order_by=Sale.price) == 1, "cheapest"),
            otherwise=Sale.shop,
        ),
        ["a", "cheapest", "a", "b"],
    ),
    "truth of a window": (
        func.sum("count").over(order_by="pk") > 11,
        [False, False, True, True],
    ),
    "parts by conditions": (
        func.count().over(partition_by=Sale.count > 4),
        [2, 2, 2, 2],
    ),
    "lag": (
        func.lag(Sale.shop, 1, "none").over(order_by=[Sale.pk]),
        ["none", "a", "b", "a"],
    ),
    "lag of decimals": (
        func.lag(Sale.exact, 1, Decimal(0)).over(order_by="pk"),
        [0, *EXACTS[:3]],
    ),
    "order of decimals": (
        func.row_number().over(order_by=[coalesce(F("exact"), F("exact")), "pk"]),
        [2, 1, 4, 3],
    ),
    "nulls last": (
        func.row_number().over(order_by=[col(Sale.gift).asc(nulls="last"), "pk"]),
        [2, 3, 1, 4],
    ),
    "window, then arithmetic": (
        F("count") * 1.0 / func.sum("count").over(partition_by=[F("shop")]),
        [0.75, 8 / 13, 0.25, 5 / 13],
    ),
}


async def test_values(db: Any) -> None:
    await fill(db)
    for name, (term, expected) in VALUES.items():
        rows = await db.select(Sale).order("pk").values(x=term)
        found = [row["x"] for row in rows]
        assert found == expected, name
        assert [type(e) for e in found if isinstance(e, bool)] == [
            type(e) for e in expected if isinstance(e, bool)
        ]
        assert await db.select(Sale).order("pk").scalars(term) == expected
        annotated = db.select(Sale).annotate(x=term).order("pk")
        assert [
            each.values["x"] for each in await annotated.fetch_annotated()
        ] == expected
        down = (
            await db.select(Sale)
            .order(col_of(term).desc(nulls="last"), "pk")
            .scalars(term)
        )
        assert down == sorted(
            expected, key=lambda e: (e is not None, key_of(e)), reverse=True
        ), name


def col_of(term: Any) -> Any:
    return coalesce(term, None) if isinstance(term, Q) else term


def key_of(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return 0 if value is None else value


async def test_filters_and_their_sql(db: Any) -> None:
    await fill(db)
    stops = unwrap(db.select(Stop))
    sales = unwrap(db.select(Sale))
    for condition, where, params, expected in [
        (F("price") * 2 > F("count"), '("price" * ?) > "count"', (2,), [3]),
        (func.lower(Sale.note).startswith("s"), None, None, [1]),
        (coalesce(F("gift"), 9) >= 2, 'coalesce("gift", ?) >= ?', (9, 2), [1, 2, 4]),
        (
            case((F("paid") == True, F("count")), otherwise=0).between(1, 5),  # noqa: E712
            None,
            None,
            [1, 3],
        ),
        (
            cast(F("count"), str).in_(["3", "5"]),
            'CAST("count" AS TEXT) IN (?, ?)',
            ("3", "5"),
            [1, 4],
        ),
        (func.length(F("note")).is_null(), 'length("note") IS NULL', (), [2, 3, 4]),
        (extract("year", Sale.at) > F("count"), None, None, [1, 2, 3, 4]),
        (extract("date", Sale.at) == F("day"), None, None, [1, 2, 3, 4]),
        (func.abs(F("price") - 2) < 1, 'abs(("price" - ?)) < ?', (2, 1), [1, 4]),
        (
            exists(stops.clone().filter(mine())),
            'EXISTS (SELECT 1 FROM "stops" AS t0 WHERE t0."sale" = "sales"."pk")',
            (),
            [1, 3],
        ),
        (~exists(stops.clone().filter(mine(), length__gt=0)), None, None, [2, 3, 4]),
        (
            Sale.price > subquery(sales, func.avg("price")),
            '"price" > (SELECT avg(t0."price") FROM "sales" AS t0)',
            (),
            [3],
        ),
        (
            col(Sale.pk).in_(subquery(stops.clone().filter(length=9), "sale")),
            '"pk" IN (SELECT t0."sale" FROM "stops" AS t0 WHERE t0."length" = ?)',
            (9,),
            [1],
        ),
        (col(Sale.pk).not_in(subquery(stops, Stop.sale)), None, None, [2, 4]),
        (
            subquery(stops.clone().filter(mine()), func.count()) == 2,
            '(SELECT count(*) FROM "stops" AS t0 WHERE t0."sale" = "sales"."pk") = ?',
            (2,),
            [1],
        ),
        (
            subquery(stops.clone().filter(mine()).order("-length"), "length") == 9,
            None,
            None,
            [1],
        ),
        (  # the row of the same shop that is sold most
            ~exists(
                sales.clone().filter(
                    Sale.shop == outer(Sale.shop), Sale.count > outer(Sale.count)
                )
            ),
            None,
            None,
            [1, 2],
        ),
    ]:
        query = db.select(Sale).filter(condition)
        assert await query.clone().order("pk").scalars("pk") == expected, condition
        assert await query.count() == len(expected)
        sql, given = query.to_sql()
        if where is not None:
            assert sql.partition(" WHERE ")[2] == where
            assert given == params


async def test_conditions_of_groups(db: Any) -> None:
    await fill(db)
    shops = db.select(Sale).group_by(Sale.shop).order("shop")
    groups = shops.annotate(
        n=func.count(),
        unpaid=func.sum(case((Sale.paid == False, 1), otherwise=0)),  # noqa: E712
        turnover=func.sum(F("price") * F("count")),
        mean=func.sum(F("price") * F("count")) / func.sum("count"),
        kinds=func.count(F("level"), distinct=True),
        exactly=func.sum(F("exact")),
        best=func.max(Sale.exact),
        size=case((func.sum("count") > 10, "large"), otherwise="small"),
        place=func.rank().over(order_by=func.sum("count").desc()),
    )
    a = {
        "shop": "a",
        "n": 2,
        "unpaid": 0,
        "turnover": 8.5,
        "mean": 8.5 / 4,
        "kinds": 1,
        "exactly": Decimal("11.10"),
        "best": Decimal(10),
        "size": "small",
        "place": 2,
    }
    b = {
        "shop": "b",
        "n": 2,
        "unpaid": 1,
        "turnover": 14.0,
        "mean": 14 / 13,
        "kinds": 2,
        "exactly": Decimal("-0.95"),
        "best": Decimal("1.10"),
        "size": "large",
        "place": 1,
    }
    assert await groups.clone().fetch_dicts() == [a, b]
    for condition, expected in [
        (func.sum("count") > 10, "b"),
        (func.sum(F("exact")) > Decimal("11.09"), "a"),
        (F("turnover") > 10, "b"),
        (F("n") * 2 == F("kinds") + 2, "b"),
        (F("turnover") > F("n"), "ab"),
        (Q(shop="a") | (func.min("price") < 1), "ab"),
        (~(F("size") == "large"), "a"),
        (func.sum(case((F("paid") == False, 1), otherwise=0)) == 1, "b"),  # noqa: E712
        (case((F("unpaid") > 0, "x"), otherwise="y") == "x", "b"),
        (case((Q(n__gt=5), 1), otherwise=0) == 0, "ab"),
    ]:
        found = await groups.clone().having(condition).fetch_dicts()
        assert "".join(each["shop"] for each in found) == expected, condition
        assert len(found) == 2 or found[0]["place"] == 1  # of the groups that are left
    few = groups.clone().having(n=2, mean__gt=2)
    assert await few.fetch_dicts() == [{**a, "place": 1}]
    assert await groups.order(F("turnover").desc()).limit(1).fetch_dicts() == [b]
    twos = db.select(Sale).group_by(k=F("count") / 4 > 1)
    twos.annotate(
        x=case((Q(k=True), func.count()), otherwise=0),
        t=func.sum(F("price")) * cast(F("k"), int),
    )
    assert await twos.order("k").having(func.count() > 1).fetch_dicts() == [
        {"k": False, "x": 0, "t": 0},
        {"k": True, "x": 2, "t": 2.5},
    ]
    later = db.select(Sale).group_by("shop").annotate(n=func.count())
    later.annotate(twice=F("n") * 2, many=case((Q(n__gte=2), "yes"), otherwise="no"))
    assert {(e["twice"], e["many"]) for e in await later.fetch_dicts()} == {(4, "yes")}


async def test_updates(db: Any) -> None:
    await fill(db)
    sales, one = unwrap(db.select(Sale)), db.select(Sale).filter(pk=1)
    stops = unwrap(db.select(Stop)).filter(mine())
    changes: dict[str, tuple[Any, Any]] = {
        "shop": (func.upper(F("shop")) + "!", "A!"),
        "note": (case((F("count") > 5, "many")), None),
        "price": (func.round(F("price") / 7, 3), 0.214),
        "count": (subquery(stops, func.count()), 2),
        "gift": (coalesce(subquery(sales.clone().filter(pk=9), "gift"), F("count")), 3),
        "exact": (func.max(F("exact"), Decimal(3)), Decimal(3)),
        "day": (extract("date", F("at")), date(2020, 1, 2)),
        "paid": (~Q(paid=True), False),
        "level": (case((Q(paid=True), Level.HIGH), otherwise=F("level")), Level.HIGH),
        "data": (func.substr(F("data"), 1, 1), b"a"),
    }
    assert await one.clone().update({f: e for f, (e, _) in changes.items()}) == 1
    found = await one.fetch_one()
    assert {f: getattr(found, f) for f in changes} == {
        f: value for f, (_, value) in changes.items()
    }
    assert await db.select(Sale).filter(~exists(stops)).update({"note": "alone"}) == 2
    assert await db.select(Sale).filter(note="alone").scalars("pk") == [2, 4]
    in_stops = col(Sale.pk).in_(subquery(unwrap(db.select(Stop)), "sale"))
    assert await db.select(Sale).filter(in_stops, exists(stops)).delete() == 2
    assert await db.select(Sale).scalars("pk") == [2, 4]


REFUSED: dict[str, tuple[type[Exception], dict[Any, Any]]] = {
    "NULL": (RecordUpdateError, {"shop": func.upper(F("note"))}),
    "NULL of a case": (RecordUpdateError, {"count": case((F("count") > 3, 1))}),
    "NULL of a column": (RecordUpdateError, {"shop": F("note")}),
    "too large": (RecordUpdateError, {"count": F("count") * 2**62}),
    "NULL of a sub-query": (RecordUpdateError, {"count": func.nullif(F("count"), 3)}),
    "unknown type": (InvalidUpdateError, {"count": func.nope(F("count"))}),
    "a text": (InvalidUpdateError, {"count": func.upper(F("shop"))}),
    "bytes": (InvalidUpdateError, {"shop": func.substr(F("data"), 1)}),
    "a float": (InvalidUpdateError, {"count": coalesce(F("count"), 0.5)}),
    "exact": (InvalidUpdateError, {"exact": func.abs(F("exact"))}),
    "aggregate": (InvalidUpdateError, {"count": func.sum("count")}),
    "window": (InvalidUpdateError, {"count": func.row_number().over()}),
    "no window": (InvalidUpdateError, {"count": func.row_number()}),
    "outer": (InvalidFilterError, {"count": outer(Stop.length)}),
}


@pytest.mark.only("sync", "memory")
async def test_updates_that_cannot_be_change_nothing(db: Any) -> None:
    await fill(db)
    before = await db.select(Sale).order("pk").fetch_all()
    for name, (error, values) in REFUSED.items():
        with pytest.raises(error):
            await db.select(Sale).update(values)
            pytest.fail(name)
    assert await db.select(Sale).order("pk").fetch_all() == before


WRONG: dict[str, tuple[type[Exception], str, Callable[[Any], Any]]] = {
    "unknown function": (
        RecordFetchError,
        "no such function",
        lambda q: q.filter(func.nope(F("count")) == 1),
    ),
    "no name": (
        ValueError,
        "no name",
        lambda q: q.filter(getattr(func, "a b")(1) == 1),
    ),
    "text and int": (
        InvalidFilterError,
        "int",
        lambda q: q.filter(F("count") + 1 == "3"),
    ),
    "int and text": (
        InvalidFilterError,
        "str",
        lambda q: q.filter(func.lower("X") == 3),
    ),
    "aggregate": (
        InvalidFilterError,
        "having",
        lambda q: q.filter(func.sum("count") > 1),
    ),
    "on the right": (
        InvalidFilterError,
        "having",
        lambda q: q.filter(Sale.count > func.max("count")),
    ),
    "in a keyword": (
        InvalidFilterError,
        "having",
        lambda q: q.filter(count=func.max("count")),
    ),
    "in a case": (
        InvalidFilterError,
        "having",
        lambda q: q.filter(case((func.max("count") > 1, 1)) == 1),
    ),
    "window in a case": (
        InvalidFilterError,
        "window",
        lambda q: q.filter(case((func.rank().over() == 1, 1)) == 1),
    ),
    "window": (
        InvalidFilterError,
        "window",
        lambda q: q.filter(Sale.count > func.sum("count").over()),
    ),
    "no window": (InvalidOrderError, "over", lambda q: q.order(func.row_number())),
    "types": (InvalidOrderError, "cast", lambda q: q.order(coalesce(F("count"), "x"))),
    "exact": (InvalidOrderError, "exactly", lambda q: q.order(F("exact") * 2)),
    "exact abs": (
        InvalidOrderError,
        "exactly",
        lambda q: q.order(func.abs(F("exact"))),
    ),
    "frame": (
        InvalidOrderError,
        "frame",
        lambda q: q.order(func.sum("count").over(frame="ROWS")),
    ),
    "digits": (
        InvalidOrderError,
        "frame",
        lambda q: q.order(func.sum("count").over(frame="ROWS ٣ PRECEDING")),  # noqa: RUF001
    ),
    "outer": (
        InvalidFilterError,
        "query of Stop",
        lambda q: q.filter(Sale.pk == outer(Stop.sale)),
    ),
    "part": (
        InvalidOrderError,
        "no part",
        lambda q: q.order(extract("century", F("at"))),
    ),
    "part of text": (
        InvalidFilterError,
        "year",
        lambda q: q.filter(extract("year", F("shop")) == 1),
    ),
    "large": (
        InvalidFilterError,
        "64 bits",
        lambda q: q.filter(F("count") + 1 > 2**127),
    ),
    "larger": (InvalidOrderError, "no number", lambda q: q.order(F("count") + 2**127)),
    "NaN": (
        InvalidFilterError,
        "NaN",
        lambda q: q.filter(F("count") + 1 > float("nan")),
    ),
    "NaN inside": (
        InvalidOrderError,
        "no number",
        lambda q: q.order(F("price") * float("nan")),
    ),
    "surrogate": (
        InvalidFilterError,
        "surrogate",
        lambda q: q.filter(func.lower(F("shop")) == "\udc80"),
    ),
    "surrogate inside": (
        InvalidOrderError,
        "surrogate",
        lambda q: q.order(coalesce(F("note"), "\udc80")),
    ),
    "groups": (
        InvalidFilterError,
        "groups",
        lambda q: q.filter(exists(unwrap(q.clone().group_by("shop")))),
    ),
    "no query": (TypeError, "query", lambda q: exists(Sale)),
    "no pair": (TypeError, "pairs", lambda q: case((True, 1))),
    "no pairs": (TypeError, "pairs", lambda q: case()),
    "target": (TypeError, "cast", lambda q: cast(F("count"), Decimal)),
    "a name": (
        InvalidOrderError,
        "F\\('shop'\\)",
        lambda q: q.order(func.upper("shop")),
    ),
    "any row of a group": (
        InvalidProjectionError,
        "many values per group",
        lambda q: q.group_by("shop").having(func.upper(F("note")) > "X"),
    ),
    "any row beside an aggregate": (
        InvalidProjectionError,
        "'price' has many values",
        lambda q: q.group_by("shop").annotate(x=func.sum("count") * F("price")),
    ),
    "a window over any row": (
        InvalidProjectionError,
        "'count' has many values",
        lambda q: q.group_by("shop").annotate(x=func.sum(F("count")).over()),
    ),
    "names": (
        InvalidOrderError,
        "about a text",
        lambda q: q.order(func.min("shop", "x")),
    ),
    "another type": (
        InvalidOrderError,
        "no value of note",
        lambda q: q.order(coalesce(F("note"), 5)),
    ),
    "parted by": (
        TypeError,
        "parted",
        lambda q: q.order(func.rank().over(partition_by=[3])),
    ),
    "ordered by": (
        TypeError,
        "ordered",
        lambda q: q.order(func.rank().over(order_by=[3])),
    ),
    "per row": (
        InvalidProjectionError,
        "per row",
        lambda q: q.group_by("shop").annotate(x=F("count") + 1).fetch_dicts(),
    ),
}


@pytest.mark.only("sync", "memory")
async def test_wrong_uses(db: Any) -> None:
    await fill(db)
    for name, (error, text, use) in WRONG.items():
        with pytest.raises(error, match=text):
            found = use(db.select(Sale))
            if hasattr(found, "fetch_all"):
                verb = "fetch_dicts" if found.projection_mode else "fetch_all"
                found = getattr(found, verb)()
            await found
            pytest.fail(name)


async def test_orders(db: Any) -> None:
    await fill(db)
    gift = coalesce(F("gift"), 1)
    query = db.select(Sale).order(gift.desc(), func.lower(F("shop")), F("pk").desc())
    assert await query.clone().scalars("pk") == [1, 4, 2, 3]
    assert await query.clone().limit(2).offset(1).scalars("pk") == [4, 2]
    assert (await query.clone().fetch_first()).pk == 1
    assert (await query.clone().fetch_last()).pk == 3
    page = await query.clone().paginate(2, 3)
    assert ([each.pk for each in page.items], page.total) == ([3], 4)
    with pytest.raises(InvalidOrderError, match="cursor"):
        await query.clone().page_after(None, size=2)
    missing = db.select(Sale).order(func.nullif(F("count"), 3).desc(nulls="first"))
    assert await missing.clone().scalars("pk") == [1, 2, 4, 3]
    assert (await missing.clone().fetch_last()).pk == 3
    sql = query.to_sql()[0]
    assert sql.endswith(
        'ORDER BY coalesce("gift", ?) DESC, lower("shop") ASC, "pk" DESC'
    )


async def test_a_few_rows_of_each_owner_in_computed_order(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    order = func.length(F("title")).desc()
    query = db.select(lib.Book).order(order, "pk").limit(2)
    prefetch = lib.prefetch("books", query)
    authors = await db.select(lib.Author).prefetch_related(prefetch).fetch_all()
    assert len(authors) > 1
    for author in authors:
        books = await db.select(lib.Book).filter(author_id=author.pk).fetch_all()
        books.sort(key=lambda book: (-len(book.title), book.pk))
        found = await lib.many(author.books).fetch_all()
        assert [each.pk for each in found] == [each.pk for each in books[:2]]


async def test_trees(db: Any, orm: SimpleNamespace) -> None:
    class Node(orm.BaseDBModel):
        name: str
        up: orm.ForeignKey["Node | None"] = orm.ForeignKey(
            "Node", null=True, related_name="downs"
        )

    await db.create_table(Node)
    root = await db.insert(Node(name="root"))
    one = await db.insert(Node(name="one", up_id=root.pk))
    await db.bulk_insert([Node(name=name, up_id=one.pk) for name in ("x", "y")])

    def below(*conditions: Any) -> Any:
        nodes = unwrap(db.select(Node))
        return exists(nodes.filter(Node.up_id == outer(Node.pk), *conditions))

    nodes = db.select(Node).order("pk")
    assert await nodes.clone().filter(below()).scalars("name") == ["root", "one"]
    assert await nodes.clone().filter(below(below())).scalars("name") == ["root"]
    above = case((Q(downs__name="x"), "above x"), otherwise="")
    assert await nodes.clone().scalars(above) == ["", "above x", "", ""]
    named = below(Node.up.to.name == "one")
    assert await nodes.clone().filter(named, Node.up.to.name == "root").count() == 1
    sql = db.select(Node).filter(below(below())).to_sql()[0]
    assert sql.endswith(
        'WHERE EXISTS (SELECT 1 FROM "nodes" AS t0 WHERE t0."up_id" = "nodes"."pk" AND '
        'EXISTS (SELECT 1 FROM "nodes" AS t1 WHERE t1."up_id" = t0."pk"))'
    )
    assert await db.select(Node).filter(~below()).update({"name": F("name") + "!"}) == 2
    assert await nodes.clone().scalars("name") == ["root", "one", "x!", "y!"]


async def test_what_the_cache_tells_apart(make_db: Any) -> None:
    db = make_db(cache_enabled=True)
    await fill(db)
    stops = unwrap(db.select(Stop)).filter(mine())
    for _ in range(2):
        for given, expected in (
            (1, "integer"),
            (1.0, "real"),
            ("1", "text"),
            (True, "integer"),
        ):
            rows = await db.select(Sale).filter(pk=1).values(x=func.typeof(given))
            assert rows == [{"x": expected}]
            case_of = case((F("pk") > 0, given), otherwise=None)
            (found,) = await db.select(Sale).filter(pk=1).scalars(case_of)
            assert (found, type(found)) == (given, type(given))
        assert await db.select(Sale).filter(exists(stops)).count() == 2
        found = await db.select(Sale).filter(exists(stops)).fetch_all()
        assert [each.pk for each in found] == [1, 3]
    number = subquery(stops, func.count())
    assert await db.select(Sale).order("pk").scalars(number) == [2, 0, 1, 0]
    await db.insert(Stop(sale=2))
    assert await db.select(Sale).filter(exists(stops)).count() == 3
    assert len(await db.select(Sale).filter(exists(stops)).fetch_all()) == 3
    assert await db.select(Sale).order("pk").scalars(number) == [2, 1, 1, 0]


async def test_rows_with_what_is_computed_of_them(
    logged_db: Any, statements: StatementLog
) -> None:
    await fill(logged_db)
    query = logged_db.select(Sale).annotate(
        total=F("price") * F("count"),
        share=func.rank().over(partition_by="shop", order_by=Sale.price),
        cheap=Sale.price < 1,
        stops=subquery(unwrap(logged_db.select(Stop)).filter(mine()), func.count()),
    )
    statements.clear()
    rows = await query.order("-total").limit(2).fetch_annotated()
    assert len(statements.starting("SELECT")) == 1
    assert [(each.instance.pk, each.values) for each in rows] == [
        (4, {"total": 10.0, "share": 2, "cheap": False, "stops": 0}),
        (1, {"total": 4.5, "share": 1, "cheap": False, "stops": 2}),
    ]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (func.lower(F("a")), "func.lower(F('a'))"),
        (func.count(Sale.shop, distinct=True), "func.count(Sale.shop, distinct=True)"),
        (case((Sale.count > 1, "x")), "case(((Sale.count > 1), 'x'), otherwise=None)"),
        (cast(F("a"), int), "cast(F('a'), int)"),
        (extract("year", F("a")), "extract('year', F('a'))"),
        (func.rank().over(), "func.rank().over(...)"),
        (outer(Sale.pk), "outer(Sale.pk)"),
        (col(Sale.shop).like("x"), "Sale.shop.like('x')"),
        (coalesce(F("a"), 1) == 1, "(func.coalesce(F('a'), 1) == 1)"),
    ],
    ids=str,
)
def test_repr(given: Any, text: str) -> None:
    assert repr(given) == text
