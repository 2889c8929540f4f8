"""What puts an engine under pressure: long work, many writers at once; and what came of it.

Long work is not endless: a test whose promise is broken has to end.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import struct
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from support import Signal, unwrap

from sqliter.model import BaseDBModel

NUMBERS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 15000000)"
)
"""Very many numbers; behind it stands a SELECT of a few of them, or one to be stopped."""

LONG = f"{NUMBERS} SELECT max(i) AS m FROM n"

SLOW = 666
"""Writing an item with this value takes seconds."""

STICKY = 667
"""Deleting an item with this value takes seconds."""

PROMPT = 0.1
"""Seconds in which what is to be stopped has ended: twice the promise, on any machine."""

TRIES = 5
"""The machine may be slow now and then; a promise is kept in most of them."""


class Item(BaseDBModel):
    value: int = 0

    class Meta:
        table_name = "items"  # inferring one takes other programs a long import


class Number(BaseDBModel):
    """A row of a view that has very many."""

    value: int

    class Meta:
        table_name = "numbers"


async def prepare(db: Any) -> None:
    """Make the table of items, with one of value 1, and what takes long."""
    await db.create_table(Item)
    await db.execute(
        f"CREATE VIEW numbers AS {NUMBERS} "
        "SELECT i AS pk, 1 AS created_at, 1 AS updated_at, i AS value FROM n"
    )
    slow = {
        "INSERT": f"new.value = {SLOW}",
        "UPDATE": f"new.value = {SLOW}",
        "DELETE": f"old.value = {STICKY}",
    }
    for event, condition in slow.items():
        await db.execute(
            f"CREATE TRIGGER slow_{event} BEFORE {event} ON items WHEN {condition} "
            f"BEGIN SELECT m FROM ({LONG}); END"
        )
    await db.insert(Item(value=1))


async def values(db: Any) -> list[int]:
    """What the items have, in order."""
    return [item.value for item in await db.select(Item).order("pk").fetch_all()]


async def overrun(
    attempt: Callable[[float], Awaitable[Any]], error: type[BaseException], after: float
) -> float:
    """Return by how many seconds, in most tries, `attempt` ended later than `after`.

    Three that keep the promise are most of five.
    """
    late: list[float] = []
    for _ in range(TRIES):
        started = time.perf_counter()
        try:
            await attempt(after)
        except error:
            late.append(time.perf_counter() - started - after)
        else:
            raise AssertionError("it was not stopped")
        if len(late) == 3 and max(late) < PROMPT:
            break
    return statistics.median(late)


def queue_of(db: Any) -> int:
    """How many wait for their turn."""
    return int(unwrap(db)._engine.seat.look()[2])


async def grouped(
    db: Any,
    apart: Callable[..., asyncio.Future[Any]],
    *writes: Coroutine[Any, Any, Any],
) -> list[Any]:
    """Have all writes wait behind one block, in their order; return how each ended."""
    inside, release = Signal(), Signal()

    async def hold() -> None:
        async with db:
            inside.set()
            await release.wait()

    holding = apart(hold())
    await inside.wait()
    running: list[asyncio.Future[Any]] = []
    for write in writes:
        running.append(apart(write))
        while queue_of(db) < sum(not each.done() for each in running):
            await asyncio.sleep(0)
    release.set()
    ended = await asyncio.gather(*running, return_exceptions=True)
    await holding
    return ended


def commits(db: Any) -> int:
    """How many transactions are in the write-ahead log: its frames tell where one ends."""
    log = Path(f"{db.filename}-wal").read_bytes()
    size = struct.unpack(">I", log[8:12])[0]
    salts = log[16:24]
    frames = (log[at : at + 24] for at in range(32, len(log), 24 + size))
    return sum(
        frame[8:16] == salts and frame[4:8] != bytes(4)
        for frame in frames
        if len(frame) == 24
    )


class HeldLoop:
    """For how long callbacks keep the event loop, as `blockbuster` would find out.

    `worked` is the processor's time of the longest one, `held` the clock's. The first is
    exact on a busy machine, the second knows of waits for locks as well. Python's garbage
    collector, which works for whoever is there, is off meanwhile.
    """

    worked = held = 0.0

    def __enter__(self) -> HeldLoop:
        gc.collect()
        gc.disable()
        self._run = run = asyncio.events.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            held, worked = time.perf_counter(), time.thread_time()
            try:
                run(handle)
            finally:
                self.worked = max(self.worked, time.thread_time() - worked)
                self.held = max(self.held, time.perf_counter() - held)

        asyncio.events.Handle._run = timed  # type: ignore[method-assign]
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.events.Handle._run = self._run  # type: ignore[method-assign]
        gc.enable()
