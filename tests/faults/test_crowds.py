"""Writes of many that wait for one another and share a commit, of which any call fails.

Each either happened or did not, as it was told; none happened twice, and none pays for
another one's error. Only where a COMMIT worked and its end was never heard of may a write
be there though it raised.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from faults.driver import Driver
from faults.kinds import ERRORS, KEYS, Call, Kind, Moment
from faults.world import LockedOut, State, World
from support import Colour

from sqliter.exceptions import SqliterError

TRIED = (
    "full", "full, rolled back", "i/o error, committed", "interrupt", "no memory",
)  # fmt: skip
KINDS = [each for each in ERRORS if each.name in TRIED]

REFUSED = 2
"""Which of them cannot work in any case."""

TURNS = 8
"""Turns of the event loop after which somebody is cancelled, at most."""

MOST = 400
"""More calls than a crowd makes."""

EXPECTED = (SqliterError, MemoryError, KeyboardInterrupt, CancelledError)

Write = Callable[[], Awaitable[Any]]
Seen = Callable[[State], float]


class Raised(NamedTuple):
    """What is left of an error: the error itself holds frames, and they hold cursors."""

    kind: type[BaseException]
    text: str


class Crowd:
    """Writes of several tasks (or threads), and how often each can be seen in the file."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.writes: list[tuple[str, Write, Seen]] = []
        self.waiting: list[asyncio.Future[Any]] = []
        self.results: list[Any] = []

    async def prepare(self) -> None:
        """Fetch what the writes need; the first of them keeps the others waiting."""
        world, db, models = self.world, self.world.db, self.world.models
        await world.open()
        poem = await db.get(models.Poem, 2)
        theme = await db.get(models.Theme, 3)
        bulk = [models.Poet(name="many") for _ in range(3)]
        poet = await db.get(models.Poet, 3)
        poet.age = 99
        self._add("insert", lambda: db.insert(models.Poet(name="one")), named("one"))
        self._add("update", lambda: db.update(poet), aged(99))
        again = models.Theme(name="sea")  # there is one already
        self._add("refused", lambda: db.insert(again), lambda s: len(s["themes"]) - 3)
        self._add("other", lambda: db.insert(models.Poet(name="two")), named("two"))
        self._add("delete", lambda: db.delete(models.Poem, 4), gone("poems", 4))
        links = world.colour.many(poem.themes)
        self._add("link", lambda: links.add(theme), linked(2, 3))
        self._add("last", lambda: db.insert(models.Poet(name="three")), named("three"))
        self._add("bulk", lambda: db.bulk_insert(bulk), lambda s: named("many")(s) / 3)
        other = world.colour.many((await db.get(models.Poem, 1)).themes)
        self._add("set", lambda: other.set(theme), replaced(1, {1, 2}, {3}))

    def _add(self, name: str, write: Write, seen: Seen) -> None:
        self.writes.append((name, write, seen))

    async def run(self, begin: Callable[[], object]) -> None:
        """Have all wait for one block; `begin` is called when it is about to end."""
        colour, waiting = self.world.colour, self.waiting
        with suppress(*EXPECTED):
            async with self.world.db:
                for _, write, _ in self.writes:
                    waiting.append(self._start(outside(colour, write)))
                    await self._all_wait(len(waiting))
                begin()
        self.results = await asyncio.gather(*waiting)

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.create_task(coroutine, context=contextvars.Context())

    async def _all_wait(self, number: int) -> None:
        db, colour = self.world.db, self.world.colour
        while (await self._start(outside(colour, db.health))).waiting < number:
            await asyncio.sleep(0.001)

    def problems(self, *, is_unknowable: bool) -> list[str]:
        """What is wrong with the file now."""
        try:
            state = self.world.state()
        except LockedOut as error:
            return [str(error)]
        found = []
        for (name, _, seen), result in zip(self.writes, self.results, strict=True):
            times, raised = seen(state), isinstance(result, Raised)
            told = f"raised {result.kind.__name__}" if raised else "returned"
            is_late = raised and result.kind in (KeyboardInterrupt, CancelledError)
            may_be_done = is_unknowable or is_late
            allowed = {0, 1} if raised and may_be_done else {0} if raised else {1}
            if times not in allowed:
                found.append(f"{name} {told}, but happened {times:g} times")
        return found + self.world.transacting() + self.world.unenforced()


def outside(colour: Colour, write: Write) -> Coroutine[Any, Any, Any]:
    """The same, for a task or thread in no block; gives what it returns or raises."""

    async def call() -> Any:
        try:
            return await write()
        except EXPECTED as error:
            return Raised(type(error), str(error))

    async def apart() -> Any:
        if colour is Colour.SYNC:
            return (await colour.together(call()))[0]
        return await call()

    return apart()


def named(name: str) -> Seen:
    return lambda state: [row[3] for row in state["poets"]].count(name)


def aged(age: int) -> Seen:
    return lambda state: [row[4] for row in state["poets"]].count(age)


def gone(table: str, key: int) -> Seen:
    return lambda state: key not in [row[0] for row in state[table]]


def replaced(poem: int, old: set[int], new: set[int]) -> Seen:
    """Whether links were replaced; a half if only some of that was done."""

    def seen(state: State) -> float:
        there = {row[2] for row in state["poems_themes"] if row[1] == poem}
        return 0 if there == old else 1 if there == new else 0.5

    return seen


def linked(poem: int, theme: int) -> Seen:
    return lambda state: [row[1:] for row in state["poems_themes"]].count((poem, theme))


class Room:
    """Lets crowd after crowd in, each to a file of its own."""

    def __init__(self, colour: Colour, driver: Driver, folder: Path) -> None:
        self.colour, self.driver, self.folder = colour, driver, folder

    async def calls(self) -> list[Call]:
        """The calls of the driver when nothing goes wrong."""
        crowd = Crowd(World(self.colour, "file", self.driver, self.folder))
        with ExitStack() as stack:
            await crowd.prepare()
            noted: list[Call] = []
            await crowd.run(
                lambda: noted.append(stack.enter_context(self.driver.noting()))
            )
            calls = list(noted[0])
        assert not crowd.problems(is_unknowable=False)
        await crowd.world.db.close()
        crowd.world.remove()
        return calls

    async def attempt(self, kind: Kind, number: int) -> tuple[Call | None, list[str]]:
        """Have the n-th call fail; return which one it was, and what is wrong then."""
        world = World(self.colour, "file", self.driver, self.folder)
        crowd, plans = Crowd(world), []
        try:
            with ExitStack() as stack:
                await crowd.prepare()
                failing = self.driver.failing(kind, number)
                await crowd.run(lambda: plans.append(stack.enter_context(failing)))
            (plan,) = plans
            is_after = kind.moment is Moment.AFTER
            is_unknowable = bool(is_after and plan.hit and plan.hit.commits)
            found = crowd.problems(is_unknowable=is_unknowable)
            await world.db.insert(world.models.Theme(name="the next one"))
            await world.db.close()
        finally:
            world.remove()
        where = f"{kind} at call {number}, {plan.hit and plan.hit.what[:70]}"
        return plan.hit, [f"{where}: {each}" for each in found]


@pytest.fixture(params=list(Colour))
def room(request: pytest.FixtureRequest, driver: Driver, folder: Path) -> Room:
    """A room of each colour."""
    return Room(request.param, driver, folder)


async def test_a_crowd_shares_commits(room: Room) -> None:
    calls = await room.calls()  # of ten who would have one each
    assert 1 <= [call.word for call in calls].count("COMMIT") <= 5


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_any_call_may_fail_in_a_crowd(room: Room, kind: Kind) -> None:
    await survives(room, kind)


@pytest.mark.parametrize("kind", KEYS, ids=str)
async def test_ctrl_c_may_come_in_a_crowd(room: Room, kind: Kind) -> None:
    if room.colour is Colour.SYNC:  # a loop hears of it between two callbacks
        await survives(room, kind)


@pytest.mark.parametrize("victim", range(9))
async def test_one_of_a_crowd_may_be_cancelled(
    driver: Driver, folder: Path, victim: int
) -> None:
    cancelled = 0
    for turns in range(TURNS):
        world = World(Colour.ASYNC, "file", driver, folder)
        crowd = Crowd(world)

        async def cancel() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            crowd.waiting[victim].cancel()

        cancelling = []
        try:
            await crowd.prepare()
            await crowd.run(lambda: cancelling.append(asyncio.create_task(cancel())))
            await cancelling[0]
            assert not crowd.problems(is_unknowable=False)
            results = enumerate(crowd.results)
            raised = {n for n, each in results if type(each) is Raised} - {REFUSED}
            assert raised <= {victim}
            cancelled += len(raised)
            await world.db.close()
        finally:
            world.remove()
    assert cancelled or victim == REFUSED


async def survives(room: Room, kind: Kind) -> None:
    """Have the n-th call fail, n = 1, 2, ... until no call is left that could."""
    problems = []
    for number in itertools.count(1):
        hit, found = await room.attempt(kind, number)
        problems += found
        if hit is None:
            break
        assert number < MOST
    assert number > 1
    assert not problems, "\n".join(problems)
