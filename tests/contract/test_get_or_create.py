"""`get_or_create()` and `update_or_create()`."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, ConfigDict, ValidationError
from support import Colour, run_python

from sqliter.exceptions import (
    InvalidFilterError,
    InvalidUpdateError,
    RecordFetchError,
    RecordInsertionError,
)
from sqliter.model import BaseDBModel, unique


class Tag(BaseDBModel):
    name: Annotated[str, AfterValidator(str.lower), unique()]
    colour: str
    note: str | None = None
    size: int = 0

    class Meta:
        table_name = "tags"


class Row(BaseDBModel):
    model_config = ConfigDict(frozen=True)
    name: str
    note: str | None = None

    class Meta:
        table_name = "rows"


async def names(db: Any, model: Any = Tag) -> list[str]:
    return [each.name for each in await db.select(model).order("pk").fetch_all()]


async def test_it_is_made_once(db: Any) -> None:
    await db.create_table(Tag)
    tag, is_new = await db.get_or_create(Tag, {"colour": "red"}, name="sql")
    assert (tag.pk, tag.colour, is_new) == (1, "red", True)
    assert tag.created_at > 0
    again, is_new = await db.get_or_create(Tag, defaults={"colour": "blue"}, name="sql")
    assert (again, is_new) == (tag, False)
    assert again is not tag
    assert await names(db) == ["sql"]


async def test_what_exists_needs_no_defaults(db: Any) -> None:
    await db.create_table(Tag)
    await db.insert(Tag(name="sql", colour="red"))
    assert (await db.get_or_create(Tag, name="sql"))[1] is False
    with pytest.raises(ValidationError, match="colour"):
        await db.get_or_create(Tag, name="api")
    assert await names(db) == ["sql"]


async def test_values_are_looked_up_as_the_model_takes_them(db: Any) -> None:
    await db.create_table(Tag)
    tag, _ = await db.get_or_create(Tag, {"colour": "red"}, name="SQL")
    assert tag.name == "sql"
    assert (await db.get_or_create(Tag, name="Sql"))[0] == tag


async def test_several_fields_and_null(db: Any) -> None:
    await db.create_table(Row)
    one, _ = await db.get_or_create(Row, name="a", note=None)
    two, _ = await db.get_or_create(Row, name="a", note="x")
    assert (one.pk, two.pk) == (1, 2)
    assert await db.get_or_create(Row, name="a", note=None) == (one, False)
    assert await db.get_or_create(Row, pk=2) == (two, False)


@pytest.mark.parametrize("verb", ["get_or_create", "update_or_create"])
async def test_several_rows_are_an_error(db: Any, verb: str) -> None:
    await db.create_table(Row)
    await db.bulk_insert([Row(name="a"), Row(name="a")])
    with pytest.raises(
        RecordFetchError, match="several rows of table 'rows' have name"
    ):
        await getattr(db, verb)(Row, {"note": "x"}, name="a")
    assert await db.select(Row).filter(note="x").count() == 0


@pytest.mark.parametrize("verb", ["get_or_create", "update_or_create"])
@pytest.mark.parametrize(
    ("defaults", "lookup", "error"),
    [
        ({}, {}, InvalidFilterError),
        ({}, {"nam": "a"}, InvalidFilterError),
        ({}, {"name__startswith": "a"}, InvalidFilterError),
        ({}, {"created_at": 3}, InvalidFilterError),
        ({}, {"name": 7}, InvalidFilterError),
        ({"colr": "red"}, {"name": "a"}, InvalidUpdateError),
    ],
)
async def test_bad_arguments_are_refused(
    db: Any, verb: str, defaults: Any, lookup: Any, error: Any
) -> None:
    await db.create_table(Tag)
    for _ in range(2):
        with pytest.raises(error):
            await getattr(db, verb)(Tag, defaults, **lookup)
        assert await db.select(Tag).count() in (0, 1)
        await db.get_or_create(Tag, {"colour": "red"}, name="a")


async def test_another_constraint_is_an_error(db: Any) -> None:
    await db.create_table(Tag)
    await db.insert(Tag(name="sql", colour="red"))
    with pytest.raises(RecordInsertionError):
        await db.get_or_create(Tag, {"name": "sql"}, colour="blue")
    assert await names(db) == ["sql"]


async def test_defaults_are_written(db: Any, monkeypatch: Any) -> None:
    await db.create_table(Tag)
    monkeypatch.setattr("time.time", lambda: 1000)
    made = await db.update_or_create(Tag, {"colour": "red", "size": 3}, name="sql")
    monkeypatch.setattr("time.time", lambda: 2000)
    tag, is_new = await db.update_or_create(Tag, {"colour": "blue"}, name="SQL")
    assert (made[1], is_new) == (True, False)
    assert (tag.colour, tag.size, tag.created_at, tag.updated_at) == (
        "blue",
        3,
        1000,
        2000,
    )
    assert await db.get(Tag, tag.pk) == tag


async def test_written_values_are_validated(db: Any) -> None:
    await db.create_table(Tag)
    await db.insert(Tag(name="sql", colour="red"))
    with pytest.raises(InvalidUpdateError, match="size"):
        await db.update_or_create(Tag, {"size": "many"}, name="sql")
    tag, _ = await db.update_or_create(Tag, {"name": "NEW", "size": "7"}, name="sql")
    assert (tag.name, tag.size) == ("new", 7)
    with pytest.raises(InvalidUpdateError, match="primary key"):
        await db.update_or_create(Tag, {"pk": 7}, name="new")


async def test_frozen_models_can_be_written(db: Any) -> None:
    await db.create_table(Row)
    await db.get_or_create(Row, name="a")
    row, _ = await db.update_or_create(Row, {"note": "x"}, name="a")
    assert (row.note, await db.get(Row, 1)) == ("x", row)


async def test_a_rollback_takes_it_back(db: Any) -> None:
    await db.create_table(Tag)
    with pytest.raises(ZeroDivisionError):
        async with db:
            tag, _ = await db.get_or_create(Tag, {"colour": "red"}, name="sql")
            assert (await db.get_or_create(Tag, name="sql"))[0].pk == tag.pk == 1
            await db.update_or_create(Tag, {"colour": "blue"}, name="sql")
            1 / 0
    assert tag.pk == 0
    assert await names(db) == []


async def test_caches_are_told(make_db: Any) -> None:
    db = make_db(cache_enabled=True)
    await db.create_table(Tag)
    assert await names(db) == []
    await db.get_or_create(Tag, {"colour": "red"}, name="a")
    assert await names(db) == ["a"]
    assert (await db.select(Tag).fetch_all())[0].colour == "red"
    await db.update_or_create(Tag, {"colour": "blue"}, name="a")
    assert (await db.select(Tag).fetch_all())[0].colour == "blue"


async def test_objects_can_be_looked_up(db: Any, library: Any) -> None:
    await library.create(db)
    ada = await db.insert(library.Author(name="Ada"))
    bob = await db.insert(library.Author(name="Bob"))
    book, _ = await db.get_or_create(library.Book, title="Notes", author=ada)
    assert book.author_id == ada.pk
    found, is_new = await db.get_or_create(library.Book, title="Notes", author=ada)
    assert (found.pk, is_new) == (book.pk, False)
    found, is_new = await db.update_or_create(
        library.Book, {"author": bob, "editor": None}, title="Notes"
    )
    assert (found.author_id, is_new) == (bob.pk, False)
    with pytest.raises(InvalidFilterError):
        await db.get_or_create(library.Book, author=library.Author(name="new"))
    with pytest.raises(ValueError, match="is not saved"):
        await db.update_or_create(
            library.Book, {"author": library.Author(name="new")}, title="Notes"
        )


@pytest.mark.parametrize("model", [Tag, Row])
async def test_many_at_once_make_one(db: Any, together: Any, model: Any) -> None:
    await db.create_table(model)
    defaults = {"colour": "red"} if model is Tag else {}
    calls = (db.get_or_create(model, defaults, name=f"n{n % 5}") for n in range(50))
    found = await together(*calls)
    assert sorted(await names(db, model)) == [f"n{n}" for n in range(5)]
    assert sum(is_new for _, is_new in found) == 5


PROGRAM = """
import asyncio, sys
from typing import Annotated
from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.model import BaseDBModel

class Row(BaseDBModel):
    name: str
    note: str | None = None

    class Meta:
        table_name = "rows"

colour, path = sys.argv[1:]

async def main():
    db = AsyncSqliterDB(path, busy_timeout=20)
    for n in range(100):
        await db.get_or_create(Row, name=str(n))
        await db.update_or_create(Row, {"note": "x"}, name=f"u{n}")
    await db.close()

def block():
    db = SqliterDB(path, busy_timeout=20)
    for n in range(100):
        db.get_or_create(Row, name=str(n))
        db.update_or_create(Row, {"note": "x"}, name=f"u{n}")

asyncio.run(main()) if colour == "async" else block()
"""


@pytest.mark.only("file")
async def test_many_processes_make_one(
    db: Any, colour: Colour, together: Any, tmp_path: Any
) -> None:
    import asyncio

    await db.create_table(Row)
    path = db.filename
    await db.close()
    calls = (asyncio.to_thread(run_python, PROGRAM, colour, path) for _ in range(3))
    await asyncio.gather(*calls)
    assert len(set(await names(db, Row))) == len(await names(db, Row)) == 200


async def test_it_is_one_transaction(logged_db: Any, statements: Any) -> None:
    await logged_db.create_table(Row)
    statements.clear()
    await logged_db.get_or_create(Row, name="a")
    assert [each.split()[0] for each in statements.statements] == ["SELECT", "INSERT"]
    statements.clear()
    await logged_db.get_or_create(Row, name="a")
    assert [each.split()[0] for each in statements.statements] == ["SELECT"]


@pytest.mark.only("file")
async def test_what_exists_is_found_while_others_write(db: Any, apart: Any) -> None:
    await db.create_table(Tag)
    tag, _ = await db.get_or_create(Tag, {"colour": "red"}, name="sql")
    assert await db.get(Tag, tag.pk) == tag  # there is a reader
    async with db:
        await db.insert(Tag(name="api", colour="red"))
        assert await apart(db.get_or_create(Tag, name="sql")) == (tag, False)
