"""Opening and closing, thousands of times: no file and no thread is left."""

from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path

import pytest
from lifecycle.working import User
from support import Colour

CYCLES = 5_000
QUICK = {"synchronous": "OFF"}
"""The disk is not the subject: nothing has to survive a loss of power."""

FILES = "/proc/self/fd"


def held() -> tuple[int, int]:
    """The files and threads of this process; those that end are waited for."""
    gc.collect()
    deadline = time.monotonic() + 5
    while any(thread.name.startswith("sqliter") for thread in threading.enumerate()):
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    files = len(os.listdir(FILES)) if os.path.isdir(FILES) else 0
    return files, threading.active_count()


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    return Colour(request.param)


async def test_one_object(colour: Colour, tmp_path: Path) -> None:
    db = colour.wrap(colour.database(str(tmp_path / "x.db"), pragmas=QUICK))
    await db.create_table(User)
    await db.close()
    before = held()
    # Threads make it slow; those of fewer cycles would show as well.
    cycles = CYCLES if colour is Colour.SYNC else CYCLES // 5
    for number in range(cycles):
        await db.get(User, 1)
        if number % 10 == 0:
            await db.insert(User(name="x"))
        await db.close()
    assert held() == before
    assert await db.select(User).count() == cycles // 10
    await db.close()


async def test_an_object_each_time(colour: Colour, tmp_path: Path) -> None:
    def new():
        return colour.wrap(
            colour.database(str(tmp_path / "x.db"), pragmas=QUICK, cache_enabled=True)
        )

    db = new()
    await db.create_table(User)
    await db.close()
    before = held()
    for number in range(CYCLES // 20):
        db = new()
        await db.get(User, 1)
        if number % 10 == 0:
            await db.insert(User(name="x"))
        await db.close()
    for _ in range(CYCLES // 20):  # forgotten, not closed
        await new().get(User, 1)
    assert held() == before


async def test_blocks_and_errors(colour: Colour, tmp_path: Path) -> None:
    """Nothing is left of operations that fail, either."""
    before = held()
    for _ in range(200):
        db = colour.wrap(colour.database(str(tmp_path / "x.db"), pragmas=QUICK))
        with pytest.raises(ZeroDivisionError):
            async with db:
                await db.create_table(User)
                async with db:
                    await db.insert(User(name="x"))
                    raise ZeroDivisionError
        await db.close()
    missing = colour.wrap(colour.database(str(tmp_path / "none" / "x.db")))
    for _ in range(200):
        with pytest.raises(Exception, match="connect"):
            await missing.connect()
    await missing.close()
    assert held() == before
