"""What the thread of the event loop does itself: little, and never for long.

A hop to another thread and back costs ten times as much as a read by key. So work
that is short is done where it is asked for, within a budget; what turns out longer goes
on in a thread, and what was long before starts there.
"""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

BUDGET = 0.0003
"""Seconds that SQLite may work before the rest goes to a thread."""

SHARE = 0.001
"""Seconds for all of it before the event loop gets its turn."""

STALL = 0.02
"""Seconds that nothing short takes, unless the disk is slow."""

STALLS = 3
"""How many of them, not a second apart, turn inline work off."""

OFF = 1.0
"""Seconds that it stays off, or that a slow shape is not tried again at first."""

LONGEST = 64.0
"""Seconds that a shape is not tried again after many times."""

MEMORY = 1024
"""Shapes of work that are remembered, slow or quick."""


class Inline:
    """Decides which work is done on the event loop's thread."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._slow: dict[str, _Rest] = {}  # by SQL, in the order they were seen
        self._quick: dict[str, int | None] = {}  # of writes in blocks, with the schema
        self._spent = 0.0  # since the event loop had its turn
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stalls = 0
        self._last_stall = 0.0
        self._off_until = 0.0

    @property
    def is_on(self) -> bool:
        """Whether anything may be done here now."""
        if not self._enabled:
            return False
        return not self._off_until or time.monotonic() > self._off_until

    @property
    def is_pause_due(self) -> bool:
        """Whether the event loop should get its turn first."""
        return self._spent >= SHARE

    def allows(self, shape: str) -> bool:
        """Whether work of this shape (its SQL) may be tried."""
        if not self.is_on:
            return False
        rest = self._slow.get(shape)
        return rest is None or time.monotonic() > rest.until

    def spend(self, seconds: float) -> None:
        """Note how long something kept the event loop waiting."""
        loop = asyncio.get_running_loop()
        if not self._spent or loop is not self._loop:
            self._spent, self._loop = 0.0, loop
            loop.call_soon(self._start_over)
        self._spent += seconds
        if seconds > STALL:
            self._note_stall()

    def remember(self, shape: str) -> None:
        """Have work of this shape start in a thread, for longer each time."""
        rest = self._slow.pop(shape, None)
        seconds = OFF if rest is None else min(2 * rest.seconds, LONGEST)
        if len(self._slow) >= MEMORY:
            self._slow.pop(next(iter(self._slow)), None)
        self._slow[shape] = _Rest(time.monotonic() + seconds, seconds)

    def forget(self, shape: str) -> None:
        """It was quick after all."""
        if self._slow:
            self._slow.pop(shape, None)

    def known(self, shape: str) -> int | None:
        """Return the schema with which work of this shape was quick, if it ever was."""
        return self._quick.get(shape)

    def learn(self, shape: str, schema: int | None) -> None:
        """Have work of this shape done here, while the schema is this one."""
        if len(self._quick) >= MEMORY:
            self._quick.pop(next(iter(self._quick)), None)
        self._quick[shape] = schema

    def _start_over(self) -> None:
        self._spent = 0.0

    def _note_stall(self) -> None:
        now = time.monotonic()
        self._stalls = self._stalls + 1 if now < self._last_stall + 1 else 1
        self._last_stall = now
        if self._stalls >= STALLS:
            self._off_until = now + OFF


class _Rest(NamedTuple):
    """Until when, and for how many seconds, a shape is not tried."""

    until: float
    seconds: float
