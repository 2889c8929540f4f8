"""One scenario, played again and again while something else goes wrong each time."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from faults.driver import Driver, is_open
from faults.judge import judge
from faults.kinds import Call
from faults.table import Act, Play, Scenario, prepared
from faults.world import State, World, summary
from support import Colour

ENOUGH = 20
"""Problems of one scenario after which it is given up: each may cost a time-out."""


@dataclass
class Outcome:
    """How an act ended: what it gave or raised, and where it was hit, if it was.

    expected: what may be raised. must_raise: it may not return either.
    may_be_done: it raised, but what it wrote may be committed all the same.
    is_unknowable: not even the library can tell whether it is.
    was_lost: all that was not committed may be gone.
    """

    value: Any = None
    error: BaseException | None = None
    hit: str | None = None
    expected: tuple[type[BaseException], ...] = ()
    must_raise: bool = False
    may_be_done: bool = False
    is_unknowable: bool = False
    was_lost: bool = False


class Strike(Protocol):
    """What goes wrong while an act is done."""

    async def __call__(self, act: Act, driver: Driver) -> Outcome: ...


@dataclass
class Ending:
    """What is there when a play is over."""

    state: State
    kept: Any
    value: Any = None


@dataclass
class Reference:
    """How a play ends when nothing goes wrong: untouched, without its act, and with it.

    `passed` are the states committed on the way, `others` those that are left when a
    part of the act fails and it goes on. `calls` are those of the driver in the act.
    """

    start: State
    without: Ending
    complete: Ending
    passed: list[State] = field(default_factory=list)
    others: list[State] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


class Trial:
    """Plays a scenario in one colour and place."""

    def __init__(
        self,
        scenario: Scenario,
        colour: Colour,
        place: str,
        driver: Driver,
        folder: Path,
        learned: dict[Any, Reference],
    ) -> None:
        self.scenario = scenario
        self.colour = colour
        self.place = place
        self.driver = driver
        self.folder = folder
        self.options: dict[str, Any] = dict(scenario.options)
        self._learned = learned
        self.reference: Reference

    async def learn(self) -> None:
        """Play it untouched, to know how it ends; once is enough."""
        key = (self.scenario.name, self.colour, self.place)
        if key not in self._learned:
            self._learned[key] = await self._reference()
        self.reference = self._learned[key]

    async def _reference(self) -> Reference:
        number_of_others = 0

        async def leave_out(world: World, play: Play) -> None:
            nonlocal number_of_others
            number_of_others = len(play.others)
            await _finished(play)

        start = await self._opened()
        without = await self._played(leave_out)
        reference = Reference(start, without, without)
        reference.complete = await self._played(self._noting(reference))
        for number in range(number_of_others):
            other = await self._played(_other(number))
            reference.others.append(other.state)
        return reference

    async def attempt(self, strike: Strike) -> tuple[Outcome, list[str]]:
        """Play it while something goes wrong; return what is wrong afterwards."""
        world = self.new_world()
        gc.disable()  # what is not closed must not be closed by accident
        try:
            play = await prepared(self.scenario, world)
            outcome = await strike(play.act, self.driver)
            outcome.value = summary(outcome.value)
            found = await judge(self.scenario, world, play, outcome, self.reference)
        finally:
            gc.enable()
            world.remove()
        where = f"{strike}, {outcome.hit or 'not hit'}"
        return outcome, [f"{where}: {problem}" for problem in found]

    def new_world(self) -> World:
        """Return a database that nobody has used yet."""
        place = (self.colour, self.place, self.driver, self.folder)
        return World(*place, **self.options)

    async def _opened(self) -> State:
        world = self.new_world()
        try:
            await world.open()
            return world.state()
        finally:
            await world.db.close()
            world.remove()

    async def _played(self, how: Callable[[World, Play], Awaitable[Any]]) -> Ending:
        world = self.new_world()
        try:
            play = await prepared(self.scenario, world)
            value = await how(world, play)
            return Ending(world.state(), world.kept(), summary(value))
        finally:
            await world.db.close()
            world.remove()

    def _noting(self, reference: Reference) -> Callable[[World, Play], Awaitable[Any]]:
        async def play_and_note(world: World, play: Play) -> Any:
            def note(connection: Any) -> None:
                if not is_open(connection) or connection.in_transaction:
                    return
                if connection.path in (":memory:", str(world.path)):
                    state = world.state()
                    if state not in reference.passed[-1:]:
                        reference.passed.append(state)

            if self.scenario.shows_its_steps:
                self.driver.watch = note
            try:
                with self.driver.noting() as calls:
                    value = await play.act()
            finally:
                self.driver.watch = None
            reference.calls = calls
            await _finished(play)
            return value

        return play_and_note


def _other(number: int) -> Callable[[World, Play], Awaitable[Any]]:
    async def play_other(world: World, play: Play) -> Any:
        value = await play.others[number]()
        await _finished(play)
        return value

    return play_other


async def _finished(play: Play) -> None:
    if play.finish is not None:
        await play.finish()
