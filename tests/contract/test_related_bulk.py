"""`update()` and `delete()` of the rows that a filter along relations finds."""

from __future__ import annotations

from typing import Any

import pytest
from contract.library import initials, keys, stocked
from support import Colour

from sqliter.exceptions import InvalidFilterError, InvalidUpdateError

FILTERS = [
    ("Book", {"author__name": "Jane"}, [1, 3]),
    ("Book", {"author__country__name": "Poland"}, [2, 4]),
    ("Book", {"author__age": None, "pages__gt": 300}, [4]),
    ("Book", {"editor__name": None}, [2, 3]),
    ("Book", {"editor__country__name": "England"}, [1, 4]),
    ("Book", {"tags__name": "space"}, [2, 4]),
    ("Book", {"tags__isnull": True}, [3]),
    ("Book", {"comments__text": "bad"}, [1, 4]),
    ("Book", {"comments__text": "nothing"}, []),
    ("Book", {"author__books__title": "Emma"}, [1, 3]),
    ("Book", {"author": 2}, [2, 4]),
    ("Book", {"editor__isnull": True}, [2, 3]),
    ("Comment", {"book__author__country__name": "Poland"}, [3, 5]),
    ("Comment", {"book__tags__name": "classic"}, [1, 2, 3]),
    ("Comment", {"book__comments__stars": 5}, [1, 2]),
    ("Person", {"followers__name": "Pia"}, [2, 3]),
    ("Person", {"friends__name": "Quinn"}, [1, 3]),
    ("Node", {"parent__name": "trunk"}, [2, 3]),
    ("Node", {"children__isnull": True}, [3, 4]),
]
TEXTS = {"Book": "title", "Comment": "text", "Person": "name", "Node": "name"}


@pytest.mark.defect("D-50")
@pytest.mark.parametrize(("model", "conditions", "expected"), FILTERS)
async def test_update_changes_what_the_filter_finds(
    db: Any, colour: Colour, model: str, conditions: dict[str, Any], expected: list[int]
) -> None:
    lib = await stocked(db, colour)
    text, model = TEXTS[model], getattr(lib, model)
    query = db.select(model).filter(**conditions)
    assert await query.update({text: "changed"}) == len(expected)
    assert await keys(db.select(model).filter(**{text: "changed"})) == expected


@pytest.mark.defect("D-50")
@pytest.mark.parametrize(("model", "conditions", "expected"), FILTERS)
async def test_delete_deletes_what_the_filter_finds(
    db: Any, colour: Colour, model: str, conditions: dict[str, Any], expected: list[int]
) -> None:
    lib = await stocked(db, colour)
    model = getattr(lib, model)
    if model is lib.Node:
        await db.update_where(model, {"name": "seed"}, {"parent_id": None})
        expected = [2, 3] if "parent__name" in conditions else [2, 3, 4]
    before = await keys(db.select(model))
    assert await db.select(model).filter(**conditions).delete() == len(expected)
    left = [key for key in before if key not in expected]
    assert await keys(db.select(model)) == left


@pytest.mark.defect("D-50")
async def test_update_where_takes_paths(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    where = {"author__name": "Stan", "tags__name": "classic"}
    assert await db.update_where(lib.Book, where, {"pages": 1}) == 1
    assert await initials(db.select(lib.Book).filter(pages=1)) == "S"


async def test_an_update_may_change_what_it_filters_by(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(author__name="Jane")
    assert await query.update({"author_id": 2}) == 2
    assert await query.count() == 0
    assert await db.select(lib.Book).filter(author__name="Stan").count() == 4


async def test_a_key_in_a_column_of_another_name_is_updated(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Comment).filter(book__title="Solaris")
    assert await query.update({"book_id": 3}) == 1
    assert await keys(db.select(lib.Comment).filter(book__title="Persuasion")) == [3]


@pytest.mark.defect("D-50")
async def test_select_related_does_not_matter(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).select_related("author__country", "editor")
    query.prefetch_related("tags")
    assert await query.clone().filter(pages__lt=300).update({"pages": 1}) == 1
    assert await query.clone().filter(author__name="Jane").update({"pages": 2}) == 2
    assert await query.filter(pages=2).delete() == 2
    assert await initials(db.select(lib.Book)) == "SF"


async def test_a_joined_row_is_counted_and_changed_once(
    db: Any, colour: Colour
) -> None:
    """Emma has two comments with stars."""
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(comments__stars__gte=1, pages=400)
    assert await query.update({"pages": 7}) == 1
    query = db.select(lib.Book).filter(comments__stars__gte=1, pages=7)
    assert await query.delete() == 1


async def test_nothing_to_write(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(author__name="Jane")
    assert await query.update({}) == 0
    with pytest.raises(InvalidUpdateError):
        await query.update({"pk": 1})
    with pytest.raises(InvalidUpdateError, match="aa, zz"):
        await query.update({"zz": 1, "aa": 1})


async def test_the_moment_of_the_change_is_kept(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(author__name="Jane")
    await query.update({"updated_at": 7})
    assert await initials(db.select(lib.Book).filter(updated_at=7)) == "EP"
    await query.filter(tags__name="classic").update({"pages": 1})
    assert await initials(db.select(lib.Book).filter(updated_at=7)) == "P"


@pytest.mark.defect("D-38")
async def test_the_database_of_an_object_cannot_be_written(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    with pytest.raises(InvalidUpdateError, match="db_context"):
        await db.select(lib.Book).update({"db_context": None})


@pytest.mark.defect("D-45")
async def test_a_wrong_path_is_named(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    with pytest.raises(InvalidFilterError) as caught:
        await db.update_where(lib.Book, {"author__nope": 1}, {"pages": 1})
    assert "author__nope - field 'nope' not found in Author" in str(caught.value)
    assert "Bulk" not in str(caught.value)
    assert await db.select(lib.Book).filter(pages=1).count() == 0


async def test_a_delete_in_a_block_is_undone_with_it(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    with pytest.raises(ZeroDivisionError):
        async with db:
            assert await db.select(lib.Book).filter(tags__name="space").delete() == 2
            raise ZeroDivisionError
    assert await initials(db.select(lib.Book).filter(tags__name="space")) == "SF"
