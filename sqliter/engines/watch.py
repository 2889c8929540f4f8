"""Notices writes that did not pass through this database object.

A sentinel connection reads ``PRAGMA data_version``, which changes with every
commit of anybody else, our own writer included. After a commit of our own the
sentinel is read first and the writer's version second: whatever slips in
between shows in one of the two. What was written through the raw connection
shows in the rows that SQLite counts and the library does not.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading

from sqliter.core.cache import Cache
from sqliter.core.settings import Settings
from sqliter.engines.connection import Connection
from sqliter.engines.disk import DRIVER_ERRORS
from sqliter.engines.foreign import leave_behind


class Watch:
    """Empties the cache when somebody else wrote. Does nothing without a cache."""

    def __init__(self, settings: Settings, cache: Cache) -> None:
        self._settings = settings
        self._cache = cache
        self.lock = threading.Lock()
        self._sentinel: sqlite3.Connection | None = None
        self._seen: int | None = None
        self._writers_own: tuple[int | None, int] | None = None

    def look(self, writer: Connection | None) -> None:
        """Drop what is remembered if somebody else wrote since last time."""
        if self._cache.enabled and writer is not None:
            with self.lock:
                seen = self._version(writer)
                if seen is None or seen != self._seen:
                    self._seen = seen
                    self._cache.forget_everything()

    def note_own_commit(self, writer: Connection) -> None:
        """Take the present state as known, unless others wrote as well."""
        if not self._cache.enabled:
            return
        with self.lock:
            seen = self._version(writer)
            version = None if self._settings.is_memory else _data_version(writer.raw)
            own = (version, writer.changes_of_others)
            alone = own == self._writers_own and self._seen is not None
            self._seen = seen if alone else None  # None: the next look() forgets all
            self._writers_own = own

    def close(self) -> None:
        """Close the sentinel."""
        with self.lock:  # others may be reading from it
            self.close_locked()

    def close_locked(self) -> None:
        """Close the sentinel; the caller has the lock."""
        sentinel = self._let_go()
        if sentinel is not None:
            sentinel.close()

    def begin_anew(self) -> None:
        """Leave the sentinel to the process it belongs to: this one was forked."""
        self.lock = threading.Lock()
        sentinel = self._let_go()
        if sentinel is not None:
            leave_behind(sentinel, self._settings.path)

    def _let_go(self) -> sqlite3.Connection | None:
        sentinel, self._sentinel = self._sentinel, None
        self._seen = self._writers_own = None
        return sentinel

    def _version(self, writer: Connection) -> int | None:
        if self._settings.is_memory:
            return writer.changes_of_others
        return _data_version(self._sentinel or self._open())

    def _open(self) -> sqlite3.Connection | None:
        with contextlib.suppress(*DRIVER_ERRORS):
            self._sentinel = sqlite3.connect(
                self._settings.path, check_same_thread=False, isolation_level=None
            )
        return self._sentinel


def _data_version(raw: sqlite3.Connection | None) -> int | None:
    """Return SQLite's counter, or ``None`` if it cannot be told."""
    if raw is not None:
        with contextlib.suppress(*DRIVER_ERRORS):
            row: tuple[int] = raw.execute("PRAGMA data_version").fetchone()
            return row[0]
    return None
