"""What the thread of the event loop does itself: little, and never for long.

A hop to another thread and back costs ten times as much as a read by key. So work
that is short is done where it is asked for, within a budget; what turns out longer goes
on in a thread, and what was long before starts there.
"""

from __future__ import annotations

import asyncio
import time

BUDGET = 0.0003
"""Seconds that SQLite may work before the rest goes to a thread."""

SHARE = 0.001
"""Seconds for all of it before the event loop gets its turn."""

STALL = 0.005
"""Seconds that nothing short takes, unless the disk or the machine is slow."""

STALLS = 3
"""How many of them, not a second apart, turn inline work off."""

OFF = 1.0
"""Seconds that it stays off."""

MEMORY = 1024
"""Shapes of slow work that are remembered."""


class Inline:
    """Decides which work is done on the event loop's thread."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._slow: dict[str, None] = {}  # in the order they were seen
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

    def allows(self, shape: str) -> bool:
        """Whether work of this shape (its SQL) may be tried."""
        return self.is_on and shape not in self._slow

    async def pause(self) -> None:
        """Give the event loop its turn if it is due."""
        if self._spent >= SHARE:
            await asyncio.sleep(0)

    def spend(self, shape: str, seconds: float) -> None:
        """Note how long work of a shape kept the event loop waiting."""
        loop = asyncio.get_running_loop()
        if not self._spent or loop is not self._loop:
            self._spent, self._loop = 0.0, loop
            loop.call_soon(self._start_over)
        self._spent += seconds
        if seconds > STALL:
            self.remember(shape)
            self._note_stall()

    def remember(self, shape: str) -> None:
        """Have work of this shape start in a thread from now on."""
        if len(self._slow) >= MEMORY:
            self._slow.pop(next(iter(self._slow)), None)
        self._slow[shape] = None

    def forget(self, shape: str) -> None:
        """Have this shape tried again: it was quick."""
        self._slow.pop(shape, None)

    def _start_over(self) -> None:
        self._spent = 0.0

    def _note_stall(self) -> None:
        now = time.monotonic()
        self._stalls = self._stalls + 1 if now < self._last_stall + 1 else 1
        self._last_stall = now
        if self._stalls >= STALLS:
            self._off_until = now + OFF
