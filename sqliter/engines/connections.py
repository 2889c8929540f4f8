"""The connections of one database: one that writes, and as many readers as are busy."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqliter.core.askers import Asker
from sqliter.core.logs import StatementLog
from sqliter.core.settings import Settings
from sqliter.engines.connection import Connection, Lease

IDLE_READERS = 4
"""Readers that stay open while nobody needs them."""


class Connections:
    """Opens connections when they are needed first, and knows all that are open."""

    def __init__(self, settings: Settings, log: StatementLog) -> None:
        self._settings = settings
        self._log = log
        self._mutex = threading.Lock()
        self._open: list[Connection] = []
        self._idle: list[Connection] = []
        self._generation = 0  # counts how often all were closed
        self.open_writer: Connection | None = None

    def writer(self) -> Connection:
        """Return the one connection that writes."""
        with self._mutex:
            if self.open_writer is None:
                self.open_writer = self._connect(reader=False)
            return self.open_writer

    @contextmanager
    def reader(self, asker: Asker) -> Iterator[Connection]:
        """Lend a connection that nobody else reads from meanwhile."""
        with self._mutex:
            generation = self._generation
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            self.writer()  # it makes the file, and switches it to WAL
            connection = self._connect(reader=True)
        connection.lease = Lease(time.monotonic(), asker)
        try:
            yield connection
        finally:
            connection.lease = None
            self._take_back(connection, generation)

    def oldest_lease(self) -> Lease | None:
        """Return that of the reader that is lent for the longest time, if any is."""
        leases = (connection.lease for connection in list(self._open))
        return min(filter(None, leases), key=lambda lease: lease.since, default=None)

    def close(self) -> None:
        """Close all connections; what was not committed is discarded.

        Readers that are lent go on, and are closed when they come back.
        """
        with self._mutex:
            writer = [] if self.open_writer is None else [self.open_writer]
            closed = [*self._idle, *writer]
            for each in closed:
                self._open.remove(each)
            self._idle.clear()
            self._generation += 1
            self.open_writer = None
        for connection in closed:
            connection.close()

    def interrupt(self) -> None:
        """Stop whatever the connections are doing: the program ends."""
        for connection in list(self._open):
            with suppress(sqlite3.ProgrammingError):  # closed by hand
                connection.raw.interrupt()

    def interrupt_writer(self) -> None:
        """Stop the statement that the writer is running."""
        if self.open_writer is not None:
            self.open_writer.raw.interrupt()

    def _connect(self, *, reader: bool) -> Connection:
        connection = Connection(self._settings, self._log, reader=reader)
        self._open.append(connection)
        return connection

    def _take_back(self, connection: Connection, generation: int) -> None:
        with self._mutex:
            current = generation == self._generation
            if current and len(self._idle) < IDLE_READERS:
                self._idle.append(connection)
                return
            if connection in self._open:
                self._open.remove(connection)
        connection.close()
