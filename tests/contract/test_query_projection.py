"""Projection mode: `group_by`, `annotate`, `having` and `fetch_dicts`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from sqliter.exceptions import (
    InvalidOrderError,
    InvalidProjectionError,
    RecordFetchError,
)
from sqliter.model import BaseDBModel, ForeignKey
from sqliter.query import AggregateSpec, func


class Shade(Enum):
    RED = "red"
    BLUE = "blue"


class Sale(BaseDBModel):
    category: str
    amount: int
    weight: float = 0.0
    price: Decimal | None = None
    day: date | None = None
    at: datetime | None = None
    ok: bool = True
    maybe_ok: bool | None = None
    number: int | None = None
    shade: Shade = Shade.RED

    class Meta:
        table_name = "sales"


class Shop(BaseDBModel):
    name: str

    class Meta:
        table_name = "shops"


class Visit(BaseDBModel):
    name: str
    shop_id: int = ForeignKey(Shop, db_column="place")

    class Meta:
        table_name = "visits"


async def seed(db: Any) -> None:
    await db.create_table(Sale)
    rows = [
        ("fruit", 10, 0.5, "0.10", date(2020, 1, 1), True, None, 5, Shade.RED),
        ("fruit", 30, 1.5, "0.20", date(2019, 1, 1), False, False, 10, Shade.BLUE),
        ("tools", 7, 2.5, "10", None, True, True, None, Shade.RED),
        ("books", 10, 0.25, None, date(2700, 1, 1), True, False, 100, Shade.RED),
        ("books", 10, 0.75, "9.99", date(2021, 1, 1), False, None, 9, Shade.BLUE),
    ]
    for category, amount, weight, price, day, ok, maybe_ok, number, shade in rows:
        sale = Sale(
            category=category,
            amount=amount,
            weight=weight,
            price=None if price is None else Decimal(price),
            day=day,
            at=None if day is None else datetime(day.year, 6, 1, 12, tzinfo=UTC),
            ok=ok,
            maybe_ok=maybe_ok,
            number=number,
            shade=shade,
        )
        await db.insert(sale)


async def test_groups_and_aggregates(db: Any) -> None:
    await seed(db)
    query = (
        db.select(Sale)
        .group_by("category")
        .annotate(total=func.sum("amount"), n=func.count())
    )
    rows = await query.order("category").fetch_dicts()
    assert rows == [
        {"category": "books", "total": 20, "n": 2},
        {"category": "fruit", "total": 40, "n": 2},
        {"category": "tools", "total": 7, "n": 1},
    ]
    assert [list(row) for row in rows] == [["category", "total", "n"]] * 3
    assert all(type(row) is dict for row in rows)


async def test_every_aggregate(db: Any) -> None:
    await seed(db)
    query = db.select(Sale).annotate(
        rows=func.count(),
        star=func.count("*"),
        days=func.count("day"),
        amounts=func.count("amount", distinct=True),
        total=func.sum("amount"),
        unlike=func.sum("amount", distinct=True),
        mean=func.avg("amount"),
        least=func.min("number"),
        most=func.max("number"),
        weights=func.sum("weight"),
    )
    assert await query.fetch_dicts() == [
        {
            "rows": 5,
            "star": 5,
            "days": 4,
            "amounts": 3,
            "total": 67,
            "unlike": 47,
            "mean": 13.4,
            "least": 5,
            "most": 100,
            "weights": 5.5,
        }
    ]


async def test_the_types_of_results(db: Any) -> None:
    await seed(db)
    query = db.select(Sale).annotate(
        n=func.count(),
        total=func.sum("amount"),
        w=func.sum("weight"),
        mean=func.avg("amount"),
    )
    (row,) = await query.fetch_dicts()
    assert [type(value) for value in row.values()] == [int, int, float, float]


async def test_aggregates_over_nothing(db: Any) -> None:
    await db.create_table(Sale)
    query = db.select(Sale).annotate(
        n=func.count(),
        days=func.count("day"),
        s=func.sum("amount"),
        p=func.sum("price"),
        first=func.min("day"),
        mean=func.avg("amount"),
    )
    assert await query.fetch_dicts() == [
        {"n": 0, "days": 0, "s": None, "p": None, "first": None, "mean": None}
    ]
    assert await query.group_by("category").fetch_dicts() == []


async def test_grouping_alone_is_distinct(db: Any) -> None:
    await seed(db)
    rows = await db.select(Sale).group_by("category").order("category").fetch_dicts()
    assert rows == [{"category": "books"}, {"category": "fruit"}, {"category": "tools"}]


async def test_grouping_accumulates_and_ignores_repeats(db: Any) -> None:
    await seed(db)
    query = (
        db.select(Sale)
        .group_by("category", "category")
        .group_by("ok")
        .group_by("category")
    )
    rows = await query.order("category", "ok").annotate(n=func.count()).fetch_dicts()
    assert rows[0] == {"category": "books", "ok": False, "n": 1}
    assert list(rows[0]) == ["category", "ok", "n"]
    assert len(rows) == 5


async def test_null_is_a_group(db: Any) -> None:
    await seed(db)
    query = db.select(Sale).group_by("maybe_ok").annotate(n=func.count())
    assert await query.order("maybe_ok").fetch_dicts() == [
        {"maybe_ok": None, "n": 2},
        {"maybe_ok": False, "n": 2},
        {"maybe_ok": True, "n": 1},
    ]


async def test_filters_go_before_grouping(db: Any) -> None:
    await seed(db)
    query = (
        db.select(Sale).filter(ok=True).group_by("category").annotate(n=func.count())
    )
    rows = await query.filter(amount__gte=10).order("category").fetch_dicts()
    assert rows == [{"category": "books", "n": 1}, {"category": "fruit", "n": 1}]


async def test_order_limit_and_offset_speak_of_groups(db: Any) -> None:
    await seed(db)
    query = db.select(Sale).group_by("category").annotate(total=func.sum("amount"))

    async def categories() -> list[str]:
        return [row["category"] for row in await query.fetch_dicts()]

    query.order("total")
    assert await categories() == ["tools", "books", "fruit"]
    query.order("total", reverse=True)
    assert await categories() == ["fruit", "books", "tools"]
    query.order("-total").limit(1).offset(1)
    assert await categories() == ["books"]
    query.order("category").limit(2).offset(0)
    assert await categories() == ["books", "fruit"]
    query.limit(0)
    assert await categories() == []
    query.limit(-1).offset(5)
    assert await categories() == []


async def test_order_by_nothing_is_the_key(db: Any) -> None:
    await seed(db)
    query = db.select(Sale).group_by("pk", "amount").order()
    assert [row["pk"] for row in await query.fetch_dicts()] == [1, 2, 3, 4, 5]
    query.order("-amount", "pk")
    assert [row["pk"] for row in await query.fetch_dicts()] == [2, 1, 4, 5, 3]


async def test_order_by_a_field_that_is_not_grouped(db: Any) -> None:
    await seed(db)
    query = (
        db.select(Sale)
        .filter(category__ne="books")
        .group_by("category")
        .order("weight")
    )
    rows = await query.fetch_dicts()
    assert [row["category"] for row in rows] == ["fruit", "tools"]


async def test_order_by_an_unknown_name(db: Any) -> None:
    query = db.select(Sale).annotate(n=func.count())
    with pytest.raises(InvalidOrderError) as caught:
        query.order("zz")
    assert str(caught.value) == (
        "Invalid order value - 'zz' does not exist in model fields or aggregate aliases."
    )


async def test_an_alias_is_ordered_only_once_it_is_defined(db: Any) -> None:
    with pytest.raises(InvalidOrderError, match="total"):
        db.select(Sale).order("total")


async def test_a_renamed_column_keeps_its_field_name(db: Any) -> None:
    await db.create_table(Shop)
    await db.create_table(Visit)
    shop = await db.insert(Shop(name="s"))
    await db.bulk_insert(
        [Visit(name="a", shop_id=shop.pk), Visit(name="b", shop_id=shop.pk)]
    )
    query = db.select(Visit).group_by("shop_id").annotate(n=func.count("shop_id"))
    assert await query.having(shop_id=shop.pk).fetch_dicts() == [
        {"shop_id": shop.pk, "n": 2}
    ]


async def test_words_of_sql_as_aliases(db: Any) -> None:
    await seed(db)
    query = db.select(Sale).annotate(
        **{"select": func.count(), "a b": func.sum("amount")}
    )
    assert await query.fetch_dicts() == [{"select": 5, "a b": 67}]


async def test_an_aliass_white_space_is_stripped(db: Any) -> None:
    await seed(db)
    query = db.select(Sale).annotate(**{"  n ": func.count()}).having(n__gt=0)
    assert await query.fetch_dicts() == [{"n": 5}]


# Decoded values


@pytest.mark.defect("D-33")
async def test_grouped_values_have_the_type_of_the_field(db: Any) -> None:
    await seed(db)
    for field in ("ok", "maybe_ok", "day", "at", "number", "price", "shade", "weight"):
        rows = await db.select(Sale).group_by(field).fetch_dicts()
        sales = await db.select(Sale).fetch_all()
        expected = {getattr(sale, field) for sale in sales}
        found = [row[field] for row in rows]
        assert set(found) == expected, field
        assert {type(value) for value in found} == {
            type(value) for value in expected
        }, field


@pytest.mark.defect("D-33")
async def test_least_and_most_have_the_type_of_the_field(db: Any) -> None:
    await seed(db)
    query = db.select(Sale).annotate(
        first=func.min("day"),
        last=func.max("day"),
        early=func.min("at"),
        no=func.min("ok"),
        yes=func.max("maybe_ok"),
        most=func.max("number"),
        cheap=func.min("price"),
        dear=func.max("price"),
    )
    (row,) = await query.fetch_dicts()
    assert row == {
        "first": date(2019, 1, 1),
        "last": date(2700, 1, 1),
        "early": datetime(2019, 6, 1, 12, tzinfo=UTC),
        "no": False,
        "yes": True,
        "most": 100,
        "cheap": Decimal("0.10"),
        "dear": Decimal(10),
    }
    assert [type(row[name]) for name in ("no", "yes", "most", "cheap")] == [
        bool,
        bool,
        int,
        Decimal,
    ]


@pytest.mark.defect("D-33")
async def test_a_sum_of_decimals_is_exact(db: Any) -> None:
    await seed(db)
    query = db.select(Sale).group_by("category").annotate(total=func.sum("price"))
    rows = await query.order("category").fetch_dicts()
    assert [row["total"] for row in rows] == [
        Decimal("9.99"),
        Decimal("0.30"),
        Decimal(10),
    ]
    assert {type(row["total"]) for row in rows} == {Decimal}


async def test_a_sum_of_decimals_keeps_every_digit(db: Any) -> None:
    await db.create_table(Sale)
    prices = [
        "12345678901234567890.01",
        "-12345678901234567890",
        "0.0000000000000000000001",
    ]
    for price in prices:
        await db.insert(Sale(category="c", amount=1, price=Decimal(price)))
    (row,) = await db.select(Sale).annotate(total=func.sum("price")).fetch_dicts()
    assert row["total"] == Decimal("0.0100000000000000000001")


@pytest.mark.defect("D-33")
@pytest.mark.parametrize("make", [func.sum, func.min, func.max, func.avg])
async def test_aggregates_of_decimals_are_ordered_as_numbers(
    db: Any, make: Callable[[str], AggregateSpec]
) -> None:
    await seed(db)
    query = db.select(Sale).group_by("category").annotate(value=make("price"))
    rows = await query.order("value").fetch_dicts()
    assert [row["category"] for row in rows] == ["fruit", "books", "tools"]
    rows = await query.order("-value").fetch_dicts()
    assert [row["category"] for row in rows] == ["tools", "books", "fruit"]
    rows = await query.having(value__gt=Decimal(9)).order("category").fetch_dicts()
    assert [row["category"] for row in rows] == ["books", "tools"]


async def test_equal_decimals_are_one_value(db: Any) -> None:
    await db.create_table(Sale)
    for price in ("1.1", "1.10", "1.100"):
        await db.insert(Sale(category="c", amount=1, price=Decimal(price)))
    query = db.select(Sale).annotate(
        n=func.count("price", distinct=True), total=func.sum("price", distinct=True)
    )
    assert await query.fetch_dicts() == [{"n": 1, "total": Decimal("1.1")}]
    query = db.select(Sale).group_by("price").annotate(n=func.count())
    assert await query.fetch_dicts() == [{"price": Decimal("1.1"), "n": 3}]


async def test_a_sum_that_overflows_is_a_fetch_error(db: Any) -> None:
    await db.create_table(Sale)
    for _ in range(2):
        await db.insert(Sale(category="c", amount=2**63 - 1))
    with pytest.raises(RecordFetchError) as caught:
        await db.select(Sale).annotate(total=func.sum("amount")).fetch_dicts()
    assert str(caught.value).startswith("Failed to fetch record from table: 'sales'")
    assert "overflow" in str(caught.value)


# having


HAVING: list[tuple[dict[str, Any], list[str]]] = [
    ({"n": 1}, ["tools"]),
    ({"n__eq": 2}, ["books", "fruit"]),
    ({"n__ne": 2}, ["tools"]),
    ({"total__gt": 20}, ["fruit"]),
    ({"total__gte": 20}, ["books", "fruit"]),
    ({"total__lt": 7}, []),
    ({"total__lte": 7}, ["tools"]),
    ({"total__in": [7, 40]}, ["fruit", "tools"]),
    ({"total__in": []}, []),
    ({"total__not_in": [7]}, ["books", "fruit"]),
    ({"first": None}, ["tools"]),
    ({"first__isnull": True}, ["tools"]),
    ({"first__notnull": True}, ["books", "fruit"]),
    ({"first__isnull": False}, ["books", "fruit"]),
    ({"first__ne": None}, ["books", "fruit"]),
    ({"category": "fruit"}, ["fruit"]),
    ({"category__startswith": "b"}, ["books"]),
    ({"category__icontains": "OO"}, ["books", "tools"]),
    ({"category__like": "%s"}, ["books", "tools"]),
    ({"n": 2, "total": 20}, ["books"]),
]


@pytest.mark.parametrize(("conditions", "expected"), HAVING, ids=str)
async def test_having(db: Any, conditions: dict[str, Any], expected: list[str]) -> None:
    await seed(db)
    query = db.select(Sale).group_by("category").order("category")
    query.annotate(n=func.count(), total=func.sum("amount"), first=func.min("day"))
    rows = await query.having(**conditions).fetch_dicts()
    assert [row["category"] for row in rows] == expected


async def test_havings_are_joined_by_and(db: Any) -> None:
    await seed(db)
    query = (
        db.select(Sale)
        .group_by("category")
        .annotate(n=func.count(), t=func.sum("amount"))
    )
    rows = await query.having(n=2).having(t__lt=40).fetch_dicts()
    assert [row["category"] for row in rows] == ["books"]


@pytest.mark.defect("D-09")
async def test_having_encodes_its_values(db: Any) -> None:
    await seed(db)
    query = db.select(Sale).group_by("category").annotate(first=func.min("day"))
    rows = await query.having(first__lt=date(2020, 1, 1)).fetch_dicts()
    assert [row["category"] for row in rows] == ["fruit"]
    query = db.select(Sale).group_by("shade").annotate(n=func.count())
    assert await query.having(shade=Shade.BLUE).fetch_dicts() == [
        {"shade": Shade.BLUE, "n": 2}
    ]
    query = db.select(Sale).group_by("price").annotate(n=func.count())
    rows = await query.having(price__gt=Decimal(9)).order("price").fetch_dicts()
    assert [row["price"] for row in rows] == [Decimal("9.99"), Decimal(10)]


@pytest.mark.defect("D-19")
async def test_an_alias_means_the_aggregate_whatever_it_is_called(db: Any) -> None:
    await db.create_table(Shop)
    await db.create_table(Visit)
    shops = [await db.insert(Shop(name=str(number))) for number in range(3)]
    for shop, visits in zip(shops, (1, 3, 2), strict=True):
        await db.bulk_insert(
            [Visit(name=shop.name, shop_id=shop.pk) for _ in range(visits)]
        )
    for alias in ("rowid", "place", "_rowid_", "oid"):
        query = db.select(Visit).group_by("name").annotate(**{alias: func.count()})
        rows = await query.order(f"-{alias}").fetch_dicts()
        assert [row[alias] for row in rows] == [3, 2, 1], alias
        rows = await query.having(**{f"{alias}__gt": 2}).fetch_dicts()
        assert rows == [{"name": "1", alias: 3}], alias


async def test_having_outside_projection_mode(db: Any) -> None:
    with pytest.raises(InvalidProjectionError) as caught:
        db.select(Sale).having(n=1)
    assert str(caught.value) == (
        "Invalid projection query operation: "
        "having() requires projection mode. Use group_by/annotate."
    )


@pytest.mark.parametrize("name", ["zz", "amount", "amount__gt", "zz__in"])
async def test_having_something_else(db: Any, name: str) -> None:
    query = db.select(Sale).group_by("category").annotate(n=func.count())
    with pytest.raises(InvalidProjectionError) as caught:
        query.having(**{name: [1] if name.endswith("__in") else 1})
    assert str(caught.value) == (
        f"Invalid projection query operation: HAVING field '{name.split('__')[0]}' must be a "
        "grouped field or an aggregate alias. Aggregate aliases must be defined via "
        "annotate()/with_count() before calling having()."
    )


@pytest.mark.defect("D-36")
@pytest.mark.parametrize(
    ("condition", "value", "message"),
    [
        ("total", [1], "total requires scalar for '__eq', not list"),
        ("total__gt", [1], "total requires scalar for '__gt', not list"),
        ("total__in", 1, "total requires a list for '__in'"),
        ("total__not_in", "x", "total requires a list for '__not_in'"),
        ("category__contains", 1, "category requires a string value for '__contains'"),
        ("category__like", None, "category requires a string value for '__like'"),
    ],
)
async def test_having_checks_its_values_at_once(
    db: Any, condition: str, value: object, message: str
) -> None:
    query = db.select(Sale).group_by("category").annotate(total=func.sum("amount"))
    before = query.to_sql()
    with pytest.raises(TypeError) as caught:
        query.having(**{condition: value})
    assert str(caught.value) == message
    assert query.to_sql() == before


@pytest.mark.defect("D-23")
async def test_a_failed_having_leaves_no_trace(db: Any) -> None:
    query = db.select(Sale).group_by("category").annotate(n=func.count())
    before = query.to_sql()
    with pytest.raises(InvalidProjectionError):
        query.having(n__gt=5, zz=1)
    assert query.to_sql() == before


# Entering projection mode


async def test_no_arguments_change_nothing(db: Any) -> None:
    await seed(db)
    query = db.select(Sale)
    assert query.group_by() is query
    assert query.annotate() is query
    assert query.having() is query
    assert query.projection_mode is False
    assert len(await query.fetch_all()) == 5


async def test_projection_mode_is_told(db: Any) -> None:
    assert db.select(Sale).projection_mode is False
    assert db.select(Sale).group_by("category").projection_mode is True
    assert db.select(Sale).annotate(n=func.count()).projection_mode is True


async def test_grouping_by_an_unknown_field(db: Any) -> None:
    with pytest.raises(InvalidProjectionError) as caught:
        db.select(Sale).group_by("zz")
    assert str(caught.value) == (
        "Invalid projection query operation: Cannot group by unknown field 'zz' on model Sale."
    )


@pytest.mark.defect("D-23")
async def test_a_failed_group_by_leaves_no_trace(db: Any) -> None:
    await seed(db)
    query = db.select(Sale)
    with pytest.raises(InvalidProjectionError):
        query.group_by("category", "zz")
    assert query.projection_mode is False
    assert len(await query.fetch_all()) == 5


ALIAS_ERRORS = [
    ("", "Aggregate alias cannot be empty."),
    ("   ", "Aggregate alias cannot be empty."),
    ('a"b', 'Aggregate alias "a"b" cannot contain the " character.'),
    ("amount", "Aggregate alias 'amount' conflicts with model field 'amount'."),
    ("pk", "Aggregate alias 'pk' conflicts with model field 'pk'."),
    (" amount ", "Aggregate alias 'amount' conflicts with model field 'amount'."),
    ("n", "Aggregate alias 'n' is already defined."),
    (" n ", "Aggregate alias 'n' is already defined."),
]


@pytest.mark.parametrize(
    ("alias", "message"), ALIAS_ERRORS, ids=[a for a, _ in ALIAS_ERRORS]
)
async def test_bad_aliases(db: Any, alias: str, message: str) -> None:
    query = db.select(Sale).annotate(n=func.count())
    before = query.to_sql()
    with pytest.raises(InvalidProjectionError) as caught:
        query.annotate(**{"good": func.count(), alias: func.count()})
    assert str(caught.value) == f"Invalid projection query operation: {message}"
    assert query.to_sql() == before


async def test_one_alias_twice_in_one_call(db: Any) -> None:
    query = db.select(Sale)
    with pytest.raises(InvalidProjectionError, match="'n' is already defined"):
        query.annotate(**{"n": func.count(), " n": func.count()})
    assert query.projection_mode is False


@pytest.mark.parametrize(
    "value",
    ["COUNT(*)", 5, None, AggregateSpec, func.count],
    ids=["text", "number", "nothing", "class", "function"],
)
async def test_annotations_are_specifications(db: Any, value: object) -> None:
    query = db.select(Sale)
    with pytest.raises(TypeError) as caught:
        query.annotate(good=func.count(), n=value)
    assert str(caught.value) == (
        f"annotate() values must be AggregateSpec instances, got {type(value).__name__} "
        "for alias 'n'."
    )
    assert query.projection_mode is False


async def test_an_aggregate_of_an_unknown_field(db: Any) -> None:
    query = db.select(Sale)
    with pytest.raises(InvalidProjectionError) as caught:
        query.annotate(good=func.count(), n=func.sum("zz"))
    assert str(caught.value) == (
        "Invalid projection query operation: Aggregate field 'zz' is not a field on model Sale."
    )
    assert query.projection_mode is False


@pytest.mark.defect("D-36")
@pytest.mark.parametrize("field", [None, "*"])
async def test_distinct_rows_cannot_be_counted(db: Any, field: str | None) -> None:
    query = db.select(Sale)
    with pytest.raises(InvalidProjectionError) as caught:
        query.annotate(n=func.count(field, distinct=True))
    assert str(caught.value) == (
        "Invalid projection query operation: "
        "Aggregate alias 'n' uses DISTINCT with COUNT(*) which is not supported."
    )
    assert query.projection_mode is False


# Specifications


def test_specifications_are_values() -> None:
    assert func.sum("a") == AggregateSpec("SUM", "a")
    assert func.avg("a") == AggregateSpec(func="AVG", field="a", distinct=False)
    assert func.min("a", distinct=True) == AggregateSpec("MIN", "a", distinct=True)
    assert func.max("a") != func.min("a")
    assert func.count().func == "COUNT"
    assert func.count().distinct is False
    assert func.count("a").field == "a"
    assert len({func.sum("a"), func.sum("a"), func.sum("b")}) == 2
    with pytest.raises(AttributeError):
        func.sum("a").field = "b"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["SUM", "AVG", "MIN", "MAX"])
@pytest.mark.parametrize("field", [None, "*"])
def test_a_concrete_field_is_due(name: str, field: str | None) -> None:
    with pytest.raises(ValueError, match="concrete") as caught:
        AggregateSpec(name, field)  # type: ignore[arg-type]
    assert str(caught.value) == f"{name} requires a concrete field name."
    make: Callable[[Any], AggregateSpec] = getattr(func, name.lower())
    with pytest.raises(ValueError, match=f"{name} requires a concrete field name."):
        make(field)


@pytest.mark.defect("D-35")
@pytest.mark.parametrize(
    "name", ["TOTAL", "", "COUNT ", "(select 1) + COUNT", "COUNT(*) --", None]
)
def test_only_the_five_functions(name: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        AggregateSpec(name, "amount")


# Terminals


@pytest.mark.parametrize(
    ("terminal", "hint"),
    [
        ("fetch_all", " Use fetch_dicts() instead."),
        ("fetch_one", " Use fetch_dicts() instead."),
        ("fetch_first", " Use fetch_dicts() instead."),
        ("fetch_last", " Use fetch_dicts() instead."),
        ("count", " Use len(fetch_dicts()) instead."),
        ("exists", " Use len(fetch_dicts()) > 0 instead."),
        ("delete", ""),
    ],
)
async def test_only_fetch_dicts_runs(db: Any, terminal: str, hint: str) -> None:
    await seed(db)
    query = db.select(Sale).group_by("category")
    with pytest.raises(InvalidProjectionError) as caught:
        await getattr(query, terminal)()
    assert str(caught.value) == (
        f"Invalid projection query operation: {terminal}() is unavailable for projection queries."
        f"{hint}"
    )
    assert len(await query.fetch_dicts()) == 3


async def test_fetch_dicts_needs_projection_mode(db: Any) -> None:
    with pytest.raises(InvalidProjectionError) as caught:
        await db.select(Sale).fetch_dicts()
    assert str(caught.value) == (
        "Invalid projection query operation: fetch_dicts() requires projection mode."
    )


@pytest.mark.defect("D-22")
async def test_fetch_dicts_leaves_the_builder_as_it_was(db: Any) -> None:
    await seed(db)
    query = (
        db.select(Sale)
        .group_by("category")
        .annotate(n=func.count())
        .having(n=2)
        .order("-n")
    )
    before = query.to_sql()
    first, second = await query.fetch_dicts(), await query.fetch_dicts()
    assert first == second
    assert query.to_sql() == before


async def test_fetch_dicts_is_one_statement(logged_db: Any, statements: Any) -> None:
    await seed(logged_db)
    query = (
        logged_db.select(Sale)
        .group_by("category")
        .annotate(n=func.count(), t=func.sum("amount"))
    )
    await query.fetch_dicts()
    with statements.watch():
        await query.having(n__gt=1).order("t").limit(1).fetch_dicts()
    assert len(statements.statements) == 1
