"""The simplest operations: one statement, on tables that are known already.

Most programs do hardly anything else, so engines answer a question, or carry out an
order, at once where nothing else has to be regarded. Everywhere else these are
operations like all others.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from sqliter.core.courses import Course
from sqliter.core.effects import Effects
from sqliter.core.faults import reported_as
from sqliter.core.statement import Result, Row, Statement
from sqliter.core.steps import Access, Operation, Steps, ask

R = TypeVar("R")

Work: TypeAlias = Operation[R] | Course[R]
"""What is more than one statement."""

Load: TypeAlias = Callable[[list[Row]], R]
"""Makes the result of the rows; raises a ``Fault`` for what does not fit."""


class Unanswered(enum.Enum):
    """Stands for the answer to what is to be asked as an operation."""

    UNANSWERED = enum.auto()


UNANSWERED: Final = Unanswered.UNANSWERED


class Question(NamedTuple, Generic[R]):
    """A statement, what becomes of its rows, and what a failure is reported as.

    ``again`` makes the operation that is run if it was not answered at once, where that
    is more than to ask once more.
    """

    statement: Statement
    load: Load[R]
    failure: reported_as
    again: Callable[[], Work[R]] | None = None

    def operation(self) -> Work[R]:
        """Return the same as an operation, or what is done instead."""
        if self.again is not None:
            return self.again()
        return Operation(Access.READ, self._steps(), Effects())

    def _steps(self) -> Steps[R]:
        with self.failure:
            result = yield from ask(self.statement)
            return self.load(result.rows)


class Order(NamedTuple, Generic[R]):
    """A statement that writes one row, and what is done when it is written.

    ``again`` makes the same as an operation, which is run if it was not done.
    """

    statement: Statement
    done: Callable[[Result], R | Unanswered]
    failure: reported_as
    again: Callable[[], Operation[R]]

    def operation(self) -> Operation[R]:
        """Return the same as an operation."""
        return self.again()


Asked: TypeAlias = Work[R] | Question[R] | Order[R]
"""Whatever an engine can be asked to do."""


Batches: TypeAlias = Generator[list[R], None, None]
"""What a question gives, bit by bit."""

AwaitedBatches: TypeAlias = AsyncGenerator[list[R], None]
"""The same, to be awaited."""


def operation_of(asked: Asked[R]) -> Operation[R]:
    """Return what is read as an operation, if it is none."""
    work = asked if isinstance(asked, (Operation, Course)) else asked.operation()
    assert isinstance(work, Operation)  # only writes have hooks
    return work


class Runner(Protocol):
    """Whoever carries operations out and returns their result."""

    def run(self, asked: Asked[R], seconds: float | None = None) -> R: ...

    def stream(
        self,
        question: Question[list[R]],
        size: int,
        part: int,
        seconds: float | None = None,
    ) -> Batches[R]: ...


class AwaitingRunner(Protocol):
    """Whoever carries operations out and returns their result when awaited."""

    async def run(self, asked: Asked[R], seconds: float | None = None) -> R: ...

    def stream(
        self,
        question: Question[list[R]],
        size: int,
        part: int,
        seconds: float | None = None,
    ) -> AwaitedBatches[R]: ...
