"""Why work may have to end before its time: it was cancelled, or it is late."""

from __future__ import annotations

import enum
import time
from contextvars import ContextVar
from math import inf
from types import TracebackType
from typing import Protocol

from sqliter.core.askers import Asker
from sqliter.core.events import Trace
from sqliter.core.faults import Fault, LateFault

WRITE_GRACE = 0.025
"""Seconds that a write in a block gets to end by itself, before all of it is lost."""


class Loss(enum.Enum):
    """What goes with the statement when it is interrupted.

    SQLite answers the interruption of a write by undoing the whole transaction: a
    ``BLOCK`` that hears of it, or ``WRITES`` that nobody expects to lose.
    """

    NOTHING = "nothing"
    BLOCK = "block"
    WRITES = "writes"


class Worker(Protocol):
    """Whoever works, and can be told to let go."""

    def interrupt(self, stop: Stop) -> None: ...


class Stop:
    """Tells work, in whatever thread it is done, that it has to end.

    ``deadline`` is a time of ``time.monotonic``. ``asker`` is the task or thread that
    asked for the work; ``trace`` tells observers of it, if there are any.
    """

    __slots__ = ("asker", "cancelled", "deadline", "loss", "trace", "worker")

    def __init__(
        self, deadline: float = inf, asker: Asker = None, trace: Trace | None = None
    ) -> None:
        self.asker = asker
        self.trace = trace
        self.deadline = deadline
        self.cancelled = False
        self.loss = Loss.NOTHING
        self.worker: Worker | None = None  # while something is being done

    @property
    def left(self) -> float:
        """The seconds until the deadline."""
        return inf if self.deadline == inf else self.deadline - time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether the work has to end."""
        return self.cancelled or self.left <= 0

    def check(self) -> None:
        """Raise a fault if the work has to end."""
        if self.cancelled:
            raise Fault("cancelled")  # nobody hears it
        if self.deadline != inf and self.left <= 0:
            raise LateFault

    def cancel(self) -> None:
        """Stop what is being done, if that loses nothing, and start nothing else."""
        self.cancelled = True
        if self.loss is Loss.NOTHING:
            self.interrupt()

    def interrupt(self) -> None:
        """Stop the statement that is running, whatever is lost with it."""
        worker = self.worker
        if worker is not None:
            worker.interrupt(self)


class TimeLimit:
    """Has everything that is asked of one database inside end in time.

    ``home`` tells databases apart. Tasks started inside share the limit while it lasts.
    """

    def __init__(self, home: object, seconds: float) -> None:
        check_seconds(seconds)
        self.home = home
        self.seconds = seconds
        self.deadline = inf  # while it is not entered

    def __enter__(self) -> None:
        self.deadline = time.monotonic() + self.seconds
        _limits.set((*_limits.get(), self))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # No token: generators leave in another order, or context, than they entered.
        self.deadline = inf
        _limits.set(tuple(each for each in _limits.get() if each.deadline != inf))


_limits: ContextVar[tuple[TimeLimit, ...]] = ContextVar("sqliter_limits", default=())


is_limited = _limits.get
"""Whether the running code has a time limit, for whatever database."""


def deadline(home: object, seconds: float | None = None) -> float:
    """Return when work has to end that starts now and may take so many seconds."""
    own = inf if seconds is None else deadline_in(seconds)
    limits = _limits.get()
    if not limits:
        return own
    return min(own, *(each.deadline for each in limits if each.home is home), inf)


def deadline_in(seconds: float) -> float:
    """Return the time so many seconds from now; raises ``ValueError``."""
    check_seconds(seconds)
    return time.monotonic() + seconds


def check_seconds(seconds: float) -> None:
    """Raise ``ValueError`` unless this can be a timeout."""
    if not seconds > 0:
        msg = f"a timeout is a positive number of seconds, not {seconds!r}"
        raise ValueError(msg)
