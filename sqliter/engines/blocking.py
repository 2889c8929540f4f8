"""The engine of the blocking API: the calling thread waits and works."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

from sqliter.core.askers import name_of
from sqliter.core.faults import reported_as
from sqliter.core.scopes import Scope
from sqliter.core.steps import Drive, Operation
from sqliter.engines.copies import Backup, Restore
from sqliter.engines.local import LocalEngine
from sqliter.engines.turn import Seat
from sqliter.exceptions import SqlExecutionError

R = TypeVar("R")


class BlockingEngine(LocalEngine):
    """Runs operations in the thread that asks; blocks belong to threads."""

    def run(self, operation: Operation[R]) -> R:
        """Carry an operation out and return its result."""
        drive = Drive(operation, threading.current_thread(), self._observers)
        if self._uses_cache():
            self._serve(drive)
        if not drive.finished:
            with reported_as(SqlExecutionError, self.settings.begin_sql):
                self._lease_and_carry(drive)
        return drive.value  # type: ignore[no-any-return]

    def _lease_and_carry(self, drive: Drive[R]) -> None:
        if self._reads_elsewhere(drive.access, self._scope()):
            self._carry_reader(drive)
        else:
            with self._turn() as scope:
                self._carry_writer(drive, scope)

    def connect(self) -> sqlite3.Connection:
        """Open the writer and return the driver's connection."""
        return self.on_writer(lambda raw: raw)

    def on_writer(self, call: Callable[[sqlite3.Connection], R]) -> R:
        """Call with the driver's connection, in the turn of a writer."""
        with reported_as(SqlExecutionError, self.settings.begin_sql), self._turn():
            return call(self._connections.writer().raw)

    def back_up(self, backup: Backup) -> None:
        """Write a copy of the database to a file; only memory takes a turn for it."""
        self.refuse_in_block("backup()")
        with closing(backup):
            if self.settings.is_memory:
                self.on_writer(backup.take)
            backup.write(self._connections.reader(threading.current_thread()))

    def restore(self, restore: Restore) -> None:
        """Replace the content of the database by that of a file."""
        self.refuse_in_block("restore()")
        with closing(restore):
            restore.check()
            self.on_writer(restore.write)

    def close(self) -> None:
        """Close everything; raises ``TransactionError`` inside a block."""
        self.refuse_in_block("close()")
        with self._turn():
            self._close()

    def visit(self, operation: Operation[R]) -> R:
        """Carry an operation out, and leave the database as open as it was."""
        if self.stays_open:
            return self.run(operation)
        drive = Drive(operation, threading.current_thread(), self._observers)
        self._carry_visitor(drive)
        return drive.value  # type: ignore[no-any-return]

    def enter(self) -> None:
        """Open a block: a transaction, or a savepoint inside one."""
        trace = self._observers.follow(threading.current_thread())
        parent, seat = self._take_turn()
        seats = Seat(self.settings.busy_timeout)
        scope = Scope(self.token, seats, _thread(), parent, trace)
        try:
            self._begin(scope)
        except BaseException:
            try:
                self._abandon(scope)
            finally:
                seat.give_back()
            raise
        self._entered(scope)

    def leave(self, *, keep: bool) -> None:
        """Close the innermost block, keeping or undoing what it did."""
        scope = self._block_to_leave()
        try:
            self._end(scope, keep=keep)
        finally:
            self._left(scope)
            self._seat_around(scope.parent).give_back()

    def commit(self) -> None:
        """Commit what is open."""
        with self._turn() as scope:
            self._commit(scope)

    def rollback(self) -> None:
        """Take back what is open."""
        with self._turn() as scope:
            self._rollback(scope)

    def _scope(self) -> Scope | None:
        # A context copied into another thread does not take its blocks along.
        scope = super()._scope()
        return scope if scope is None or scope.thread == _thread() else None

    def _take_turn(self) -> tuple[Scope | None, Seat]:
        scope = self._scope()
        seat = self._seat_around(scope)
        seat.take(_me())
        return scope, seat

    @contextmanager
    def _turn(self) -> Iterator[Scope | None]:
        scope, seat = self._take_turn()
        try:
            yield scope
        finally:
            seat.give_back()


def _thread() -> int:
    return threading.get_ident()


def _me() -> str:
    return name_of(threading.current_thread())
