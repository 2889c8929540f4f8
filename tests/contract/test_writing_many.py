"""`bulk_update()` and `bulk_delete()`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import ConfigDict

from sqliter.exceptions import (
    ForeignKeyConstraintError,
    RecordDeletionError,
    RecordNotFoundError,
    RecordUpdateError,
)
from sqliter.model import BaseDBModel, ForeignKey, unique


class Item(BaseDBModel):
    model_config = ConfigDict(frozen=False)
    name: str
    size: float | None = None
    raw: bytes = b""
    big: int = 0
    price: Decimal = Decimal(0)
    tags: list[str] = []
    code: Annotated[str | None, unique()] = None

    class Meta:
        table_name = "items"


class Frozen(BaseDBModel):
    model_config = ConfigDict(frozen=True)
    name: str

    class Meta:
        table_name = "frozen"


class Part(BaseDBModel):
    item_id: int = ForeignKey(Item, on_delete="RESTRICT")

    class Meta:
        table_name = "parts"


async def stored(db: Any, count: int = 3) -> list[Any]:
    await db.create_table(Item)
    return await db.bulk_insert([Item(name=str(n)) for n in range(count)])


async def rows(db: Any, model: Any = Item) -> list[Any]:
    return await db.select(model).order("pk").fetch_all()


# --- bulk_update ---


async def test_each_row_gets_its_own_values(db: Any, monkeypatch: Any) -> None:
    items = await stored(db)
    monkeypatch.setattr("time.time", lambda: 5000)
    for item in items:
        item.name, item.size = f"new {item.name}", item.pk / 3
    assert await db.bulk_update(items[1:], ["name"]) == 2
    assert [(each.name, each.size) for each in await rows(db)] == [
        ("0", None),
        ("new 1", None),
        ("new 2", None),
    ]
    assert [each.updated_at for each in items[1:]] == [5000, 5000]
    assert [each.updated_at == 5000 for each in await rows(db)] == [False, True, True]
    assert await db.bulk_update(items, ("size", "name", "updated_at")) == 3
    assert await rows(db) == items


async def test_values_are_exact(db: Any) -> None:
    items = await stored(db, 8)
    texts = ["", "a\0b", "\0", "💧", "'", '"', "1", "1.0"]
    sizes = [0.1, 1 / 3, 1e300, 5e-324, None, 1.0, float("inf"), 2.0**53 + 2]
    for item, name, size in zip(items, texts, sizes, strict=True):
        item.name, item.size, item.raw = name, size, name.encode() + b"\xff\0"
        item.big = 2**63 - 1 - item.pk
        item.price, item.tags = Decimal("0.10"), [name]
    fields = ["name", "size", "raw", "big", "price", "tags"]
    assert await db.bulk_update(items, fields) == 8
    assert await rows(db) == items
    assert [repr(each.size) for each in await rows(db)] == list(map(repr, sizes))


async def test_many_rows(db: Any) -> None:
    items = await stored(db, 2345)
    for item in items:
        item.big = item.pk * 7
    assert await db.bulk_update(items, ["big"]) == 2345
    assert await rows(db) == items


@pytest.mark.parametrize("place", [0, 250])
async def test_a_missing_row_is_an_error_and_nothing_is_written(
    db: Any, place: int
) -> None:
    items = await stored(db, 300)
    before = await rows(db)
    await db.delete(Item, items[place].pk)
    for item in items:
        item.name = "new"
    stamps = [each.updated_at for each in items]
    with pytest.raises(RecordNotFoundError) as caught:
        await db.bulk_update(items, ["name"])
    assert (caught.value.key, caught.value.table) == (items[place].pk, "items")
    assert [each for each in before if each.pk != items[place].pk] == await rows(db)
    assert [each.updated_at for each in items] == stamps


async def test_an_unsaved_record_is_missing(db: Any) -> None:
    items = await stored(db)
    with pytest.raises(RecordNotFoundError):
        await db.bulk_update([*items, Item(name="new")], ["name"])


async def test_a_constraint_is_an_error_and_nothing_is_written(db: Any) -> None:
    items = await stored(db, 200)
    for item in items:
        item.code, item.name = str(item.pk % 199), "new"
    with pytest.raises(RecordUpdateError) as caught:
        await db.bulk_update(items, ["code", "name"])
    assert caught.value.kind == "unique"
    assert {each.name for each in await rows(db)}.isdisjoint({"new"})


async def test_a_trigger_that_ignores_is_no_missing_row(db: Any) -> None:
    items = await stored(db)
    await db.execute(
        "CREATE TRIGGER skip BEFORE UPDATE ON items WHEN new.name = 'bad' "
        "BEGIN SELECT RAISE(IGNORE); END"
    )
    items[1].name = "bad"
    with pytest.raises(RecordUpdateError, match="2 of 3 rows were written"):
        await db.bulk_update(items, ["name"])


async def test_of_the_same_row_the_last_one_wins(db: Any) -> None:
    (item,) = await stored(db, 1)
    twin = await db.get(Item, item.pk)
    item.name, twin.name = "first", "last"
    assert await db.bulk_update([item, twin], ["name"]) == 1
    assert await rows(db) == [twin]


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ([], ValueError, "needs the names"),
        (["updated_at"], ValueError, "needs the names"),
        (["nam"], ValueError, "Item has no such fields: nam"),
        (["pk"], ValueError, "primary key"),
        ("name", TypeError, "a list of field names, not 'name'"),
    ],
)
async def test_bad_fields_are_refused(
    db: Any, fields: Any, error: Any, text: str
) -> None:
    items = await stored(db)
    with pytest.raises(error, match=text):
        await db.bulk_update(items, fields)


async def test_none_and_mixed(db: Any) -> None:
    items = await stored(db)
    assert await db.bulk_update([], ["name"]) == 0
    with pytest.raises(TypeError, match="same model type"):
        await db.bulk_update([*items, Frozen(pk=1, name="x")], ["name"])


async def test_frozen_and_partial_records(db: Any) -> None:
    await db.create_table(Frozen)
    await db.insert(Frozen(name="a"))
    new = Frozen(pk=1, name="b")
    assert await db.bulk_update([new], ["name"]) == 1
    assert new.updated_at > 0
    await stored(db)
    part = await db.select(Item, fields=["name"]).fetch_one()
    part.name = "x"
    assert await db.bulk_update([part], ["name"]) == 1
    assert (await db.get(Item, part.pk)).name == "x"
    with pytest.raises(RecordUpdateError, match="fetched without size"):
        await db.bulk_update([part], ["name", "size"])


async def test_a_rollback_restores_the_instances(db: Any, monkeypatch: Any) -> None:
    items = await stored(db)
    before = [each.updated_at for each in items]
    monkeypatch.setattr("time.time", lambda: 5000)
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.bulk_update(items, ["name"])
            assert items[0].updated_at == 5000
            1 / 0
    assert [each.updated_at for each in items] == before


async def test_an_update_afterwards_writes_what_changed(
    logged_db: Any, statements: Any
) -> None:
    await stored(logged_db)
    items = await rows(logged_db)
    items[0].name = "new"
    await logged_db.bulk_update(items, ["name"])
    items[0].big = 7
    statements.clear()
    await logged_db.update(items[0])
    (text,) = statements.statements
    assert '"big" = 7' in text.split("WHERE")[0]
    assert '"name" =' not in text.split("WHERE")[0]
    assert await logged_db.get(Item, 1) == items[0]


async def test_caches_are_told(make_db: Any) -> None:
    db = make_db(cache_enabled=True)
    items = await stored(db)
    await rows(db)
    items[0].name = "new"
    await db.bulk_update(items, ["name"])
    assert (await rows(db))[0].name == "new"
    await db.bulk_delete(Item, items[:2])
    assert len(await rows(db)) == 1


async def test_relations_are_named_as_they_are(db: Any, library: Any) -> None:
    await library.create(db)
    ada = await db.insert(library.Author(name="Ada"))
    books = [library.Book(title=str(n), author=ada) for n in range(3)]
    await db.bulk_insert(books)
    new = library.Author(name="New")
    for book in books:
        book.author = new
    with pytest.raises(RecordUpdateError, match="not saved"):
        await db.bulk_update(books, ["author"])
    await db.insert(new)
    assert await db.bulk_update(books, ["author"]) == 3
    assert await db.select(library.Book).filter(author=new).count() == 3


@pytest.mark.only("sync")
async def test_what_stands_for_an_object_is_written(db: Any, library: Any) -> None:
    await library.create(db)
    ada = await db.insert(library.Author(name="Ada"))
    pk = (await db.insert(library.Book(title="Notes", author=ada))).pk
    author = (await db.get(library.Book, pk)).author
    author.name = "Ada L."
    assert await db.bulk_update([author], ["name"]) == 1
    assert (await db.get(library.Author, ada.pk)).name == "Ada L."
    await db.update_where(library.Author, {}, {"name": "Bob"})
    await db.refresh(author)
    assert author.name == "Bob"
    await db.save(author)
    assert await db.bulk_delete(library.Author, [author]) == 1


async def test_it_is_few_statements(logged_db: Any, statements: Any) -> None:
    items = await stored(logged_db, 1000)
    statements.clear()
    await logged_db.bulk_update(items, ["name", "size"])
    assert len(statements.statements) == 10
    statements.clear()
    await logged_db.bulk_update(items[:2], ["name"])
    (text,) = statements.statements
    start = text.index("FROM")
    assert (
        text[:start]
        == 'UPDATE "items" AS t SET "name" = v.column2, "updated_at" = v.column3 '
    )
    assert text.endswith('AS v WHERE t."pk" = v.column1 RETURNING "pk"')


async def test_rows_are_found_by_their_key(db: Any) -> None:
    await stored(db)
    sql = (
        "EXPLAIN QUERY PLAN UPDATE items AS t SET name = v.column2 "
        "FROM (VALUES (1, 'a'), (2, 'b')) AS v WHERE t.pk = v.column1"
    )
    plan = [row["detail"] for row in await db.fetch(sql)]
    assert any("SEARCH t USING INTEGER PRIMARY KEY" in line for line in plan), plan


# --- bulk_delete ---


async def test_keys_and_records_are_deleted(db: Any) -> None:
    items = await stored(db, 5)
    assert await db.bulk_delete(Item, [items[0], 2, items[1], 99]) == 2
    assert await rows(db) == items[2:]
    assert await db.bulk_delete(Item, (each for each in items)) == 3
    assert await db.bulk_delete(Item, []) == 0


async def test_any_number_is_deleted_by_one_statement(
    logged_db: Any, statements: Any
) -> None:
    items = await stored(logged_db, 3000)
    statements.clear()
    assert await logged_db.bulk_delete(Item, items[1:]) == 2999
    assert len(statements.starting("DELETE")) == 1
    assert await rows(logged_db) == items[:1]


async def test_what_is_no_record_of_the_model_is_refused(db: Any) -> None:
    items = await stored(db)
    with pytest.raises(TypeError, match="a Frozen is no Item"):
        await db.bulk_delete(Item, [items[0], Frozen(pk=1, name="x")])
    with pytest.raises(ValueError, match="is not saved"):
        await db.bulk_delete(Item, [items[0], Item(name="new")])
    assert await rows(db) == items


async def test_all_or_none_are_deleted(db: Any) -> None:
    items = await stored(db)
    await db.create_table(Part)
    await db.insert(Part(item_id=items[2].pk))
    with pytest.raises(ForeignKeyConstraintError) as caught:
        await db.bulk_delete(Item, items)
    assert isinstance(caught.value, RecordDeletionError)
    assert await rows(db) == items


async def test_cascades_are_told_to_caches(make_db: Any, library: Any) -> None:
    db = make_db(cache_enabled=True)
    await library.create(db)
    ada = await db.insert(library.Author(name="Ada"))
    await db.insert(library.Book(title="Notes", author=ada))
    assert len(await rows(db, library.Book)) == 1
    assert await db.bulk_delete(library.Author, [ada]) == 1
    assert await rows(db, library.Book) == []
