"""Operations are steps: generators that ask for SQL to be run and never run it.

A step function is written once and carried out by any engine. It is pure: no
driver, no thread, no event loop, no clock of its own.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Generator, Iterable, Sequence
from math import inf
from typing import (
    Any,
    Concatenate,
    Generic,
    NamedTuple,
    ParamSpec,
    TypeAlias,
    TypeVar,
)

from sqliter.core.askers import Asker
from sqliter.core.effects import Effects
from sqliter.core.events import Observers
from sqliter.core.statement import Memo, Request, Result, Statement
from sqliter.core.stop import Stop

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
    after the last request may still fail the writes; without ``foreign_keys`` these are
    not enforced meanwhile, unless it joins a transaction. ``again`` makes the operation
    anew; only short writes have it: they may share a transaction with others.
    """

    access: Access
    steps: Steps[R]
    effects: Effects
    is_unit: bool = False
    foreign_keys: bool = True
    again: Callable[[], Any] | None = None  # an operation: see Drive.restart


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


def writes_shortly(
    function: Callable[Concatenate[Effects, P], Steps[R]],
) -> Callable[P, Operation[R]]:
    """Make a function of steps an operation that writes a few rows found by key.

    Such writes share a transaction when many wait. Until that is committed, the steps
    may be run again from the start, so they change objects through ``Effects`` only.
    """

    @functools.wraps(function)
    def operation(*args: P.args, **kwargs: P.kwargs) -> Operation[R]:
        effects = Effects()
        steps = function(effects, *args, **kwargs)
        again = functools.partial(operation, *args, **kwargs)
        return Operation(Access.WRITE, steps, effects, again=again)

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


def breathe() -> Steps[None]:
    """Let the work be stopped here, or go on elsewhere: it is long in Python."""
    yield Request(())


class Drive(Stop, Generic[R]):
    """One operation on its way: advanced request by request, by any thread."""

    __slots__ = (
        "_steps",
        "access",
        "again",
        "effects",
        "finished",
        "foreign_keys",
        "is_unit",
        "request",
        "value",
    )

    def __init__(
        self,
        operation: Operation[R],
        deadline: float = inf,
        asker: Asker = None,
        observers: Observers | None = None,
    ) -> None:
        super().__init__(deadline, asker)
        self.access = operation.access
        self.request: Request
        self._start(operation)
        if observers is not None and observers.present:
            self.trace = observers.follow(asker)

    def restart(self) -> None:
        """Begin anew: what was written has been taken back."""
        assert self.again is not None
        self._start(self.again())

    def _start(self, operation: Operation[R]) -> None:
        self.effects = operation.effects
        self.is_unit = operation.is_unit
        self.foreign_keys = operation.foreign_keys
        self.again = operation.again
        self.finished = False
        self.value: Any = None
        self._steps = operation.steps
        self._advance(self._steps.send, None)

    @property
    def shape(self) -> str:
        """The SQL of the current request, which tells what work it is."""
        statements = self.request.statements
        return statements[0].sql if statements else ""

    def answer(self, results: Sequence[Result]) -> None:
        """Hand over what the current request gave; move to the next one."""
        self._advance(self._steps.send, results)

    def refuse(self, fault: BaseException) -> None:
        """Report that the current request failed; the steps may translate it."""
        self._advance(self._steps.throw, fault)

    def _advance(self, move: Callable[[Any], Request], argument: object) -> None:
        try:
            self.request = move(argument)
        except StopIteration as stop:
            self.finished, self.value = True, stop.value
