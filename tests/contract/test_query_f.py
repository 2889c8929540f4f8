"""``F``: fields where values stand; computed by SQLite as Python would."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.exceptions import (
    InvalidFilterError,
    InvalidUpdateError,
    RecordUpdateError,
)
from sqliter.expressions import F, Q
from sqliter.model import BaseDBModel
from sqliter.orm import BaseDBModel as OrmModel
from sqliter.orm import ForeignKey


class Product(BaseDBModel):
    name: str = ""
    alias: str = "x"
    stock: int = 0
    wanted: int | None = None
    price: float = 1.0
    cost: float = 0.5
    exact: Decimal = Decimal(1)
    other: Decimal = Decimal("1.00")
    since: date = date(2020, 1, 1)

    class Meta:
        table_name = "products"


class Author(OrmModel):
    name: str
    born: int

    class Meta:
        table_name = "authors"


class Book(OrmModel):
    title: str
    year: int
    author: ForeignKey[Author] = ForeignKey(Author, related_name="books")

    class Meta:
        table_name = "books"


STOCKS, WANTED, PRICES = (-3, 0, 4, 9), (None, 0, 4), (-1.5, 0.0, 0.5, 4.0)


def products() -> list[Product]:
    rows = itertools.product(STOCKS, WANTED, PRICES)
    return [Product(stock=s, wanted=w, price=p, cost=p * p - 1) for s, w, p in rows]


async def fill(db: Any) -> list[Product]:
    await db.create_table(Product)
    found: list[Product] = await db.bulk_insert(products())
    return found


Number = float | None


def term(chance: random.Random, depth: int) -> tuple[Any, Callable[[Any], Number]]:
    """Return a random term, and the same in Python: ``None`` is NULL."""
    if depth == 0 or chance.random() < 0.2:
        name = chance.choice(["stock", "wanted", "price", "cost", ""])
        if name:
            return F(name), lambda p: getattr(p, name)
        number = chance.choice([-2, 0, 3, 0.25])
        return number, lambda _: number
    (one, left), (two, right) = term(chance, depth - 1), term(chance, depth - 1)
    operator: Any = chance.choice("+-*/")
    if isinstance(one, int | float) and isinstance(two, int | float):
        one = F("stock") * one
        value = left

        def left(p: Any, value: Any = value) -> Number:
            return p.stock * value(p)

    made = {
        "+": lambda: one + two,
        "-": lambda: one - two,
        "*": lambda: one * two,
        "/": lambda: one / two,
    }[operator]()
    return made, lambda p: compute(operator, left(p), right(p))


def compute(operator: str, one: Number, two: Number) -> Number:
    if one is None or two is None or (operator == "/" and two == 0):
        return None
    if operator == "/":
        return one / two
    return {"+": one + two, "-": one - two, "*": one * two}[operator]


@pytest.mark.parametrize("seed", range(6))
async def test_random_terms_mean_what_they_do_in_python(db: Any, seed: int) -> None:
    rows = await fill(db)
    chance = random.Random(seed)
    for _ in range(40):
        right, value = term(chance, 3)
        if isinstance(right, int | float):
            continue
        field = chance.choice(["stock", "wanted", "price"])
        for suffix, holds in COMPARISONS.items():
            expected = [
                row.pk
                for row in rows
                if None not in (getattr(row, field), value(row))
                and holds(getattr(row, field), value(row))
            ]
            query = db.select(Product).filter(**{f"{field}{suffix}": right})
            found = await query.order("pk").fetch_all()
            assert [each.pk for each in found] == expected, (field, suffix, right)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda a, b: a == b,
    "__ne": lambda a, b: a != b,
    "__lt": lambda a, b: a < b,
    "__gte": lambda a, b: a >= b,
}


async def test_update_computes_for_each_row(db: Any) -> None:
    rows = await fill(db)
    values = {
        "stock": F("stock") * 2 - 1,
        "price": F("price") / 2,
        "wanted": F("stock"),
    }
    assert await db.select(Product).update(values) == len(rows)
    for before, after in zip(rows, await db.select(Product).fetch_all(), strict=True):
        assert after.stock == before.stock * 2 - 1
        assert after.price == before.price / 2
        assert after.wanted == before.stock  # all see the row as it was


async def test_fields_of_other_types_can_be_copied_and_compared(db: Any) -> None:
    await db.create_table(Product)
    await db.insert(Product(name="a", alias="b"))
    query = db.select(Product)
    assert await query.clone().filter(exact=F("other")).count() == 1
    assert await query.clone().filter(name__lt=F("alias")).count() == 1
    assert await query.clone().filter(~Q(name=F("alias"))).count() == 1
    await query.update({"name": F("alias"), "exact": F("other")})
    found = await query.fetch_one()
    assert (found.name, str(found.exact)) == ("b", "1.00")


async def test_increments_of_many_tasks_are_all_kept(tmp_path: Any) -> None:
    db = AsyncSqliterDB(tmp_path / "x.db")
    await db.create_table(Product)
    await db.insert(Product())
    one = db.select(Product).filter(pk=1)
    values = {"stock": F("stock") + 1}
    await asyncio.gather(*(one.update(values) for _ in range(50)))
    assert (await one.fetch_one()).stock == 50
    await db.close()


async def test_what_a_field_cannot_hold_changes_nothing(db: Any) -> None:
    await db.create_table(Product)
    await db.bulk_insert([Product(stock=1, wanted=2), Product(stock=2**62)])
    for values in (
        {"stock": F("stock") * 4},
        {"stock": F("wanted")},
        {"price": F("price") / 0},
        {"price": F("wanted") * 1.0},
    ):
        with pytest.raises(RecordUpdateError, match="nothing was changed"):
            await db.select(Product).update(values)
    await db.select(Product).update({"wanted": F("wanted") + 1})  # NULL stays NULL
    found = await db.select(Product).order("pk").fetch_all()
    assert [(p.stock, p.wanted, p.price) for p in found] == [
        (1, 3, 1),
        (2**62, None, 1),
    ]


@pytest.mark.only("sync", "memory")
@pytest.mark.parametrize(
    "values",
    [
        {"stock": F("price")},
        {"stock": F("stock") / 2},
        {"stock": F("stock") * 0.5},
        {"price": F("stock")},
        {"name": F("stock")},
        {"stock": F("nope") + 1},
        {"exact": F("exact") + 1},
        {"since": F("since") + timedelta(days=1)},
        {"stock": F("stock") + "1"},
        {"stock": F("stock") + None},
        {"stock": F("stock") + 2**63},
        {"stock": F("stock") + True},
        {"price": F("price") + float("nan")},
        {"pk": F("pk") + 1},
    ],
    ids=str,
)
async def test_updates_that_cannot_be(db: Any, values: dict[str, Any]) -> None:
    await db.create_table(Product)
    await db.insert(Product())
    with pytest.raises(InvalidUpdateError):
        await db.select(Product).update(values)


@pytest.mark.only("sync", "memory")
@pytest.mark.parametrize(
    "keywords",
    [
        {"name": F("stock")},
        {"stock": F("nope")},
        {"stock__in": F("wanted")},
        {"name__contains": F("alias")},
        {"exact__gt": F("exact") * 2},
        {"since": F("stock")},
    ],
    ids=str,
)
def test_filters_that_cannot_be(db: Any, keywords: dict[str, Any]) -> None:
    query = db.select(Product)
    with pytest.raises(InvalidFilterError):
        query.filter(**keywords)
    assert not query.filters


def test_a_name_is_a_text() -> None:
    with pytest.raises(TypeError, match="name of a field"):
        F(3)  # type: ignore[arg-type]


class TestRelations:
    @pytest.fixture
    def db(self) -> Any:
        db = SqliterDB(memory=True)
        db.create_table(Author)
        db.create_table(Book)
        ann, bob = db.bulk_insert(
            [Author(name="Ann", born=1900), Author(name="B", born=1950)]
        )
        for year in (1900, 1930, 1960):
            for author in (ann, bob):
                db.insert(Book(title=f"{author.name} {year}", year=year, author=author))
        return db

    def test_along_a_foreign_key(self, db: SqliterDB) -> None:
        query = db.select(Book).filter(year__gte=F("author__born") + 10).order("pk")
        assert [each.title for each in query.fetch_all()] == [
            "Ann 1930",
            "Ann 1960",
            "B 1960",
        ]
        query = db.select(Book).filter(author__born=F("year"))
        assert [each.title for each in query.fetch_all()] == ["Ann 1900"]
        assert db.select(Book).filter(year__lt=F("author__born")).delete() == 2

    def test_not_across_a_to_many_relation(self, db: SqliterDB) -> None:
        with pytest.raises(InvalidFilterError, match="to-many"):
            db.select(Author).filter(books__year=F("born"))
        with pytest.raises(InvalidFilterError, match="to-many"):
            db.select(Author).filter(books__title="x", books__year=F("pk"))
        with pytest.raises(InvalidUpdateError, match="other tables"):
            db.select(Book).update({"year": F("author__born") + 1})


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (F("a") + 1, "(F('a') + 1)"),
        (-F("a") / 2.5, "((0 - F('a')) / 2.5)"),
        (2 * F("a"), "(2 * F('a'))"),
    ],
)
def test_repr(given: Any, text: str) -> None:
    assert repr(given) == text
