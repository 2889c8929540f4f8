"""Programs that end without close(): at once, quietly, and with all that was committed."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest
from lifecycle.programs import prompt_end_of

REASONS = {
    "end": ("pass", 0, ""),
    "exit": ("sys.exit(3)", 3, ""),
    "error": ("raise KeyError('bye')", 1, "KeyError: 'bye'"),
}
"""What the program does last, its exit status, and the last line it writes."""

SYNC = {
    "idle": """
        db = filled()
        """,
    "a thread reads": """
        db = filled()
        start(db.fetch, LONG_READ)
        """,
    "a thread writes": """
        db = filled()
        start(db.execute, LONG_WRITE)
        """,
    "a thread writes in a block": """
        db = filled()
        def work():
            with db:
                db.insert(lost())
                db.execute(LONG_WRITE)
        start(work)
        """,
    "a thread sleeps in a block": """
        db = filled()
        def work():
            with db:
                db.insert(lost())
                time.sleep(60)
        start(work)
        """,
    "a thread reads from a snapshot": """
        db = filled()
        def work():
            with db.transaction(read_only=True):
                db.fetch(LONG_READ)
        start(work)
        """,
    "threads wait for a block": """
        db = filled()
        def work():
            with db:
                time.sleep(60)
        start(work)
        time.sleep(0.1)
        for _ in range(5):
            start(db.insert, lost())
        """,
    "threads are busy": """
        db = filled(cache_enabled=True)
        def work():
            while True:
                with db:
                    user = db.insert(lost())
                    db.delete(User, user.pk)
        def read():
            while True:
                db.get(User, 1)
                db.select(User).count()
        for each in work, work, read, read:
            start(each)
        """,
    "a block was never left": """
        db = filled()
        db.__enter__()
        db.insert(lost())
        """,
    "nothing was committed": """
        db = filled()
        db.auto_commit = False
        db.insert(lost())
        """,
    "a cursor is open": """
        db = filled()
        rows = db.connect().execute("SELECT name FROM users")
        """,
    "it was forgotten in a cycle": """
        db = filled()
        db.itself = db
        del db
        """,
    "memory": """
        filled()
        db = SqliterDB(memory=True)
        start(db.fetch, LONG_READ)
        """,
}

ASYNC = {
    "idle": """
        db = await filled_async()
        await asyncio.gather(*(db.get(User, 1) for _ in range(5)))
        """,
    "tasks read": """
        db = await filled_async()
        tasks = [asyncio.create_task(db.fetch(LONG_READ)) for _ in range(8)]
        """,
    "a task writes": """
        db = await filled_async()
        tasks = [asyncio.create_task(db.execute(LONG_WRITE)) for _ in range(3)]
        """,
    "a task writes in a block": """
        db = await filled_async()
        async def work():
            async with db:
                await db.insert(lost())
                await db.execute(LONG_WRITE)
        tasks = [asyncio.create_task(work()) for _ in range(3)]
        """,
    "a task sleeps in a block": """
        db = await filled_async()
        async def work():
            async with db:
                await db.insert(lost())
                await asyncio.sleep(60)
        tasks = [asyncio.create_task(work()) for _ in range(3)]
        """,
    "tasks have snapshots": """
        db = await filled_async()
        async def work():
            async with db.transaction(read_only=True):
                await db.fetch(LONG_READ)
        tasks = [asyncio.create_task(work()) for _ in range(3)]
        """,
    "nothing runs inline": """
        db = await filled_async(inline=False)
        tasks = [asyncio.create_task(db.insert(lost())) for _ in range(3)]
        await asyncio.gather(*tasks)
        await db.select(User).filter(name="lost").delete()
        """,
    "another thread's loop is busy": """
        db = await filled_async()
        async def work():
            while True:
                async with db:
                    user = await db.insert(lost())
                    await db.delete(User, user.pk)
        async def read():
            while True:
                await db.get(User, 1)
        async def both():
            await asyncio.gather(work(), work(), read())
        start(run, both)
        """,
}


def judge(program: str, reason: str, folder: Path) -> None:
    """Let a program end for a reason, and see that it says nothing else."""
    ending, status, last_line = REASONS[reason]
    end = prompt_end_of(program.replace("ENDING", ending), folder)
    assert end.returncode == status
    assert end.stderr.strip().splitlines()[-1:] == [last_line] * bool(last_line)
    assert end.stderr.count("Traceback") == bool(last_line)
    assert "Exception" not in end.stderr
    assert "Warning" not in end.stderr


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("body", SYNC.values(), ids=SYNC.keys())
def test_blocking_program(body: str, reason: str, tmp_path: Path) -> None:
    judge(f"{dedent(body)}time.sleep(0.2)\nready()\nENDING", reason, tmp_path)


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("body", ASYNC.values(), ids=ASYNC.keys())
def test_asyncio_program(body: str, reason: str, tmp_path: Path) -> None:
    steps = f"global db, tasks{dedent(body)}await asyncio.sleep(0.2)\nready()\nENDING"
    judge(f"async def main():\n{indent(steps, '    ')}\nrun(main)", reason, tmp_path)
