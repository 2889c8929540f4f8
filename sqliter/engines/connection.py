"""One connection to SQLite: the only module that talks to the driver."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from sqliter.core.askers import Asker
from sqliter.core.events import Trace
from sqliter.core.faults import (
    BusyFault,
    ConnectionFault,
    ConstraintFault,
    Fault,
    InTransactionFault,
)
from sqliter.core.logs import StatementLog
from sqliter.core.settings import Settings
from sqliter.core.statement import Request, Result, Statement
from sqliter.engines.functions import register_functions
from sqliter.engines.observing import locking, observed, writes_alone

_CONSTRAINTS = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: "unique",
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "primary_key",
    sqlite3.SQLITE_CONSTRAINT_ROWID: "primary_key",
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "foreign_key",
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: "not_null",
    sqlite3.SQLITE_CONSTRAINT_CHECK: "check",
}
_UNIT = "sqliter_unit"


class Lease(NamedTuple):
    """Since when (by the monotonic clock) a connection is lent, and to whom."""

    since: float
    asker: Asker


class Connection:
    """A connection whose transactions the library controls itself.

    Everything it raises is a ``Fault``.
    """

    def __init__(self, settings: Settings, log: StatementLog, *, reader: bool) -> None:
        self._settings = settings
        self._log = log
        self._is_working = False
        self._own_changes = 0
        self.lease: Lease | None = None  # while it is lent to read
        try:
            self.raw = _open(settings)
        except sqlite3.Error as error:
            raise ConnectionFault(str(settings.filename), error) from error
        try:
            self._prepare(reader=reader)
        except sqlite3.Error as error:
            self.raw.close()
            raise _opening_fault(settings, error) from error

    @property
    def in_transaction(self) -> bool:
        """Whether SQLite has a transaction open here."""
        try:
            return self.raw.in_transaction
        except sqlite3.ProgrammingError as error:  # closed by hand
            raise fault_of(error) from error

    @property
    def changes_of_others(self) -> int:
        """How many rows were changed through the raw connection so far."""
        return self.raw.total_changes - self._own_changes

    def answer(self, request: Request, trace: Trace | None = None) -> list[Result]:
        """Run what was asked for; measure it if there is a ``trace``."""
        if request.outside and self.in_transaction:
            msg = "a transaction is open: leave the block, or commit() first"
            raise InTransactionFault(msg)
        self._is_working = True
        run = self._execute
        if trace is not None and not request.internal:
            run = functools.partial(self._observed, trace)
        try:
            if request.atomic:
                with self.unit(trace, foreign_keys=request.foreign_keys):
                    return [run(s, request) for s in request.statements]
            return [run(s, request) for s in request.statements]
        finally:
            self._is_working = False

    def begin(self, trace: Trace | None = None) -> None:
        """Open a transaction."""
        self.open(self._settings.begin_sql, trace)

    def open(self, sql: str, trace: Trace | None) -> None:
        """Open a transaction or savepoint: this is what waits for others."""
        with nullcontext() if trace is None else locking(sql, trace):
            self.control(sql)

    def control(self, *statements: str) -> None:
        """Run transaction control; nothing of it is logged."""
        for sql in statements:
            try:
                self.raw.execute(sql)
            except sqlite3.Error as error:
                raise fault_of(error) from error

    def undo(self, *statements: str) -> None:
        """Run statements that take back; SQLite may have done so by itself."""
        if self.in_transaction:
            self.control(*statements)

    def close(self) -> None:
        """Close it; what was not committed is discarded.

        Not while another thread works with it: SQLite must not lose a handle it uses.
        """
        if not self._is_working:
            self.raw.close()

    def _execute(self, statement: Statement, request: Request) -> Result:
        if not request.internal:
            self._log.statement(statement.sql, statement.params)
        try:
            before = self.raw.total_changes
            cursor = self.raw.execute(statement.sql, statement.params)
            rows = cursor.fetchall()
            self._own_changes += self.raw.total_changes - before
        except (sqlite3.Error, OverflowError, ValueError) as error:
            raise fault_of(error, statement.sql) from error
        if statement.rows is not None and cursor.rowcount != statement.rows:
            msg = f"{cursor.rowcount} of {statement.rows} rows were written: a trigger?"
            raise Fault(msg)
        columns = cursor.description or () if request.named else ()
        names = tuple(column[0] for column in columns)
        return Result(rows, cursor.rowcount, cursor.lastrowid, names)

    def _observed(self, trace: Trace, statement: Statement, request: Request) -> Result:
        """Run a statement that somebody wants to know about."""
        execute = functools.partial(self._execute, statement, request)
        if not writes_alone(statement, self.raw):
            return observed(execute, statement, self.raw, trace)
        self.open("BEGIN IMMEDIATE", trace)  # what it would do itself, unmeasured
        return observed(lambda: self._keep(execute), statement, self.raw, trace)

    def _keep(self, execute: Callable[[], Result]) -> Result:
        try:
            result = execute()
            self.control("COMMIT")
        except BaseException:
            self.undo("ROLLBACK")
            raise
        return result

    @contextlib.contextmanager
    def unit(
        self, trace: Trace | None = None, *, foreign_keys: bool = True
    ) -> Iterator[None]:
        """All or nothing: a transaction, or a savepoint inside one."""
        if self.raw.in_transaction:
            if not foreign_keys and self._settings.foreign_keys:
                msg = "foreign keys cannot be switched off inside a transaction"
                raise InTransactionFault(msg)
            opening, keeping = f"SAVEPOINT {_UNIT}", f"RELEASE {_UNIT}"
            undoing: tuple[str, ...] = (f"ROLLBACK TO {_UNIT}", keeping)
        else:
            opening, keeping = self._settings.begin_sql, "COMMIT"
            undoing = ("ROLLBACK",)
        with self._without_foreign_keys(not foreign_keys):
            self.open(opening, trace)
            try:
                yield
                self.control(keeping)
            except BaseException:
                self.undo(*undoing)
                raise

    @contextlib.contextmanager
    def _without_foreign_keys(self, really: bool) -> Iterator[None]:  # noqa: FBT001
        if not really:
            yield
            return
        (before,) = self.raw.execute("PRAGMA foreign_keys").fetchone()
        self.control("PRAGMA foreign_keys = OFF")
        try:
            yield
        finally:
            self.control(f"PRAGMA foreign_keys = {before}")

    def _prepare(self, *, reader: bool) -> None:
        settings = self._settings
        register_functions(self.raw)
        _refuse_strings_in_double_quotes(self.raw)
        if not settings.is_memory and not reader:
            self._set_journal_mode()
        pragmas = {
            "synchronous": settings.durability,
            "foreign_keys": int(settings.foreign_keys),
            **settings.pragmas,
        }
        self._set_pragmas(pragmas.items())
        if reader:
            self.raw.execute("PRAGMA query_only = ON")

    def _set_pragmas(self, pragmas: Iterable[tuple[str, object]]) -> None:
        for name, value in pragmas:
            self.raw.execute(f"PRAGMA {name} = {value}")

    def _set_journal_mode(self) -> None:
        wanted = self._settings.journal_mode
        try:
            (mode,) = self._switch_journal(wanted)
        except sqlite3.OperationalError as error:
            if _primary(error) not in _NO_SWITCH:
                raise
            mode = str(error)
        if mode != wanted:
            self._log.warning(
                "%s: journal mode %r cannot be had here (%s); readers and the "
                "writer may wait for each other",
                self._settings.filename,
                wanted,
                mode,
            )

    def _switch_journal(self, wanted: str) -> tuple[str]:
        """Switch, waiting for others: SQLite gives up at once here."""
        deadline = time.monotonic() + self._settings.busy_timeout
        while True:
            try:
                row: tuple[str] = self.raw.execute(
                    f"PRAGMA journal_mode = {wanted}"
                ).fetchone()
            except sqlite3.OperationalError as error:
                if _primary(error) != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
            else:
                return row


_NO_SWITCH = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY}


def fault_of(error: Exception, sql: str | None = None) -> Fault:
    """Return what an error of the driver means."""
    fault = _meaning_of(error)
    fault.sql = sql
    return fault


def _meaning_of(error: Exception) -> Fault:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return Fault(str(error), error)
    primary = _primary(error)
    if primary == sqlite3.SQLITE_CONSTRAINT:
        return ConstraintFault(_kind_of(code, error), str(error), error)
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


def _primary(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _opening_fault(settings: Settings, error: sqlite3.Error) -> Fault:
    fault = fault_of(error)
    if isinstance(fault, BusyFault):
        return fault
    return ConnectionFault(str(settings.filename), error)


def _refuse_strings_in_double_quotes(raw: sqlite3.Connection) -> None:
    """Make SQLite report an unknown "column" instead of reading it as a string."""
    if sys.version_info >= (3, 12):
        raw.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)  # noqa: FBT003
        raw.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DDL, False)  # noqa: FBT003


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
