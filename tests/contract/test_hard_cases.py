"""Cases that were wrong once: each failed before its repair."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading

import pytest

from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.exceptions import (
    DatabaseBusyError,
    ForeignKeyConstraintError,
    RecordFetchError,
    RecordInsertionError,
    SqlExecutionError,
    TransactionError,
)
from sqliter.model import BaseDBModel, ForeignKey

FOREVER = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500000000) "
    "SELECT count(*) AS n FROM n"
)


class Note(BaseDBModel):
    text: str
    size: int = 0


class Owner(BaseDBModel):
    name: str

    class Meta:
        table_name = "owners"


class Pet(BaseDBModel):
    owner_id: int = ForeignKey(Owner, on_delete="CASCADE")

    class Meta:
        table_name = "pets"


async def texts(db):
    return [note.text for note in await db.select(Note).order("pk").fetch_all()]


# --- the implicit transaction of auto_commit=False ---------------------------------------


async def test_a_severe_error_says_that_earlier_writes_are_gone(make_db):
    db = make_db(auto_commit=False)
    await db.create_table(Note)
    await db.execute(
        "CREATE TRIGGER strict BEFORE INSERT ON notes WHEN new.text = 'bad' "
        "BEGIN SELECT raise(ROLLBACK, 'too bad'); END"
    )
    await db.commit()
    first = await db.insert(Note(text="first"))
    with pytest.raises(TransactionError):
        await db.insert(Note(text="bad"))
    assert first.pk == 0
    await db.insert(Note(text="second"))
    await db.commit()
    assert await texts(db) == ["second"]


@pytest.mark.only("async")
async def test_a_cancelled_write_leaves_earlier_ones_alone(make_db):
    db = make_db(auto_commit=False)
    await db.create_table(Note)
    await db.insert(Note(text="first"))
    slow = f"INSERT INTO notes (text, size) SELECT 'slow', n FROM ({FOREVER})"
    slow = slow.replace("500000000", "300000")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await db.execute(slow)
    await db.insert(Note(text="last"))
    await db.commit()
    found = await db.fetch("SELECT text FROM notes ORDER BY pk")
    assert (found[0]["text"], found[-1]["text"]) == ("first", "last")


# --- blocks ------------------------------------------------------------------------------


async def test_a_block_may_be_left_in_another_task(tmp_path):
    db = AsyncSqliterDB(tmp_path / "x.db")
    await db.create_table(Note)
    stack = contextlib.AsyncExitStack()
    await asyncio.create_task(stack.enter_async_context(db))
    await asyncio.create_task(stack.aclose())
    async with asyncio.timeout(5):
        await db.insert(Note(text="after"))
    await db.close()


def test_a_block_may_be_left_in_another_thread(tmp_path):
    db = SqliterDB(tmp_path / "x.db", busy_timeout=0.2)
    db.create_table(Note)
    enter = threading.Thread(target=db.__enter__)
    enter.start()
    enter.join()
    leave = threading.Thread(target=db.__exit__, args=(None, None, None))
    leave.start()
    leave.join()
    db.insert(Note(text="after"))
    db.close()


async def test_leaving_does_not_wait_for_ever_for_a_joined_task(tmp_path):
    db = AsyncSqliterDB(tmp_path / "x.db", busy_timeout=0.1)
    await db.create_table(Note)
    inside, never = asyncio.Event(), asyncio.Event()

    async def child():
        async with db:
            inside.set()
            await never.wait()

    with pytest.raises(DatabaseBusyError):
        async with db:
            await db.insert(Note(text="undone"))
            waiting = asyncio.create_task(child())
            await inside.wait()
    never.set()
    with pytest.raises(TransactionError):
        await waiting
    await db.insert(Note(text="kept"))
    assert await texts(db) == ["kept"]
    await db.close()


async def test_rollback_of_a_lost_inner_block_opens_nothing(db):
    await db.create_table(Note)
    await db.execute(
        "CREATE TRIGGER strict BEFORE INSERT ON notes WHEN new.text = 'bad' "
        "BEGIN SELECT raise(ROLLBACK, 'too bad'); END"
    )
    with pytest.raises(TransactionError):
        async with db:
            async with db:
                with contextlib.suppress(RecordInsertionError):
                    await db.insert(Note(text="bad"))
                await db.rollback()
    assert await texts(db) == []


# --- waiting -----------------------------------------------------------------------------


async def test_a_cancelled_operation_that_waits_for_a_thread_is_never_made(tmp_path):
    db = AsyncSqliterDB(tmp_path / "x.db")
    await db.create_table(Note)
    readers = [asyncio.create_task(db.fetch(FOREVER)) for _ in range(6)]
    await asyncio.sleep(0.1)
    for reader in readers[::-1]:
        reader.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(*readers, return_exceptions=True)
    assert all(reader.cancelled() for reader in readers)
    await db.close()


async def test_a_thread_that_cannot_start_does_not_end_all_work(tmp_path, monkeypatch):
    db = AsyncSqliterDB(tmp_path / "x.db")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", _no_thread)
        with pytest.raises(RuntimeError):
            await db.create_table(Note)
    async with asyncio.timeout(5):
        await db.create_table(Note)
    await db.close()


def _no_thread(self):
    raise RuntimeError("can't start new thread")


# --- visits, closing, places -------------------------------------------------------------


async def test_listing_tables_takes_nothing_from_others(tmp_path):
    db = AsyncSqliterDB(tmp_path / "x.db", auto_commit=False)
    await db.create_table(Note)
    await db.commit()
    await db.close()
    note = Note(text="kept")
    await asyncio.gather(db.get_table_names(), db.insert(note))
    await db.commit()
    assert (note.pk, await texts(db)) == (1, ["kept"])
    await db.close()


def test_closing_beside_cached_reads_never_crashes(tmp_path):
    db = SqliterDB(tmp_path / "x.db", cache_enabled=True)
    db.create_table(Note)
    db.insert(Note(text="a"))
    stop = threading.Event()
    found = []

    def read():
        while not stop.is_set():
            found.append(db.get(Note, 1).text)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(200):
        db.close()
    stop.set()
    for reader in readers:
        reader.join()
    db.close()
    assert set(found) == {"a"}


def test_a_relative_name_means_the_folder_of_the_first_use(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    db = SqliterDB("app.db")
    db.create_table(Note)
    monkeypatch.chdir(there)
    assert db.select(Note).count() == 0
    db.close()
    assert list(there.iterdir()) == []


# --- triggers and returning --------------------------------------------------------------


async def test_a_row_that_a_trigger_ignores_is_an_error(db):
    await db.create_table(Note)
    await db.execute(
        "CREATE TRIGGER skip BEFORE INSERT ON notes WHEN new.text = 'skip' "
        "BEGIN SELECT raise(IGNORE); END"
    )
    await db.insert(Note(text="a"))
    skipped = [Note(text=text) for text in ("b", "skip", "c")]
    with pytest.raises(RecordInsertionError, match="trigger"):
        await db.insert(skipped[1])
    with pytest.raises(RecordInsertionError, match="trigger"):
        await db.bulk_insert(skipped)
    assert [note.pk for note in skipped] == [0, 0, 0]
    assert await texts(db) == ["a"]


async def test_a_users_trigger_is_no_foreign_key(db):
    await db.create_table(Note)
    await db.execute(
        "CREATE TRIGGER strict BEFORE INSERT ON notes "
        "BEGIN SELECT raise(ABORT, 'text is wrong'); END"
    )
    with pytest.raises(RecordInsertionError, match="text is wrong") as caught:
        await db.insert(Note(text="a"))
    assert not isinstance(caught.value, ForeignKeyConstraintError)


async def test_returning_rows_that_cannot_be_loaded_changes_nothing(db):
    await db.create_table(Note)
    await db.insert(Note(text="a", size=1))
    with pytest.raises(RecordFetchError):
        await db.fetch("UPDATE notes SET size = 'many' RETURNING *", model=Note)
    assert (await db.get(Note, 1)).size == 1


# --- the schema --------------------------------------------------------------------------


@pytest.mark.defect("D25")
async def test_a_column_whose_making_was_rolled_back_is_no_value(db):
    class Person(BaseDBModel):
        name: str
        nick: str = "none"

        class Meta:
            table_name = "people"

    await db.execute(
        "CREATE TABLE people (pk INTEGER PRIMARY KEY AUTOINCREMENT, "
        "created_at INTEGER DEFAULT 0, updated_at INTEGER DEFAULT 0, name TEXT)"
    )
    await db.execute("INSERT INTO people (name) VALUES ('Ada')")
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.execute("ALTER TABLE people ADD COLUMN nick TEXT DEFAULT 'x'")
            assert (await db.get(Person, 1)).nick == "x"
            raise ZeroDivisionError
    with pytest.raises(RecordFetchError, match="nick"):
        await db.get(Person, 1)


@pytest.mark.defect("D30")
async def test_force_spares_children_however_their_parent_is_spelled(db):
    await db.create_table(Owner)
    await db.execute(
        "CREATE TABLE pets (pk INTEGER PRIMARY KEY AUTOINCREMENT, "
        "created_at INTEGER, updated_at INTEGER, "
        "owner_id INTEGER REFERENCES Owners(pk) ON DELETE CASCADE)"
    )
    owner = await db.insert(Owner(name="Ada"))
    await db.insert(Pet(owner_id=owner.pk))
    await db.create_table(Owner, force=True)
    assert await db.select(Pet).count() == 1


# --- the cache ---------------------------------------------------------------------------


async def test_a_raw_write_before_a_commit_in_a_block_is_noticed(make_db):
    db = make_db(cache_enabled=True)
    await db.create_table(Note)
    await db.insert(Note(text="old"))
    await db.get(Note, 1)
    async with db:
        await db.conn.execute("UPDATE notes SET text = 'new'")
        await db.commit()
    assert (await db.get(Note, 1)).text == "new"


@pytest.mark.only("file")
async def test_a_trigger_that_others_made_is_noticed(make_db):
    db = make_db(cache_enabled=True)
    await db.create_table(Note)
    await db.create_table(Owner)
    await db.insert(Owner(name="old"))
    await db.insert(Note(text="a"))
    with sqlite3.connect(db.filename) as other:
        other.execute(
            "CREATE TRIGGER rename AFTER INSERT ON notes "
            "BEGIN UPDATE owners SET name = new.text; END"
        )
    other.close()
    await db.get(Owner, 1)
    await db.insert(Note(text="new"))
    assert (await db.get(Owner, 1)).name == "new"


async def test_one_table_spelled_in_two_ways_is_one(make_db):
    class Shouted(BaseDBModel):
        text: str
        size: int = 0

        class Meta:
            table_name = "NOTES"

    db = make_db(cache_enabled=True)
    await db.create_table(Note)
    note = await db.insert(Note(text="old"))
    await db.get(Shouted, 1)
    note.text = "new"
    await db.update(note)
    assert (await db.get(Shouted, 1)).text == "new"


# --- statements --------------------------------------------------------------------------


@pytest.mark.parametrize("sql", [";COMMIT", "\ufeffROLLBACK", "/* x */ ; begin"])
async def test_transaction_control_is_refused_in_any_dress(db, sql):
    with pytest.raises(SqlExecutionError, match="with db"):
        await db.execute(sql)
