"""Driving steps by hand: what an engine does, without a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqliter.core.asked import Asked, operation_of
from sqliter.core.cache import Cache, CacheLimits
from sqliter.core.context import Context
from sqliter.core.logs import StatementLog
from sqliter.core.settings import MEMORY, Settings
from sqliter.core.statement import Request, Result
from sqliter.schema import inspection

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


@dataclass(frozen=True)
class File:
    """What the library's own bookkeeping finds out about the schema of a file.

    ``reach`` are the tables that a deletion reaches, ``None`` for triggers.
    """

    columns: Sequence[str] = ()
    tables: Sequence[str] = ()
    references: Sequence[tuple[str, str]] = ()
    reach: Sequence[str | None] = ()

    def answer(self, request: Request) -> list[Result]:
        known: dict[str, list[tuple[Any, ...]]] = {
            inspection.columns_of("").sql: [(name,) for name in self.columns],
            inspection.user_tables().sql: [(name,) for name in self.tables],
            inspection.references().sql: list(self.references),
            inspection.reach_of("").sql: [(name,) for name in self.reach],
        }
        (statement,) = request.statements
        return rows(*known.get(statement.sql, ()))


EMPTY = File()


class Conversation:
    """Every request of an operation, and what it returned in the end.

    ``replies`` answer in order what the operation asks for; ``file`` answers what
    the library wants to know for its bookkeeping.
    """

    def __init__(self, asked: Asked[Any], *replies: Reply, file: File = EMPTY) -> None:
        self.requests: list[Request] = []
        self._file = file
        operation = operation_of(asked)
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
            argument = self._reply(self.requests[-1], replies)
            move = steps.throw if isinstance(argument, BaseException) else steps.send

    def _reply(self, request: Request, replies: list[Reply]) -> Reply:
        if request.internal:
            return self._file.answer(request)
        assert replies, f"not expected: {request}"
        return replies.pop(0)
