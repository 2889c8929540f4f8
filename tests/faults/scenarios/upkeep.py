"""Whole files: copied, restored, kept in order."""

from __future__ import annotations

from typing import Any

from faults.table import scenario
from faults.world import World


@scenario(sees_commit=False)
async def backup(w: World) -> Any:
    return lambda: w.db.backup(w.out / "copy.db")


@scenario(sees_commit=False)
async def backup_that_replaces_another(w: World) -> Any:
    await w.db.backup(w.out / "copy.db")
    await w.db.insert(w.models.Theme(name="new"))
    return lambda: w.db.backup(w.out / "copy.db")


@scenario(options={"journal_mode": "delete"}, places=("file",), sees_commit=False)
async def backup_of_a_rollback_journal(w: World) -> Any:
    return lambda: w.db.backup(w.out / "copy.db")


@scenario(sees_commit=False)
async def restore(w: World) -> Any:
    await w.db.insert(w.models.Theme(name="old"))
    await w.db.backup(w.out / "copy.db")
    await w.db.delete(w.models.Poet, 1)
    return lambda: w.db.restore(w.out / "copy.db")


@scenario()
async def checkpoint(w: World) -> Any:
    await w.db.insert(w.models.Theme(name="new"))
    return w.db.checkpoint


@scenario()
async def vacuum(w: World) -> Any:
    await w.db.delete(w.models.Poet, 1)
    return w.db.vacuum


@scenario(is_harmless=True)
async def optimize(w: World) -> Any:
    return w.db.optimize


@scenario()
async def integrity_check(w: World) -> Any:
    return w.db.integrity_check


@scenario()
async def health(w: World) -> Any:
    return w.db.health


@scenario(cold=True, places=("file",))
async def first_health(w: World) -> Any:
    return w.db.health
