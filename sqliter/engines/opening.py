"""How a connection is opened and made ready; what comes of it is the driver's own."""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path

from sqliter.core.faults import BusyFault, ConnectionFault, Fault
from sqliter.core.logs import StatementLog
from sqliter.core.settings import Pragmas, Settings
from sqliter.engines.functions import register_functions
from sqliter.engines.meaning import fault_of, primary_code

_NO_SWITCH = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY}


def open_connection(
    settings: Settings, log: StatementLog, *, reader: bool, pragmas: Pragmas
) -> sqlite3.Connection:
    """Return a connection that waits for nobody; raises a ``Fault``."""
    try:
        raw = _open(settings)
    except sqlite3.Error as error:
        raise ConnectionFault(str(settings.filename), error) from error
    try:
        _prepare(raw, settings, log, reader=reader, pragmas=pragmas)
    except sqlite3.Error as error:
        raw.close()
        raise _opening_fault(settings, error) from error
    return raw


def wait_in_sqlite(raw: sqlite3.Connection, seconds: float) -> None:
    """Have SQLite itself wait so long for others."""
    raw.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def _open(settings: Settings) -> sqlite3.Connection:
    if not settings.is_memory and Path(settings.path).is_dir():
        msg = "it is a folder"
        raise sqlite3.OperationalError(msg)
    return sqlite3.connect(
        settings.path,
        timeout=settings.busy_timeout,
        isolation_level=None,  # the library begins and commits itself
        check_same_thread=False,  # leases see to it that one thread works at a time
        cached_statements=512,  # a statement that must be parsed costs 2.4 times more
    )


def _prepare(
    raw: sqlite3.Connection,
    settings: Settings,
    log: StatementLog,
    *,
    reader: bool,
    pragmas: Pragmas,
) -> None:
    register_functions(raw)
    _refuse_strings_in_double_quotes(raw)
    if not settings.is_memory and not reader:
        _set_journal_mode(raw, settings, log)
    wanted = {
        "synchronous": settings.durability,
        "foreign_keys": int(settings.foreign_keys),
        **pragmas,
        **settings.pragmas,
    }
    for name, value in wanted.items():
        raw.execute(f"PRAGMA {name} = {value}")
    if reader:
        raw.execute("PRAGMA query_only = ON")
    wait_in_sqlite(raw, 0)  # from now on it is done in Python, and can be stopped


def _refuse_strings_in_double_quotes(raw: sqlite3.Connection) -> None:
    """Make SQLite report an unknown "column" instead of reading it as a string."""
    if sys.version_info >= (3, 12):
        raw.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)  # noqa: FBT003
        raw.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DDL, False)  # noqa: FBT003


def _set_journal_mode(
    raw: sqlite3.Connection, settings: Settings, log: StatementLog
) -> None:
    wanted = settings.journal_mode
    try:
        mode = _switch_journal(raw, settings)
    except sqlite3.OperationalError as error:
        if primary_code(error) not in _NO_SWITCH:
            raise
        mode = str(error)
    if mode != wanted:
        log.warning(
            "%s: journal mode %r cannot be had here (%s); readers and the "
            "writer may wait for each other",
            settings.filename,
            wanted,
            mode,
        )


def _switch_journal(raw: sqlite3.Connection, settings: Settings) -> str:
    """Switch, waiting for others: SQLite gives up at once here."""
    deadline = time.monotonic() + settings.busy_timeout
    while True:
        try:
            (mode,) = raw.execute(
                f"PRAGMA journal_mode = {settings.journal_mode}"
            ).fetchone()
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return str(mode)


def _opening_fault(settings: Settings, error: sqlite3.Error) -> Fault:
    fault = fault_of(error)
    if isinstance(fault, BusyFault):
        return fault
    return ConnectionFault(str(settings.filename), error)
