"""Random operations, blocks, rollbacks and cancellations: the database does as a dict does."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from stress.actor import Actor
from stress.changes import NUMBERS, SIZES, Block, Change, Item, Undone, changes, nth_key
from stress.moments import CancelledAtWait
from stress.parts import outside
from stress.world import Rows, World
from support import Colour

WAITS = st.sampled_from([1, 1, 1, 2, 3, 4, 6, 9, 12])
DELAYS = st.sampled_from([0, 0, 0.0002])


class Machine(RuleBasedStateMachine):
    """One task that uses a database, others that look on."""

    colour: ClassVar[Colour]
    in_memory: ClassVar[bool]
    auto_commit: ClassVar[bool]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.actor = Actor()

    @initialize(cache_enabled=st.booleans())
    def open(self, cache_enabled: bool) -> None:
        file = ":memory:" if self.in_memory else Path(self.folder.name, "items.db")
        database = self.colour.database(
            file, auto_commit=self.auto_commit, cache_enabled=cache_enabled
        )
        self.world = World(self.auto_commit)
        self.db = self.colour.wrap(database)
        self.actor.do(self.db.create_table(Item))
        self.actor.do(self.db.commit())

    # Writes

    @rule(several=st.lists(changes, min_size=1, max_size=3))
    def write(self, several: list[Change]) -> None:
        for change in several:
            self.actor.do(change.run(self.db, self.world))

    @precondition(lambda self: self.colour is Colour.ASYNC)
    @rule(change=changes, wait=WAITS, delay=DELAYS, again=st.booleans())
    def write_cancelled(
        self, change: Change, wait: int, delay: float, again: bool
    ) -> None:
        after = self.world.copy()
        danger: Awaitable[None] = CancelledAtWait(
            change.run(self.db, after), wait, delay
        )
        if again:
            danger = CancelledAtWait(danger, wait + 1)
        if self.actor.do(was_cancelled(danger)):
            rows = self.actor.do(stored(self.db))
            assert rows in change.possible(self.world)
            self.world.write(rows)
            if isinstance(change, Block):  # it may have ended what was not committed
                self.commit()
        else:
            self.world = after

    # Blocks

    @precondition(lambda self: len(self.world.saved) < 4)
    @rule(times=st.integers(1, 2))
    def enter(self, times: int) -> None:
        for _ in range(times):
            self.actor.do(self.db.__aenter__())
            self.world.enter()

    @precondition(lambda self: self.world.saved)
    @rule(fails=st.booleans())
    def leave(self, fails: bool) -> None:
        error = (Undone, Undone(), None) if fails else (None, None, None)
        self.actor.do(self.db.__aexit__(*error))
        self.world.leave(fails=fails)

    @rule()
    def commit(self) -> None:
        self.actor.do(self.db.commit())
        self.world.commit()

    @rule()
    def rollback(self) -> None:
        self.actor.do(self.db.rollback())
        self.world.rollback()

    # Reads

    @rule(number=NUMBERS, size=SIZES, limit=st.integers(1, 4))
    def read(self, number: int, size: int, limit: int) -> None:
        key = nth_key(self.world.rows, number)
        item = self.actor.do(self.db.get(Item, key))
        assert (item and (item.name, item.size)) == self.world.rows.get(key)
        query = self.db.select(Item).filter(size__gte=size).order("name").limit(limit)
        found = [(item.name, item.size) for item in self.actor.do(query.fetch_all())]
        expected = sorted(row for row in self.world.rows.values() if row[1] >= size)
        assert found == expected[:limit]

    @invariant()
    def the_task_sees_what_it_did(self) -> None:
        assert self.actor.do(stored(self.db)) == self.world.rows
        assert self.actor.do(is_in_block(self.db)) == bool(self.world.saved)

    @invariant()
    def others_see_what_is_committed(self) -> None:
        if not self.in_memory:
            with outside(self.db.filename) as connection:
                found = connection.execute("SELECT pk, name, size FROM items")
                rows = {key: (name, size) for key, name, size in found}
            assert rows == self.world.committed

    @invariant()
    def a_task_or_thread_that_never_was_in_the_block_sees_none_of_it(self) -> None:
        if self.in_memory and self.world.saved:
            return  # it would wait for the block
        seen = self.actor.do(by_another(self.colour, self.db))
        world = self.world
        assert seen == (world.committed if world.saved else world.rows)

    def teardown(self) -> None:
        with contextlib.closing(self.actor), self.folder:
            while self.world.saved:
                self.leave(fails=True)
            self.actor.do(self.db.close())


async def stored(db: Any) -> Rows:
    items = await db.select(Item).fetch_all()
    return {item.pk: (item.name, item.size) for item in items}


async def is_in_block(db: Any) -> bool:
    return db.in_transaction


async def by_another(colour: Colour, db: Any) -> Rows:
    return await colour.apart(stored(db))


async def was_cancelled(work: Awaitable[None]) -> bool:
    """Do it in a task that joins the block."""
    try:
        await asyncio.create_task(finished(work))
    except asyncio.CancelledError:
        return True
    return False


async def finished(work: Awaitable[None]) -> None:
    await work


@pytest.mark.parametrize("auto_commit", [True, False], ids=["auto", "manual"])
@pytest.mark.parametrize("in_memory", [False, True], ids=["file", "memory"])
@pytest.mark.parametrize("colour", Colour)
def test_database_does_as_a_dict_does(
    colour: Colour, in_memory: bool, auto_commit: bool
) -> None:
    options = {"colour": colour, "in_memory": in_memory, "auto_commit": auto_commit}
    run_state_machine_as_test(
        type("Machine", (Machine,), options),
        settings=settings(
            phases=[Phase.generate],  # with Phase.shrink a failure takes minutes
            max_examples=40,
            stateful_step_count=30,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
