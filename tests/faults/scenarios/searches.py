"""Full-text search: its index made, filled and dropped, and what is found with it."""

from __future__ import annotations

from typing import Any

from faults.table import scenario
from faults.world import World

from sqliter.model import BaseDBModel


class Leaf(BaseDBModel):
    text: str

    class Meta:
        fts = ["text"]
        table_name = "leaves"


class Unsearched(BaseDBModel):
    text: str

    class Meta:
        table_name = "leaves"


async def leaves(w: World) -> None:
    await w.db.create_table(Leaf)
    await w.db.insert(Leaf(text="By the sea, by the sea"))


@scenario()
async def create_table_with_search(w: World) -> Any:
    return lambda: w.db.create_table(Leaf)


@scenario()
async def create_index_of_rows(w: World) -> Any:
    await w.db.create_table(Unsearched)
    await w.db.insert(Unsearched(text="By the sea"))
    return lambda: w.db.create_table(Leaf)


@scenario()
async def drop_table_with_search(w: World) -> Any:
    await leaves(w)
    return lambda: w.db.drop_table(Leaf)


@scenario()
async def insert_with_search(w: World) -> Any:
    await leaves(w)
    return lambda: w.db.insert(Leaf(text="At sea"))


@scenario()
async def fetch_hits(w: World) -> Any:
    await leaves(w)
    return lambda: w.db.select(Leaf).search("sea").fetch_hits("text")


@scenario()
async def rebuild_search(w: World) -> Any:
    await leaves(w)
    return lambda: w.db.rebuild_search(Leaf)
