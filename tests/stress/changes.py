"""Writes as data: what each asks of the database, and what it does to the `World`.

`await change.run(db, world)` does both; a change that must be refused checks that it is.
`possible(world)` are the rows that may be there when the change was cancelled.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from hypothesis import strategies as st
from stress.world import Rows, World

from sqliter.exceptions import (
    RecordInsertionError,
    RecordNotFoundError,
    RecordUpdateError,
)
from sqliter.model import BaseDBModel, unique


class Item(BaseDBModel):
    name: str = unique()
    size: int

    class Meta:
        table_name = "items"


class Undone(Exception):
    """Leaves a block."""


class Change(Protocol):
    async def run(self, db: Any, world: World) -> None: ...

    def possible(self, world: World) -> list[Rows]: ...


def is_taken(rows: Rows, name: str, but: int = 0) -> bool:
    return any(key != but and row[0] == name for key, row in rows.items())


def nth_key(rows: Rows, number: int) -> int:
    """One of the keys; one that is not there if there is none."""
    return sorted(rows)[number % len(rows)] if rows else 1_000_000


def added(items: list[Item]) -> Rows:
    """The rows of those that say they were inserted."""
    return {item.pk: (item.name, item.size) for item in items if item.pk}


@dataclass
class Insert:
    name: str
    size: int
    item: Item = field(init=False, repr=False)

    async def run(self, db: Any, world: World) -> None:
        self.item = Item(name=self.name, size=self.size)
        if is_taken(world.rows, self.name):
            with pytest.raises(RecordInsertionError):
                await db.insert(self.item)
            assert self.item.pk == 0
        else:
            await db.insert(self.item)
            assert self.item.pk not in {0, *world.rows}
            world.write(world.rows | added([self.item]))

    def possible(self, world: World) -> list[Rows]:
        return [world.rows | added([self.item])]


@dataclass
class BulkInsert:
    names: list[str]
    size: int
    items: list[Item] = field(init=False, repr=False)

    async def run(self, db: Any, world: World) -> None:
        self.items = [Item(name=name, size=self.size) for name in self.names]
        twice = len(set(self.names)) < len(self.names)
        if twice or any(is_taken(world.rows, name) for name in self.names):
            with pytest.raises(RecordInsertionError):
                await db.bulk_insert(self.items)
            assert not any(item.pk for item in self.items)
        else:
            await db.bulk_insert(self.items)
            after = world.rows | added(self.items)
            assert len(after) == len(world.rows) + len(self.items)
            world.write(after)

    def possible(self, world: World) -> list[Rows]:
        return [world.rows | added(self.items)]


class OnRows:
    """A change whose outcome is known before."""

    def after(self, rows: Rows) -> Rows:
        raise NotImplementedError

    def possible(self, world: World) -> list[Rows]:
        return [world.rows, self.after(world.rows)]


@dataclass
class Update(OnRows):
    number: int
    name: str
    size: int

    async def run(self, db: Any, world: World) -> None:
        key = nth_key(world.rows, self.number)
        item = Item(pk=key, name=self.name, size=self.size)
        if key not in world.rows:
            with pytest.raises(RecordNotFoundError):
                await db.update(item)
        elif is_taken(world.rows, self.name, but=key):
            with pytest.raises(RecordUpdateError):
                await db.update(item)
        else:
            await db.update(item)
        world.write(self.after(world.rows))

    def after(self, rows: Rows) -> Rows:
        key = nth_key(rows, self.number)
        if key not in rows or is_taken(rows, self.name, but=key):
            return rows
        return rows | {key: (self.name, self.size)}


@dataclass
class Delete(OnRows):
    number: int

    async def run(self, db: Any, world: World) -> None:
        key = nth_key(world.rows, self.number)
        if key in world.rows:
            await db.delete(Item, key)
        else:
            with pytest.raises(RecordNotFoundError):
                await db.delete(Item, key)
        world.write(self.after(world.rows))

    def after(self, rows: Rows) -> Rows:
        gone = nth_key(rows, self.number)
        return {key: row for key, row in rows.items() if key != gone}


@dataclass
class UpdateWhere(OnRows):
    above: int
    size: int

    async def run(self, db: Any, world: World) -> None:
        query = db.select(Item).filter(size__gt=self.above)
        count = await query.update({"size": self.size})
        assert count == sum(size > self.above for _, size in world.rows.values())
        world.write(self.after(world.rows))

    def after(self, rows: Rows) -> Rows:
        return {
            key: (name, self.size if size > self.above else size)
            for key, (name, size) in rows.items()
        }


@dataclass
class DeleteWhere(OnRows):
    below: int

    async def run(self, db: Any, world: World) -> None:
        after = self.after(world.rows)
        count = await db.select(Item).filter(size__lt=self.below).delete()
        assert count == len(world.rows) - len(after)
        world.write(after)

    def after(self, rows: Rows) -> Rows:
        return {key: row for key, row in rows.items() if row[1] >= self.below}


@dataclass
class Block:
    """Changes in a block of their own, left by an exception if it ``fails``."""

    changes: list[Change]
    fails: bool
    complete: list[Rows] = field(default_factory=list, init=False, repr=False)

    async def run(self, db: Any, world: World) -> None:
        self.complete = []
        with contextlib.suppress(Undone):
            async with db:
                world.enter()
                for change in self.changes:
                    await change.run(db, world)
                if self.fails:
                    raise Undone
                self.complete = [world.rows]
        world.leave(fails=self.fails)

    def possible(self, world: World) -> list[Rows]:
        return [world.rows, world.undone, *self.complete]


NAMES = st.sampled_from("abcdefgh")
SIZES = st.integers(0, 5)
NUMBERS = st.integers(0, 7)

simple_changes = st.one_of(
    st.builds(Insert, NAMES, SIZES),
    st.builds(BulkInsert, st.lists(NAMES, min_size=1, max_size=4), SIZES),
    st.builds(Update, NUMBERS, NAMES, SIZES),
    st.builds(Delete, NUMBERS),
    st.builds(UpdateWhere, SIZES, SIZES),
    st.builds(DeleteWhere, SIZES),
)
inner_blocks = st.builds(Block, st.lists(simple_changes, max_size=2), st.booleans())
blocks = st.builds(
    Block, st.lists(simple_changes | inner_blocks, max_size=3), st.booleans()
)
changes = st.one_of(simple_changes, blocks)
