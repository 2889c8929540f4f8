"""How long an engine keeps its connections: until the program ends, or is forked.

Both come at any moment, while other threads may be at work.
"""

from __future__ import annotations

import time
import weakref
from contextlib import suppress
from typing import Protocol

from sqliter.core import scopes
from sqliter.core.cache import Cache
from sqliter.core.faults import Fault, LateFault
from sqliter.core.stop import Stop
from sqliter.engines import forks
from sqliter.engines.connections import Connections
from sqliter.engines.foreign import distrust_sqlite
from sqliter.engines.turn import Seat
from sqliter.engines.watch import Watch
from sqliter.exceptions import DatabaseBusyError

PATIENCE = 0.05
"""Seconds that the end of the program waits for others to let go of a database."""


class Part(Protocol):
    """A part of an engine that has locks, threads or connections."""

    def begin_anew(self) -> None:
        """Take over nothing of another process: this one was forked."""


class Lifetime:
    """The parts of one engine, which can be taken from everybody for a moment."""

    def __init__(
        self, seat: Seat, connections: Connections, watch: Watch, cache: Cache
    ) -> None:
        self._seat = seat
        self._connections = connections
        self._watch = watch
        self._cache = cache
        self.parts: list[Part] = [seat, connections, watch, cache]
        self._let_go()
        forks.remember(self)

    def end_with(self, engine: object) -> None:
        """Close everything when the engine is forgotten, or the program ends."""
        weakref.finalize(engine, self._end, weakref.ref(engine))

    def before_fork(self, deadline: float) -> None:
        """Close what is open and let nobody open it."""
        self._was_open = self._connections.open_writer is not None
        self._take_everything(deadline)
        self._is_at_work = not self._is_quiet
        if self._is_quiet and self._has_seat and self._connections.is_replaceable:
            self._close()
            self._cache.forget_everything()

    def after_fork(self) -> None:
        """Go on."""
        was_open = self._was_open
        self._give_back()
        if was_open:
            with suppress(Fault):  # whoever needs it will hear of it
                self._connections.writer(Stop())

    def begin_anew(self) -> None:
        """Take over nothing: this is the process that was forked."""
        if self._is_at_work:
            distrust_sqlite()
        self._let_go()
        for part in self.parts:
            part.begin_anew()

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
        self._has_connections = self._connections.lock(stop, scopes.connections())
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
        self._is_quiet = self._is_at_work = self._was_open = False
