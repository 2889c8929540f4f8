"""Answers that are no instances: values, tuples, scalars, aggregates, pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sqliter import SqliterDB
from sqliter.exceptions import InvalidProjectionError, RecordFetchError
from sqliter.expressions import Q
from sqliter.model import BaseDBModel
from sqliter.orm import BaseDBModel as OrmModel
from sqliter.orm import ForeignKey
from sqliter.query.page import Page


class Sale(BaseDBModel):
    shop: str
    amount: int | None = None
    price: Decimal = Decimal("1.10")
    day: date = date(2020, 1, 1)
    tags: list[str] = []

    class Meta:
        table_name = "sales"


SALES = [("b", 1), ("a", None), ("a", 5), ("c", 5), ("b", 2), ("a", 0)]


async def fill(db: Any) -> Any:
    await db.create_table(Sale)
    await db.bulk_insert(
        [
            Sale(shop=shop, amount=amount, day=date(2020, 1, 1 + number), tags=[shop])
            for number, (shop, amount) in enumerate(SALES)
        ]
    )
    return db.select(Sale).order("pk")


async def test_values_are_those_of_the_fields(db: Any) -> None:
    query = await fill(db)
    found = await query.filter(amount=5).values("shop", "day", "price", "tags")
    assert found == [
        {
            "shop": shop,
            "day": date(2020, 1, day),
            "price": Decimal("1.10"),
            "tags": [shop],
        }
        for shop, day in [("a", 3), ("c", 4)]
    ]


async def test_values_without_names_are_all_fields(db: Any) -> None:
    query = await fill(db)
    instances = await query.fetch_all()
    assert await query.values() == [each.model_dump() for each in instances]


async def test_tuples_and_scalars(db: Any) -> None:
    query = await fill(db)
    assert await query.tuples("shop", "amount") == SALES
    assert await query.scalars("amount") == [amount for _, amount in SALES]
    query = db.select(Sale).order("-amount", "pk").limit(2).offset(1)
    assert await query.tuples("pk", "shop") == [(4, "c"), (5, "b")]


async def test_distinct(db: Any) -> None:
    await fill(db)
    query = db.select(Sale).order("shop")
    assert await query.scalars("shop", distinct=True) == ["a", "b", "c"]
    pairs = await query.tuples("shop", "price", distinct=True)
    assert [shop for shop, _ in pairs] == ["a", "b", "c"]
    assert len(await query.values("shop", distinct=True)) == 3


async def test_aggregates(db: Any) -> None:
    query = await fill(db)
    assert await query.sum("amount") == 13
    assert await query.avg("amount") == 2.6
    assert (await query.min("amount"), await query.max("amount")) == (0, 5)
    assert await query.max("day") == date(2020, 1, 6)
    assert await query.sum("price") == Decimal("6.60")
    assert await query.filter(Q(shop="c") | Q(shop="b")).sum("amount") == 8


async def test_aggregates_honour_limit_and_offset(db: Any) -> None:
    await fill(db)
    query = db.select(Sale).order("-amount").limit(3)
    assert await query.sum("amount") == 12
    assert await query.min("amount") == 2
    assert await db.select(Sale).order("pk").offset(4).sum("amount") == 2


async def test_aggregates_over_nothing(db: Any) -> None:
    await fill(db)
    query = db.select(Sale).filter(shop="nowhere")
    assert [
        await query.sum("amount"), await query.avg("amount"),
        await query.min("day"), await query.max("price"),
    ] == [None] * 4  # fmt: skip


async def test_pages(db: Any) -> None:
    await fill(db)
    query = db.select(Sale).filter(amount__isnull=False)
    first = await query.paginate(size=2)
    assert [each.pk for each in first.items] == [1, 3]
    assert (first.number, first.size, first.total, first.pages) == (1, 2, 5, 3)
    assert first.has_next
    assert not first.has_previous
    last = await query.paginate(3, 2)
    assert [each.pk for each in last.items] == [6]
    assert not last.has_next
    assert last.has_previous
    assert (await query.paginate(9, 2)).items == []
    ordered = await query.clone().order("-pk").paginate(1, 3)
    assert [each.pk for each in ordered.items] == [6, 5, 4]


async def test_a_page_of_nothing(db: Any) -> None:
    await db.create_table(Sale)
    assert await db.select(Sale).paginate() == Page([], 0, 1, 20)
    assert (await db.select(Sale).paginate()).pages == 1


async def test_answers_are_remembered(make_db: Any) -> None:
    db = make_db(cache_enabled=True)
    query = await fill(db)
    for _ in range(2):
        assert await query.scalars("shop", distinct=True) == ["b", "a", "c"]
        assert len(await query.scalars("shop")) == 6
        assert await query.tuples("shop", "amount") == SALES
        assert await query.sum("amount") == 13
        assert await query.max("amount") == 5
    assert db.get_cache_stats()["hits"] == 5
    await db.insert(Sale(shop="d", amount=100))
    assert await query.max("amount") == 100


ASKED: dict[str, Callable[[Any], Any]] = {
    "values": lambda q: q.values("nope"),
    "tuples": lambda q: q.tuples("shop", "nope"),
    "no names": lambda q: q.tuples(),
    "scalars": lambda q: q.scalars("nope"),
    "a number": lambda q: q.scalars(3),
    "injected": lambda q: q.scalars('shop" FROM sales; --'),
    "sum": lambda q: q.sum("nope"),
    "page 0": lambda q: q.paginate(0),
    "size 0": lambda q: q.paginate(1, 0),
    "limit": lambda q: q.limit(3).paginate(),
    "offset": lambda q: q.offset(3).paginate(),
}


@pytest.mark.parametrize("name", ASKED)
async def test_what_cannot_be_asked(db: Any, name: str) -> None:
    query = await fill(db)
    with pytest.raises(ValueError, match="field|at least|leave them out"):
        await ASKED[name](query)


async def test_groups_have_their_own_verb(db: Any) -> None:
    query = (await fill(db)).group_by("shop")
    for ask in (
        lambda: query.scalars("shop"),
        lambda: query.values(),
        lambda: query.sum("amount"),
        lambda: query.paginate(),
    ):
        with pytest.raises(InvalidProjectionError):
            await ask()


async def test_a_stored_value_that_does_not_fit(db: Any) -> None:
    query = await fill(db)
    await db.execute("UPDATE sales SET day = 'soon' WHERE pk = 1")
    with pytest.raises(RecordFetchError):
        await query.scalars("day")


class Author(OrmModel):
    name: str

    class Meta:
        table_name = "authors"


class Book(OrmModel):
    title: str
    price: float = 1.0
    author: ForeignKey[Author | None] = ForeignKey(
        Author, null=True, related_name="books"
    )

    class Meta:
        table_name = "books"


def test_along_foreign_keys() -> None:
    db = SqliterDB(memory=True)
    db.create_table(Author)
    db.create_table(Book)
    ann = db.insert(Author(name="Ann"))
    db.bulk_insert(
        [Book(title="A", author=ann, price=2.5), Book(title="B", author=None)]
    )
    query = db.select(Book).order("title")
    assert query.tuples("title", "author__name", "author_id") == [
        ("A", "Ann", 1),
        ("B", None, None),
    ]
    assert query.scalars("author__name") == ["Ann", None]
    assert query.values("author__pk") == [{"author__pk": 1}, {"author__pk": None}]
    assert query.max("author__name") == "Ann"
    assert query.clone().filter(author__name="Ann").sum("price") == 2.5
    assert ann.books.fetch_all()[0].title == "A"
    with pytest.raises(ValueError, match="no field"):
        db.select(Author).scalars("books__title")
