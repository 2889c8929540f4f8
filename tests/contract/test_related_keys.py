"""`filter()` on a foreign key itself: objects, numbers and `None`, without any join."""

from __future__ import annotations

from typing import Any

import pytest
from contract.library import initials, keys, stocked
from support import Colour

from sqliter.exceptions import InvalidFilterError

pytestmark = pytest.mark.only("memory")  # what is asked is the same in a file

KEYS: list[tuple[Any, str]] = [
    (lambda jane: {"author": jane}, "EP"),
    (lambda jane: {"author__eq": jane}, "EP"),
    (lambda jane: {"author": 1}, "EP"),
    (lambda jane: {"author": 99}, ""),
    (lambda jane: {"author": None}, ""),
    (lambda jane: {"author__ne": jane}, "SF"),
    (lambda jane: {"author__in": [jane, 99, None]}, "EP"),
    (lambda jane: {"author__not_in": [jane]}, "SF"),
    (lambda jane: {"author__isnull": False}, "ESPF"),
    (lambda jane: {"author__isnull": True}, ""),
    (lambda jane: {"author_id": jane}, "EP"),
    (lambda jane: {"author_id__in": [jane, 2]}, "ESPF"),
    (lambda jane: {"author_id__ne": jane}, "SF"),
    (lambda jane: {"author_id": 2}, "SF"),
    (lambda jane: {"editor": jane}, "F"),
    (lambda jane: {"editor": None}, "SP"),
    (lambda jane: {"editor__ne": jane}, "E"),
    (lambda jane: {"editor__ne": None}, "EF"),
    (lambda jane: {"editor__in": [jane, 3, None]}, "ESPF"),
    (lambda jane: {"editor__in": (3, None)}, "ESP"),
    (lambda jane: {"editor__not_in": [3]}, "F"),
    (lambda jane: {"editor__isnull": True}, "SP"),
    (lambda jane: {"editor__isnull": False}, "EF"),
    (lambda jane: {"editor__notnull": True}, "EF"),
    (lambda jane: {"editor_id__isnull": True}, "SP"),
    (lambda jane: {"author__country": 2}, "SF"),
    (lambda jane: {"editor__country__isnull": True}, "SP"),
]


@pytest.mark.defect("D-42")
@pytest.mark.parametrize(("conditions", "expected"), KEYS)
async def test_a_key_is_compared_with_objects_and_numbers(
    db: Any, colour: Colour, conditions: Any, expected: str
) -> None:
    lib = await stocked(db, colour)
    jane = await db.get(lib.Author, 1)
    assert await initials(db.select(lib.Book).filter(**conditions(jane))) == expected


@pytest.mark.defect("D-42")
async def test_a_key_in_a_column_of_another_name(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    emma = await db.get(lib.Book, 1)
    for conditions in ({"book": emma}, {"book_id": 1}, {"book__pk": 1}):
        assert await keys(db.select(lib.Comment).filter(**conditions)) == [1, 2]
    assert await keys(db.select(lib.Comment).filter(book=None)) == [4]
    with pytest.raises(InvalidFilterError):
        db.select(lib.Comment).filter(about=1)


@pytest.mark.defect("D-42")
async def test_an_object_two_hops_away(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    jane = await db.get(lib.Author, 1)
    assert await keys(db.select(lib.Comment).filter(book__author=jane)) == [1, 2]
    assert await keys(db.select(lib.Comment).filter(book__editor=jane)) == [5]
    assert await keys(db.select(lib.Comment).filter(book__editor=None)) == [3, 4]


@pytest.mark.defect("D-42")
async def test_what_is_no_author_is_refused(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    emma = await db.get(lib.Book, 1)
    for key, value in (("author", emma), ("author", "Jane"), ("author__in", [emma])):
        with pytest.raises((InvalidFilterError, TypeError)):
            db.select(lib.Book).filter(**{key: value})


async def test_groups_are_filtered_by_a_key(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    stan = await db.get(lib.Author, 2)
    query = db.select(lib.Book).group_by("pages").filter(author=stan).order("pages")
    assert await query.fetch_dicts() == [{"pages": 200}, {"pages": 350}]
