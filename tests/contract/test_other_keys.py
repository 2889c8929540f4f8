"""Primary keys that are no integers: the records bring them along."""

from datetime import date
from enum import Enum, StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from pydantic import AfterValidator, BaseModel, Field, SecretStr, create_model
from support import unwrap

from sqliter.exceptions import (
    InvalidCursorError,
    InvalidFilterError,
    InvalidForeignKeyError,
    InvalidSchemaError,
    InvalidSearchError,
    RecordDeletionError,
    RecordFetchError,
    RecordInsertionError,
    RecordNotFoundError,
    RecordUpdateError,
    StaleRecordError,
)
from sqliter.model import BaseDBModel, ForeignKey, KeyedModel, generated, unique


class Doc(KeyedModel):
    pk: UUID = Field(default_factory=uuid4)
    title: str
    number: int = 0


class Country(BaseDBModel):
    pk: str  # type: ignore[assignment]
    name: Annotated[str, unique()]

    class Meta:
        table_name = "countries"
        strict = True


class Place(BaseDBModel):
    name: str
    country_id: str | None = ForeignKey(Country, null=True, on_delete="CASCADE")


class Blob(KeyedModel):
    pk: Annotated[bytes, AfterValidator(bytes)]
    size: int = 0
    revision: int = 0
    twice: int | None = generated("size * 2")

    class Meta:
        version = "revision"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(KeyedModel):
    """A tree, with a key that has no order in Python."""

    class Key(Enum):
        ROOT = "root"
        LEAF = "leaf"

    pk: Key
    parent_id: Key | None = ForeignKey("Part", null=True, on_delete="CASCADE")


class Paint(KeyedModel):
    pk: Colour
    path: PurePosixPath = PurePosixPath()


def docs(count: int) -> list[Doc]:
    return [Doc(pk=UUID(int=n + 1), title=f"d{n}", number=n) for n in range(count)]


START = '"created_at" INTEGER, "updated_at" INTEGER'


@pytest.mark.only("memory")
async def test_the_sql(logged_db, statements):
    db = logged_db
    for model in (Doc, Country, Place, Blob):
        await db.create_table(model)
    rows = await db.fetch(
        "SELECT sql FROM sqlite_master WHERE name != 'sqlite_sequence'"
    )
    created = [row["sql"] for row in rows if row["sql"] and "TABLE" in row["sql"]]
    assert created == [
        f'CREATE TABLE "docs" ("pk" TEXT PRIMARY KEY NOT NULL, {START}, "title" TEXT NOT NULL, "number" INTEGER)',
        f'CREATE TABLE "countries" ("pk" TEXT PRIMARY KEY NOT NULL, {START}, "name" TEXT UNIQUE NOT NULL) STRICT',
        f'CREATE TABLE "places" ("pk" INTEGER PRIMARY KEY AUTOINCREMENT, {START}, "name" TEXT NOT NULL, '
        '"country_id" TEXT, FOREIGN KEY ("country_id") REFERENCES "countries"("pk") ON DELETE CASCADE '
        "ON UPDATE RESTRICT)",
        f'CREATE TABLE "blobs" ("pk" BLOB PRIMARY KEY NOT NULL, {START}, "size" INTEGER, "revision" INTEGER, '
        '"twice" INTEGER GENERATED ALWAYS AS (size * 2) VIRTUAL)',
    ]
    assert not Doc.should_create_pk()
    assert Place.should_create_pk()


@pytest.mark.parametrize(
    "options", [{}, {"cache_enabled": True}, {"auto_commit": False}]
)
async def test_one_record(make_db, options):
    db = make_db(**options)
    await db.create_table(Doc)
    doc = Doc(title="a")
    key = doc.pk
    assert await db.get(Doc, key) is None
    assert await db.insert(doc) is doc
    assert doc.pk is key
    assert await db.get(Doc, key) == await db.get(Doc, str(key)) == doc
    assert await db.get(Doc, str(key).upper()) == doc
    doc.title = "b"
    await db.update(doc)
    twin = await db.get(Doc, key)
    twin.number = 3
    await db.save(twin, fields=["number"])
    await db.refresh(doc)
    assert (doc.pk, doc.title, doc.number) == (key, "b", 3)
    with pytest.raises(RecordInsertionError) as caught:
        await db.insert(Doc(pk=key, title="twin"))
    assert caught.value.__cause__ is not None
    await db.delete(Doc, key)
    for verb in (db.delete(Doc, key), db.update(doc), db.refresh(doc)):
        with pytest.raises(RecordNotFoundError, match=str(key)):
            await verb


async def test_what_can_be_no_key(db):
    await db.create_table(Doc)
    await db.create_table(Country)
    for again in range(2):
        for bad in ("x", 5, None, b"x"):
            with pytest.raises(RecordFetchError, match="no primary key of Doc"):
                await db.get(Doc, bad)
            with pytest.raises(RecordDeletionError, match="no primary key of Doc"):
                await db.delete(Doc, bad)
        with pytest.raises(InvalidFilterError):
            await db.select(Doc).filter(pk="x").fetch_all()
        with pytest.raises(RecordFetchError, match="no primary key of Country"):
            await db.get(Country, 7)
        nameless = Country(pk="", name=f"n{again}")
        for verb in (db.insert, db.save, db.upsert):
            with pytest.raises(RecordInsertionError, match="give it a pk"):
                await verb(nameless)
        with pytest.raises(RecordInsertionError, match="give it a pk"):
            await db.bulk_insert([Country(pk="a", name="a"), nameless])
        broken = Doc(title="x").model_copy(update={"pk": "x"})
        with pytest.raises(RecordUpdateError):
            await db.update(broken)
        with pytest.raises(RecordFetchError):
            await db.refresh(broken)
        with pytest.raises(RecordUpdateError):
            await db.save(broken)
    assert await db.select(Country).count() == 0


async def test_save_looks_for_the_row(logged_db, statements):
    db = logged_db
    await db.create_table(Doc)
    doc = await db.save(Doc(title="a"))
    doc.title = "b"
    assert await db.save(doc) is doc
    assert (await db.get(Doc, doc.pk)).title == "b"
    part = await db.select(Doc).only("title").fetch_one()
    part.title = "c"
    await db.save(part)
    assert (await db.get(Doc, doc.pk)).title == "c"
    with pytest.raises(ZeroDivisionError):
        async with db:
            new = await db.save(Doc(title="new"))
            raise ZeroDivisionError
    assert (await db.select(Doc).count(), new.created_at) == (1, 0)
    await db.save(new)  # it has lost its row: inserted again
    assert await db.select(Doc).count() == 2
    made = await db.save(Doc(pk=doc.pk, title="made for the row"))
    assert made.created_at == doc.created_at > 0
    assert await db.get(Doc, doc.pk) == made


async def test_save_calls_the_right_hooks(db):
    await db.create_table(Doc)
    called: list[Any] = []
    for event in (
        "before_insert",
        "after_insert",
        "before_update",
        "after_update",
        "after_delete",
    ):
        db.on(Doc, event, lambda doc, event=event: called.append((event, doc.title)))
    doc = await db.save(Doc(title="a"))
    doc.title = "b"
    await db.save(doc)
    doc.title = "c"
    await db.upsert(doc)
    await db.delete(Doc, str(doc.pk))
    await db.upsert(doc)
    await db.bulk_delete(Doc, [doc])
    assert called == [
        ("before_insert", "a"), ("after_insert", "a"), ("before_update", "b"), ("after_update", "b"),
        ("before_update", "c"), ("after_update", "c"), ("after_delete", "c"),
        ("before_insert", "c"), ("after_insert", "c"), ("after_delete", "c"),
    ]  # fmt: skip


async def test_many_records(db):
    await db.create_table(Doc)
    records = docs(250)
    keys = [each.pk for each in records]
    assert await db.bulk_insert(records) == records
    assert [each.pk for each in records] == keys
    assert await db.select(Doc).order("number").fetch_all() == records
    for each in records:
        each.title = "new"
    assert await db.bulk_update(records, ["title"]) == 250
    assert await db.select(Doc).filter(title="new").count() == 250
    with pytest.raises(RecordNotFoundError, match=str(UUID(int=900))):
        await db.bulk_update([records[0], Doc(pk=UUID(int=900), title="")], ["title"])
    again = [Doc(pk=keys[0], title="first"), Doc(title="more")]
    assert await db.bulk_upsert(again) == again
    assert again[0].pk == keys[0]
    assert again[0].created_at == records[0].created_at
    assert (await db.get(Doc, keys[0])).title == "first"
    assert await db.get(Doc, again[1].pk) == again[1]
    assert (
        await db.bulk_delete(Doc, [records[1], keys[2], str(keys[3]), UUID(int=900)])
        == 3
    )
    assert await db.select(Doc).filter(pk__in=keys[:5]).count() == 2


async def test_queries(db):
    await db.create_table(Doc)
    records = await db.bulk_insert(docs(7))
    first = records[0]
    for key in (first.pk, str(first.pk), first):
        assert await db.select(Doc).filter(pk=key).fetch_all() == [first]
    assert await db.select(Doc).filter(pk__gt=records[4].pk).count() == 2
    assert await db.select(Doc).fetch_last() == records[-1]
    assert (
        await db.select(Doc).filter(Doc.pk != first.pk).order("-pk").fetch_first()
        == records[-1]
    )
    rows = unwrap(db.select(Doc).order("pk")).iterate(batch=2)
    is_async = hasattr(rows, "__aiter__")
    assert ([each async for each in rows] if is_async else [*rows]) == records
    seen, cursor = [], None
    while True:
        page = await db.select(Doc).order("-number").page_after(cursor, 3)
        seen += page.items
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert seen == records[::-1]
    with pytest.raises(InvalidCursorError):
        await db.select(Doc).order("number").page_after(cursor, 3)
    changed = await db.select(Doc).filter(pk=first.pk).update_returning({"title": "x"})
    assert [(each.pk, each.title) for each in changed] == [(first.pk, "x")]
    assert await db.select(Doc).filter(pk__in=[first.pk]).delete_returning() == changed
    found, is_new = await db.get_or_create(
        Doc, pk=records[1].pk, defaults={"title": "y"}
    )
    assert (found, is_new) == (records[1], False)
    key = uuid4()
    made, is_new = await db.update_or_create(Doc, pk=key, defaults={"title": "y"})
    assert (made.pk, is_new) == (key, True)
    assert await db.get(Doc, key) == made


async def test_an_upsert_by_other_fields_takes_over_the_key(db):
    await db.create_table(Country)
    await db.insert(Country(pk="de", name="Germany"))
    other = await db.upsert(Country(pk="xx", name="Germany"), conflict=["name"])
    assert other.pk == "de"
    assert await db.select(Country).count() == 1


async def test_versions_and_generated_columns(db):
    await db.create_table(Blob)
    blob = await db.insert(Blob(pk=b"\0a", size=2))
    assert blob.twice == 4
    twin = await db.get(Blob, b"\0a")
    blob.size = 3
    await db.save(blob)
    assert (blob.twice, blob.revision) == (6, 1)
    for verb in (db.save(twin), db.bulk_update([twin], ["size"])):
        with pytest.raises(StaleRecordError):
            await verb
    page = await db.select(Blob).page_after(None, 1)
    assert page.items == [blob]
    await db.bulk_insert([Blob(pk=b"b", size=5)])
    page = await db.select(Blob).page_after(None, 1)
    rest = await db.select(Blob).page_after(page.next_cursor, 1)
    assert [each.twice for each in rest.items] == [10]


async def test_foreign_keys_are_columns(db):
    await db.create_table(Country)
    await db.create_table(Place)
    france = await db.insert(Country(pk="fr", name="France"))
    await db.bulk_insert([Place(name="Paris", country_id="fr"), Place(name="Atlantis")])
    for key in ("fr", france):
        assert [
            p.name for p in await db.select(Place).filter(country_id=key).fetch_all()
        ] == ["Paris"]
    with pytest.raises(RecordInsertionError):
        await db.insert(Place(name="X", country_id="xx"))
    await db.delete(Country, "fr")
    assert await db.select(Place).count() == 1


async def test_keys_without_order_in_python(db):
    await db.create_table(Part)
    key = Part.Key
    root, leaf = Part(pk=key.ROOT), Part(pk=key.LEAF, parent_id=key.ROOT)
    await db.bulk_insert([root, leaf])
    assert await db.get(Part, "leaf") == leaf
    assert await db.select(Part).filter(parent_id=root).fetch_all() == [leaf]
    db.on(Part, "before_delete", lambda part: None)
    assert await db.bulk_delete(Part, [leaf]) == 1
    assert await db.bulk_delete(Part, [root, leaf]) == 1
    await db.create_table(Paint)
    await db.save(Paint(pk=Colour.RED))
    assert (await db.get(Paint, "red")).pk is Colour.RED


@pytest.mark.only("memory")
@pytest.mark.only("sync")
async def test_types_that_cannot_be_keys(db):
    class Inner(BaseModel):
        x: int = 0

    for kind, why in (
        (str | None, "never None"),
        (float, "text or bytes"),
        (date, "text or bytes"),
        (str | bytes, "text or bytes"),
        (list[str], "compared"),
        (Inner, "compared"),
        (SecretStr, "compared"),
    ):
        model = create_model("Odd", __base__=BaseDBModel, pk=(kind, ...))
        with pytest.raises(InvalidSchemaError, match=why):
            await db.create_table(model)

    class Text(KeyedModel):
        pk: str
        text: str

        class Meta:
            fts = ["text"]

    with pytest.raises(InvalidSearchError, match="must be one"):
        await db.create_table(Text)

    class Wrong(BaseDBModel):
        country_id: int = ForeignKey(Country)

    with pytest.raises(InvalidForeignKeyError, match="annotate it like that"):
        await db.create_table(Wrong)


@pytest.mark.only("memory")
async def test_relations_lead_to_integers_only(orm):
    class Tag(orm.BaseDBModel):
        name: str

    class Key(orm.BaseDBModel):
        pk: str  # type: ignore[assignment]

    with pytest.raises(InvalidForeignKeyError, match="'key' of A is a relation"):

        class A(orm.BaseDBModel):
            key: orm.ForeignKey[Key] = orm.ForeignKey(Key)

    with pytest.raises(InvalidForeignKeyError, match="'keys' of B is a relation"):

        class B(orm.BaseDBModel):
            keys: orm.ManyToMany[Key] = orm.ManyToMany(Key)

    with pytest.raises(InvalidForeignKeyError, match="'tags' of C is a relation"):

        class C(orm.BaseDBModel):
            pk: str  # type: ignore[assignment]
            tags: orm.ManyToMany[Tag] = orm.ManyToMany(Tag)

    class D(orm.BaseDBModel):
        late: orm.ForeignKey[Any] = orm.ForeignKey("Late")

    with pytest.raises(InvalidForeignKeyError, match="'late' of D is a relation"):

        class Late(orm.BaseDBModel):
            pk: str  # type: ignore[assignment]


async def test_relations_from_such_models(db, orm, many, reach):
    class Author(orm.BaseDBModel):
        name: str

    class Text(orm.BaseDBModel):
        pk: str  # type: ignore[assignment]
        author: orm.ForeignKey[Author] = orm.ForeignKey(Author, related_name="texts")

    await db.create_table(Author)
    await db.create_table(Text)
    ada = Author(name="Ada")
    await db.insert(ada)
    await db.bulk_insert([Text(pk="b", author=ada), Text(pk="a", author=ada)])
    text = await db.get(Text, "a")
    assert (await reach(text.author)).name == "Ada"
    assert [each.pk for each in await many(ada.texts).order("pk").fetch_all()] == [
        "a",
        "b",
    ]
    assert await db.select(Text).filter(author__name="Ada").count() == 2
    assert await db.select(Author).filter(texts__pk="b").count() == 1
    (found,) = await db.select(Author).prefetch_related("texts").fetch_all()
    assert sorted(each.pk for each in await many(found.texts).fetch_all()) == ["a", "b"]
    (joined,) = (
        await db.select(Text).select_related("author").filter(pk="b").fetch_all()
    )
    assert (await reach(joined.author)).name == "Ada"


class Word(KeyedModel):
    pk: str = Field()
    times: int = 0

    class Meta:
        table_name = "words"
        without_rowid = True
        strict = True
        indexes = ["times"]


async def test_rows_without_rowids(db: Any) -> None:
    await db.create_table(Word)
    words = [Word(pk=text, times=n) for n, text in enumerate(("b", "c", "a"))]
    await db.bulk_insert(words)
    assert [each.pk for each in await db.select(Word).fetch_all()] == ["a", "b", "c"]
    words[0].times = 7
    await db.update(words[0])
    await db.upsert(Word(pk="d", times=1))
    assert await db.select(Word).filter(times__gt=0).order("-times", "pk").scalars(
        "pk"
    ) == [*("b", "a", "c", "d")]
    await db.delete(Word, "c")
    assert await db.get(Word, "c") is None
    found = await db.fetch("SELECT sql FROM sqlite_master WHERE name = 'words'")
    assert found[0]["sql"].endswith(") STRICT, WITHOUT ROWID")


async def test_sqlite_gives_keys_to_rows_with_rowids_only(db: Any) -> None:
    class Numbered(BaseDBModel):
        class Meta:
            without_rowid = True

    with pytest.raises(InvalidSchemaError, match="needs rowids"):
        await db.create_table(Numbered)
    assert await db.get_table_names() == []
