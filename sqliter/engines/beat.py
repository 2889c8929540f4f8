"""What SQLite asks while it works: whether to go on.

That is how a deadline, a budget and a signal (Ctrl-C) stop a statement in the thread
that runs it. Other threads are not asked: they would have to wait for Python's lock
each time, which costs more than the statement where Python code is busy.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

from sqliter.core.statement import Value

STEPS = 200_000
"""Steps of SQLite's machine between two beats: a few milliseconds."""

SHORT_STEPS = 1_000
"""The same while there is a budget: some ten microseconds."""

LATE_STEPS = 200
"""The same while there is a deadline: a step may call a slow function."""


Function = Callable[[Value], Any]

_REFUSAL = object()
"""What no function of SQL may return: the statement fails."""


class Beat:
    """The progress handler of one connection."""

    def __init__(self) -> None:
        self._state = _State()
        self._next = _beats(self._state).__next__
        self._next()  # from now on it stands inside its ``try``
        self.raise_signal()
        self._steps = 0
        self._main = threading.main_thread().ident

    def listen(
        self, raw: sqlite3.Connection, deadline: float, budget: float | None
    ) -> None:
        """Be asked as often as this work needs it, or not at all."""
        state = self._state
        state.error = None
        state.deadline = deadline
        if budget is not None:
            state.deadline = min(state.deadline, time.monotonic() + budget)
            steps = SHORT_STEPS
        elif state.deadline != inf:
            steps = LATE_STEPS
        elif threading.get_ident() == self._main:
            steps = STEPS
        else:
            steps = 0
        if steps != self._steps:
            raw.set_progress_handler(self._next if steps else None, steps or 1)
            self._steps = steps

    def rest(self, raw: sqlite3.Connection, *, for_good: bool) -> None:
        """Let statements of others go on: nobody here would hear of their end."""
        self._state.deadline = inf
        if for_good and self._steps:
            raw.set_progress_handler(None, 1)
            self._steps = 0

    @contextmanager
    def calm(self) -> Iterator[None]:
        """Let statements go on to their end inside the block."""
        self._state.is_calm = True
        try:
            yield
        finally:
            self._state.is_calm = False

    @property
    def is_over(self) -> bool:
        """Whether it would answer that it is time to stop."""
        return self._state.is_over

    def guarded(self, function: Function) -> Function:
        """Return the same function of SQL, which fails when it is time to stop.

        SQLite itself asks only between its steps, each of which may call it.
        """
        guard = _guard(self._state, function)
        next(guard)
        return guard.send

    def fail(self, error: BaseException) -> None:
        """Have it end like this, as if a signal handler had raised it."""
        self._state.error = error

    def raise_signal(self) -> None:
        """Raise what a signal handler raised while SQLite worked."""
        error, self._state.error = self._state.error, None
        if error is not None:
            raise error


class _State:
    """What the beats depend on; apart, so that nothing refers to itself."""

    deadline = inf
    error: BaseException | None = None
    is_calm = False

    @property
    def is_over(self) -> bool:
        if self.is_calm:
            return False
        return self.error is not None or time.monotonic() >= self.deadline


def _beats(state: _State) -> Iterator[bool]:
    """Yield, each time SQLite asks, whether to stop.

    Python runs signal handlers when a function starts or goes on. This one goes on
    inside its ``try``: what they raise is kept, where SQLite's module would drop it.
    """
    while True:
        try:
            while True:  # inside: Python looks for signals where a loop begins anew
                yield state.is_over
        except GeneratorExit:
            return
        except BaseException as error:  # noqa: BLE001 - raised again by raise_signal
            state.error = error


def _guard(state: _State, function: Function) -> Generator[Any, Value, None]:
    """Answer calls of a function; a signal is kept as above."""
    result: Any = None
    while True:
        try:
            while True:
                value = yield result
                result = _REFUSAL if state.is_over else function(value)
        except GeneratorExit:
            return
        except Exception:  # noqa: BLE001 - the statement fails, as it does anyhow
            result = _REFUSAL
        except BaseException as error:  # noqa: BLE001 - raised again by raise_signal
            state.error, result = error, _REFUSAL
