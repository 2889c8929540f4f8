"""Waiting for other connections and processes, in a way that can be stopped.

SQLite could wait by itself; but nobody could tell it to stop then.
"""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from sqliter.core.stop import Stop

R = TypeVar("R")

_PAUSES = (0.001, 0.001, 0.002, 0.005)
"""Seconds between two tries; the last is repeated."""


def is_busy(error: sqlite3.Error) -> bool:
    """Whether others hold what is needed, and it is worth to wait for them.

    ``SQLITE_BUSY_SNAPSHOT`` never gets better: others wrote since the first read.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT


def insist(call: Callable[[], R], stop: Stop, seconds: float) -> R:
    """Call until others let go, for so many seconds; then raise what it raised."""
    end = time.monotonic() + seconds
    for _ in _pauses(stop):
        try:
            return call()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > end:
                raise
    raise AssertionError  # the loop has no end


def insist_until(
    call: Callable[[], R], is_fine: Callable[[R], bool], stop: Stop, seconds: float
) -> R:
    """Call until what it returns is fine, or for so many seconds; return the last."""
    end = time.monotonic() + seconds
    for _ in _pauses(stop):
        result = call()
        if is_fine(result) or time.monotonic() > end:
            return result
    raise AssertionError  # the loop has no end


def _pauses(stop: Stop) -> Iterator[None]:
    """Yield after each pause; raises what ``stop`` says."""
    for pause in itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1])):
        stop.check()
        started = time.perf_counter()
        time.sleep(max(0.0, min(pause, stop.left)))
        if stop.trace is not None:
            stop.trace.lock += time.perf_counter() - started
        yield
