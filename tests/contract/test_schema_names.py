"""Columns with names of their own: tables that other programs made."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from sqliter.exceptions import InvalidSchemaError
from sqliter.expressions import F, func
from sqliter.model import BaseDBModel, KeyedModel, column, unique
from sqliter.model import ForeignKey as ForeignColumn
from sqliter.orm import BaseDBModel as OrmModel
from sqliter.orm import ForeignKey, ManyToMany


class Person(BaseDBModel):
    pk: int = column(0, name="id")
    name: Annotated[str, unique()] = column(name="full name")
    year: int = column(1900, name="Born", db_default=1900)

    class Meta:
        table_name = "people"
        indexes = ["year"]
        fts = ["name"]


class Tag(OrmModel):
    pk: int = column(0, name="tag_id")
    text: str


class Page(OrmModel):
    pk: int = column(0, name="page_id")
    title: str = column(name="head")
    tags: ManyToMany[Tag] = ManyToMany(Tag, related_name="pages")
    parent: ForeignKey["Page | None"] = ForeignKey(
        "Page", null=True, related_name="pages", db_column="above"
    )

    class Meta:
        table_name = "pages"


class Code(KeyedModel):
    pk: str = column(name="code")
    text: str = ""


class Use(BaseDBModel):
    code: str = ForeignColumn(Code, on_delete="CASCADE")


async def test_every_verb_knows_the_columns(db: Any) -> None:
    await db.create_table(Person)
    ada = await db.insert(Person(name="Ada", year=1815))
    await db.bulk_insert([Person(name=name) for name in ("Bob", "Cy")])
    assert (await db.get(Person, 1)).name == "Ada"
    ada.year = 1816
    await db.update(ada)
    await db.upsert(Person(name="Ada", year=1817), conflict=["name"])
    await db.refresh(ada)
    assert (ada.pk, ada.year) == (1, 1817)
    people = db.select(Person)
    assert await people.clone().order("-year", "pk").values(
        "pk", "year", n=F("year") + 1
    ) == [
        {"pk": 2, "year": 1900, "n": 1901},
        {"pk": 3, "year": 1900, "n": 1901},
        {"pk": 1, "year": 1817, "n": 1818},
    ]
    assert await people.clone().filter(Person.pk > 1, year__lt=1950).count() == 2
    assert (await people.clone().search("bob").fetch_one()).pk == 2
    page = await people.clone().order("-year").page_after(None, 2)
    rest = await people.clone().order("-year").page_after(page.next_cursor, 2)
    assert [each.pk for each in (*page.items, *rest.items)] == [3, 2, 1]
    groups = people.clone().group_by("year").annotate(n=func.count()).order("year")
    assert (await groups.fetch_dicts())[0] == {"year": 1817, "n": 1}
    changed = await people.clone().filter(pk=3).update_returning({Person.year: 1990})
    assert (changed[0].pk, changed[0].year) == (3, 1990)
    assert await db.bulk_delete(Person, [2, 3]) == 2
    rows = await db.fetch("SELECT * FROM people", model=Person)
    assert rows == [await db.get(Person, 1)]


async def test_what_is_created(db: Any) -> None:
    await db.create_table(Person)
    sql = (await db.fetch("SELECT sql FROM sqlite_master WHERE name = 'people'"))[0]
    assert sql["sql"] == (
        'CREATE TABLE "people" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "created_at" '
        'INTEGER, "updated_at" INTEGER, "full name" TEXT UNIQUE NOT NULL, "Born" INTEGER '
        "DEFAULT 1900)"
    )


async def test_relations_know_the_keys(db: Any) -> None:
    for model in (Tag, Page):
        await db.create_table(model)
    root = await db.insert(Page(title="root"))
    leaf = await db.insert(Page(title="leaf", parent_id=root.pk))
    red = await db.insert(Tag(text="red"))
    await db.execute("INSERT INTO pages_tags (pages_pk, tags_pk) VALUES (2, 1)")
    pages = db.select(Page)
    assert await pages.clone().filter(tags__text="red").scalars("pk") == [leaf.pk]
    assert await pages.clone().filter(parent__title="root").scalars("pk") == [leaf.pk]
    found = await pages.clone().select_related("parent").order("pk").fetch_all()
    assert [each.pk for each in found] == [root.pk, leaf.pk]
    below = pages.clone().filter(title="root").descendants("parent")
    assert await below.scalars("title") == ["leaf"]
    counts = await db.select(Tag).with_count("pages").fetch_dicts()
    assert counts[0]["count"] == 1 and counts[0]["pk"] == red.pk
    links = await db.fetch("PRAGMA foreign_key_list(pages_tags)")
    assert {each["to"] for each in links} == {"page_id", "tag_id"}


async def test_keys_of_another_type_have_names_too(db: Any) -> None:
    for model in (Code, Use):
        await db.create_table(model)
    await db.insert(Code(pk="a"))
    await db.insert(Use(code="a"))
    await db.delete(Code, "a")
    assert await db.select(Use).count() == 0


async def test_names_that_cannot_be(db: Any) -> None:
    class Twice(BaseDBModel):
        one: int = column(name="Two")
        two: int = 0

    class Key(BaseDBModel):
        pk: int = column(0, name="id", db_default=3)

    for model, text in ((Twice, "share the column"), (Key, "no column that can")):
        with pytest.raises(InvalidSchemaError, match=text):
            await db.create_table(model)
    for name in ("", " ", "a\0"):
        with pytest.raises(ValueError, match="needs a name"):
            column(name=name)
