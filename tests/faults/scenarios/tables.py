"""Tables and indexes: made, made anew, dropped, listed."""

from __future__ import annotations

from typing import Any

from faults.table import scenario
from faults.world import World

from sqliter.operations import tables


@scenario()
async def create_table(w: World) -> Any:
    return lambda: w.db.create_table(w.models.Guest)


@scenario(cold=True, places=("file",))
async def first_create_table(w: World) -> Any:
    return lambda: w.db.create_table(w.models.Guest)


@scenario()
async def create_table_that_exists(w: World) -> Any:
    return lambda: w.db.create_table(w.models.Poet)


@scenario()
async def create_table_with_links(w: World) -> Any:
    return lambda: w.db.create_table(w.models.Club)


@scenario()
async def create_table_anew(w: World) -> Any:
    await w.db.create_table(w.models.Guest)
    await w.db.insert(w.models.Guest(name="Gil", email="gil@home"))
    return lambda: w.db.create_table(w.models.Guest, force=True)


@scenario()
async def create_table_anew_that_others_refer_to(w: World) -> Any:
    return lambda: w.db.create_table(w.models.Poet, force=True)


@scenario()
async def create_table_anew_with_links(w: World) -> Any:
    return lambda: w.db.create_table(w.models.Poem, force=True)


@scenario()
async def create_indexes(w: World) -> Any:
    return lambda: w.db.create_indexes(w.models.Poet, ["name", ("age", "name")])


@scenario()
async def create_m2m_junction_tables(w: World) -> Any:
    await w.db.execute("DROP TABLE poems_themes")
    return lambda: w.db.create_m2m_junction_tables(w.models.Poem)


@scenario()
async def run(w: World) -> Any:
    operation = ("poets_themes", "poets", "themes")
    return lambda: w.db.run(tables.create_junction(*operation, w.db.context))


@scenario()
async def drop_table(w: World) -> Any:
    return lambda: w.db.drop_table(w.models.Poem)


@scenario()
async def reset_database(w: World) -> Any:
    return w.db.reset_database


@scenario()
async def get_table_names(w: World) -> Any:
    return w.db.get_table_names


@scenario(cold=True, places=("file",))
async def first_get_table_names(w: World) -> Any:
    return w.db.get_table_names
