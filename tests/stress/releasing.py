"""How soon cancelled writers let go: seconds until another process can write."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from stress.parts import PATIENCE, group, mistakes, prepare, write_block
from stress.processes import Probe

from sqliter.asyncio import AsyncSqliterDB

AT_ONCE = 20
PROMISED = 0.05  # seconds
LONGEST = 5.0  # seconds: a lock that is held for longer is not waited for

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?)"
READ = f"{NUMBERS} SELECT max(i) AS most FROM n"
WRITE = f"""
    INSERT INTO parts (created_at, updated_at, token, of)
    {NUMBERS} SELECT 0, 0, 'much', 0 FROM n"""
LONG_READ, LONG_WRITE = 3_000_000, 500_000  # rows: each takes far longer than promised


async def releases(folder: Path, seed: int, faults: int) -> list[float]:
    """Cancel so many writes, twenty at once; the delay after each twenty, in seconds."""
    file = folder / "released.db"
    db = AsyncSqliterDB(file, busy_timeout=PATIENCE)
    await prepare(db)
    with Probe(file) as probe:
        batches = range(faults // AT_ONCE)
        rngs = [random.Random(f"{seed}-{number}") for number in batches]
        delays = [await release(db, probe, rng) for rng in rngs]
    await db.close()
    assert not list(mistakes(file, ()))
    return delays


async def release(db: AsyncSqliterDB, probe: Probe, rng: random.Random) -> float:
    works = rng.choices((write_blocks, read_in_a_block, write), (2, 1, 1), k=AT_ONCE)
    tasks = [asyncio.create_task(work(db, rng)) for work in works]
    await asyncio.sleep(0.02 * rng.random())
    for task in tasks:
        task.cancel()
    start = time.monotonic()
    while not probe.can_write() and time.monotonic() < start + LONGEST:
        await asyncio.sleep(0.001)
    delay = time.monotonic() - start
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    return delay


async def write_blocks(db: AsyncSqliterDB, rng: random.Random) -> None:
    while True:
        await write_block(db, group(f"block-{rng.random()}", 5), rng)


async def read_in_a_block(db: AsyncSqliterDB, rng: random.Random) -> None:
    async with db:
        await db.execute("UPDATE tally SET blocks = -1")
        await db.fetch(READ, (LONG_READ,))


async def write(db: AsyncSqliterDB, rng: random.Random) -> None:
    await db.execute(WRITE, (LONG_WRITE,))
