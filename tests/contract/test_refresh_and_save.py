"""`refresh()` and `save()`."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from pydantic import ConfigDict, field_validator
from support import Colour, unwrap

from sqliter.exceptions import (
    RecordFetchError,
    RecordInsertionError,
    RecordNotFoundError,
)
from sqliter.model import BaseDBModel


class Note(BaseDBModel):
    text: str
    size: int = 0
    tags: list[str] = []
    at: datetime | None = None

    class Meta:
        table_name = "notes"


class Strict(BaseDBModel):
    model_config = ConfigDict(frozen=True)
    text: str

    class Meta:
        table_name = "notes"

    @field_validator("text")
    @classmethod
    def refuse(cls, text: str) -> str:
        if text == "bad":
            raise ValueError(text)
        return text


async def noted(db: Any, **values: Any) -> tuple[Any, Any]:
    """Two instances of one row."""
    await db.create_table(Note)
    note = await db.insert(Note(text="old", **values))
    return note, await db.get(Note, note.pk)


# --- refresh ---


async def test_it_shows_what_others_wrote(db: Any) -> None:
    mine, theirs = await noted(db, tags=["a"])
    moment = datetime(2024, 5, 1, tzinfo=timezone.utc)
    theirs.text, theirs.size, theirs.tags, theirs.at = "new", 3, ["b"], moment
    await db.update(theirs)
    mine.size = 99
    assert await db.refresh(mine) is None
    assert mine == theirs
    assert mine.model_fields_set == theirs.model_fields_set


async def test_only_some_fields(db: Any) -> None:
    mine, theirs = await noted(db)
    theirs.text, theirs.size = "new", 3
    await db.update(theirs)
    mine.size = 99
    await db.refresh(mine, ["text"])
    assert (mine.text, mine.size) == ("new", 99)
    await db.update(mine)
    assert (await db.get(Note, mine.pk)).size == 99


async def test_a_record_fetched_in_part(db: Any) -> None:
    _, theirs = await noted(db)
    part = await db.select(Note, fields=["text"]).fetch_one()
    theirs.text, theirs.size = "new", 3
    await db.update(theirs)
    await db.refresh(part)
    assert part.text == "new"
    with pytest.raises(AttributeError, match="not selected"):
        _ = part.size
    await db.refresh(part, ["size"])
    assert part.size == 3


async def test_frozen_models_and_validators_are_no_obstacle(db: Any) -> None:
    note, _ = await noted(db)
    strict = await db.get(Strict, note.pk)
    note.text = "bad"
    await db.update(note)
    await db.refresh(strict)
    assert strict.text == "bad"


async def test_a_row_that_is_gone(db: Any) -> None:
    mine, theirs = await noted(db)
    await db.delete(Note, theirs.pk)
    with pytest.raises(RecordNotFoundError) as caught:
        await db.refresh(mine)
    assert (caught.value.key, caught.value.table) == (mine.pk, "notes")
    assert mine.text == "old"
    with pytest.raises(RecordNotFoundError):
        await db.refresh(Note(text="new"))


async def test_bad_fields_are_refused(db: Any) -> None:
    mine, _ = await noted(db)
    with pytest.raises(ValueError, match="Note has no such fields: txt"):
        await db.refresh(mine, ["txt"])
    with pytest.raises(TypeError, match="a list of field names"):
        await db.refresh(mine, "text")


async def test_a_value_that_does_not_fit(db: Any) -> None:
    mine, _ = await noted(db)
    await db.execute("UPDATE notes SET size = 'many'")
    with pytest.raises(RecordFetchError, match="size"):
        await db.refresh(mine)
    assert mine.size == 0


async def test_a_cache_is_no_answer(make_db: Any) -> None:
    db = make_db(cache_enabled=True)
    mine, _ = await noted(db)
    await db.get(Note, mine.pk)
    if unwrap(db).is_memory:
        await db.execute("UPDATE notes SET text = 'new'")
    else:
        from support import outside

        with outside(db) as connection:
            connection.execute("UPDATE notes SET text = 'new'")
    await db.refresh(mine)
    assert mine.text == "new"


async def test_a_rollback_restores_it(db: Any) -> None:
    mine, theirs = await noted(db)
    with pytest.raises(ZeroDivisionError):
        async with db:
            theirs.text = "new"
            await db.update(theirs)
            await db.refresh(mine)
            assert mine.text == "new"
            1 / 0
    assert mine.text == "old"
    mine.size = 5
    await db.update(mine)
    assert await db.get(Note, mine.pk) == mine


async def test_the_next_update_writes_what_was_changed_since(
    logged_db: Any, statements: Any
) -> None:
    mine, theirs = await noted(logged_db)
    theirs.text = "new"
    await logged_db.update(theirs)
    await logged_db.refresh(mine)
    mine.size = 4
    statements.clear()
    await logged_db.update(mine)
    (text,) = statements.statements
    assert '"text" =' not in text.split("WHERE")[0]


async def test_objects_of_changed_keys_are_forgotten(
    db: Any, library: Any, reach: Any
) -> None:
    await library.create(db)
    ada, bob = [await db.insert(library.Author(name=each)) for each in ("Ada", "Bob")]
    mine = await db.insert(library.Book(title="x", author=ada, editor=ada))
    theirs = await db.get(library.Book, mine.pk)
    theirs.author = bob
    await db.update(theirs)
    await db.refresh(mine)
    assert mine.author_id == bob.pk
    assert (await reach(mine.author)).name == "Bob"
    assert (await reach(mine.editor)).name == "Ada"
    mine.author = library.Author(name="unsaved")
    await db.refresh(mine, ["author"])
    assert (await reach(mine.author)).name == "Bob"
    await db.update(mine)


async def test_objects_come_back_with_a_rollback(
    db: Any, library: Any, reach: Any
) -> None:
    await library.create(db)
    ada, bob = [await db.insert(library.Author(name=each)) for each in ("Ada", "Bob")]
    mine = await db.insert(library.Book(title="x", author=ada))
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.update_where(library.Book, {"pk": mine.pk}, {"author_id": bob.pk})
            await db.refresh(mine)
            assert (await reach(mine.author)).name == "Bob"
            1 / 0
    assert mine.author_id == ada.pk
    assert (await reach(mine.author)).name == "Ada"


# --- save ---


async def test_a_new_record_is_inserted_and_an_old_one_updated(db: Any) -> None:
    await db.create_table(Note)
    note = Note(text="a")
    assert await db.save(note) is note
    assert note.pk == 1
    note.text = "b"
    assert await db.save(note) is note
    assert await db.select(Note).fetch_all() == [note]


async def test_a_key_that_is_not_there_is_not_inserted(db: Any) -> None:
    await db.create_table(Note)
    with pytest.raises(RecordNotFoundError):
        await db.save(Note(pk=7, text="a"))
    await db.save(Note(text="a"))
    with pytest.raises(RecordNotFoundError):
        await db.save(Note(pk=7, text="a"))
    with pytest.raises(RecordInsertionError, match="never_made"):
        await db.save(NeverMade(text="a"))


class NeverMade(Note):
    class Meta:
        table_name = "never_made"


async def test_saves_in_blocks_and_of_many(
    db: Any, together: Any, colour: Colour
) -> None:
    await db.create_table(Note)
    notes = [Note(text=str(n)) for n in range(20)]
    assert await together(*map(db.save, notes)) == notes
    for note in notes:
        note.size = 1
    await together(*map(db.save, notes))
    assert await db.select(Note).order("pk").filter(size=1).count() == 20
    new = Note(text="new")
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.save(new)
            await db.save(notes[0])
            1 / 0
    assert new.pk == 0


async def test_an_object_assigned_to_a_foreign_key(db: Any, library: Any) -> None:
    await library.create(db)
    ada = library.Author(name="Ada")
    book = library.Book(title="x", author=ada)
    with pytest.raises(RecordInsertionError, match="not saved"):
        await db.save(book)
    await db.save(ada)
    await db.save(book)
    assert (await db.get(library.Book, book.pk)).author_id == ada.pk
