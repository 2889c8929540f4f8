"""How a connection is opened and made ready; what comes of it is the driver's own."""

from __future__ import annotations

import os
import sqlite3
import sys

from sqliter.core.faults import BusyFault, Fault
from sqliter.core.logs import StatementLog
from sqliter.core.settings import Pragmas, Settings
from sqliter.core.stop import Stop
from sqliter.engines.disk import DRIVER_ERRORS, folder_fault, opening_fault
from sqliter.engines.foreign import refuse_foreign
from sqliter.engines.functions import Guard, register_functions
from sqliter.engines.meaning import fault_of, primary_code
from sqliter.engines.patience import insist, is_busy

_NO_SWITCH = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY}


def open_connection(
    settings: Settings,
    log: StatementLog,
    stop: Stop,
    guarded: Guard,
    *,
    reader: bool,
    pragmas: Pragmas,
) -> tuple[sqlite3.Connection, bool]:
    """Return a connection that waits for nobody, and whether its journal is a WAL.

    ``guarded`` makes functions of SQL that can be stopped.
    Waits for others while it is made ready, until ``stop``. Raises a ``Fault``.
    """
    try:
        raw = _open(settings)
    except DRIVER_ERRORS as error:
        raise opening_fault(settings, error) from error
    try:
        register_functions(raw, guarded)
        mode = _prepare(raw, settings, log, stop, reader=reader, pragmas=pragmas)
    except DRIVER_ERRORS as error:
        raw.close()
        raise _fault_of_opening(settings, error) from error
    except BaseException:
        raw.close()
        raise
    return raw, mode == "wal"


def close_surely(raw: sqlite3.Connection) -> None:
    """Close it, even if a signal comes in between."""
    try:
        raw.close()
    except BaseException:
        raw.close()
        raise


def wait_in_sqlite(raw: sqlite3.Connection, seconds: float) -> None:
    """Have SQLite itself wait so long for others."""
    raw.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def _open(settings: Settings) -> sqlite3.Connection:
    refuse_foreign(settings)
    if not settings.is_memory and os.path.isdir(settings.path):  # noqa: PTH112 - never raises
        raise folder_fault(settings)
    return sqlite3.connect(
        settings.path,
        timeout=0,  # waiting is done in Python, where it can be stopped
        isolation_level=None,  # the library begins and commits itself
        check_same_thread=False,  # leases see to it that one thread works at a time
        cached_statements=512,  # a statement that must be parsed costs 2.4 times more
    )


def _prepare(
    raw: sqlite3.Connection,
    settings: Settings,
    log: StatementLog,
    stop: Stop,
    *,
    reader: bool,
    pragmas: Pragmas,
) -> str:
    _refuse_strings_in_double_quotes(raw)
    mode: str = settings.journal_mode
    if not settings.is_memory and not reader:
        mode = _set_journal_mode(raw, settings, log, stop)
    for name, value in {**_pragmas_of(settings), **pragmas, **settings.pragmas}.items():
        _ask(raw, f"PRAGMA {name} = {value}", settings, stop)
    if reader:
        raw.execute("PRAGMA query_only = ON")
    wait_in_sqlite(raw, 0)
    return mode


def _pragmas_of(settings: Settings) -> Pragmas:
    return {
        "synchronous": settings.durability,
        "foreign_keys": int(settings.foreign_keys),
    }


def _ask(
    raw: sqlite3.Connection, sql: str, settings: Settings, stop: Stop
) -> list[tuple[str, ...]]:
    """Run a pragma, waiting for others: some are refused at once while these work."""

    def run() -> list[tuple[str, ...]]:
        return raw.execute(sql).fetchall()

    try:
        return run()
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise
        return insist(run, stop, settings.busy_timeout)


def _refuse_strings_in_double_quotes(raw: sqlite3.Connection) -> None:
    """Make SQLite report an unknown "column" instead of reading it as a string."""
    if sys.version_info >= (3, 12):
        raw.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)  # noqa: FBT003
        raw.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DDL, False)  # noqa: FBT003


def _set_journal_mode(
    raw: sqlite3.Connection, settings: Settings, log: StatementLog, stop: Stop
) -> str:
    wanted = settings.journal_mode
    try:
        ((mode,),) = _ask(raw, f"PRAGMA journal_mode = {wanted}", settings, stop)
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
    return mode


def _fault_of_opening(settings: Settings, error: Exception) -> Fault:
    fault = fault_of(error)
    return fault if isinstance(fault, BusyFault) else opening_fault(settings, error)
