"""Python's lock, where other threads compute.

The driver lets go of it for every row. A thread that computes takes it then, more often
than not, and keeps it for a whole switch interval (5 ms): thousands of rows take
seconds. Meanwhile, and only then, threads are made to switch sooner.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Self

SHORT = 1e-6
"""Seconds that a thread may keep the lock while another one reads rows."""

LATELY = 1.0
"""Seconds after which contention has to be noticed anew."""

HELD_UP = 0.005
"""Seconds for one slice of rows, most of them waited, that tell contention."""


class Contention:
    """Notices that other threads keep the lock from this one, and shortens their turns.

    Only inside the block. ``look()`` says that a slice of the work is done.
    """

    def __init__(self) -> None:
        self._worked: float | None = None  # until this slice; if it has to be known

    def __enter__(self) -> Self:
        if _turns.are_disputed:
            _turns.shorten(self)
        self._since = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        _turns.lengthen(self)

    def look(self) -> None:
        """Compare the time that passed with the time that this thread worked.

        To ask how long it worked takes long itself, so that is only done when the slice
        before this one was slow.
        """
        passed = time.perf_counter() - self._since
        if passed <= HELD_UP:
            self._worked = None
        elif self._worked is None:
            self._worked = time.thread_time()
        else:
            before, self._worked = self._worked, time.thread_time()
            if self._worked - before < passed / 2 and threading.active_count() > 1:
                _turns.dispute()
                _turns.shorten(self)
        self._since = time.perf_counter()


class _Turns:
    """The switch interval of the process: short as long as anybody needs it so.

    Without a lock: what threads could do to each other here is harmless.
    """

    def __init__(self) -> None:
        self._needy: set[object] = set()
        self._usual = sys.getswitchinterval()
        self._disputed_until = 0.0

    @property
    def are_disputed(self) -> bool:
        """Whether there was contention a moment ago."""
        return time.perf_counter() < self._disputed_until

    def dispute(self) -> None:
        """Note that there is contention."""
        self._disputed_until = time.perf_counter() + LATELY

    def shorten(self, needy: object) -> None:
        """Have threads switch soon, as long as this one needs it."""
        interval = sys.getswitchinterval()
        if interval > SHORT:
            self._usual = interval
        self._needy.add(needy)
        sys.setswitchinterval(SHORT)

    def lengthen(self, needy: object) -> None:
        """Have threads switch as usual, unless others need them to switch soon."""
        if needy not in self._needy:
            return
        self._needy.discard(needy)
        self._restore()

    def begin_anew(self) -> None:
        """Forget who needed it: they are in the process that this one was forked of."""
        if self._needy:
            self._needy.clear()
            self._restore()

    def _restore(self) -> None:
        # If it is not what it was made, somebody else has chosen another one.
        if not self._needy and sys.getswitchinterval() <= SHORT:
            sys.setswitchinterval(self._usual)


_turns = _Turns()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_turns.begin_anew)
