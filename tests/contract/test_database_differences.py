"""An update writes what was changed, and the row is what the object is all the same."""

import copy
import pickle

import pytest

from sqliter.exceptions import RecordUpdateError
from sqliter.model import BaseDBModel


class Part(BaseDBModel):
    name: str = "bolt"
    weight: float = 1.5
    count: int = 3
    note: str | None = None

    class Meta:
        table_name = "parts"
        indexes = ("name",)


async def stored(db):
    (row,) = await db.fetch("SELECT name, weight, count, note FROM parts")
    return tuple(row.values())


async def fetched(db):
    """A part as it comes from the file."""
    await db.create_table(Part)
    await db.insert(Part())
    return await db.get(Part, 1)


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({"name": "nut"}, ("nut", 1.5, 3, None)),
        ({"weight": 2.0, "note": "x"}, ("bolt", 2.0, 3, "x")),
        ({"count": 0}, ("bolt", 1.5, 0, None)),
        ({}, ("bolt", 1.5, 3, None)),
    ],
)
async def test_what_was_changed_is_in_the_row(db, changes, row):
    part = await fetched(db)
    for name, value in changes.items():
        setattr(part, name, value)
    await db.update(part)
    assert await stored(db) == row
    assert await db.get(Part, 1) == part


async def test_what_others_wrote_meanwhile_is_overwritten(db):
    """As ever: the row is what the object is."""
    part = await fetched(db)
    await db.execute("UPDATE parts SET note = 'by others', count = 99")
    part.name = "nut"
    await db.update(part)
    assert await stored(db) == ("nut", 1.5, 3, None)
    assert await db.get(Part, 1) == part


async def test_so_is_a_row_of_another_database(db, make_db):
    part = await fetched(db)
    other = make_db()
    await other.create_table(Part)
    await other.insert(Part(name="gear", weight=9.0, count=9, note="other"))
    part.count = 4
    await other.update(part)
    assert await stored(other) == ("bolt", 1.5, 4, None)


async def test_what_was_rolled_back_is_written_again(db):
    part = await fetched(db)
    part.name = "nut"
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.update(part)
            raise ZeroDivisionError
    assert await stored(db) == ("bolt", 1.5, 3, None)
    part.count = 4
    await db.update(part)
    assert await stored(db) == ("nut", 1.5, 4, None)


@pytest.mark.parametrize(
    "twin",
    [
        copy.copy,
        copy.deepcopy,
        lambda part: part.model_copy(),
        lambda part: pickle.loads(pickle.dumps(part)),
        lambda part: Part.model_validate(part.model_dump()),
    ],
)
async def test_copies_are_written_as_well(db, twin):
    part = await fetched(db)
    other = twin(part)
    other.name, other.weight = "nut", -0.0
    await db.update(other)
    assert await stored(db) == ("nut", 0.0, 3, None)


async def test_one_after_another(db):
    part = await fetched(db)
    for n in range(5):
        part.count = n
        await db.update(part)
        part.note = None if n % 2 else str(n)
        await db.update(part)
        assert await stored(db) == ("bolt", 1.5, n, part.note)
    new = await db.insert(Part(name="new"))
    new.name = "newer"
    await db.update(new)
    assert await db.get(Part, 2) == new


async def test_columns_that_are_the_same_are_not_written(make_db):
    db = make_db()
    await db.create_table(Part)
    await db.insert(Part())
    part = await db.get(Part, 1)
    await db.execute(
        "CREATE TRIGGER named AFTER UPDATE OF name ON parts BEGIN "
        "SELECT raise(ABORT, 'the name was written'); END"
    )
    part.count = 7
    await db.update(part)
    assert await stored(db) == ("bolt", 1.5, 7, None)
    part.name = "nut"
    with pytest.raises(RecordUpdateError, match="the name was written"):
        await db.update(part)
