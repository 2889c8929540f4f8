"""`fetch_annotated()`: instances, and what `annotate()` and `with_count()` say of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from contract.library import stocked
from support import Colour, StatementLog

from sqliter.exceptions import InvalidProjectionError, RecordFetchError
from sqliter.model import BaseDBModel
from sqliter.query import func
from sqliter.query.annotated import AnnotatedRow


class Sale(BaseDBModel):
    shop: str
    price: Decimal | None = None

    class Meta:
        table_name = "sales"


async def fill(db: Any) -> list[Sale]:
    await db.create_table(Sale)
    prices = (Decimal("1.50"), None, Decimal(9))
    rows = zip("abb", prices, strict=True)
    return await db.bulk_insert([Sale(shop=shop, price=price) for shop, price in rows])


async def test_authors_with_their_counts(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).with_count("books").with_count("edited", "edits")
    rows = await query.clone().order("-count", "name").fetch_annotated()
    dicts = await query.clone().order("-count", "name").fetch_dicts()
    assert [row.instance for row in rows] == [
        await db.get(lib.Author, each["pk"]) for each in dicts
    ]
    assert [row.values for row in rows] == [
        {"count": each["count"], "edits": each["edits"]} for each in dicts
    ]
    assert rows[0].values["count"] > rows[-1].values["count"]
    found = (
        await query.clone().having(count__gt=0).order("pk").limit(1).fetch_annotated()
    )
    assert [type(row) for row in found] == [AnnotatedRow]
    books = query.prefetch_related("books").order("pk")
    for author, values in await books.fetch_annotated():
        assert await lib.many(author.books).count() == values["count"]


async def test_a_row_is_a_group_of_its_own(
    logged_db: Any, statements: StatementLog
) -> None:
    db = logged_db
    sales = await fill(db)
    query = db.select(Sale).order("pk").annotate(n=func.count(), top=func.max("price"))
    statements.clear()
    rows = await query.fetch_annotated()
    assert len(statements.starting("SELECT")) == 1
    assert rows == [AnnotatedRow(each, {"n": 1, "top": each.price}) for each in sales]
    rows[0].instance.shop = "c"
    await db.update(rows[0].instance)
    assert (await db.get(Sale, 1)).shop == "c"
    some = db.select(Sale, fields=["shop"]).filter(shop="b").annotate(n=func.count())
    assert [row.instance.model_dump() for row in await some.fetch_annotated()] == [
        {"pk": 2, "shop": "b"},
        {"pk": 3, "shop": "b"},
    ]
    by_key = db.select(Sale).group_by("pk", "shop").annotate(n=func.count("price"))
    found = await by_key.having(n=0).fetch_annotated()
    assert found == [AnnotatedRow(sales[1], {"n": 0})]
    nothing = query.filter(shop="nowhere")
    assert await nothing.fetch_annotated() == []


async def test_the_cache_keeps_kinds_of_answers_apart(make_db: Any) -> None:
    db = make_db(cache_enabled=True)
    await fill(db)
    query = db.select(Sale).group_by("pk").annotate(n=func.count()).order("pk")
    for _ in range(2):
        assert (await query.fetch_dicts())[0] == {"pk": 1, "n": 1}
        assert (await query.fetch_annotated())[0].instance.shop == "a"
    assert db.get_cache_stats()["hits"] == 2
    await db.delete(Sale, 1)
    assert (await query.fetch_annotated())[0].instance.pk == 2


async def test_what_is_no_row(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    books = db.select(lib.Book)
    n = func.count()
    refused = [
        (books.clone(), "fetch_annotated.* requires projection mode"),
        (books.clone().group_by("pk"), "annotate.. or with_count"),
        (books.clone().group_by("author_id").annotate(n=n), "use fetch_dicts"),
        (books.clone().group_by("title").with_count("tags"), "use fetch_dicts"),
        (books.clone().select_related("author").annotate(n=n), "select_related"),
        (books.clone().filter(author__name="Jane").annotate(n=n), "traversal"),
        (books.clone().order("author__name").annotate(n=n), "along foreign keys"),
    ]
    for query, text in refused:
        with pytest.raises(InvalidProjectionError, match=text):
            await query.fetch_annotated()
    with pytest.raises(InvalidProjectionError, match="along foreign keys"):
        await refused[-1][0].fetch_dicts()
    with pytest.raises(InvalidProjectionError, match="fetch_all"):
        await books.with_count("tags").fetch_all()


async def test_values_that_do_not_fit(db: Any) -> None:
    await fill(db)
    await db.execute("UPDATE sales SET price = 'much' WHERE pk = 1")
    query = db.select(Sale, fields=["shop"]).annotate(top=func.max("price"))
    with pytest.raises(RecordFetchError):
        await query.fetch_annotated()
