"""What an error of the driver means, told by SQLite's codes, never by its texts."""

from __future__ import annotations

import sqlite3

from sqliter.core.faults import BusyFault, ConstraintFault, Fault
from sqliter.engines.disk import trouble_of

_CONSTRAINTS = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: "unique",
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "primary_key",
    sqlite3.SQLITE_CONSTRAINT_ROWID: "primary_key",
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "foreign_key",
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: "not_null",
    sqlite3.SQLITE_CONSTRAINT_CHECK: "check",
    3091: "datatype",  # SQLITE_CONSTRAINT_DATATYPE; the module does not know it
}


def fault_of(
    error: Exception, sql: str | None = None, path: str | None = None
) -> Fault:
    """Return what an error of the driver means, for the file at ``path`` if given."""
    trouble = None if path is None else trouble_of(error, path)
    fault = trouble or _meaning_of(error)
    fault.sql = sql
    return fault


def _meaning_of(error: Exception) -> Fault:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return Fault(str(error), error)
    primary = primary_code(error)
    if primary == sqlite3.SQLITE_CONSTRAINT:
        kind, text = _kind_of(code, error), str(error)
        name = text.partition("constraint failed: ")[2] if kind == "check" else None
        return ConstraintFault(kind, text, error, name or None)
    if code == sqlite3.SQLITE_BUSY_SNAPSHOT:
        return BusyFault(
            "others wrote after this transaction began to read, so it cannot write any "
            "more. Leave the block and try again, with immediate=True",
            error,
        )
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BusyFault(
            "another connection or process holds it for longer than busy_timeout",
            error,
        )
    return Fault(str(error), error)


def _kind_of(code: int, error: Exception) -> str:
    # RESTRICT is a trigger inside SQLite: only the text tells it from the user's own.
    restricted = str(error) == "FOREIGN KEY constraint failed"
    if code == sqlite3.SQLITE_CONSTRAINT_TRIGGER and restricted:
        return "foreign_key"
    return _CONSTRAINTS.get(code, "other")


def primary_code(error: Exception) -> int:
    """Return SQLite's code without its details; 0 for errors of others."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
