"""Blocks with options, callbacks after the commit, and limits of time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from faults.table import Play, scenario
from faults.world import World
from support import unwrap

LONG = 30
"""Seconds that nothing here takes."""


@asynccontextmanager
async def transaction(w: World, **options: Any) -> AsyncIterator[None]:
    """A block with options, in the colour of the world."""
    block = unwrap(w.db).transaction(**options)
    if w.colour == "async":
        async with block:
            yield
    else:
        with block:
            yield


@scenario()
async def snapshot(w: World) -> Any:
    async def act() -> Any:
        async with transaction(w, read_only=True):
            poems = await w.db.select(w.models.Poem).fetch_all()
            return [poems, await w.db.get(w.models.Poet, 1)]

    return act


@scenario()
async def snapshot_with_a_block_inside(w: World) -> Any:
    async def act() -> Any:
        async with transaction(w, read_only=True):
            first = await w.db.get(w.models.Poet, 1)
            async with w.db:
                return [first, await w.db.select(w.models.Theme).count()]

    return act


@scenario(cold=True, places=("file",))
async def first_snapshot(w: World) -> Any:
    async def act() -> Any:
        async with transaction(w, read_only=True):
            return await w.db.get(w.models.Poet, 1)

    return act


@scenario()
async def transaction_that_locks_late(w: World) -> Any:
    poet = w.keep(await w.db.get(w.models.Poet, 1))
    poet.name = "Annie"

    async def act() -> None:
        async with transaction(w, immediate=False):
            await w.db.get(w.models.Poet, 2)
            await w.db.update(poet)

    return act


@scenario()
async def transaction_within_a_time(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))

    async def act() -> None:
        async with transaction(w, timeout=LONG):
            await w.db.insert(theme)
            await w.db.delete(w.models.Poet, 2)

    return act


@scenario()
async def verbs_within_a_time(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))

    async def act() -> Any:
        with w.db.timeout(LONG):
            poems = await w.db.select(w.models.Poem).fetch_all()
            await w.db.insert(theme)
        return poems

    return act


@scenario()
async def query_within_a_time(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).timeout(LONG).fetch_all()


@scenario()
async def query_update_within_a_time(w: World) -> Any:
    return lambda: w.db.select(w.models.Poet).timeout(LONG).update({"age": 31})


@scenario()
async def callback_after_a_block(w: World) -> Any:
    called = w.keep([])
    theme = w.keep(w.models.Theme(name="new"))

    async def act() -> None:
        async with w.db:
            await w.db.on_commit(lambda: called.append("called"))
            async with w.db:
                await w.db.insert(theme)

    return act


@scenario(least=0)
async def callback_where_nothing_is_open(w: World) -> Any:
    called = w.keep([])
    return lambda: w.db.on_commit(lambda: called.append("called"))


# --- nothing on the thread of the event loop ---

IN_THREADS = {"colours": ("async",), "options": {"inline": False}}


@scenario(**IN_THREADS)
async def insert_in_a_thread(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))
    return lambda: w.db.insert(theme)


@scenario(**IN_THREADS)
async def get_in_a_thread(w: World) -> Any:
    return lambda: w.db.get(w.models.Poet, 1)


@scenario(**IN_THREADS)
async def links_set_in_a_thread(w: World) -> Any:
    poem = await w.db.get(w.models.Poem, 1)
    other = await w.db.get(w.models.Theme, 3)
    return lambda: poem.themes.set(other)


@scenario(**IN_THREADS)
async def nested_blocks_in_threads(w: World) -> Any:
    themes = w.keep([w.models.Theme(name=f"new {n}") for n in range(3)])

    async def act() -> None:
        async with w.db:
            await w.db.insert(themes[0])
            async with w.db:
                await w.db.bulk_insert(themes[1:])
            await w.db.get(w.models.Poet, 1)

    return act


@scenario(**IN_THREADS)
async def snapshot_in_threads(w: World) -> Any:
    async def act() -> Any:
        async with transaction(w, read_only=True):
            return await w.db.select(w.models.Poem).fetch_all()

    return act


@scenario(
    colours=("async",), options={"inline": False, "auto_commit": False}, retries=False
)
async def commit_in_a_thread(w: World) -> Any:
    await w.db.insert(w.models.Theme(name="new"))
    return Play(w.db.commit, finish=w.db.rollback)
