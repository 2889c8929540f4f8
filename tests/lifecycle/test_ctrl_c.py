"""Ctrl-C in the middle of work: the program ends at once, and nothing is half written."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest
from lifecycle.programs import prompt_end_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")

SYNC = {
    "reading": """
        db = filled()
        soon()
        db.fetch(LONG_READ)
        """,
    "writing": """
        db = filled()
        soon()
        db.execute(LONG_WRITE)
        """,
    "writing in a block": """
        db = filled()
        soon()
        with db:
            db.insert(lost())
            db.execute(LONG_WRITE)
        """,
    "reading in a block": """
        db = filled()
        soon()
        with db:
            db.insert(lost())
            with db:
                db.fetch(LONG_READ)
        """,
    "sleeping in a block": """
        db = filled()
        soon()
        with db:
            db.insert(lost())
            time.sleep(60)
        """,
    "reading what waits for commit": """
        db = filled()
        db.auto_commit = False
        db.insert(lost())
        soon()
        db.fetch(LONG_READ)
        """,
    "reading from a snapshot": """
        db = filled()
        soon()
        with db.transaction(read_only=True):
            db.fetch(LONG_READ)
        """,
    "threads are reading": """
        db = filled()
        for _ in range(3):
            start(db.fetch, LONG_READ)
        soon()
        time.sleep(60)
        """,
    "a thread is writing": """
        db = filled()
        start(db.execute, LONG_WRITE)
        soon()
        db.insert(lost())
        """,
    "waiting for the block of a thread": """
        db = filled()
        def work():
            with db:
                db.insert(lost())
                time.sleep(60)
        start(work)
        time.sleep(0.1)
        soon()
        with db:
            pass
        """,
    "waiting for another program": """
        db = filled()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        soon()
        try:
            db.insert(lost())
        finally:
            other.close()
        """,
}

ASYNC = {
    "reading": """
        db = await filled_async()
        soon()
        await db.fetch(LONG_READ)
        """,
    "writing": """
        db = await filled_async()
        soon()
        await db.execute(LONG_WRITE)
        """,
    "writing in a block": """
        db = await filled_async()
        soon()
        async with db:
            await db.insert(lost())
            await db.execute(LONG_WRITE)
        """,
    "reading in a block": """
        db = await filled_async()
        soon()
        async with db:
            await db.insert(lost())
            async with db:
                await db.fetch(LONG_READ)
        """,
    "sleeping in a block": """
        db = await filled_async()
        soon()
        async with db:
            await db.insert(lost())
            await asyncio.sleep(60)
        """,
    "reading from a snapshot": """
        db = await filled_async()
        soon()
        async with db.transaction(read_only=True):
            await db.fetch(LONG_READ)
        """,
    "many are reading": """
        db = await filled_async()
        soon()
        await asyncio.gather(*(db.fetch(LONG_READ) for _ in range(10)))
        """,
    "many wait for a block": """
        db = await filled_async()
        async def work():
            async with db:
                await db.insert(lost())
                await asyncio.sleep(60)
        soon()
        await asyncio.gather(*(work() for _ in range(10)))
        """,
    "others are reading": """
        db = await filled_async()
        tasks = [asyncio.create_task(db.fetch(LONG_READ)) for _ in range(5)]
        soon()
        await asyncio.sleep(60)
        """,
    "waiting for another program": """
        db = await filled_async()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        soon()
        try:
            await db.insert(lost())
        finally:
            other.close()
        """,
}


def judge(program: str, folder: Path) -> None:
    end = prompt_end_of(program, folder, interrupted=True)
    assert end.returncode == -signal.SIGINT
    assert end.stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert "Exception" not in end.stderr
    assert "Warning" not in end.stderr


@pytest.mark.parametrize("body", SYNC.values(), ids=SYNC.keys())
def test_blocking_program(body: str, tmp_path: Path) -> None:
    judge(dedent(body), tmp_path)


@pytest.mark.parametrize("body", ASYNC.values(), ids=ASYNC.keys())
def test_asyncio_program(body: str, tmp_path: Path) -> None:
    judge(f"async def main():\n{indent(dedent(body), '    ')}\nrun(main)", tmp_path)
