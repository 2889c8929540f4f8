"""Explicit foreign keys of plain models: configuration, table, rules at run time."""

from dataclasses import fields
from types import SimpleNamespace
from typing import Annotated, get_args

import pytest
from pydantic import Field, ValidationError

from sqliter.exceptions import (
    ForeignKeyConstraintError,
    InvalidForeignKeyError,
    RecordInsertionError,
    RecordUpdateError,
)
from sqliter.model import BaseDBModel, ForeignKey, ForeignKeyInfo, get_foreign_key_info
from sqliter.model.foreign_key import FKAction, get_model_field_db_column


class Author(BaseDBModel):
    name: str


class Book(BaseDBModel):
    title: str
    author_id: int = ForeignKey(Author, on_delete="CASCADE")


class Draft(BaseDBModel):
    author_id: int | None = ForeignKey(Author, on_delete="SET NULL", null=True)


class Contract(BaseDBModel):
    author_id: int = ForeignKey(Author)


class Award(BaseDBModel):
    author_id: int = ForeignKey(Author, on_delete="NO ACTION")


class Passport(BaseDBModel):
    author_id: int = ForeignKey(Author, unique=True)


class Review(BaseDBModel):
    author_id: int = ForeignKey(Author, db_column="writer_ref")
    stars: int = 0


async def author(db, name="Ada"):
    await db.create_table(Author)
    return await db.insert(Author(name=name))


async def columns(db, table):
    rows = await db.fetch(f"SELECT * FROM pragma_table_info('{table}')")
    return {row["name"]: row for row in rows}


# --- configuration -----------------------------------------------------------------------


def test_actions():
    assert set(get_args(FKAction)) == {"CASCADE", "SET NULL", "RESTRICT", "NO ACTION"}


def test_info_names_its_parts_in_order():
    assert [f.name for f in fields(ForeignKeyInfo)] == [
        "to_model", "on_delete", "on_update", "null", "unique", "related_name", "db_column",
    ]  # fmt: skip


def test_info_is_found_on_the_field():
    info = get_foreign_key_info(Book.model_fields["author_id"])
    assert info.to_model is Author
    assert (info.on_delete, info.on_update) == ("CASCADE", "RESTRICT")
    assert (info.null, info.unique, info.related_name, info.db_column) == (
        False,
        False,
        None,
        None,
    )


def test_info_is_found_inside_annotated():
    class Page(BaseDBModel):
        author_id: Annotated[int, ForeignKey(Author)]

    assert get_foreign_key_info(Page.model_fields["author_id"]).to_model is Author


@pytest.mark.parametrize(
    "field",
    [
        Book.model_fields["title"],
        SimpleNamespace(),
        SimpleNamespace(json_schema_extra=["x"]),
        SimpleNamespace(json_schema_extra={"x": 1}),
    ],
)
def test_other_fields_have_no_info(field):
    assert get_foreign_key_info(field) is None


def test_extra_schema_of_another_kind_does_not_lose_the_info():
    class Page(BaseDBModel):
        author_id: int = ForeignKey(Author, json_schema_extra=["x"])

    assert get_foreign_key_info(Page.model_fields["author_id"]).to_model is Author


def test_extra_schema_is_merged():
    field = ForeignKey(Author, json_schema_extra={"help": "me"})
    assert field.json_schema_extra["help"] == "me"


@pytest.mark.parametrize("side", ["delete", "update"])
def test_set_null_needs_null(side):
    message = f"on_{side}='SET NULL' requires null=True"
    with pytest.raises(InvalidForeignKeyError, match=message) as caught:
        ForeignKey(Author, **{f"on_{side}": "SET NULL"})
    assert isinstance(caught.value, ValueError)


@pytest.mark.defect("D37")
@pytest.mark.parametrize("action", ["cascade", "BOGUS", "CASCADE; DROP TABLE x"])
@pytest.mark.parametrize("side", ["on_delete", "on_update"])
def test_unknown_action_is_refused_at_once(side, action):
    with pytest.raises(InvalidForeignKeyError, match=side):
        ForeignKey(Author, **{side: action})


@pytest.mark.defect("D37")
@pytest.mark.parametrize("target", [int, 5, None])
def test_target_that_is_no_model_is_refused_at_once(target):
    with pytest.raises((InvalidForeignKeyError, TypeError)):
        ForeignKey(target)


@pytest.mark.defect("D37")
def test_the_callers_extra_schema_is_not_changed():
    shared = {"help": "me"}
    ForeignKey(Author, json_schema_extra=shared)
    assert shared == {"help": "me"}


@pytest.mark.defect("D37")
def test_json_schema_of_a_model_with_a_foreign_key():
    assert Book.model_json_schema()["properties"]["author_id"]["type"] == "integer"


def test_key_is_required_unless_nullable_or_given_a_default():
    class Page(BaseDBModel):
        a: int | None = ForeignKey(Author, null=True)
        b: int = ForeignKey(Author, default=7)
        c: int = ForeignKey(Author, default_factory=lambda: 8)
        d: int | None = ForeignKey(Author, null=True, default_factory=lambda: 9)

    page = Page()
    assert (page.a, page.b, page.c, page.d) == (None, 7, 8, 9)
    with pytest.raises(ValidationError):
        Book(title="x")


@pytest.mark.defect("D34")
async def test_nullable_key_with_a_plain_int_annotation_is_refused_or_readable(db):
    try:

        class Page(BaseDBModel):
            author_id: int = ForeignKey(Author, null=True)

        await db.create_table(Author)
        await db.create_table(Page)
    except InvalidForeignKeyError as error:
        assert "author_id" in str(error)
    else:
        page = await db.insert(Page())
        assert (await db.get(Page, page.pk)).author_id is None


def test_column_of_a_field():
    assert get_model_field_db_column(Review, "author_id") == "writer_ref"
    assert get_model_field_db_column(Review, "stars") == "stars"
    assert get_model_field_db_column(Review, "nowhere") == "nowhere"


# --- the table ---------------------------------------------------------------------------


async def test_column_is_an_integer_that_allows_null_only_when_asked(db):
    await db.create_table(Author)
    for model in (Book, Draft, Review):
        await db.create_table(model)
    book = (await columns(db, "books"))["author_id"]
    draft = (await columns(db, "drafts"))["author_id"]
    assert (book["type"], book["notnull"]) == ("INTEGER", 1)
    assert (draft["type"], draft["notnull"]) == ("INTEGER", 0)
    assert "writer_ref" in await columns(db, "reviews")
    assert "author_id" not in await columns(db, "reviews")


async def test_constraint_in_the_table(db):
    await db.create_table(Author)
    await db.create_table(Book)
    (row,) = await db.fetch("SELECT sql FROM sqlite_master WHERE name = 'books'")
    assert 'FOREIGN KEY ("author_id") REFERENCES "authors"("pk")' in row["sql"]
    assert "ON DELETE CASCADE" in row["sql"]
    assert "ON UPDATE RESTRICT" in row["sql"]


@pytest.mark.parametrize(
    ("model", "name", "column"),
    [
        (Book, "idx_books_author_id", "author_id"),
        (Review, "idx_reviews_writer_ref", "writer_ref"),
    ],
)
async def test_key_column_is_indexed(db, model, name, column):
    await db.create_table(Author)
    await db.create_table(model)
    (row,) = await db.fetch("SELECT name FROM pragma_index_info(?)", (name,))
    assert row["name"] == column


# --- rules at run time -------------------------------------------------------------------


async def test_missing_target_is_refused(db):
    await author(db)
    await db.create_table(Book)
    with pytest.raises(ForeignKeyConstraintError, match="does not exist"):
        await db.insert(Book(title="x", author_id=99))


async def test_cascade_deletes_the_children(db):
    ada = await author(db)
    await db.create_table(Book)
    book = await db.insert(Book(title="x", author_id=ada.pk))
    await db.delete(Author, ada.pk)
    assert await db.get(Book, book.pk) is None


async def test_set_null_keeps_the_children(db):
    ada = await author(db)
    await db.create_table(Draft)
    draft = await db.insert(Draft(author_id=ada.pk))
    await db.delete(Author, ada.pk)
    assert (await db.get(Draft, draft.pk)).author_id is None


@pytest.mark.parametrize("model", [Contract, Award])
async def test_restrict_and_no_action_refuse_the_delete(db, model):
    ada = await author(db)
    await db.create_table(model)
    await db.insert(model(author_id=ada.pk))
    with pytest.raises(ForeignKeyConstraintError, match="still referenced"):
        await db.delete(Author, ada.pk)
    assert await db.get(Author, ada.pk) == ada


@pytest.mark.parametrize(("action", "expected"), [("CASCADE", 50), ("SET NULL", None)])
async def test_on_update_follows_a_changed_pk(db, action, expected):
    class Follower(BaseDBModel):
        author_id: int | None = ForeignKey(Author, on_update=action, null=True)

    ada = await author(db)
    await db.create_table(Follower)
    follower = await db.insert(Follower(author_id=ada.pk))
    await db.execute("UPDATE authors SET pk = 50 WHERE pk = ?", (ada.pk,))
    assert (await db.get(Follower, follower.pk)).author_id == expected


async def test_unique_key_allows_one_child(db):
    ada = await author(db)
    await db.create_table(Passport)
    await db.insert(Passport(author_id=ada.pk))
    with pytest.raises(RecordInsertionError, match="UNIQUE constraint failed"):
        await db.insert(Passport(author_id=ada.pk))


async def test_child_table_may_be_created_first(db):
    await db.create_table(Book)
    with pytest.raises(RecordInsertionError, match="no such table"):
        await db.insert(Book(title="x", author_id=1))
    ada = await author(db)
    book = await db.insert(Book(title="x", author_id=ada.pk))
    assert await db.get(Book, book.pk) == book


async def test_renamed_column_is_addressed_by_the_field_name(db):
    ada, bob = await author(db), await author(db, "Bob")
    await db.create_table(Review)
    review = await db.insert(Review(author_id=ada.pk, stars=4))
    assert await db.get(Review, review.pk) == review
    review.author_id = bob.pk
    await db.update(review)
    assert await db.select(Review).filter(author_id=bob.pk).count() == 1
    assert (
        await db.update_where(Review, {"author_id": bob.pk}, {"author_id": ada.pk}) == 1
    )
    found = await db.select(Review, fields=["author_id"]).order("author_id").fetch_one()
    assert found.author_id == ada.pk
    assert await db.select(Review).filter(author_id__in=[ada.pk]).count() == 1
    assert await db.select(Review).filter(author_id__not_in=[ada.pk]).count() == 0


@pytest.mark.defect("D46")
async def test_violation_in_update_is_both_errors(db):
    ada = await author(db)
    await db.create_table(Book)
    book = await db.insert(Book(title="x", author_id=ada.pk))
    book.author_id = 99
    with pytest.raises(ForeignKeyConstraintError) as caught:
        await db.update(book)
    assert isinstance(caught.value, RecordUpdateError)
    assert (await db.get(Book, book.pk)).author_id == ada.pk


def test_field_constraints_reach_the_key():
    class Page(BaseDBModel):
        author_id: int = ForeignKey(Author, gt=0)
        other_id: Annotated[int, Field(gt=0)] = ForeignKey(Author)

    for bad in ({"author_id": 0, "other_id": 1}, {"author_id": 1, "other_id": 0}):
        with pytest.raises(ValidationError):
            Page(**bad)
