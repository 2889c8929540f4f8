"""The table of scenarios: a verb, what it needs, and what may come of it."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from faults.world import World

Act: TypeAlias = Callable[[], Awaitable[Any]]

MODULES = (
    "database", "records", "hooks", "queries", "relations", "blocks", "limits", "searches", "tables",
    "upkeep",
)  # fmt: skip


class Play(NamedTuple):
    """`act` is what may fail; `finish` comes after it in any case, and never fails.

    `others` do what may be left of the act when part of it fails and it goes on.
    """

    act: Act
    finish: Act | None = None
    others: tuple[Act, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One line of the table; `prepare` is given a world and returns the play.

    cold: nothing is open, and nothing known of the file, when the act begins.
    least: how many calls of the driver it takes.
    errors: what it may raise besides the errors of the library.
    commits: how many transactions it consists of; it may end after each of them.
    is_pending: what it writes is committed by `finish`.
    is_harmless: what it writes is nobody's data, and may be there though it failed.
    retries: it can be done again after it failed.
    is_thorough: every kind of failure is tried in every colour and place.
    sees_commit: some call of the driver commits what it writes.
    """

    name: str
    prepare: Callable[[World], Awaitable[Play | Act]]
    options: dict[str, Any] = field(default_factory=dict)
    cold: bool = False
    least: int = 1
    colours: tuple[str, ...] = ("sync", "async")
    places: tuple[str, ...] = ("file", "memory")
    errors: tuple[type[BaseException], ...] = ()
    commits: int = 1
    is_pending: bool = False
    is_harmless: bool = False
    retries: bool = True
    is_thorough: bool = False
    sees_commit: bool = True

    def __str__(self) -> str:
        return self.name

    @property
    def shows_its_steps(self) -> bool:
        """Whether states on the way to the last one may be seen."""
        return self.commits > 1 or self.is_harmless


_known: dict[str, Scenario] = {}


def scenario(**details: Any) -> Callable[[Any], Any]:
    """Add a function to the table; its name is that of the scenario."""

    def add(prepare: Any) -> Any:
        name = prepare.__name__
        assert name not in _known, name
        _known[name] = Scenario(name, prepare, **details)
        return prepare

    return add


@functools.cache
def scenarios() -> tuple[Scenario, ...]:
    """All of them."""
    for name in MODULES:
        importlib.import_module(f"faults.scenarios.{name}")
    return tuple(_known.values())


async def prepared(each: Scenario, world: World) -> Play:
    """Make everything ready for the act."""
    if not each.cold:
        await world.open()
    play = await each.prepare(world)
    return play if isinstance(play, Play) else Play(play)
