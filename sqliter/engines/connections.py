"""The connections of one database: one that writes, and as many readers as are busy."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from math import inf
from typing import NamedTuple

from sqliter.core.askers import Asker
from sqliter.core.logs import StatementLog
from sqliter.core.settings import Pragmas, Settings
from sqliter.core.stop import Stop
from sqliter.engines.connection import Connection
from sqliter.engines.disk import connection_fault, moved_fault
from sqliter.engines.foreign import is_replaceable
from sqliter.engines.locks import OwnLock
from sqliter.engines.place import Place, save_wal
from sqliter.engines.wal import Wal

IDLE_READERS = 4
"""Readers that stay open while nobody needs them."""


_FOREIGN = (
    "A database in memory stays in the process that made it, and this one was forked. "
    "Use a file, or close() it to begin with an empty one"
)


class Lease(NamedTuple):
    """Since when (by the monotonic clock) a reader is lent, and to whom.

    ``generation`` is how often all connections had been closed then.
    """

    since: float
    asker: Asker
    generation: int


class Connections:
    """Opens connections when they are needed first, and knows all that are open."""

    def __init__(self, settings: Settings, log: StatementLog, pragmas: Pragmas) -> None:
        self._settings = settings
        self._pragmas = pragmas  # of the engine
        self._log = log
        self._generation = 0  # counts how often all were closed
        self._is_foreign = False  # what was in memory is in another process
        self._place = Place(settings.path)
        self._start_over()

    def _start_over(self) -> None:
        self._mutex = threading.Lock()  # of all below; nobody waits while it is held
        self._opening = OwnLock()
        self._open: list[Connection] = []
        self._idle: list[Connection] = []
        self._lent: dict[Connection, Lease] = {}
        self._unknown = 0  # connections that are open, or will be, in no list
        self._next_generation()
        self.wal = Wal(self._settings, weakref.proxy(self))  # no cycle: it goes at once
        self.open_writer: Connection | None = None

    def writer(self, stop: Stop) -> Connection:
        """Return the one connection that writes."""
        writer = self.open_writer
        if writer is None:
            return self._open_writer(stop)
        self._look()
        return writer

    @contextmanager
    def reader(self, stop: Stop) -> Iterator[Connection]:
        """Lend a connection that nobody else reads from meanwhile."""
        connection = self.lend(stop)
        try:
            yield connection
        finally:
            self.take_back(connection)

    @contextmanager
    def visitor(self, stop: Stop) -> Iterator[Connection]:
        """Open one for a moment, which leaves the database as open as it was."""
        with self._underway():
            connection = Connection(self._settings, self._log, stop, reader=False)
            try:
                yield connection
            finally:
                connection.close()

    def lend(self, stop: Stop) -> Connection:
        """Return a reader that is the caller's until it is taken back."""
        connection = self.lend_idle(stop)
        if connection is not None:
            return connection
        with self._underway():
            self.writer(stop)  # it makes the file, and switches it to WAL
            connection = self._connect(stop, reader=True)
            with self._mutex:
                self._open.append(connection)
                self._lent[connection] = self._lease(stop)
        return connection

    @contextmanager
    def _underway(self) -> Iterator[None]:
        """Have ``lock()`` wait for a connection that it does not know."""
        with self._mutex:
            self._unknown += 1
        try:
            yield
        finally:
            with self._mutex:
                self._unknown -= 1

    @property
    def sound_writer(self) -> Connection | None:
        """The writer, if it is open and the file is where it was."""
        return None if self._place.is_found_lost else self.open_writer

    def borrow(self) -> Connection | None:
        """Return an idle reader for a moment, if there is one and nothing is wrong."""
        if self.open_writer is None or self._place.is_found_lost:
            return None
        with self._mutex:
            if not self._idle:
                return None
            connection = self._idle.pop()
            self._lent[connection] = self._moment
            return connection

    def put_back(self, connection: Connection) -> None:
        """Keep a reader that was borrowed, unless all were closed meanwhile."""
        with self._mutex:
            lease = self._lent.pop(connection)
            if lease.generation == self._generation:
                self._idle.append(connection)
                return
            self._lent[connection] = lease
        self.take_back(connection)

    def lend_idle(self, stop: Stop) -> Connection | None:
        """Return a reader that is open and not lent, if there is one."""
        self._look()
        with self._mutex:
            if not self._idle:
                return None
            connection = self._idle.pop()
            self._lent[connection] = self._lease(stop)
            return connection

    def _lease(self, stop: Stop) -> Lease:
        return Lease(time.monotonic(), stop.asker, self._generation)

    def oldest_lease(self) -> Lease | None:
        """Return that of the reader that is lent for the longest time, if any is."""
        with self._mutex:
            leases = self._lent.values()
            return min(leases, key=lambda lease: lease.since, default=None)

    def take_back(self, connection: Connection) -> None:
        """Keep a reader for others; one that all were closed behind goes, too."""
        is_fit = connection.come_to_rest()  # a snapshot would hold up the WAL
        with self._mutex:
            is_current = self._lent.pop(connection).generation == self._generation
            if is_fit and is_current and len(self._idle) < IDLE_READERS:
                self._idle.append(connection)
                return
            if connection in self._open:
                self._open.remove(connection)
        connection.close()

    def close(self) -> None:
        """Close all connections; what was not committed is discarded.

        Readers that are lent go on, and are closed when they come back.
        """
        with self.wal.left_alone():
            with self._mutex:
                writer, closed = self.open_writer, self._take_out()
            self._close_all(writer, closed)

    def _take_out(self) -> list[Connection]:
        """Forget those that are not lent, and return them."""
        writer = [] if self.open_writer is None else [self.open_writer]
        closed = [*self._idle, *writer]
        for each in closed:
            self._open.remove(each)
        self._idle.clear()
        self._next_generation()
        self._is_foreign = False
        self.open_writer = None
        return closed

    def _next_generation(self) -> None:
        self._generation += 1
        self._moment = Lease(inf, None, self._generation)  # of those borrowed

    def _close_all(self, writer: Connection | None, closed: list[Connection]) -> None:
        if writer is not None and self._place.is_lost:
            save_wal(writer.raw)
        close_all(closed)

    # --- taken from everybody for a moment ---

    def lock(self, stop: Stop, own: Collection[Connection]) -> bool:
        """Wait until all readers are back, then lend none; say whether that worked.

        The caller's own are not waited for.
        """
        while self._opening.acquire(max(0.0, stop.left)):
            if self._mutex.acquire(timeout=max(0.0, stop.left)):
                if not self._unknown and self._lent.keys() <= {*own}:
                    return True
                self._mutex.release()
            self._opening.release()
            if stop.is_over:
                return False
            time.sleep(0.001)
        return False

    def unlock(self) -> None:
        """Let others go on."""
        self._mutex.release()
        self._opening.release()

    def begin_anew(self) -> None:
        """Leave every connection to the process it belongs to: this one was forked."""
        for connection in self._open:
            connection.leave_behind()
        self._is_foreign |= bool(self._open) and self._settings.is_memory
        self._start_over()

    @property
    def is_replaceable(self) -> bool:
        """Whether others could be opened instead, and nobody would notice."""
        if self._settings.is_memory or self._lent:
            return self.open_writer is None
        return self.open_writer is None or is_replaceable(self.open_writer)

    def close_locked(self) -> None:
        """Close all connections, which nobody else can have now."""
        self._close_all(self.open_writer, self._take_out())

    @property
    def is_writing(self) -> bool:
        """Whether some thread works with the writer."""
        return self.open_writer is not None and self.open_writer.is_working

    def dismiss(self) -> None:
        """Stop whoever is at work: the program ends."""
        for connection in list(self._open):
            connection.dismiss()

    def interrupt_writer(self) -> None:
        """Stop the statement that the writer is running, if any."""
        writer = self.open_writer
        if writer is not None:
            writer.interrupt_anybody()

    def doing(self) -> str | None:
        """Return the last statement of the writer."""
        return None if self.open_writer is None else self.open_writer.doing

    def _look(self) -> None:
        """Raise a fault if the file is not there any more. A transaction goes on."""
        writer = self.open_writer
        if writer is None or not self._place.is_found_lost:
            return
        if not writer.in_transaction:
            raise moved_fault(self._settings)

    def _connect(self, stop: Stop, *, reader: bool) -> Connection:
        if self._is_foreign:
            raise connection_fault(self._settings, "foreign", _FOREIGN)
        return Connection(
            self._settings, self._log, stop, reader=reader, pragmas=self._pragmas
        )

    def _open_writer(self, stop: Stop) -> Connection:
        while not self._opening.acquire(0.01):
            stop.check()
        try:
            if self.open_writer is None:
                writer = self._connect(stop, reader=False)
                with self._mutex:
                    self._open.append(writer)
                    self._place = Place(self._settings.path)
                    self.open_writer = writer
            return self.open_writer
        finally:
            self._opening.release()


def close_all(connections: Iterable[Connection]) -> None:
    """Close each, even if a signal comes in between."""
    with ExitStack() as stack:
        for connection in connections:
            stack.callback(connection.close)
