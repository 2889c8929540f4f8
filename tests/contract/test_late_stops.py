"""SQLite asks a last time whether to go on when a statement is done, and maybe committed.

A "no" then looks like an interruption. Nothing may be written twice, or seem undone.
"""

from __future__ import annotations

import asyncio
import time

import pytest

from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.engines import beat, prompt
from sqliter.engines.connection import Connection
from sqliter.engines.inline import Inline
from sqliter.exceptions import OperationTimeoutError
from sqliter.model import BaseDBModel

ROUNDS = 600  # SQLite counts the steps of all runs of a statement together

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


class Note(BaseDBModel):
    text: str


@pytest.fixture
def asked_often(monkeypatch):
    """Every statement is over time whenever SQLite asks."""
    monkeypatch.setattr(beat, "LATE_STEPS", 7)
    monkeypatch.setattr(beat, "SHORT_STEPS", 97)
    monkeypatch.setattr(prompt, "BUDGET", 0.0)
    monkeypatch.setattr(Inline, "remember", lambda *_: None)


@pytest.mark.usefixtures("asked_often")
async def test_a_short_write_is_written_once(tmp_path):
    db = AsyncSqliterDB(tmp_path / "x.db")
    await db.create_table(Note)
    notes = [await db.insert(Note(text=str(n))) for n in range(ROUNDS)]
    for note in notes:
        note.text += "!"
        await db.update(note)
    stored = await db.fetch("SELECT pk, text FROM notes ORDER BY pk")
    assert stored == [{"pk": note.pk, "text": note.text} for note in notes]
    await db.close()


@pytest.mark.parametrize("rows", [300, 1000, 3000, 10_000])
async def test_what_is_stopped_in_a_cascade_is_done_again(tmp_path, rows):
    """SQLite counts rows of other tables that were deleted, and came back."""
    db = AsyncSqliterDB(tmp_path / "x.db")
    await db.create_table(Note)
    await db.bulk_insert([Note(text=str(n)) for n in range(40)])
    for table, size in (("few", 40), ("many", rows), ("more", 40)):
        await db.execute(
            f"CREATE TABLE {table} (note REFERENCES notes ON DELETE CASCADE)"
        )
        await db.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT {size})"
            f" INSERT INTO {table} SELECT 1 + i % 40 FROM n"
        )
    for pk in range(1, 21):
        await db.delete(Note, pk)
    assert await db.select(Note).filter(pk__gt=30).delete() == 10
    assert await db.select(Note).count() == 10
    assert await db.fetch("SELECT DISTINCT note FROM more ORDER BY note") == [
        {"note": pk} for pk in range(21, 31)
    ]
    await db.close()


@pytest.mark.usefixtures("asked_often")
@pytest.mark.parametrize("block", [False, True])
def test_what_is_late_is_not_stored_and_what_is_stored_is_not_late(tmp_path, block):
    db = SqliterDB(tmp_path / "x.db")
    db.create_table(Note)
    notes = [Note(text=str(n)) for n in range(ROUNDS)]
    for note in notes:
        try:
            with db.timeout(1e-9 if block else 0.0003):
                if block:
                    with db:
                        db.insert(note)
                else:
                    db.insert(note)
        except OperationTimeoutError:
            assert note.pk == 0
    stored = db.fetch("SELECT pk, text FROM notes ORDER BY pk")
    kept = [note for note in notes if note.pk]
    assert stored == [{"pk": note.pk, "text": note.text} for note in kept]
    db.close()


async def test_what_is_cancelled_between_two_statements_goes_no_further(
    tmp_path, monkeypatch
):
    """An interruption is lost where no statement runs."""
    written = []
    execute = Connection._execute

    def cancelled_afterwards(self, statement, request):
        result = execute(self, statement, request)
        if statement.sql.startswith("INSERT"):
            written.append(statement.rows)
            loop.call_soon_threadsafe(inserting.cancel)
            while not self._stop.cancelled:
                time.sleep(0.001)
        return result

    monkeypatch.setattr(Connection, "_execute", cancelled_afterwards)
    loop = asyncio.get_running_loop()
    db = AsyncSqliterDB(tmp_path / "x.db")
    await db.create_table(Note)
    notes = [Note(text="") for _ in range(30_000)]
    inserting = asyncio.create_task(db.bulk_insert(notes))
    with pytest.raises(asyncio.CancelledError):
        await inserting
    assert len(written) == 1 and written[0] < len(notes)
    assert await db.select(Note).count() == 0
    assert notes[0].pk == 0
    await db.close()


async def test_what_is_cancelled_just_before_a_statement_is_stopped(
    tmp_path, monkeypatch
):
    fetch = Connection._fetch

    def cancelled_before(self, statement, *, named):
        if statement.sql == ENDLESS:
            loop.call_soon_threadsafe(reading.cancel)
            while not self._stop.cancelled:
                time.sleep(0.001)
            time.sleep(0.01)  # the interruption comes now
        return fetch(self, statement, named=named)

    monkeypatch.setattr(Connection, "_fetch", cancelled_before)
    loop = asyncio.get_running_loop()
    db = AsyncSqliterDB(tmp_path / "x.db")
    reading = asyncio.create_task(db.fetch(ENDLESS))
    with pytest.raises(asyncio.CancelledError):
        await reading
    await db.close()
