"""How long an engine keeps its connections: until nobody knows it, or the program ends.

The end comes at any moment, while other threads are at work.
"""

from __future__ import annotations

import time
import weakref
from contextlib import suppress

from sqliter.core.faults import LateFault
from sqliter.core.stop import Stop
from sqliter.engines.connections import Connections
from sqliter.engines.turn import Seat
from sqliter.engines.watch import Watch
from sqliter.exceptions import DatabaseBusyError

PATIENCE = 0.05
"""Seconds that the end of the program waits for others to let go of a database."""


class Lifetime:
    """The parts of one engine, which can be taken from everybody for a moment."""

    def __init__(self, seat: Seat, connections: Connections, watch: Watch) -> None:
        self._seat = seat
        self._connections = connections
        self._watch = watch
        self._let_go()

    def end_with(self, engine: object) -> None:
        """Close everything when the engine is forgotten, or the program ends."""
        weakref.finalize(engine, self._end, weakref.ref(engine))

    def _end(self, engine: weakref.ref[object]) -> None:
        if engine() is None:  # nobody can be using it
            self._connections.close()
            self._watch.close()
            return
        self._take_everything(time.monotonic() + PATIENCE)
        if self._is_quiet:
            self._close()
        else:
            self._connections.dismiss()
        self._give_back()

    def _take_everything(self, deadline: float) -> None:
        """Wait until nobody is at work, as far as possible, and let nobody begin."""
        stop = Stop(deadline, "a fork, or the end of the program")
        with suppress(DatabaseBusyError, LateFault):
            self._has_seat = self._seat.take(stop.asker, stop) is None
        self._has_connections = self._connections.lock(stop)
        self._has_watch = self._watch.lock.acquire(timeout=max(0.0, stop.left))
        # A block of the running thread has the seat as well, and is not at work.
        is_mine = self._seat.is_mine and not self._connections.is_writing
        self._is_quiet = self._has_connections and self._has_watch and is_mine

    def _close(self) -> None:
        self._connections.close_locked()
        self._watch.close_locked()

    def _give_back(self) -> None:
        if self._has_watch:
            self._watch.lock.release()
        if self._has_connections:
            self._connections.unlock()
        if self._has_seat:
            self._seat.give_back()
        self._let_go()

    def _let_go(self) -> None:
        self._has_seat = self._has_connections = self._has_watch = False
        self._is_quiet = False
