"""Groups of rows: each is written by one operation or block, so it is stored whole or not at all.

Every row says to which group it belongs and how many rows that has, so the file alone shows
whether a group is whole. A tally counts the groups that blocks have written.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Any, TypeAlias

from sqliter.model import BaseDBModel

PATIENCE = 30  # seconds a writer waits: others are many, the machine is slow


class Part(BaseDBModel):
    token: str  # of the group; it begins with the name of the kind
    of: int

    class Meta:
        table_name = "parts"
        indexes = ("token",)


class Tally(BaseDBModel):
    blocks: int = 0

    class Meta:
        table_name = "tally"


class Wrong(Exception):
    """An inner block was in vain."""


Write: TypeAlias = Callable[
    [Any, str, random.Random], tuple[list[Part], Coroutine[Any, Any, Any]]
]
"""Makes the rows of a group, and the coroutine that writes them."""


async def prepare(db: Any) -> None:
    await db.create_table(Part)
    await db.create_table(Tally)
    await db.insert(Tally())


def group(token: str, of: int) -> list[Part]:
    return [Part(token=token, of=of) for _ in range(of)]


def single(db: Any, token: str, rng: random.Random) -> Any:
    rows = group(token, 1)
    return rows, db.insert(rows[0])


def bulk(db: Any, token: str, rng: random.Random) -> Any:
    # many rows take several statements
    rows = group(token, rng.choice((rng.randint(2, 60), rng.randint(150, 600))))
    return rows, db.bulk_insert(rows)


def block(db: Any, token: str, rng: random.Random) -> Any:
    rows = group(token, rng.randint(2, 7))
    return rows, write_block(db, rows, rng)


WRITES: dict[str, Write] = {"single": single, "bulk": bulk, "block": block}


async def write_block(db: Any, rows: list[Part], rng: random.Random) -> None:
    """Write a group in all the ways a block knows, and count it."""
    first, *others = rows
    async with db:
        tally = await db.get(Tally, 1)
        await db.insert(first)
        if rng.random() < 0.3:
            await write_in_vain(db, first)
        await rng.choice([in_one, by_tasks_that_join, in_an_inner_block])(db, others)
        if rng.random() < 0.1:
            await db.fetch(SLOW)
        tally.blocks += 1
        await db.update(tally)


async def in_one(db: Any, rows: list[Part]) -> None:
    await db.bulk_insert(rows)


async def by_tasks_that_join(db: Any, rows: list[Part]) -> None:
    await asyncio.gather(*map(db.insert, rows))


async def in_an_inner_block(db: Any, rows: list[Part]) -> None:
    async with db:
        for row in rows:
            await asyncio.sleep(0)
            await db.insert(row)


async def write_in_vain(db: Any, row: Part) -> None:
    with contextlib.suppress(Wrong):
        async with db:
            await db.insert(Part(token=row.token, of=row.of))
            raise Wrong


SLOW = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
    SELECT max(i) AS most FROM n"""


# What the file says


def outside(filename: object) -> contextlib.closing[sqlite3.Connection]:
    """A connection of another program."""
    return contextlib.closing(sqlite3.connect(str(filename), timeout=0))


def is_stored(connection: sqlite3.Connection, token: str) -> bool:
    """Whether the group is in the file, whole."""
    sql = "SELECT count(*) = of FROM parts WHERE token = ? GROUP BY of"
    return connection.execute(sql, (token,)).fetchall() == [(1,)]


def mistakes(
    filename: object, acknowledged: Collection[str], *, exactly: bool = False
) -> Iterator[str]:
    """What is wrong in the file; `exactly`: nothing else has been stored."""
    with outside(filename) as connection:
        yield from unsound(connection)
        sql = "SELECT token, count(*), min(of), max(of) FROM parts GROUP BY token"
        stored = {row[0]: row[1:] for row in connection.execute(sql)}
        ((blocks,),) = connection.execute("SELECT blocks FROM tally")
    for token, (count, least, most) in stored.items():
        if not count == least == most:
            yield f"of {token} there are {count} rows instead of {most}"
    yield from (f"{token} is lost" for token in set(acknowledged) - set(stored))
    if exactly:
        yield from (f"{token} is stored" for token in set(stored) - set(acknowledged))
    counted = sum(token.startswith("block") for token in stored)
    if counted != blocks:
        yield f"{counted} blocks are stored, {blocks} were counted"


def unsound(connection: sqlite3.Connection) -> Iterator[str]:
    for (text,) in connection.execute("PRAGMA integrity_check"):
        if text != "ok":
            yield text
