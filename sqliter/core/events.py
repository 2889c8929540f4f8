"""What observers are told about a statement, and who they are.

While nobody observes, an operation has no ``Trace``, and nothing is measured.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

from sqliter.core.askers import Asker, name_of
from sqliter.core.statement import Statement, Value


@dataclass(frozen=True, slots=True)
class StatementEvent:
    """One statement that was run, and where its time went, in seconds.

    ``queue`` was spent waiting for the turn among the tasks and threads of this
    database object, ``lock`` waiting for other connections or programs to let go of
    the file, ``run`` in SQLite, fetching included. What a block waited for before it
    began is told with its first statement.

    ``rows`` is how many were fetched or written. ``task`` names the task or thread that
    asked, and ``error`` is what SQLite answered instead of a result.
    """

    sql: str
    params: tuple[Value, ...]
    queue: float
    lock: float
    run: float
    rows: int
    task: str
    error: BaseException | None = None

    @property
    def duration(self) -> float:
        """Seconds from asking to having everything."""
        return self.queue + self.lock + self.run


StatementEvent.__module__ = "sqliter"  # where users import it from

Hook: TypeAlias = Callable[[StatementEvent], object]

Plan: TypeAlias = Callable[[], Sequence[str]]
"""Looks up how SQLite carries the statement out."""

Observer: TypeAlias = Callable[[StatementEvent, Plan], object]

_observing: ContextVar[bool] = ContextVar("sqliter_observing", default=False)


class Trace:
    """Who asked for an operation or a block, in which context, and what it waits for.

    ``queue`` (of a block) and ``lock`` are the seconds that nobody was told of yet.
    """

    __slots__ = (
        "_asked",
        "_asker",
        "_context",
        "_lock_before",
        "_observers",
        "_started",
        "lock",
        "queue",
    )

    def __init__(self, asker: Asker, observers: Observers) -> None:
        self._asker = asker
        self._observers = observers
        self._context = copy_context()
        self._context.run(_observing.set, True)  # noqa: FBT003
        self.queue = 0.0
        self.lock = 0.0
        self._asked: float | None = perf_counter()
        self._started = self._lock_before = 0.0

    def served(self) -> None:
        """The block is open: what its code does is nobody's waiting."""
        self.queue = self._queue_until(perf_counter(), self.lock)
        self._asked = None

    def inherit(self, block: Trace | None) -> None:
        """Take over what a surrounding block waited, unless that was told already."""
        if block is not None and self._asked is not None:
            self._asked -= block.queue + block.lock
            self.lock += block.lock
            block.queue = block.lock = 0.0

    def start(self) -> None:
        """A statement begins; if it is never told of, the next one takes its place."""
        self._started = perf_counter()
        self._lock_before = self.lock

    def tell(
        self,
        statement: Statement,
        rows: int = 0,
        error: BaseException | None = None,
        plan: Plan = tuple,
    ) -> None:
        """Tell of the statement, and of what was waited for since the one before.

        The observers are called in the context of whoever asked.
        """
        spent = perf_counter() - self._started
        event = StatementEvent(
            statement.sql,
            tuple(statement.params),
            queue=self._queue_until(self._started, self._lock_before),
            lock=self.lock,
            run=max(0.0, spent - (self.lock - self._lock_before)),
            rows=rows,
            task=name_of(self._asker),
            error=error,
        )
        self._asked, self.lock = None, 0.0
        self._context.run(self._observers.tell, event, plan)

    def refused(self, sql: str, error: BaseException) -> None:
        """Tell of a transaction that could not begin."""
        self.start()
        self.tell(Statement(sql), error=error)

    def _queue_until(self, now: float, lock: float) -> float:
        return 0.0 if self._asked is None else max(0.0, now - self._asked - lock)


class Observers:
    """Whoever wants to know about statements; ``present`` is empty if nobody does.

    What an observer raises is logged through ``complain``.
    """

    def __init__(self, complain: Callable[..., None]) -> None:
        self.present: list[Observer] = []
        self._complain = complain

    def add(self, observer: Observer) -> Callable[[], None]:
        """Have it told of every statement; returns what ends that."""
        self.present.append(observer)

        def remove() -> None:
            with suppress(ValueError):  # it has been removed before
                self.present.remove(observer)

        return remove

    def follow(self, asker: Asker) -> Trace | None:
        """Begin to follow what is asked for now, if anybody wants to know.

        What observers ask for is not followed: they would never come to rest.
        """
        return Trace(asker, self) if self.present and not _observing.get() else None

    def tell(self, event: StatementEvent, plan: Plan) -> None:
        """Call everybody."""
        for observer in tuple(self.present):
            try:
                observer(event, plan)
            except Exception as error:  # noqa: BLE001 - no concern of the operation
                self._complain("The statement hook %r failed", observer, error=error)


class Hooked:
    """A user's function as an observer; equal to no other: it may come twice."""

    def __init__(self, hook: Hook) -> None:
        if not callable(hook) or inspect.iscoroutinefunction(hook):
            msg = f"a statement hook must be a plain function, not {hook!r}"
            raise TypeError(msg)
        self._hook = hook

    def __call__(self, event: StatementEvent, plan: Plan) -> None:
        self._hook(event)

    def __repr__(self) -> str:
        return repr(self._hook)
