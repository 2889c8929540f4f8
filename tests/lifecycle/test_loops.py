"""One awaited database, and event loops that come and go, in order or not."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from lifecycle.working import User
from support import assert_no_transaction_left, committed

from sqliter.asyncio import AsyncSqliterDB

LONG_READ = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000000000)
    SELECT count(*) FROM n
"""
LONG_WRITE = f"INSERT INTO users (pk, created_at, updated_at, name) SELECT 1, 0, 0, 'lost' FROM ({LONG_READ})"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[AsyncSqliterDB]:
    """A database with one row. A busy one would be an error after two seconds."""
    db = AsyncSqliterDB(str(tmp_path / "x.db"), busy_timeout=2)
    asyncio.run(fill(db))
    yield db
    asyncio.run(db.close())


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """That tasks were never awaited is the test's own doing; nothing else may be said."""
    yield
    gc.collect()
    said = {
        record.getMessage().splitlines()[0]
        for record in caplog.records
        if record.levelno > logging.DEBUG
    }
    assert said <= {"Task was destroyed but it is pending!"}


async def fill(db: AsyncSqliterDB) -> None:
    await db.create_table(User)
    await db.insert(User(name="Ada"))


async def block(db: AsyncSqliterDB, *, nested: bool = False) -> None:
    async with db:
        await db.insert(User(name="lost"))
        async with db if nested else contextlib.nullcontext():
            await db.insert(User(name="lost"))
            await asyncio.sleep(60)


async def snapshot(db: AsyncSqliterDB) -> None:
    async with db.transaction(read_only=True):
        await db.get(User, 1)
        await asyncio.sleep(60)


async def write_in_block(db: AsyncSqliterDB) -> None:
    async with db:
        await db.insert(User(name="lost"))
        await db.execute(LONG_WRITE)


Work = Callable[[AsyncSqliterDB], Coroutine[Any, Any, Any]]
WORK: dict[str, list[Work]] = {
    "reads": [lambda db: db.fetch(LONG_READ)] * 8,
    "a write": [lambda db: db.execute(LONG_WRITE)],
    "writes that wait": [lambda db: db.execute(LONG_WRITE)] * 3,
    "a block": [block],
    "a nested block": [lambda db: block(db, nested=True)],
    "blocks that wait": [block] * 3,
    "a write in a block": [write_in_block],
    "snapshots": [snapshot] * 3,
    "all of it": [
        block,
        snapshot,
        write_in_block,
        lambda db: db.execute(LONG_WRITE),
        lambda db: db.fetch(LONG_READ),
    ],
}


def leave_undone(db: AsyncSqliterDB, work: list[Work], seconds: float) -> list[Any]:
    """Start work in a loop that is closed in the middle of it; return its tasks."""
    loop = asyncio.new_event_loop()

    async def begin() -> list[Any]:
        tasks = [asyncio.ensure_future(each(db)) for each in work]
        for _ in range(3):
            await asyncio.sleep(0)
        await asyncio.sleep(seconds)
        return tasks

    try:
        return loop.run_until_complete(begin())
    finally:
        loop.close()


async def works(db: AsyncSqliterDB) -> None:
    async with asyncio.timeout(20):
        await db.insert(User(name="Bob"))
        assert await db.get(User, 1) is not None
        async with db:
            await db.insert(User(name="Cy"))
        names = [user.name for user in await db.select(User).fetch_all()]
    assert names == ["Ada", "Bob", "Cy"]
    assert_no_transaction_left(db)


@pytest.mark.parametrize(
    "is_kept", [True, False], ids=["tasks are kept", "tasks are gone"]
)
@pytest.mark.parametrize("seconds", [0, 0.2], ids=["at once", "later"])
@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_a_loop_that_was_closed_in_the_middle(db, work, seconds, is_kept):
    tasks = leave_undone(db, work, seconds)
    if not is_kept:
        tasks.clear()
        gc.collect()
    asyncio.run(works(db))
    tasks.clear()


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_closing_after_it(db, work):
    tasks = leave_undone(db, work, 0.1)
    asyncio.run(db.close())
    assert committed(db, "SELECT name FROM users") == ["Ada"]
    assert_no_transaction_left(db)
    tasks.clear()


def test_many_loops(db):
    async def use() -> None:
        await asyncio.gather(*(db.insert(User(name="x")) for _ in range(5)))
        assert len(await asyncio.gather(*(db.get(User, 1) for _ in range(5)))) == 5

    for _ in range(50):
        asyncio.run(use())
    assert committed(db, "SELECT count(*) FROM users") == [251]


def test_a_loop_that_cancels_what_is_left(db):
    """`asyncio.run` does so at its end."""

    async def leave() -> None:
        tasks = [asyncio.create_task(block(db)) for _ in range(3)]
        tasks += [asyncio.create_task(db.fetch(LONG_READ)) for _ in range(6)]
        await asyncio.sleep(0.1)
        assert tasks

    asyncio.run(leave())
    asyncio.run(works(db))


@pytest.mark.parametrize("nested", [False, True])
async def test_a_coroutine_that_is_closed_inside_a_block(tmp_path, nested):
    """No step of its cleaning up can be awaited, in a loop that goes on."""
    db = AsyncSqliterDB(str(tmp_path / "x.db"), busy_timeout=2)
    await fill(db)
    coroutine = block(db, nested=nested)
    while await go_on(coroutine):
        pass
    coroutine.close()
    assert not db.in_transaction
    await works(db)
    await db.close()


async def go_on(coroutine: Coroutine[Any, Any, Any]) -> bool:
    """Let a coroutine take one step; say whether it was soon ready for the next."""
    waits_for: Any = coroutine.send(None)
    if waits_for is None:
        await asyncio.sleep(0)
        return True
    waits_for._asyncio_future_blocking = False
    done, _ = await asyncio.wait([waits_for], timeout=1)
    return bool(done)
