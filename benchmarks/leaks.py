"""What is left when queries were begun and given up."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import threading
from dataclasses import astuple, dataclass
from pathlib import Path

from benchmarks.contenders.contender import Contender, NotThereError

__all__ = ["Held", "leaked"]

FILES = Path("/proc/self/fd")


@dataclass(frozen=True)
class Held:
    """What the process has: tracked objects, connections, open files, threads."""

    objects: int
    connections: int
    files: int
    threads: int

    def since(self, before: Held) -> Held:
        """Return what is more than before."""
        pairs = zip(astuple(self), astuple(before), strict=True)
        return Held(*(now - then for now, then in pairs))


def held() -> Held:
    """Return what the process has now."""
    for _ in range(3):
        gc.collect()
    found = gc.get_objects()
    connections = sum(isinstance(each, sqlite3.Connection) for each in found)
    files = len(os.listdir(FILES)) if FILES.exists() else 0  # noqa: PTH208 - no objects
    return Held(len(found), connections, files, threading.active_count())


def leaked(contender: Contender, queries: int) -> Held:
    """Return what is more after so many queries that were given up."""
    give_up = given_up_by_tasks if contender.is_async else given_up
    held_after = []
    for _ in range(2):  # the first time fills caches
        contender.call(lambda: give_up(contender, queries))
        # The driver looks for cursors that are gone at every two hundredth new one.
        contender.call(lambda: contender.get([1] * 250))
        held_after.append(held())
    before, after = held_after
    return after.since(before)


def given_up(contender: Contender, queries: int) -> None:
    """Begin queries, read a row of each, and drop them."""
    for _ in range(queries):
        try:
            next(iter(contender.iterate()))
        except NotThereError:
            contender.get((1,))


async def given_up_by_tasks(contender: Contender, queries: int) -> None:
    """Do the same in as many tasks at once."""
    await asyncio.gather(*(given_up_by_task(contender) for _ in range(queries)))
    await asyncio.sleep(0.1)


async def given_up_by_task(contender: Contender) -> None:
    """Begin a query, read a row, and leave the loop."""
    try:
        rows = contender.iterate()
    except NotThereError:
        await contender.get((1,))
    else:
        async for _ in rows:
            break
