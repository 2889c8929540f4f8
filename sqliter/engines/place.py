"""The file behind a path, which others may move, delete or replace while it is open.

SQLite would go on with the file it has: what is committed then is lost, or ends up in
the WAL beside a file that it does not belong to.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress

PAUSE = 0.05
"""Seconds between two looks: one costs as much as a tenth of a write."""


def identity_of(path: str) -> tuple[int, int] | None:
    """Return device and number of a file; ``None`` if there is none."""
    with suppress(OSError):
        status = os.stat(path)  # noqa: PTH116 - not worth a Path
        return status.st_dev, status.st_ino
    return None


def save_wal(raw: sqlite3.Connection) -> None:
    """Have the WAL written into the file it belongs to, which has lost its name.

    SQLite would apply it to whatever has that name next.
    """
    with suppress(sqlite3.Error):
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class Place:
    """A path, and the file it led to at first."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._identity = identity_of(path)
        self._next = time.monotonic() + PAUSE

    @property
    def is_lost(self) -> bool:
        """Whether the path leads to another file now, or to none."""
        return identity_of(self._path) != self._identity

    @property
    def is_found_lost(self) -> bool:
        """The same, looked at from time to time only."""
        now = time.monotonic()
        if now < self._next:
            return False
        if self.is_lost:
            return True
        self._next = now + PAUSE
        return False
