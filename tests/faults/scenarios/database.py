"""Opening, closing, and the driver's own connection."""

from __future__ import annotations

import sqlite3
from typing import Any

from faults.table import Play, scenario
from faults.world import World


@scenario(cold=True, places=("file",), is_thorough=True)
async def connect(w: World) -> Any:
    return w.db.connect


@scenario(cold=True, places=("file",))
async def create(w: World) -> Any:
    async def act() -> None:
        made = w.colour.database.create(**w.arguments)
        db = w.colour.wrap(await made if w.colour == "async" else made)
        await db.close()

    return act


@scenario(least=0, sees_commit=False)
async def close(w: World) -> Any:
    await w.db.get(w.models.Poet, 1)
    return w.db.close


@scenario(options={"auto_commit": False}, places=("file",), least=0, retries=False)
async def close_with_writes_to_be_committed(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))
    await w.db.insert(theme)
    return Play(w.db.close, finish=w.db.rollback)


RAW = {"errors": (sqlite3.Error,)}
PAST_US = {**RAW, "retries": False, "least": 0, "sees_commit": False}
"""`sqlite3.Connection.commit` is called past what a subclass says."""
INSERT = "INSERT INTO themes (created_at, updated_at, name) VALUES (1, 2, ?)"


@scenario(**RAW)
async def conn_execute(w: World) -> Any:
    return lambda: w.db.conn.execute(INSERT, ("new",))


@scenario(**RAW)
async def conn_cursor(w: World) -> Any:
    async def act() -> Any:
        cursor = await w.db.conn.execute("SELECT pk, name FROM poets")
        rows = [await cursor.fetchone(), await cursor.fetchall()]
        await cursor.close()
        return rows

    return act


@scenario(**RAW)
async def conn_executemany(w: World) -> Any:
    return lambda: w.db.conn.executemany(INSERT, [("new",)])


@scenario(**PAST_US)
async def conn_commit(w: World) -> Any:
    await w.db.conn.execute("BEGIN")
    await w.db.conn.execute(INSERT, ("new",))
    return Play(w.db.conn.commit, finish=w.db.conn.rollback)


@scenario(**PAST_US)
async def conn_rollback(w: World) -> Any:
    await w.db.conn.execute("BEGIN")
    await w.db.conn.execute(INSERT, ("new",))
    return Play(w.db.conn.rollback, finish=w.db.conn.rollback)
