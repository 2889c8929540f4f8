"""The write-ahead log beside a file, and how it is written back into the file.

SQLite would do that inside a commit, and let one task wait for all of it. Here it is
done beside what others do. Only where writes never pause, so that the log cannot begin
anew, somebody has to wait.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol

from sqliter.core.faults import Fault
from sqliter.core.settings import Pragmas, Settings
from sqliter.core.stop import Stop
from sqliter.engines.connection import Connection

LARGE = 4_194_304
"""Bytes that are worth to be written back. SQLite cuts the file to as many."""

HUGE = 16_777_216
"""Bytes for which a writer waits until they are written back."""

PRAGMAS: Pragmas = {"wal_autocheckpoint": 0, "journal_size_limit": LARGE}
"""For connections whose log is looked after here."""


class Lenders(Protocol):
    """Where connections come from."""

    @property
    def open_writer(self) -> Connection | None: ...

    def reader(self, stop: Stop) -> AbstractContextManager[Connection]: ...


class Wal:
    """The log of one database."""

    def __init__(self, settings: Settings, connections: Lenders) -> None:
        self._settings = settings
        self._connections = connections
        self._busy = threading.Lock()  # while it is written back
        self._tidier: Connection | None = None
        self._next = LARGE  # the size at which it is tried again, beside others
        self._last = HUGE  # … and at which a writer waits for it

    def look(self) -> tuple[bool, bool]:
        """Return whether it should be written back beside others, or alone."""
        size = wal_size(self._settings)
        if size <= LARGE:
            self._next, self._last = LARGE, HUGE
            return False, False
        is_alone, is_beside = size > self._last, size > self._next
        if is_beside:
            self._next = size + LARGE
        if is_alone:  # readers may keep it from ending: not again at once
            self._last = size + HUGE
        return is_beside and not is_alone, is_alone

    def tidy(self) -> None:
        """Write it back without making anybody wait."""
        if not self._busy.acquire(blocking=False):
            return
        try:
            # ``close()`` waits for this; it must not open the database again.
            if self._connections.open_writer is not None:
                reader = self._connections.reader(Stop(asker="a checkpoint"))
                with suppress(Fault), reader as self._tidier:
                    self._tidier.control("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            self._tidier = None
            self._busy.release()

    def tidy_alone(self) -> None:
        """Write it back while nobody writes: the turn of a writer is held."""
        writer = self._connections.open_writer
        if writer is None or writer.in_transaction:
            return
        with self.left_alone(), suppress(Fault), writer.working(Stop()):
            writer.control("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def left_alone(self) -> Iterator[None]:
        """Have nobody write it back: interrupt whoever does."""
        while not self._busy.acquire(timeout=0.01):
            tidier = self._tidier
            if tidier is not None:
                tidier.interrupt_anybody()
        try:
            yield
        finally:
            self._busy.release()


def wal_size(settings: Settings) -> int:
    """Return its size in bytes; 0 where there is none."""
    if not settings.is_memory:
        with suppress(OSError):
            return os.stat(f"{settings.path}-wal").st_size  # noqa: PTH116 - no Path
    return 0
