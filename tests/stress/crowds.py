"""Many at once on one file: processes that count, tasks that write in blocks."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

from stress.counter import Counter
from stress.outcome import Outcome
from stress.parts import PATIENCE, Part, Wrong, group, mistakes, prepare, write_block
from stress.processes import Child
from support import Colour

from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB


def counting(folder: Path, processes: int, times: int) -> Outcome:
    """Have processes of both colours add to one number; a lock error ends one."""
    file = folder / "counter.db"
    with closing(SqliterDB(file)) as db:
        db.create_table(Counter)
        counter = db.insert(Counter())
        with children(file, processes, times) as counters:
            for child in counters:
                child.tell()
            with ThreadPoolExecutor(processes) as pool:
                waits = list(pool.map(lambda child: child.result(), counters))
        value = db.get(Counter, counter.pk, bypass_cache=True).value
    outcome = Outcome(processes * times, kept=value, longest=max(map(float, waits)))
    if value != outcome.rounds:
        outcome.wrong.append(f"{outcome.rounds} were counted as {value}")
    return outcome


@contextlib.contextmanager
def children(file: Path, processes: int, times: int) -> Iterator[list[Child]]:
    with ExitStack() as stack:
        colours = itertools.islice(itertools.cycle(Colour), processes)
        counters = [
            stack.enter_context(Child("counter", file, colour, times))
            for colour in colours
        ]
        for child in counters:
            child.is_ready()
        yield counters


async def crowd(folder: Path, tasks: int, each: int) -> Outcome:
    """Have tasks write block after block; one in five fails and must leave nothing."""
    file = folder / "crowd.db"
    db = AsyncSqliterDB(file, busy_timeout=PATIENCE)
    await prepare(db)
    outcome, kept = Outcome(tasks * each), set[str]()

    async def member(name: int) -> None:
        rng = random.Random(name)
        for number in range(each):
            token = f"block-{name}-{number}"
            rows = group(token, rng.randint(1, 4))
            with contextlib.suppress(Wrong):
                await write_or_fail(db, rows, rng)
                kept.add(token)

    await Colour.ASYNC.together(*map(member, range(tasks)))
    await db.close()
    outcome.faults, outcome.kept = outcome.rounds - len(kept), len(kept)
    outcome.wrong += mistakes(file, kept, exactly=True)
    return outcome


async def write_or_fail(
    db: AsyncSqliterDB, rows: list[Part], rng: random.Random
) -> None:
    if rng.random() < 0.8:
        await write_block(db, rows, rng)
    else:
        async with db:
            await write_block(db, rows, rng)
            raise Wrong
