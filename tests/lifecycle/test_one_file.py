"""Several database objects on one file in one process: none is in another's way.

Locks of files belong to the process. Whoever closes any handle of a file, opened by SQLite or not,
may drop the locks of all others: then another program takes the WAL away, and what is acknowledged
afterwards is lost.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lifecycle.working import User
from support import Colour, committed, run_python

from sqliter.engines.patience import is_busy

PAIRS = list(itertools.product(Colour, Colour))
VISIT = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("SELECT count(*) FROM users").fetchall()
database.close()
"""
"""Another program that comes and goes; if it is the last one, it takes the WAL along."""


@pytest.fixture(params=PAIRS, ids=lambda pair: "-".join(pair))
def pair(
    request: pytest.FixtureRequest, tmp_path: Path, runner: asyncio.Runner
) -> Iterator[Any]:
    """Two database objects on one file."""
    path = str(tmp_path / "x.db")
    both = [colour.wrap(colour.database(path)) for colour in request.param]
    yield both
    for each in both:
        runner.run(each.close())


@pytest.mark.parametrize(
    ("code", "gets_better"),
    [
        (sqlite3.SQLITE_BUSY, True),
        (sqlite3.SQLITE_BUSY_RECOVERY, True),
        (sqlite3.SQLITE_BUSY_TIMEOUT, True),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, False),
        (sqlite3.SQLITE_LOCKED, False),
    ],
)
def test_who_is_waited_for(code, gets_better):
    """Programs that open one file at once see each other recover its WAL."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = code
    assert is_busy(error) is gets_better


async def names(db: Any) -> list[str]:
    return [user.name for user in await db.select(User).order("pk").fetch_all()]


async def is_whole(db: Any, expected: list[str]) -> None:
    """What is written after a visit of another program is still there after the next one."""
    run_python(VISIT, db.filename)
    await db.insert(User(name="later"))
    run_python(VISIT, db.filename)
    assert committed(db, "SELECT name FROM users ORDER BY pk") == [*expected, "later"]


async def test_they_write_in_turns(pair):
    first, second = pair
    await first.create_table(User)
    for number in range(20):
        await pair[number % 2].insert(User(name=str(number)))
    assert (
        await names(first)
        == await names(second)
        == [str(number) for number in range(20)]
    )


async def test_they_write_at_once(pair):
    first, second = pair
    await first.create_table(User)

    async def write(db: Any) -> None:
        for _ in range(50):
            async with db:
                user = await db.get(User, (await db.insert(User(name="x"))).pk)
                await db.insert(user.model_copy(update={"pk": 0}))

    await Colour.SYNC.together(write(first), write(second))
    assert await first.select(User).count() == 200


async def test_a_block_of_one_is_not_seen_by_the_other(pair):
    first, second = pair
    await first.create_table(User)
    async with first:
        await first.insert(User(name="Ada"))
        assert await names(second) == []
    assert await names(second) == ["Ada"]


async def test_closing_one_leaves_the_locks_of_the_other(pair):
    first, second = pair
    await first.create_table(User)
    await first.insert(User(name="Ada"))
    assert await names(second) == ["Ada"]
    await first.close()
    await is_whole(second, ["Ada"])


async def test_forgetting_one_does_so_too(pair):
    first, second = pair
    await first.create_table(User)
    await first.insert(User(name="Ada"))
    assert await names(second) == ["Ada"]
    pair.remove(first)
    del first
    gc.collect()
    await is_whole(second, ["Ada"])


async def test_an_open_file_may_be_restored_from(pair, tmp_path):
    first, other = pair
    await first.create_table(User)
    await first.insert(User(name="Ada"))
    second = type(getattr(other, "wrapped", other))(str(tmp_path / "other.db"))
    second = Colour.SYNC.wrap(second) if hasattr(other, "wrapped") else second
    await second.restore(first.filename)
    assert await names(second) == ["Ada"]
    await second.close()
    await is_whole(first, ["Ada"])


async def test_backups_leave_the_locks(pair, tmp_path):
    first, second = pair
    await first.create_table(User)
    await first.insert(User(name="Ada"))
    await second.backup(tmp_path / "copy.db")
    await second.integrity_check()
    await second.health()
    await second.close()
    await is_whole(first, ["Ada"])
