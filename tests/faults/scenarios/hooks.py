"""Writes around which hooks are called, some of which write themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faults.table import Play, scenario
from faults.world import World
from support import Colour, unwrap


@scenario()
async def insert_with_hooks(w: World) -> Any:
    noted(w, w.models.Theme, "after_insert")
    theme = w.keep(w.models.Theme(name="new"))
    return lambda: w.db.insert(theme)


@scenario(places=("file",))
async def delete_with_hooks(w: World) -> Any:
    noted(w, w.models.Theme, "after_delete")
    return lambda: w.db.delete(w.models.Theme, 3)


@scenario(places=("file",))
async def bulk_upsert_with_hooks(w: World) -> Any:
    noted(w, w.models.Theme, "before_insert")
    noted(w, w.models.Theme, "after_update")
    themes = w.keep([w.models.Theme(name=name) for name in ("new", "sea", "new")])
    return lambda: w.db.bulk_upsert(themes)


@scenario(places=("file",))
async def insert_with_hooks_in_a_block(w: World) -> Any:
    noted(w, w.models.Theme, "after_insert")
    theme = w.keep(w.models.Theme(name="new"))

    async def act() -> None:
        async with w.db:
            await w.db.insert(theme)

    return act


@scenario(
    options={"auto_commit": False}, is_pending=True, sees_commit=False, places=("file",)
)
async def insert_with_hooks_to_be_committed(w: World) -> Any:
    noted(w, w.models.Theme, "after_insert")
    theme = w.keep(w.models.Theme(name="new"))
    return Play(lambda: w.db.insert(theme), finish=w.db.commit)


@scenario(
    options={"auto_commit": False},
    is_pending=True,
    retries=False,
    sees_commit=False,
    places=("file",),
)
async def insert_with_hooks_after_others_to_be_committed(w: World) -> Any:
    await w.db.insert(w.models.Poet(name="before"))
    noted(w, w.models.Theme, "after_insert")
    theme = w.keep(w.models.Theme(name="new"))
    return Play(lambda: w.db.insert(theme), finish=w.db.commit)


def noted(w: World, model: type[Any], event: str) -> None:
    """Have a row written each time; and something called when all is committed."""
    db, guest = unwrap(w.db), w.models.Poet

    def write(_: Any) -> None:
        db.insert(guest(name=event))

    async def write_awaited(_: Any) -> None:
        await db.insert(guest(name=event))

    hook: Callable[[Any], Any]
    hook = write if w.colour is Colour.SYNC else write_awaited
    db.on(model, event, hook)
    db.on(model, "after_commit", lambda _, change: None)
