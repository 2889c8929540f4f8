"""Driving steps by hand: what an engine does, without a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqliter.core.cache import Cache, CacheLimits
from sqliter.core.context import Context
from sqliter.core.logs import StatementLog
from sqliter.core.settings import MEMORY, Settings
from sqliter.core.statement import Request, Result
from sqliter.core.steps import Operation

Reply = Sequence[Result] | BaseException


def context(*, cached: bool = False) -> Context:
    """Return what operations share, with no database behind it."""
    cache = Cache(CacheLimits(), enabled=cached)
    return Context(Settings(MEMORY), cache, StatementLog(None, debug=False))


def rows(*found: tuple[Any, ...], columns: tuple[str, ...] = ()) -> list[Result]:
    """Return the answer to a query."""
    return [Result(list(found), -1, None, columns)]


def written(count: int = 1, key: int | None = None) -> list[Result]:
    """Return the answer to a statement that wrote so many rows."""
    return [Result([], count, key)]


class Conversation:
    """Every request of an operation, and what it returned in the end."""

    def __init__(self, operation: Operation[Any], *replies: Reply) -> None:
        self.requests: list[Request] = []
        self.access = operation.access
        self.effects = operation.effects
        self.value = self._talk(operation.steps, list(replies))

    @property
    def asked(self) -> list[Request]:
        """The requests but those of the library's own bookkeeping."""
        return [each for each in self.requests if not each.internal]

    @property
    def sql(self) -> list[str]:
        """The text of every statement asked for."""
        return [statement.sql for each in self.asked for statement in each.statements]

    def _talk(self, steps: Any, replies: list[Reply]) -> Any:
        move: Callable[[Any], Request] = steps.send
        argument: Any = None
        while True:
            try:
                self.requests.append(move(argument))
            except StopIteration as stop:
                assert not replies, f"never asked for: {replies}"
                return stop.value
            assert replies, f"not expected: {self.requests[-1]}"
            argument = replies.pop(0)
            move = steps.throw if isinstance(argument, BaseException) else steps.send
