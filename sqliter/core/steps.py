"""Operations are steps: generators that ask for SQL to be run and never run it.

A step function is written once and carried out by any engine. It is pure: no
driver, no thread, no event loop, no clock of its own.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import (
    Any,
    Concatenate,
    Generic,
    NamedTuple,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
)

from sqliter.core.askers import Asker
from sqliter.core.effects import Effects
from sqliter.core.events import Observers, Trace
from sqliter.core.statement import Memo, Request, Result, Statement

R = TypeVar("R")
P = ParamSpec("P")

Steps: TypeAlias = Generator[Request, Sequence[Result], R]


class Access(enum.Enum):
    """The lease an operation needs: any reader, or the one writer.

    ``OUTSIDE`` is the writer, for which no transaction is begun.
    """

    READ = "read"
    WRITE = "write"
    OUTSIDE = "outside"


class Operation(NamedTuple, Generic[R]):
    """Steps, the lease they need, and what they do outside the database.

    ``is_unit`` asks for one transaction around all of the steps, so that what they do
    after the last request may still fail the writes.
    """

    access: Access
    steps: Steps[R]
    effects: Effects
    is_unit: bool = False


def reads(function: Callable[P, Steps[R]]) -> Callable[P, Operation[R]]:
    """Make a function of steps an operation that only reads."""

    @functools.wraps(function)
    def operation(*args: P.args, **kwargs: P.kwargs) -> Operation[R]:
        return Operation(Access.READ, function(*args, **kwargs), Effects())

    return operation


def runs_outside(function: Callable[P, Steps[R]]) -> Callable[P, Operation[R]]:
    """Make a function of steps an operation that no transaction may surround."""

    @functools.wraps(function)
    def operation(*args: P.args, **kwargs: P.kwargs) -> Operation[R]:
        return Operation(Access.OUTSIDE, function(*args, **kwargs), Effects())

    return operation


def writes(
    function: Callable[Concatenate[Effects, P], Steps[R]],
) -> Callable[P, Operation[R]]:
    """Make a function of steps an operation that writes.

    The steps get the operation's ``Effects`` as their first argument.
    """

    @functools.wraps(function)
    def operation(*args: P.args, **kwargs: P.kwargs) -> Operation[R]:
        effects = Effects()
        return Operation(Access.WRITE, function(effects, *args, **kwargs), effects)

    return operation


def ask(
    statement: Statement, *, memo: Memo | None = None, named: bool = False
) -> Steps[Result]:
    """Run one statement."""
    (result,) = yield Request((statement,), memo=memo, named=named)
    return result


def ask_all(
    statements: Iterable[Statement], *, foreign_keys: bool = True
) -> Steps[Sequence[Result]]:
    """Run several statements, all or none."""
    request = Request(tuple(statements), atomic=True, foreign_keys=foreign_keys)
    return (yield request)


def ask_outside(statement: Statement) -> Steps[Result]:
    """Run one statement that SQLite refuses inside a transaction."""
    (result,) = yield Request((statement,), outside=True)
    return result


def look_up(statement: Statement) -> Steps[Result]:
    """Run a statement of the library's own bookkeeping; it is not logged."""
    (result,) = yield Request((statement,), internal=True)
    return result


class Runner(Protocol):
    """Whoever carries operations out and returns their result."""

    def run(self, operation: Operation[R]) -> R: ...


class AwaitingRunner(Protocol):
    """Whoever carries operations out and returns their result when awaited."""

    async def run(self, operation: Operation[R]) -> R: ...


class Drive(Generic[R]):
    """One operation on its way: advanced request by request, by any thread.

    ``asker`` is the task or thread that asked for it, ``trace`` what is known about it
    while somebody observes.
    """

    __slots__ = (
        "_steps",
        "access",
        "asker",
        "cancelled",
        "effects",
        "finished",
        "interrupt",
        "is_unit",
        "request",
        "trace",
        "value",
    )

    def __init__(
        self,
        operation: Operation[R],
        asker: Asker = None,
        observers: Observers | None = None,
    ) -> None:
        self.asker = asker
        self.access = operation.access
        self.effects = operation.effects
        self.is_unit = operation.is_unit
        self.finished = False
        self.cancelled = False
        self.interrupt: Callable[[], None] | None = None  # while SQLite works for it
        self.value: Any = None
        self.request: Request
        self._steps = operation.steps
        self._advance(self._steps.send, None)
        self.trace: Trace | None = None
        if observers is not None and observers.present:
            self.trace = observers.follow(asker)

    def answer(self, results: Sequence[Result]) -> None:
        """Hand over what the current request gave; move to the next one."""
        self._advance(self._steps.send, results)

    def refuse(self, fault: BaseException) -> None:
        """Report that the current request failed; the steps may translate it."""
        self._advance(self._steps.throw, fault)

    def cancel(self) -> None:
        """Stop the statement that is running, if any, and start no other."""
        self.cancelled = True
        if self.interrupt is not None:
            self.interrupt()

    def _advance(self, move: Callable[[Any], Request], argument: object) -> None:
        try:
            self.request = move(argument)
        except StopIteration as stop:
            self.finished, self.value = True, stop.value
