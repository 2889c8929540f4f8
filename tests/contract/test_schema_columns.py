"""Options of columns: collations, defaults of the database, generated columns; strict tables."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, ValidationError

from sqliter.exceptions import (
    InvalidSchemaError,
    InvalidUpdateError,
    RecordInsertionError,
    RecordNotFoundError,
    TableCreationError,
)
from sqliter.expressions import F
from sqliter.model import BaseDBModel, ForeignKey, Index, column, generated, unique


class User(BaseDBModel):
    created_at: int = column(0, db_default=1)
    updated_at: int = column(0, db_default=2)
    name: Annotated[str, column(collate="nocase", unique=True)]
    nick: Annotated[str | None, unique(), column(collate="RTRIM")] = None
    active: bool = column(True, db_default=False)
    city: str = column(db_default="it's")
    price: Annotated[Decimal, column(db_default=Decimal("1.50"))] = Decimal(0)
    motto: Annotated[
        str, AfterValidator(str.strip), column("", collate="RTRIM", db_default="")
    ]
    tags: list[str] = column(default_factory=list, db_default=["a"])


class Item(BaseDBModel):
    price: float
    amount: int = 1
    total: Annotated[float | None, generated("price * amount", stored=True)]
    label: str | None = generated("'#' || amount || ?".replace("?", "'?'"))
    big: bool | None = generated("price * amount > 100")

    class Meta:
        indexes = ("total", Index("label", where="amount > 1"))


async def sql_of(db, table):
    (row,) = await db.fetch("SELECT sql FROM sqlite_master WHERE name = ?", (table,))
    return row["sql"]


START = '("pk" INTEGER PRIMARY KEY AUTOINCREMENT, "created_at" INTEGER, "updated_at" INTEGER, '


@pytest.mark.only("memory")
async def test_the_sql_of_options(db):
    await db.create_table(User)
    await db.create_table(Item)
    assert await sql_of(db, "users") == (
        'CREATE TABLE "users" ("pk" INTEGER PRIMARY KEY AUTOINCREMENT, '
        '"created_at" INTEGER DEFAULT 1, "updated_at" INTEGER DEFAULT 2, '
        '"name" TEXT COLLATE NOCASE UNIQUE NOT NULL, '
        '"nick" TEXT COLLATE RTRIM UNIQUE, "active" INTEGER DEFAULT 0, '
        "\"city\" TEXT DEFAULT 'it''s' NOT NULL, \"price\" TEXT DEFAULT '1.50', "
        '"motto" TEXT COLLATE RTRIM DEFAULT \'\', "tags" TEXT DEFAULT \'["a"]\')'
    )
    assert await sql_of(db, "items") == (
        f'CREATE TABLE "items" {START}"price" REAL NOT NULL, "amount" INTEGER, '
        '"total" REAL GENERATED ALWAYS AS (price * amount) STORED, '
        "\"label\" TEXT GENERATED ALWAYS AS ('#' || amount || '?') VIRTUAL, "
        '"big" INTEGER GENERATED ALWAYS AS (price * amount > 100) VIRTUAL)'
    )


async def test_a_collation_says_which_texts_are_equal_and_how_they_sort(db):
    await db.create_table(User)
    ada = await db.insert(User(name="Ada", city="x"))
    bob = await db.insert(User(name="bob", city="x", nick="b"))
    await db.insert(User(name="Cid", city="X"))
    query = db.select(User)
    assert await db.select(User).filter(name="ADA").fetch_one() == ada
    assert await db.select(User).filter(name__in=["ADA", "BOB"]).count() == 2
    assert await db.select(User).filter(nick="b  ").fetch_one() == bob
    assert [u.name for u in await query.order("name").fetch_all()] == [
        "Ada",
        "bob",
        "Cid",
    ]
    assert await db.select(User).filter(name__startswith="a").count() == 0
    assert await db.select(User).filter(name__startswith="A").count() == 1
    with pytest.raises(RecordInsertionError) as caught:
        await db.insert(User(name="ADA", city="y"))
    assert caught.value.kind == "unique"
    for update in (None, []):
        found = await db.upsert(
            User(name="ADA", city="z"), conflict=["name"], update=update
        )
        assert (found.pk, found.name) == (ada.pk, "Ada")
    ada.name = "ADA"
    await db.update(ada)
    assert (await db.get(User, ada.pk)).name == "ADA"


async def test_defaults_of_the_database_are_for_other_programs(db):
    await db.create_table(User)
    await db.execute("INSERT INTO users (name) VALUES ('raw')")
    other = await db.select(User).filter(name="raw").fetch_one()
    assert (other.active, other.city, other.price) == (False, "it's", Decimal("1.50"))
    assert (other.created_at, other.updated_at, other.tags) == (1, 2, ["a"])
    own = await db.insert(User(name="own", city="here"))
    found = await db.get(User, own.pk)
    assert (found.active, found.price, found.tags) == (True, 0, [])
    with pytest.raises(ValidationError):
        User(name="without city")


def values(item):
    return item.total, item.label, item.big


async def test_every_verb_that_writes_reads_generated_columns_back(db):
    for _ in range(2):
        await db.create_table(Item)
    item = Item(price=2.5, amount=4, total=77)
    assert values(Item(price=1)) == (None, None, None)
    await db.insert(item)
    assert values(item) == (10.0, "#4?", False)
    assert await db.get(Item, item.pk) == item
    item.amount = 50
    await db.update(item)
    assert values(item) == (125.0, "#50?", True)
    item.price = 1
    await db.save(item)
    assert (values(item), await db.get(Item, item.pk)) == ((50.0, "#50?", False), item)
    saved = await db.save(Item(price=3))
    assert values(saved) == (3.0, "#1?", False)
    many = await db.bulk_insert([Item(price=n, amount=2) for n in range(3)])
    assert [each.total for each in many] == [0.0, 2.0, 4.0]
    for each in many:
        each.amount = 3
    await db.bulk_update(many, ["amount"])
    assert [each.total for each in many] == [0.0, 3.0, 6.0]
    written = await db.upsert(Item(pk=item.pk, price=2, amount=2))
    assert values(written) == (4.0, "#2?", False)
    again = [Item(pk=900, price=9), Item(pk=item.pk, price=8, amount=2)]
    assert [each.total for each in await db.bulk_upsert(again)] == [9.0, 16.0]
    ensured, _ = await db.update_or_create(Item, {"amount": 100}, pk=item.pk)
    assert values(ensured) == (800.0, "#100?", True)
    await db.refresh(item)
    assert item == ensured


async def test_queries_know_generated_columns(db):
    await db.create_table(Item)
    await db.bulk_insert([Item(price=n, amount=n) for n in range(1, 5)])
    query = db.select(Item).filter(total__gte=4, big=False).order("total", reverse=True)
    assert [each.amount for each in await query.fetch_all()] == [4, 3, 2]
    await db.select(Item).filter(label="#2?").update({"price": 10})
    part = (
        await db.select(Item).fields(["amount", "total"]).filter(amount=2).fetch_one()
    )
    assert part.total == 20.0
    part.amount = 3
    await db.update(part)
    assert (part.total, "label" in vars(part)) == (30.0, False)
    assert await db.select(Item).filter(total__gt=F("price")).count() == 3


async def test_generated_columns_are_read_only(db):
    await db.create_table(Item)
    item = await db.insert(Item(price=2))
    with pytest.raises(ValidationError, match="frozen"):
        item.total = 3
    for change in (
        lambda: db.select(Item).update({"total": 1}),
        lambda: db.update_where(Item, {}, {"total": F("price")}),
        lambda: db.bulk_update([item], ["total"]),
        lambda: db.update_or_create(Item, {"total": 3}, pk=item.pk),
    ):
        with pytest.raises(InvalidUpdateError, match="SQLite computes 'total' of Item"):
            await change()
    with pytest.raises(ValueError, match="keeps its total"):
        await db.upsert(item, update=["total"])
    with pytest.raises(ValueError, match="'total' is computed when the row is there"):
        await db.upsert(item, conflict=["total"])
    with pytest.raises(RecordNotFoundError):
        await db.update(Item(pk=99, price=1))


async def test_what_was_read_back_is_taken_back_with_the_transaction(db):
    await db.create_table(Item)
    item = await db.insert(Item(price=2))
    new = Item(price=3)
    with pytest.raises(KeyError):
        async with db:
            item.amount = 5
            await db.update(item)
            await db.insert(new)
            assert (item.total, new.total) == (10.0, 3.0)
            raise KeyError
    assert (item.total, new.total, new.pk) == (2.0, None, 0)


async def test_a_value_that_does_not_fit_takes_the_write_back(db):
    class Wrong(BaseDBModel):
        number: int
        half: int | None = generated("number / 2.0")

    await db.create_table(Wrong)
    wrong = Wrong(number=3)
    with pytest.raises(RecordInsertionError, match="column 'half'"):
        await db.insert(wrong)
    assert (wrong.pk, await db.select(Wrong).count()) == (0, 0)
    assert (await db.insert(Wrong(number=4))).half == 2


async def test_a_table_that_does_not_compute_the_column_is_told(db):
    await db.execute(
        "CREATE TABLE items (pk, created_at, updated_at, price, amount, total, label, big)"
    )
    with pytest.raises(
        TableCreationError, match="'total' of table 'items' is written by"
    ):
        await db.create_table(Item)
    with pytest.raises(RecordInsertionError, match="force=True"):
        await db.insert(Item(price=1))
    await db.create_table(Item, force=True)
    assert (await db.insert(Item(price=1))).total == 1.0


class Author(BaseDBModel):
    name: str


WRONG: dict[str, tuple[Any, Any, str]] = {
    "number": (
        int,
        column(0, collate="NOCASE"),
        "collate is for texts, .* 'field' of Row",
    ),
    "decimal": (Decimal, column(collate="NOCASE"), "collate is for texts"),
    "default": (int, column(0, db_default="many"), "db_default='many' is no value"),
    "float": (
        float,
        column(0.0, db_default=float("nan")),
        "is no value of field 'field'",
    ),
    "foreign key": (
        Annotated[int, column(db_default=1)],
        ForeignKey(Author),
        "can have these options",
    ),
}


@pytest.mark.only("memory")
async def test_impossible_options(db):
    for annotation, default, text in WRONG.values():

        class Row(BaseDBModel):
            field: annotation = default

        with pytest.raises(InvalidSchemaError, match=text):
            await db.create_table(Row)
    with pytest.raises(InvalidSchemaError, match="field 'created_at' of Early is no"):

        class Early(BaseDBModel):
            created_at: int = generated("5")

        await db.create_table(Early)
    with pytest.raises(ValueError, match="BINARY, NOCASE, RTRIM"):
        column(collate="UNICODE")
    with pytest.raises(ValueError, match="computed by SQL"):
        generated(" ")
    with pytest.raises(TypeError):
        generated("a", default=3)


class Strict(BaseDBModel):
    text: str
    number: int | None = None
    real: float = 1
    blob: bytes = b""
    truth: bool = True
    at: datetime | None = None
    mixed: int | str = 0
    numbers: int | float = 0
    price: Decimal = Decimal("1.5")
    tags: set[str] = set()
    twice: int | None = generated("number * 2")

    class Meta:
        strict = True
        checks = {"short": "length(text) < 9"}


async def test_strict_tables_take_no_values_of_other_types(db):
    await db.create_table(Strict)
    assert await sql_of(db, "stricts") == (
        f'CREATE TABLE "stricts" {START}"text" TEXT NOT NULL, "number" INTEGER, '
        '"real" REAL, "blob" BLOB, "truth" INTEGER, "at" ANY, "mixed" ANY, '
        '"numbers" ANY, "price" TEXT, "tags" TEXT, '
        '"twice" INTEGER GENERATED ALWAYS AS (number * 2) VIRTUAL, '
        'CONSTRAINT "short" CHECK (length(text) < 9)) STRICT'
    )
    for at, mixed, numbers in (
        (None, 1, 2),
        (datetime(2020, 1, 1).astimezone(), "1", 2.5),
        (datetime(2020, 1, 1, 0, 0, 0, 500_000).astimezone(), "x", 2.0),
    ):
        row = await db.insert(
            Strict(text="a", number=3, at=at, mixed=mixed, numbers=numbers, tags={"t"})
        )
        found = await db.get(Strict, row.pk)
        assert (found, type(found.numbers), found.twice) == (row, type(numbers), 6)
        assert await db.select(Strict).filter(at=at, mixed=mixed).count() == 1
    for wrong in ("'many'", "1.5", "x'00'"):
        with pytest.raises(
            Exception, match="cannot store .* in INTEGER column"
        ) as caught:
            await db.execute(f"UPDATE stricts SET number = {wrong}")
        assert caught.value.kind == "datatype"
