"""What belongs to another process: handles and files that were in use at a fork.

SQLite must never be used through a handle of another process. A new handle is no way
out while an old one is there: SQLite takes the locks of the old one for its own, and
what is committed goes into a WAL that others may have deleted.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from types import SimpleNamespace
from typing import Protocol

from sqliter.core.settings import Settings
from sqliter.engines.disk import connection_fault
from sqliter.engines.place import identity_of

_ADVICE = "Close the database before forking, or start the process with 'spawn'"
_IN_USE = (
    "{} was in use when this process was forked, and cannot be used here as well. "
    f"{_ADVICE}"
)
_AT_WORK = (
    "SQLite was at work in another thread when this process was forked, and might "
    f"never answer here. {_ADVICE}"
)


class _Foreign:
    def __init__(self) -> None:
        self.files: set[tuple[int, int]] = set()
        self.is_everything = False


_foreign = _Foreign()


class Handle(Protocol):
    """What has one of the driver's connections."""

    @property
    def raw(self) -> sqlite3.Connection: ...


def is_replaceable(handle: Handle) -> bool:
    """Whether nobody would notice if the connection were another one.

    Not if others know it, and not while it has more to it than the file.
    """
    fresh = SimpleNamespace(raw=sqlite3.connect(":memory:"))  # that nobody knows
    is_known = sys.getrefcount(handle.raw) > sys.getrefcount(fresh.raw)
    fresh.raw.close()
    try:
        attached = handle.raw.execute("PRAGMA database_list").fetchall()
        return not (is_known or handle.raw.in_transaction or len(attached) > 1)
    except sqlite3.Error:  # closed by hand, or worse
        return True


def refuse_foreign(settings: Settings) -> None:
    """Raise a fault for a file that must not be opened in this process."""
    if _foreign.is_everything:
        raise connection_fault(settings, "foreign", _AT_WORK)
    if _foreign.files and identity_of(settings.path) in _foreign.files:
        raise connection_fault(settings, "foreign", _IN_USE)


def leave_behind(raw: sqlite3.Connection, path: str) -> None:
    """Never use a handle or its file again, nor close it."""
    identity = identity_of(path)
    if identity is not None:
        _foreign.files.add(identity)
    with contextlib.suppress(ImportError):
        import ctypes  # noqa: PLC0415 - hardly ever needed

        # It has to survive even the end of the interpreter, which would close it.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(raw))


def distrust_sqlite() -> None:
    """Open nothing again: threads that are gone may hold locks inside of SQLite."""
    _foreign.is_everything = True
