"""Transactions: blocks, blocks in blocks, and what is collected until it is committed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from faults.table import Play, scenario
from faults.world import World

from sqliter.exceptions import SqliterError


@scenario()
async def block(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))
    poet = w.keep(await w.db.get(w.models.Poet, 1))
    poet.name = "Annie"

    async def act() -> None:
        async with w.db:
            await w.db.insert(theme)
            await w.db.update(poet)
            await w.db.delete(w.models.Poet, 2)

    return act


@scenario(cold=True, places=("file",))
async def first_block(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))

    async def act() -> None:
        async with w.db:
            await w.db.insert(theme)

    return act


@scenario(options={"begin": "deferred", "journal_mode": "delete"}, places=("file",))
async def block_that_locks_late(w: World) -> Any:
    themes = w.keep([w.models.Theme(name="new"), w.models.Theme(name="newer")])

    async def act() -> None:
        async with w.db:
            await w.db.get(w.models.Poet, 1)
            await w.db.bulk_insert(themes)

    return act


@scenario()
async def block_that_only_reads(w: World) -> Any:
    async def act() -> Any:
        async with w.db:
            poems = await w.db.select(w.models.Poem).fetch_all()
            return [poems, await w.db.get(w.models.Poet, 1)]

    return act


@scenario(options={"cache_enabled": True})
async def block_beside_a_cache(w: World) -> Any:
    poet = w.keep(await w.db.get(w.models.Poet, 1))
    poet.name = "Annie"

    async def act() -> Any:
        async with w.db:
            await w.db.update(poet)
            return await w.db.get(w.models.Poet, 1)

    return act


@scenario()
async def nested_blocks(w: World) -> Any:
    themes = w.keep([w.models.Theme(name=f"new {n}") for n in range(5)])

    async def act() -> None:
        async with w.db:
            await w.db.insert(themes[0])
            async with w.db:
                await w.db.bulk_insert(themes[1:3])
                async with w.db:
                    await w.db.insert(themes[3])
            await w.db.insert(themes[4])

    return act


@scenario()
async def block_that_fails_by_itself(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))

    async def act() -> None:
        with suppress(ZeroDivisionError):
            async with w.db:
                await w.db.insert(theme)
                raise ZeroDivisionError

    return act


@scenario()
async def inner_block_that_fails_by_itself(w: World) -> Any:
    outer, inner, later = (w.models.Theme(name=n) for n in ("new", "newer", "newest"))
    w.keep([outer, inner, later])

    async def act() -> None:
        async with w.db:
            await w.db.insert(outer)
            with suppress(ZeroDivisionError):
                async with w.db:
                    await w.db.insert(inner)
                    raise ZeroDivisionError
            await w.db.insert(later)

    return act


@scenario()
async def block_that_goes_on_after_an_error(w: World) -> Any:
    first, second, third = (w.models.Theme(name=n) for n in ("new", "newer", "newest"))

    async def insert(*themes: Any) -> None:
        async with w.db:
            for theme in themes:
                with suppress(SqliterError, MemoryError):
                    await w.db.insert(theme)

    others = [(second, third), (first, third), (first, second)]
    return Play(
        lambda: insert(first, second, third),
        others=tuple(lambda some=some: insert(*some) for some in others),
    )


@scenario()
async def block_that_goes_on_after_a_bulk_failed(w: World) -> Any:
    first, last = w.models.Theme(name="new"), w.models.Theme(name="newest")
    bulk = [w.models.Theme(name="newer"), w.models.Theme(pk=90, name="keyed")]

    async def act(*, insert_first: bool = True, insert_bulk: bool = True) -> None:
        async with w.db:
            with suppress(SqliterError, MemoryError):
                await w.db.insert(first) if insert_first else None
            with suppress(SqliterError, MemoryError):
                await w.db.bulk_insert(bulk) if insert_bulk else None
            with suppress(SqliterError, MemoryError):
                await w.db.insert(last)

    async def without_last() -> None:
        async with w.db:
            await w.db.insert(first)
            await w.db.bulk_insert(bulk)

    others = (
        lambda: act(insert_first=False),
        lambda: act(insert_bulk=False),
        without_last,
    )
    return Play(act, others=others)


@scenario()
async def block_that_goes_on_after_an_inner_one_failed(w: World) -> Any:
    outer, inner, later = (w.models.Theme(name=n) for n in ("new", "newer", "newest"))

    async def act(*, with_inner: bool = True) -> None:
        async with w.db:
            await w.db.insert(outer)
            if with_inner:
                with suppress(SqliterError, MemoryError):
                    async with w.db:
                        await w.db.insert(inner)
            await w.db.insert(later)

    return Play(act, others=(lambda: act(with_inner=False),))


@scenario(commits=2)
async def block_that_commits_halfway(w: World) -> Any:
    themes = [w.models.Theme(name="new"), w.models.Theme(name="newer")]

    async def act() -> None:
        async with w.db:
            await w.db.insert(themes[0])
            await w.db.commit()
            await w.db.insert(themes[1])

    return act


@scenario(commits=2)
async def nested_block_that_commits_halfway(w: World) -> Any:
    themes = [w.models.Theme(name=f"new {n}") for n in range(3)]

    async def act() -> None:
        async with w.db:
            await w.db.insert(themes[0])
            async with w.db:
                await w.db.insert(themes[1])
                await w.db.commit()
                await w.db.insert(themes[2])

    return act


@scenario()
async def block_that_rolls_back_halfway(w: World) -> Any:
    first = w.keep(w.models.Theme(name="new"))
    second = w.keep(w.models.Theme(name="newer"))

    async def act() -> None:
        async with w.db:
            await w.db.insert(first)
            await w.db.rollback()
            await w.db.insert(second)

    return act


@scenario(options={"auto_commit": False}, retries=False)
async def commit(w: World) -> Any:
    await w.db.insert(w.models.Theme(name="new"))
    return Play(w.db.commit, finish=w.db.rollback)


@scenario(options={"auto_commit": False}, retries=False)
async def rollback(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))
    await w.db.insert(theme)
    return Play(w.db.rollback, finish=w.db.rollback)


@scenario(options={"auto_commit": False}, retries=False)
async def block_after_writes_to_be_committed(w: World) -> Any:
    await w.db.insert(w.models.Theme(name="before"))
    theme = w.keep(w.models.Theme(name="new"))

    async def act() -> None:
        async with w.db:
            await w.db.insert(theme)

    return Play(act, finish=w.db.rollback)
