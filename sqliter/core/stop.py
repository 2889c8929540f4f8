"""Why work may have to end before its time: it was cancelled, or it is late."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import Protocol

from sqliter.core.events import Trace
from sqliter.core.faults import Fault, LateFault

GRACE = 0.025
"""Seconds that a write in a block gets to end by itself: interrupting it ends all."""


class Worker(Protocol):
    """Whoever works, and can be told to let go."""

    def interrupt(self, stop: Stop) -> None: ...


class Stop:
    """Tells work, in whatever thread it is done, that it has to end.

    ``deadline`` is a time of ``time.monotonic``. ``is_gentle`` says that an
    interruption would cost more than the work itself: the block around it. With
    ``is_protected`` it would cost writes that nobody expects to lose. ``trace`` tells
    observers of the work, if there are any.
    """

    __slots__ = (
        "cancelled",
        "deadline",
        "is_gentle",
        "is_protected",
        "trace",
        "worker",
    )

    def __init__(self, deadline: float = inf, trace: Trace | None = None) -> None:
        self.trace = trace
        self.deadline = deadline
        self.cancelled = False
        self.is_gentle = False
        self.is_protected = False
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
        if self.left <= 0:
            raise LateFault

    def cancel(self) -> None:
        """Stop what is being done, if anything, and start nothing else.

        A gentle one only ends before the next statement; ``interrupt()`` is for later.
        """
        self.cancelled = True
        if not self.is_gentle:
            self.interrupt()

    def interrupt(self) -> None:
        """Stop the statement that is running."""
        worker = self.worker
        if worker is not None:
            worker.interrupt(self)


_limits: ContextVar[tuple[tuple[object, float], ...]] = ContextVar(
    "sqliter_limits", default=()
)


@contextmanager
def time_limit(home: object, seconds: float) -> Iterator[None]:
    """Have everything that is asked of ``home`` inside end within so many seconds."""
    token = _limits.set((*_limits.get(), (home, _in(seconds))))
    try:
        yield
    finally:
        _limits.reset(token)


def deadline(home: object, seconds: float | None = None) -> float:
    """Return when work has to end that starts now and may take so many seconds."""
    own = inf if seconds is None else _in(seconds)
    limits = _limits.get()
    if not limits:
        return own
    return min(own, *(limit for place, limit in limits if place is home), inf)


def check_seconds(seconds: float) -> None:
    """Raise ``ValueError`` unless this can be a timeout."""
    if not seconds > 0:
        msg = f"a timeout is a positive number of seconds, not {seconds!r}"
        raise ValueError(msg)


def _in(seconds: float) -> float:
    check_seconds(seconds)
    return time.monotonic() + seconds
