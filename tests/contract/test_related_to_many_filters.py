"""`filter()` along reverse keys and many-to-many: rows that have such a related row, each once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from contract.library import initials, keys, library, stocked
from support import Colour

from sqliter.exceptions import InvalidFilterError, InvalidRelationshipError

pytestmark = pytest.mark.only("memory")  # what is asked is the same in a file

AUTHORS = [
    ({"books__title": "Emma"}, "J"),
    ({"books__title": "Nothing"}, ""),
    ({"books__title__ne": "Emma"}, "JS"),
    ({"books__title__in": ["Emma", "Solaris"]}, "JS"),
    ({"books__title__in": []}, ""),
    ({"books__title__icontains": "FIAS"}, "S"),
    ({"books__pages__gt": 350}, "J"),
    ({"books__pages__gte": 200}, "JS"),
    ({"books__pk": 4}, "S"),
    ({"books__published": None}, "J"),
    ({"books__published__isnull": False}, "JS"),
    ({"books__published": date(1987, 5, 1)}, "S"),
    ({"books__published__lt": date(1900, 1, 1)}, "J"),
    ({"edited__title": "Emma"}, "A"),
    ({"edited__title": "Fiasco"}, "J"),
    ({"books__author__name": "Jane"}, "J"),
    ({"books__editor__name": "Ada"}, "J"),
    ({"books__editor__name": None}, "JS"),
    ({"books__editor": None}, "JS"),
    ({"books__editor__country__name": "England"}, "JS"),
    ({"books__comments__stars": 5}, "J"),
    ({"books__comments__stars__gte": 1}, "JS"),
    ({"books__comments__text": "bad"}, "JS"),
    ({"books__comments__isnull": True}, "J"),
    ({"books__tags__name": "space"}, "S"),
    ({"books__tags__name": "classic"}, "JS"),
    ({"books__tags__isnull": True}, "J"),
    ({"country__authors__name": "Ada"}, "JA"),
    ({"country__authors__books__title": "Emma"}, "JA"),
]


@pytest.mark.parametrize(("conditions", "expected"), AUTHORS)
async def test_authors_by_what_they_have(
    db: Any, colour: Colour, conditions: dict[str, Any], expected: str
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).filter(**conditions)
    assert await initials(query) == expected
    assert await query.count() == len(expected)
    assert await query.exists() == bool(expected)


BOOKS = [
    ({"tags__name": "classic"}, "ES"),
    ({"tags__name__startswith": "sp"}, "SF"),
    ({"tags__name__in": ["classic", "space"]}, "ESF"),
    ({"tags__name__ne": "classic"}, "SF"),
    ({"tags": 2}, "SF"),
    ({"tags": 3}, ""),
    ({"tags__in": [1, 2]}, "ESF"),
    ({"tags__in": []}, ""),
    ({"tags__pk__lt": 2}, "ES"),
    ({"tags__isnull": True}, "P"),
    ({"tags__isnull": False}, "ESF"),
    ({"tags__notnull": True}, "ESF"),
    ({"comments__text": "bad"}, "EF"),
    ({"comments__stars": None}, "F"),
    ({"comments__isnull": True}, "P"),
    ({"comments": 3}, "S"),
    ({"comments__in": [1, 2, 5]}, "EF"),
    ({"author__books__title": "Persuasion"}, "EP"),
    ({"author__books__tags__name": "space"}, "SF"),
    ({"author__edited__isnull": True}, "SF"),
    ({"editor__books__title": "Emma"}, "F"),
    ({"editor__edited__title": "Emma"}, "E"),
    ({"tags__books__title": "Fiasco"}, "SF"),
    ({"author__country__authors__name": "Ada"}, "EP"),
    ({"author__name": "Stan", "tags__name": "classic"}, "S"),
    ({"author__name": "Jane", "tags__name": "space"}, ""),
    ({"pages__gt": 250, "tags__name": "space", "comments__text": "bad"}, "F"),
]


@pytest.mark.parametrize(("conditions", "expected"), BOOKS)
async def test_books_by_what_they_have(
    db: Any, colour: Colour, conditions: dict[str, Any], expected: str
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(**conditions)
    assert await initials(query) == expected
    assert await query.count() == len(expected)


TAGS = [
    ({"books__title": "Solaris"}, "cs"),
    ({"books__author__country__name": "England"}, "c"),
    ({"books__author__name": "Stan", "books__pages": 350}, "s"),
    ({"books__isnull": True}, "u"),
    ({"books__comments__stars": 5}, "c"),
    ({"books": 4}, "s"),
]


@pytest.mark.parametrize(("conditions", "expected"), TAGS)
async def test_tags_by_what_has_them(
    db: Any, colour: Colour, conditions: dict[str, Any], expected: str
) -> None:
    lib = await stocked(db, colour)
    assert await initials(db.select(lib.Tag).filter(**conditions)) == expected


PEOPLE = [
    ({"follows__name": "Quinn"}, "P"),
    ({"follows__name": "Rob"}, "PR"),
    ({"follows__name": "Pia"}, "Q"),
    ({"follows__isnull": True}, "S"),
    ({"followers__name": "Pia"}, "QR"),
    ({"followers__name": "Rob"}, "R"),
    ({"followers__isnull": True}, "S"),
    ({"follows__follows__name": "Pia"}, "P"),
    ({"followers__followers__name": "Pia"}, "PR"),
    ({"follows__followers__name": "Rob"}, "PR"),
    ({"friends__name": "Pia"}, "PQR"),
    ({"friends__name": "Quinn"}, "PR"),
    ({"friends__name": "Rob"}, "PQ"),
    ({"friends__isnull": True}, "S"),
    ({"friends__follows__name": "Quinn"}, "PQR"),
]


@pytest.mark.parametrize(("conditions", "expected"), PEOPLE)
async def test_people_by_their_people(
    db: Any, colour: Colour, conditions: dict[str, Any], expected: str
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Person).filter(**conditions)
    assert await initials(query) == expected
    assert await query.count() == len(expected)


NODES = [
    ({"children__name": "left"}, "t"),
    ({"children__children__name": "seed"}, "t"),
    ({"children__isnull": True}, "rs"),
    ({"parent__children__name": "right"}, "lr"),
    ({"children__parent__name": "trunk"}, "t"),
]


@pytest.mark.parametrize(("conditions", "expected"), NODES)
async def test_a_tree_is_descended(
    db: Any, colour: Colour, conditions: dict[str, Any], expected: str
) -> None:
    lib = await stocked(db, colour)
    assert await initials(db.select(lib.Node).filter(**conditions)) == expected


# One call means one related row

SAME = [
    ("Author", {"books__title": "Emma", "books__pages": 300}, "J"),
    ("Author", {"books__title": "Persuasion", "books__comments__text": "good"}, "J"),
    ("Author", {"books__comments__text": "good", "books__comments__stars": 1}, "J"),
    ("Author", {"books__editor__name": "Ada", "books__pages__lt": 400}, "J"),
    ("Author", {"books__tags__name": "space", "books__title": "Emma"}, ""),
    ("Book", {"tags__name": "classic", "tags__pk": 2}, "S"),
    ("Book", {"tags": 1, "tags__name": "space"}, "S"),
    ("Book", {"author__books__title": "Emma", "author__books__pages": 300}, "EP"),
    ("Person", {"follows__name": "Quinn", "follows__pk": 3}, "P"),
]


@pytest.mark.parametrize(("model", "conditions", "apart"), SAME)
async def test_one_call_means_the_same_row_and_two_calls_any_rows(
    db: Any, colour: Colour, model: str, conditions: dict[str, Any], apart: str
) -> None:
    lib = await stocked(db, colour)
    model = getattr(lib, model)
    assert await initials(db.select(model).filter(**conditions)) == ""
    query = db.select(model)
    for key, value in conditions.items():
        query.filter(**{key: value})
    assert await initials(query) == apart


async def test_the_same_row_meets_all_conditions(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).filter(books__title="Emma", books__pages=400)
    assert await initials(query) == "J"
    query = db.select(lib.Author).filter(
        books__title="Solaris", books__tags__name="space", books__comments__stars=3
    )
    assert await initials(query) == "S"


# Objects

OBJECTS: list[tuple[str, Any, str]] = [
    ("Book", lambda lib, one: {"tags": one(lib.Tag, 2)}, "SF"),
    ("Book", lambda lib, one: {"tags__in": [one(lib.Tag, 1), 2]}, "ESF"),
    ("Book", lambda lib, one: {"comments": one(lib.Comment, 5)}, "F"),
    ("Author", lambda lib, one: {"books": one(lib.Book, 1)}, "J"),
    ("Author", lambda lib, one: {"books__in": [one(lib.Book, 1), 4]}, "JS"),
    ("Author", lambda lib, one: {"books__tags": one(lib.Tag, 2)}, "S"),
    ("Person", lambda lib, one: {"followers": one(lib.Person, 1)}, "QR"),
    ("Person", lambda lib, one: {"friends": one(lib.Person, 3)}, "PQ"),
]


@pytest.mark.defect("D-42")
@pytest.mark.parametrize(("model", "conditions", "expected"), OBJECTS)
async def test_objects_stand_for_their_keys(
    db: Any, colour: Colour, model: str, conditions: Any, expected: str
) -> None:
    lib = await stocked(db, colour)
    found = conditions(lib, lambda model, pk: model.model_construct(pk=pk))
    assert await initials(db.select(getattr(lib, model)).filter(**found)) == expected


async def test_an_object_of_another_model_is_refused(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    tag = await db.get(lib.Tag, 1)
    with pytest.raises((InvalidFilterError, TypeError)):
        db.select(lib.Author).filter(books=tag)
    with pytest.raises((InvalidFilterError, TypeError)):
        db.select(lib.Author).filter(books__in=[1, tag])


# Beside other parts of a query


async def test_the_window_counts_rows_once(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).filter(books__pages__gt=0).order("-name")
    assert [row.name for row in await query.limit(2).fetch_all()] == ["Stan", "Jane"]
    assert (await query.clone().offset(1).fetch_one()).name == "Jane"
    assert (await query.fetch_last()).name == "Jane"
    assert await query.count() == 2


async def test_keys_that_are_null_hide_nobody(db: Any, colour: Colour) -> None:
    """`pk NOT IN (SELECT editor_id …)` would find nobody: two books have no editor."""
    lib = await stocked(db, colour)
    assert await initials(db.select(lib.Author).filter(edited__isnull=True)) == "S"
    assert await keys(db.select(lib.Book).filter(comments__isnull=True)) == [3]


async def test_who_has_no_editor_has_no_editors_books(db: Any, colour: Colour) -> None:
    """The same whether or not anybody has books."""
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(editor__books__isnull=True)
    assert await initials(query) == "ESP"
    assert (
        await initials(db.select(lib.Book).filter(editor__books__isnull=False)) == "F"
    )
    query = db.select(lib.Node).filter(parent__children__isnull=True)
    assert await initials(query) == "t"
    await db.select(lib.Comment).delete()
    query = db.select(lib.Comment).filter(book__comments__isnull=True)
    await db.insert(lib.Comment(text="stray"))
    assert await query.count() == 1


async def test_a_new_link_is_seen_at_once(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(tags__name="unused")
    assert await initials(query) == ""
    emma, unused = await db.get(lib.Book, 1), await db.get(lib.Tag, 3)
    await lib.many(emma.tags).add(unused)
    assert await initials(query) == "E"
    await lib.many(unused.books).clear()
    assert await initials(query) == ""


async def test_a_manager_narrows_along_relations(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    space = await db.get(lib.Tag, 2)
    books = lib.many(space.books).filter(author__books__comments__stars=3)
    assert await initials(books) == "SF"
    stan = await db.get(lib.Author, 2)
    books = lib.many(stan.books).filter(tags__name="classic")
    assert [book.title for book in await books.fetch_all()] == ["Solaris"]


async def test_paths_that_lead_nowhere(db: Any, colour: Colour) -> None:
    lib = library(colour)
    for key, path, segment, model in (
        ("books__nope__name", "books__nope", "nope", "Book"),
        ("books__tags__nope__name", "books__tags__nope", "nope", "Tag"),
    ):
        with pytest.raises(InvalidRelationshipError) as caught:
            db.select(lib.Author).filter(**{key: 1})
        assert f"path '{path}': field '{segment}'" in str(caught.value)
        assert str(caught.value).endswith(f"on model {model}")
    for key, model in (("books__nope", "Book"), ("books__tags__nope", "Tag")):
        with pytest.raises(InvalidFilterError) as caught:
            db.select(lib.Author).filter(**{key: 1})
        assert f"{key} - field 'nope' not found in {model}" in str(caught.value)
