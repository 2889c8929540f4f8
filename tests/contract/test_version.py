"""`Meta.version`: rows that count their updates, and changes that came too late."""

from __future__ import annotations

import pickle
from typing import Annotated, Any

import pytest
from pydantic import ConfigDict

from sqliter.exceptions import (
    InvalidUpdateError,
    RecordInsertionError,
    RecordNotFoundError,
    RecordUpdateError,
    StaleRecordError,
)
from sqliter.model import BaseDBModel, unique


class Page(BaseDBModel):
    name: Annotated[str, unique()]
    text: str = ""
    revision: int = 0
    size: float = 0.0

    class Meta:
        table_name = "pages"
        version = "revision"


class Frozen(BaseDBModel):
    model_config = ConfigDict(frozen=True)
    name: str
    revision: int = 0

    class Meta:
        table_name = "frozen"
        version = "revision"


async def pair(db: Any) -> tuple[Any, Any]:
    """Two instances of one row."""
    await db.create_table(Page)
    page = await db.insert(Page(name="a", text="old"))
    return page, await db.get(Page, page.pk)


async def row(db: Any, pk: int = 1) -> Any:
    return await db.get(Page, pk)


@pytest.fixture(params=["debug", "cache_enabled", "auto_commit"])
def db(request: pytest.FixtureRequest, make_db: Any) -> Any:
    """Databases that have more to regard, and one that may write at once."""
    return make_db(**{request.param: True})


async def test_an_update_counts(db: Any) -> None:
    mine, _ = await pair(db)
    for number in range(1, 4):
        mine.text = str(number)
        await db.update(mine)
        assert mine.revision == number
        assert await row(db) == mine
    await db.update(mine)
    assert (mine.revision, await row(db)) == (4, mine)


@pytest.mark.parametrize("verb", ["update", "save"])
async def test_a_change_that_came_too_late(db: Any, verb: str) -> None:
    mine, theirs = await pair(db)
    theirs.text = "theirs"
    await db.update(theirs)
    mine.text = "mine"
    for _ in range(2):
        with pytest.raises(StaleRecordError, match="changed by others") as caught:
            await getattr(db, verb)(mine)
        error = caught.value
        assert (error.table, error.key, error.expected, error.found) == (
            "pages",
            1,
            0,
            1,
        )
        assert isinstance(error, RecordUpdateError)
        assert vars(pickle.loads(pickle.dumps(error)))["found"] == 1
        assert (mine.revision, mine.text) == (0, "mine")
    assert await row(db) == theirs
    await db.refresh(mine)
    mine.text = "mine"
    await getattr(db, verb)(mine)
    assert (mine.revision, await row(db)) == (2, mine)


async def test_an_instance_that_was_made_by_hand(db: Any) -> None:
    mine, _ = await pair(db)
    await db.update(Page(pk=mine.pk, name="b"))
    with pytest.raises(StaleRecordError):
        await db.update(Page(pk=mine.pk, name="c"))
    await db.update(Page(pk=mine.pk, name="c", revision=1))
    assert (await row(db)).revision == 2


async def test_a_row_that_is_gone(db: Any) -> None:
    mine, _ = await pair(db)
    await db.delete(Page, mine.pk)
    with pytest.raises(RecordNotFoundError):
        await db.update(mine)
    with pytest.raises(RecordNotFoundError):
        await db.bulk_update([mine], ["text"])


async def test_others_may_write_without_counting(db: Any) -> None:
    mine, _ = await pair(db)
    await db.execute("UPDATE pages SET text = 'raw'")
    mine.size = 4.0
    await db.update(mine)
    assert await row(db) == mine


async def test_a_rollback_takes_the_number_back(db: Any) -> None:
    mine, _ = await pair(db)
    with pytest.raises(ZeroDivisionError):
        async with db:
            mine.text = "new"
            await db.update(mine)
            await db.bulk_update([mine], ["text"])
            assert mine.revision == 2
            1 / 0
    assert mine.revision == 0
    await db.update(mine)
    assert (mine.revision, await row(db)) == (1, mine)


async def test_frozen_and_partial_records(db: Any) -> None:
    await pair(db)
    await db.create_table(Frozen)
    frozen = await db.insert(Frozen(name="a"))
    await db.update(frozen)
    assert frozen.revision == 1
    part = await db.select(Page, fields=["text", "revision"]).fetch_one()
    part.text = "part"
    await db.update(part)
    assert ((await row(db)).revision, (await row(db)).text) == (1, "part")
    part = await db.select(Page, fields=["text"]).fetch_one()
    with pytest.raises(RecordUpdateError, match="'revision' of the record is None"):
        await db.update(part)


async def test_many(db: Any) -> None:
    await db.create_table(Page)
    mine = await db.bulk_insert([Page(name=str(n)) for n in range(250)])
    for page in mine:
        page.text = "mine"
    assert await db.bulk_update(mine, ["text", "revision"]) == 250
    assert {each.revision for each in mine} == {1}
    assert await db.select(Page).order("pk").fetch_all() == mine
    theirs = await row(db, mine[120].pk)
    await db.update(theirs)
    for page in mine:
        page.text = "late"
    with pytest.raises(StaleRecordError) as caught:
        await db.bulk_update(mine, ["text"])
    assert (caught.value.key, caught.value.found) == (theirs.pk, 2)
    assert {each.revision for each in mine} == {1}
    assert await db.select(Page).filter(text="late").count() == 0


async def test_of_two_instances_one_is_stale(db: Any) -> None:
    mine, theirs = await pair(db)
    assert await db.bulk_update([mine, theirs], ["text"]) == 1
    assert (mine.revision, theirs.revision) == (0, 1)


async def test_queries_count(db: Any) -> None:
    mine, _ = await pair(db)
    await db.update_where(Page, {"pk": 1}, {"text": "query"})
    assert (await row(db)).revision == 1
    with pytest.raises(StaleRecordError):
        await db.update(mine)
    await db.update_where(Page, {"pk": 1}, {"revision": 70})
    assert (await row(db)).revision == 70


async def test_upserts_count(db: Any) -> None:
    mine, _ = await pair(db)
    page = await db.upsert(Page(name="a", text="new", revision=9))
    assert (page.revision, await row(db)) == (1, page)
    await db.upsert(page, conflict=["name"], update=["text"])
    assert (page.revision, await row(db)) == (2, page)
    again = await db.upsert(Page(name="a", text="x"), update=[])
    assert (again.revision, await row(db)) == (2, again)
    page.text = "y"
    await db.update(page)
    with pytest.raises(StaleRecordError):
        await db.update(mine)
    with pytest.raises(ValueError, match="keeps its revision"):
        await db.upsert(page, update=["revision"])
    one, two = Page(name="a", text="1"), Page(name="a", text="2")
    await db.bulk_upsert([one, two])
    assert (one.revision, one, await row(db)) == (5, two, two)


async def test_update_or_create_counts(db: Any) -> None:
    await pair(db)
    page, _ = await db.update_or_create(Page, {"text": "new"}, name="a")
    assert (page.revision, await row(db)) == (1, page)
    with pytest.raises(InvalidUpdateError, match="counts the updates"):
        await db.update_or_create(Page, {"revision": 7}, name="a")
    new, _ = await db.update_or_create(Page, {"revision": 7}, name="b")
    assert new.revision == 7


async def test_of_many_at_once_one_wins(db: Any, together: Any) -> None:
    await pair(db)
    pages = [await row(db) for _ in range(10)]
    for number, page in enumerate(pages):
        page.text = str(number)
    found = await together(*map(db.update, pages), return_exceptions=True)
    assert sum(each is None for each in found) == 1
    assert sum(isinstance(each, StaleRecordError) for each in found) == 9
    assert await row(db) == pages[found.index(None)]


@pytest.mark.parametrize("name", ["text", "nothing", "pk", "updated_at", "size"])
async def test_a_version_must_be_an_int_field(db: Any, name: str) -> None:
    class Odd(Page):
        class Meta:
            table_name = "pages"
            version = name

    with pytest.raises(ValueError, match="Meta.version of Odd names no int field"):
        await db.create_table(Odd)


async def test_the_sql(logged_db: Any, statements: Any) -> None:
    await pair(logged_db)
    page = await row(logged_db)
    page.text = "new"
    statements.clear()
    await logged_db.update(page)
    (text,) = statements.statements
    assert text.endswith(
        '"revision" = 1 WHERE "pk" = 1 AND "created_at" IS '
        f"{page.created_at} COLLATE BINARY AND \"name\" IS 'a' COLLATE BINARY AND "
        '"size" IS 0.0 COLLATE BINARY AND "revision" IS 0 COLLATE BINARY'
    )
    statements.clear()
    await logged_db.bulk_update([page], ["text"])
    (text,) = statements.statements
    assert text.endswith(
        'WHERE t."pk" = v.column1 AND t."revision" = v.column5 RETURNING "pk"'
    )


async def test_a_constraint_is_reported_as_ever(db: Any) -> None:
    await pair(db)
    await db.insert(Page(name="b"))
    page = await row(db)
    page.name = "b"
    with pytest.raises(RecordUpdateError) as caught:
        await db.update(page)
    assert caught.value.kind == "unique"
    assert page.revision == 0
    with pytest.raises(RecordInsertionError):
        await db.insert(Page(name="b"))
