"""What the driver says about a file and its disk, put in words: what to do about it."""

from __future__ import annotations

import sqlite3

from sqliter.core.faults import ConnectionFault, FileFault
from sqliter.core.settings import Settings

DRIVER_ERRORS = (sqlite3.Error, MemoryError, UnicodeDecodeError)
"""What the driver raises: out of memory is none of its own, and the last comes where
what SQLite says quotes a damaged schema."""

_NO_DATABASE = (
    "{} is no SQLite database, or is encrypted. It was left as it is: use another file"
)
_DAMAGED = (
    "{} is damaged. Restore a backup, or save what can still be read: the command "
    "'.recover' of the sqlite3 program does so"
)
_FULL = (
    "there is no room left for {}, on the disk or below max_page_count. Nothing was "
    "changed: make room and try again"
)
_DISK = (
    "the system refused to read or write {}. Look at the disk and at the limits of "
    "this process, and try again"
)
_READ_ONLY = (
    "{} may only be read here. Nothing was changed: get the permission to write the "
    "file and its folder"
)
_READ_ONLY_FOLDER = (
    "SQLite needs files beside {} and may not make them. Get the permission to write "
    "the folder, or copy the database to another one"
)
_MOVED = (
    "{} was moved, deleted or replaced while it was open: what is written now would be "
    "lost. Call close(), and the next operation opens what is there then"
)
_UNREACHABLE = (
    "{} cannot be opened. Does the folder exist, and may both be read and written?"
)
_FOLDER = "{} is a folder. Name a file in it"
_UNKNOWN = "{} cannot be used"

_TROUBLES = {
    sqlite3.SQLITE_NOTADB: ("no_database", _NO_DATABASE),
    sqlite3.SQLITE_CORRUPT: ("damaged", _DAMAGED),
    sqlite3.SQLITE_FULL: ("full", _FULL),
    sqlite3.SQLITE_IOERR: ("disk", _DISK),
    sqlite3.SQLITE_READONLY: ("read_only", _READ_ONLY),
    sqlite3.SQLITE_READONLY_DIRECTORY: ("read_only", _READ_ONLY_FOLDER),
    sqlite3.SQLITE_READONLY_DBMOVED: ("moved", _MOVED),
    sqlite3.SQLITE_CANTOPEN: ("unreachable", _UNREACHABLE),
}


def trouble_of(error: Exception, path: str) -> FileFault | None:
    """Return what an error of the driver means for the file, if it is about that."""
    trouble = _look_up(error)
    if trouble is None:
        return None
    kind, text = trouble
    return FileFault(_sentence(text, f"'{path}'"), error, kind, path)


def opening_fault(settings: Settings, error: Exception) -> ConnectionFault:
    """Return what an error of the driver means that came while the file was opened."""
    kind, text = _look_up(error) or ("unreachable", _UNKNOWN)
    return connection_fault(settings, kind, text, error)


def moved_fault(settings: Settings) -> ConnectionFault:
    """Return what to say of a path that leads to another file now, or to none."""
    return connection_fault(settings, "moved", _MOVED)


def folder_fault(settings: Settings) -> ConnectionFault:
    """Return what to say of a path that leads to a folder."""
    return connection_fault(settings, "unreachable", _FOLDER)


def connection_fault(
    settings: Settings, kind: str, text: str, error: Exception | None = None
) -> ConnectionFault:
    """Return a fault of the file as a whole; ``text`` has a gap for it."""
    filename = str(settings.filename)
    return ConnectionFault(_sentence(text, "it"), error, kind, filename)


def _look_up(error: Exception) -> tuple[str, str] | None:
    if isinstance(error, UnicodeDecodeError):
        return _TROUBLES[sqlite3.SQLITE_CORRUPT]
    code = getattr(error, "sqlite_errorcode", 0)
    return _TROUBLES.get(code) or _TROUBLES.get(code & 0xFF)


def _sentence(text: str, subject: str) -> str:
    filled = text.format(subject)
    return filled[0].upper() + filled[1:]
