"""One connection to SQLite: the only module that runs SQL."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from math import inf

from sqliter.core.faults import Fault, InTransactionFault
from sqliter.core.logs import StatementLog
from sqliter.core.settings import Pragmas, Settings
from sqliter.core.statement import Request, Result, Row, Statement, Value
from sqliter.core.stop import Stop
from sqliter.engines.disk import DRIVER_ERRORS
from sqliter.engines.handle import NO_PRAGMAS, Handle
from sqliter.engines.hurry import Handover, is_heavy
from sqliter.engines.meaning import fault_of, primary_code
from sqliter.engines.observing import answer_in, observed
from sqliter.engines.patience import insist, insist_until, is_busy
from sqliter.engines.rows import all_rows, some_rows
from sqliter.engines.units import unit

_TRIGGERS = (
    "SELECT 1 FROM (SELECT type FROM sqlite_master "
    "UNION ALL SELECT type FROM sqlite_temp_master) WHERE type = 'trigger' LIMIT 1"
)


_ONE = Request(())  # as far as one statement alone is concerned


class Connection(Handle):
    """A connection whose transactions the library controls itself."""

    def __init__(
        self,
        settings: Settings,
        log: StatementLog,
        stop: Stop,
        *,
        reader: bool,
        pragmas: Pragmas = NO_PRAGMAS,
    ) -> None:
        super().__init__(settings, log, stop, reader=reader, pragmas=pragmas)
        self._own_changes = self._changes_before = 0
        self._owns_transaction = False
        self.enforces_foreign_keys = settings.foreign_keys
        self.doing: str | None = None
        """The statement that was run last, in the open transaction if there is one."""

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

    @property
    def uncommitted_changes(self) -> int:
        """How many rows the open transaction has changed so far."""
        return self.raw.total_changes - self._changes_before

    # --- work ---

    def answer(self, request: Request) -> list[Result]:
        """Run what was asked for."""
        if request.outside:
            return self._answer_outside(request)
        if self.in_hurry and any(is_heavy(each.params) for each in request.statements):
            raise Handover(is_slow=False)
        run = self._execute if self._stop.trace is None else self._observed
        statements: Iterable[Statement] = request.statements
        if len(request.statements) > 1:
            statements = self._while_wanted(request.statements)
        if not request.atomic:
            return [run(each, request) for each in statements]
        with unit(self, foreign_keys=request.foreign_keys):
            return [run(each, request) for each in statements]

    def _while_wanted(self, statements: Iterable[Statement]) -> Iterator[Statement]:
        """Yield them unless the work has to end: an interrupt between two is lost."""
        for each in statements:
            self._stop.check()
            yield each

    def _answer_outside(self, request: Request) -> list[Result]:
        """Run what no transaction may surround."""
        if self.in_transaction:
            msg = "a transaction is open: leave the block, or commit() first"
            raise InTransactionFault(msg)
        inner = request._replace(outside=False)
        results = self.answer(inner)
        if not _is_held_up(results):
            return results
        return insist_until(
            lambda: self.answer(inner),
            lambda found: not _is_held_up(found),
            self._stop,
            self._settings.busy_timeout,
        )

    def _execute(self, statement: Statement, request: Request) -> Result:
        self.doing = statement.sql
        try:
            result = self._fetch(statement, named=request.named)
        except (*DRIVER_ERRORS, OverflowError, ValueError) as error:
            fault = self._fault_of(error, statement.sql)
            if isinstance(fault, Fault):  # else it will be run once more
                self._note(statement, request)
            raise fault from error
        self._note(statement, request)
        if statement.rows is not None and result.rowcount != statement.rows:
            msg = f"{result.rowcount} of {statement.rows} rows were written: a trigger?"
            raise Fault(msg)
        return result

    def put(self, statement: Statement, budget: float | None) -> Result | None:
        """Run one write in auto-commit mode for a caller who has the turn.

        Returns ``None``, with nothing changed, if others have to be waited for, or
        the budget is used up.
        """
        if self._is_handed_out or self._owns_transaction or self.raw.in_transaction:
            return None
        self._is_peeking = self.in_hurry = True
        try:
            self._beat.listen(self.raw, inf, budget)
            return self._execute(statement, _ONE)
        except Handover:
            self._beat.raise_signal()  # whoever runs it next would not hear of it
            return None
        finally:
            self._is_peeking = self.in_hurry = False

    def open_cursor(self, statement: Statement) -> sqlite3.Cursor:
        """Begin a read whose rows are fetched bit by bit."""
        try:
            cursor = self._run(statement.sql, statement.params)
        except (*DRIVER_ERRORS, OverflowError, ValueError) as error:
            raise self._fault_of(error, statement.sql) from error
        self._note(statement, _ONE)
        return cursor

    def fetch_some(self, cursor: sqlite3.Cursor, size: int) -> list[Row]:
        """Fetch so many rows, or what is left."""
        try:
            return some_rows(cursor, size)
        except DRIVER_ERRORS as error:
            raise self._fault_of(error) from error

    def _fetch(self, statement: Statement, *, named: bool) -> Result:
        before = self.raw.total_changes
        try:
            cursor = self._run(statement.sql, statement.params)
            rows = all_rows(cursor)
        except sqlite3.OperationalError as error:
            is_stopped = primary_code(error) == sqlite3.SQLITE_INTERRUPT
            if not is_stopped or self.raw.total_changes == before:
                raise
            result = self._stopped_too_late()
            if not result.rowcount:  # undone, but not what triggers did from the total
                raise
        else:
            names = _names(cursor) if named else ()
            result = Result(rows, cursor.rowcount, cursor.lastrowid, names)
        self._own_changes += self.raw.total_changes - before
        return result

    def _stopped_too_late(self) -> Result:
        """Return what a write gave that is done, and maybe committed.

        SQLite asks a last time whether to go on when there is nothing left to do.
        """
        with self._beat.calm():
            sql = "SELECT changes(), last_insert_rowid()"
            changes, key = self.raw.execute(sql).fetchone()
        return Result([], changes, key)

    def _observed(self, statement: Statement, request: Request) -> Result:
        trace = self._stop.trace
        if trace is None or request.internal:
            return self._execute(statement, request)
        run = functools.partial(self._execute, statement, request)
        return observed(run, statement, self.raw, trace)

    def _note(self, statement: Statement, request: Request) -> None:
        if not request.internal:
            self._log.statement(statement.sql, statement.params)

    def _run(self, sql: str, params: Sequence[Value] = ()) -> sqlite3.Cursor:
        try:
            return self.raw.execute(sql, params)
        except sqlite3.OperationalError as error:
            if self.in_hurry or not is_busy(error):
                raise
            run = self.raw.execute
            patience = self._settings.busy_timeout
            return insist(lambda: run(sql, params), self._stop, patience)

    # --- the schema ---

    @property
    def schema_version(self) -> int | None:
        """What changes with the schema; ``None`` if SQLite does not say."""
        with contextlib.suppress(*DRIVER_ERRORS):
            version: int = self.raw.execute("PRAGMA schema_version").fetchone()[0]
            return version
        return None

    @property
    def has_triggers(self) -> bool:
        """Whether a write may do more than it says."""
        with contextlib.suppress(*DRIVER_ERRORS):
            return bool(self.raw.execute(_TRIGGERS).fetchone())
        return True

    # --- transactions ---

    def control(self, *statements: str) -> None:
        """Run transaction control; nothing of it is logged."""
        for sql in statements:
            try:
                with self._beat.calm():  # stopped when it is done, it would seem undone
                    self._run(sql)
            except DRIVER_ERRORS as error:
                raise self._fault_of(error) from error

    def open_transaction(self, begin: str | None = None) -> None:
        """Begin a transaction, which is taken back if nobody ends it."""
        begin = begin or self._settings.begin_sql
        if self.in_transaction:
            msg = "one was begun on the raw connection: commit or roll it back first"
            raise InTransactionFault(msg)
        self._owns_transaction, self.doing = True, None
        self._changes_before = self.raw.total_changes
        try:
            self.control(begin)
        except Fault as fault:
            if self._stop.trace is not None:
                self._stop.trace.refused(begin, answer_in(fault))
            raise
        except BaseException:  # a signal handler's, maybe when it was done
            self.undo("ROLLBACK")
            raise

    def open_snapshot(self) -> None:
        """Begin to read, all from the present state."""
        self.open_transaction("BEGIN")
        self.control("PRAGMA schema_version")  # the state is chosen by the first read

    def commit(self) -> None:
        """Commit the transaction.

        What a signal handler raises when that is done already, ``finish()`` raises.
        """
        try:
            self.control("COMMIT")
        except Exception:
            raise
        except BaseException as signal:
            if self.raw.in_transaction:
                raise
            self._late_signal = signal
        self._owns_transaction = False

    def settle(self, *statements: str) -> None:
        """Run what must not stay half done; ``finish()`` raises what signals raise."""
        for sql in statements:
            try:
                self.control(sql)
            except Exception:
                raise
            except BaseException as signal:  # noqa: BLE001 - raised by finish()
                self._late_signal = signal
                # Did it come before the statement or after it? Then that has nothing
                # left to end, and says so.
                with contextlib.suppress(Fault):
                    self.control(sql)

    def undo(self, *statements: str) -> None:
        """Run statements that take back; SQLite may have done so by itself."""
        if self.in_transaction:
            try:
                self.settle(*statements)
            except Fault:  # a signal kept the savepoint from being made: all has to go
                self.settle("ROLLBACK")
        if not self.raw.in_transaction:
            self._owns_transaction = False

    def come_to_rest(self) -> bool:
        """Take back what is open; say whether others may use the connection now."""
        try:
            self.undo("ROLLBACK")
        except Fault:
            return False
        self._owns_transaction = False
        return True

    def abandon(self) -> None:
        """Take back what was begun and never ended: Ctrl-C came in between."""
        if self._owns_transaction:
            self.undo("ROLLBACK")
            self._owns_transaction = False


def _names(cursor: sqlite3.Cursor) -> tuple[str, ...]:
    return tuple(column[0] for column in cursor.description or ())


def _is_held_up(results: list[Result]) -> bool:
    """Whether this is what a checkpoint answers that others keep from its end."""
    rows = results[0].rows
    return len(rows) == 1 and len(rows[0]) == 3 and rows[0][0] == 1
