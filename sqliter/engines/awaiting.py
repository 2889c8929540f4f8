"""The engine of the asyncio API: the loop goes on while a thread works.

What is short is done on the loop's own thread, within a budget. Everything else costs
one hop to a thread: the whole of it is carried out there, building of instances
included. An answer from the cache costs none.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from math import inf
from typing import Any, ClassVar, TypeVar

from sqliter.core.context import Context
from sqliter.core.faults import reported_as
from sqliter.core.scopes import Mode, Scope
from sqliter.core.settings import Pragmas
from sqliter.core.steps import Access, Drive, Operation
from sqliter.core.stop import Stop
from sqliter.engines.connection import Handover
from sqliter.engines.copies import Backup, Restore
from sqliter.engines.inline import BUDGET, Inline
from sqliter.engines.local import LocalEngine
from sqliter.engines.transactions import Callback
from sqliter.engines.turn import Seat
from sqliter.engines.waiting import call_all, hindrance_to_take, take
from sqliter.engines.workers import Workers
from sqliter.exceptions import SqlExecutionError

R = TypeVar("R")

READING_THREADS = 16
"""Reads that may be under way at the same time."""

FEW = 100
"""Rows that are committed so fast that no thread is needed."""

TIDY_EVERY = 16
"""Writes after which the size of the WAL is looked at."""


class AwaitingEngine(LocalEngine):
    """Runs operations for tasks, which blocks belong to."""

    pragmas: ClassVar[Pragmas] = {
        "wal_autocheckpoint": 0
    }  # done by ``_tidy``, beside the commits

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._inline = Inline(enabled=self.settings.inline)
        self._writing = Workers(1, "sqliter-writer")
        self._reading = Workers(READING_THREADS, "sqliter-reader")
        self._writes = 0
        self._is_tidying = threading.Lock()
        weakref.finalize(self, self._writing.dismiss)
        weakref.finalize(self, self._reading.dismiss)

    async def run(self, operation: Operation[R], seconds: float | None = None) -> R:
        """Carry an operation out and return its result."""
        drive = self._drive(operation, seconds)
        if self._uses_cache():
            self._serve(drive)
        if not drive.finished:
            with reported_as(SqlExecutionError, self.settings.begin_sql):
                await self._lease_and_carry(drive)
        return drive.value  # type: ignore[no-any-return]

    def _drive(self, operation: Operation[R], seconds: float | None = None) -> Drive[R]:
        deadline, task = self._deadline(seconds), asyncio.current_task()
        return Drive(operation, deadline, task, self._observers)

    async def _lease_and_carry(self, drive: Drive[R]) -> None:
        await self._inline.pause()
        if not self._carry_here(drive):
            await self._carry_in_thread(drive)
        if drive.access is not Access.READ:
            self._tidy()

    async def _carry_in_thread(self, drive: Drive[R]) -> None:
        scope = self._scope()
        if self._reads_elsewhere(drive, scope):
            await self._reading.run(lambda: self._carry_reader(drive), drive)
        elif self._shares_commit(drive, scope):
            await self._share(drive)
        else:
            async with self._turn(drive) as scope:
                await self._thread_of(scope).run(
                    lambda: self._carry_writer(drive, scope), drive
                )
                due = self._transactions.take_due()
            await call_all(due)

    async def _share(self, drive: Drive[Any]) -> None:
        """Write alone, or leave it to whoever has the turn and commits for many."""
        carried = await take(self.seat, drive, drive)
        if carried is None:
            try:
                await self._writing.run(lambda: self._carry_shared(drive), drive)
            finally:
                self.seat.give_back()
        elif carried.error is not None:
            raise carried.error

    def _thread_of(self, scope: Scope | None) -> Workers:
        is_read = scope is not None and scope.is_on_reader
        return self._reading if is_read else self._writing

    # --- on the thread of the event loop ---

    def _carry_here(self, drive: Drive[Any]) -> bool:
        """Do it here, if that is quick; say whether it is done."""
        shape = drive.request.statements[0].sql
        if not self._inline.allows(shape):
            return False
        scope = self._scope()
        started = time.perf_counter()
        try:
            if self._reads_elsewhere(drive, scope):
                return self._read_here(drive)
            return self._is_short(drive, scope) and self._work_here(drive, scope)
        except Handover as handover:
            self._go_on_elsewhere(drive, handover, shape)
            return False
        finally:
            self._inline.spend(shape, time.perf_counter() - started)

    def _is_short(self, drive: Drive[Any], scope: Scope | None) -> bool:
        """Whether it may be tried on the writer, which is open and quick to commit."""
        if drive.access is Access.READ or scope is not None:
            return drive.again is not None or drive.access is Access.READ
        return (
            self._shares_commit(drive, scope)
            and self.settings.commits_quickly
            and self.writer_connection is not None
        )

    def _read_here(self, drive: Drive[Any]) -> bool:
        connection = self._connections.lend_idle(drive.asker)
        if connection is None:
            return False
        try:
            use_cache = self._carrier.cache.enabled
            self._carrier.carry(drive, connection, use_cache=use_cache, budget=BUDGET)
        finally:
            self._connections.take_back(connection)
        return True

    def _work_here(self, drive: Drive[Any], scope: Scope | None) -> bool:
        seat = self._seat_around(scope)
        if not seat.try_take(asyncio.current_task()):
            return False
        # Interrupting a write in a block would undo the block.
        is_gentle = scope is not None and drive.access is Access.WRITE
        try:
            self._carry_writer(drive, scope, inf if is_gentle else BUDGET)
        finally:
            seat.give_back()
        return True

    def _go_on_elsewhere(
        self, drive: Drive[Any], handover: Handover, shape: str
    ) -> None:
        if handover.is_slow:
            self._inline.remember(shape)
        if drive.again is not None:  # what it changed in objects has been taken back
            drive.restart()

    def _tidy(self) -> None:
        """Have the WAL written back once it is large.

        SQLite would do that inside a commit, and let one task wait for all of it.
        """
        self._writes += 1
        if self._writes % TIDY_EVERY == 0 and not self._is_tidying.locked():
            self._reading.post(lambda: self._connections.tidy(self._is_tidying))

    # --- the connection, files ---

    async def on_writer(
        self, call: Callable[[sqlite3.Connection], R], stop: Stop | None = None
    ) -> R:
        """Call with the driver's connection, in the thread and turn of a writer.

        ``stop`` stops the call; else its statement is stopped.
        """
        with reported_as(SqlExecutionError, self.settings.begin_sql):
            own = Stop(self._deadline(None))
            async with self._turn(own) as scope:
                own.is_gentle = not self._is_alone(scope)
                return await self._writing.run(
                    lambda: self._lent(call, own), stop or own
                )

    def _lent(self, call: Callable[[sqlite3.Connection], R], stop: Stop) -> R:
        connection = self._connections.writer()
        connection.start(stop)
        try:
            return call(connection.hand_out())
        finally:
            connection.finish()

    async def back_up(self, backup: Backup) -> None:
        """Write a copy of the database to a file; only memory takes a turn for it."""
        self.refuse_in_block("backup()")
        with closing(backup):
            if self.settings.is_memory:
                await self.on_writer(backup.take, backup)
            reader = self._connections.reader(asyncio.current_task())
            await self._reading.run(lambda: backup.write(reader), backup)

    async def restore(self, restore: Restore) -> None:
        """Replace the content of the database by that of a file."""
        self.refuse_in_block("restore()")
        with closing(restore):
            await self._reading.run(restore.prepare, restore)
            await self.on_writer(restore.write, restore)

    async def close(self) -> None:
        """Close everything; raises ``TransactionError`` inside a block."""
        self.refuse_in_block("close()")
        async with self._turn(Stop()):
            await self._writing.run(self._close)
        self._writing.dismiss()
        self._reading.dismiss()

    async def visit(self, operation: Operation[R]) -> R:
        """Carry an operation out, and leave the database as open as it was."""
        if self.stays_open:
            return await self.run(operation)
        drive = self._drive(operation)
        await self._reading.run(lambda: self._carry_visitor(drive), drive)
        return drive.value  # type: ignore[no-any-return]

    # --- blocks ---

    async def enter(self, mode: Mode) -> None:
        """Open a block: a transaction, a snapshot, or a savepoint inside one."""
        scope, stop = await self._occupy(mode)
        try:
            if not self._begin_here(scope, stop):
                await self._thread_of(scope).run(
                    lambda: self._transactions.begin(scope, stop), stop
                )
        except BaseException:
            try:
                await self._thread_of(scope).run(
                    lambda: self._transactions.abandon(scope)
                )
            finally:
                self._vacate(scope)
            raise
        self._entered(scope)

    async def leave(self, *, keep: bool) -> None:
        """Close the innermost block, keeping or undoing what it did.

        Waits for operations of tasks that joined the block. A cancellation meanwhile,
        or a task that keeps a block of its own open for too long, undoes the block.
        """
        scope = self._block_to_leave()
        due: list[Callback] = []
        hindrance = await hindrance_to_take(scope.seat)
        if hindrance is not None:
            scope.ended()  # whoever is still inside is outside now
        try:
            await self._end(scope, keep=keep and hindrance is None)
            due = self._transactions.take_due()
        finally:
            self._left(scope)
            if hindrance is None:
                scope.seat.give_back()
            self._vacate(scope)
        if hindrance is not None:
            raise hindrance
        self._tidy()
        await call_all(due)

    async def commit(self) -> None:
        """Commit what is open."""
        async with self._turn(Stop()) as scope:
            await self._thread_of(scope).run(lambda: self._transactions.commit(scope))
            due = self._transactions.take_due()
        await call_all(due)

    async def rollback(self) -> None:
        """Take back what is open."""
        async with self._turn(Stop()) as scope:
            await self._thread_of(scope).run(lambda: self._transactions.rollback(scope))

    async def on_commit(self, callback: Callback) -> None:
        """Call after the commit of what is open, or now if nothing is."""
        if not self.add_callback(callback):
            await call_all([callback])

    def _begin_here(self, scope: Scope, stop: Stop) -> bool:
        """Open the block here, unless others have to be waited for."""
        is_ready = self.writer_connection is not None and not scope.is_snapshot
        if not (self._inline.is_on and is_ready):
            return False
        try:
            self._transactions.begin(scope, stop, BUDGET)
        except Handover:
            return False
        return True

    async def _end(self, scope: Scope, *, keep: bool) -> None:
        if self._inline.is_on and self._ends_quickly(scope):
            self._transactions.end(scope, keep=keep)
        else:
            await self._thread_of(scope).run(
                lambda: self._transactions.end(scope, keep=keep)
            )

    def _ends_quickly(self, scope: Scope) -> bool:
        is_quick = scope.parent is not None or self.settings.commits_quickly
        return is_quick and scope.connection.uncommitted_changes < FEW

    async def _occupy(self, mode: Mode) -> tuple[Scope, Stop]:
        """Take the turn that a block keeps until it ends; a snapshot needs none."""
        task = asyncio.current_task()
        stop = Stop(mode.deadline, self._observers.follow(task))
        parent = self._scope()
        if parent is not None or not mode.snapshot:
            with reported_as(SqlExecutionError, mode.begin):
                parent, _ = await self._take_turn(stop)
        scope = Scope(self.token, self._new_seat(), 0, parent, mode)
        scope.asker, scope.trace, stop.deadline = task, stop.trace, scope.deadline
        return scope, stop

    def _vacate(self, scope: Scope) -> None:
        if not scope.is_snapshot:
            self._seat_around(scope.parent).give_back()

    async def _take_turn(self, stop: Stop) -> tuple[Scope | None, Seat]:
        while True:
            scope = self._scope()
            seat = self._seat_around(scope)
            await take(seat, stop)
            if scope is None or scope.is_open:
                return scope, seat
            seat.give_back()  # the block ended meanwhile: this task is outside

    @asynccontextmanager
    async def _turn(self, stop: Stop) -> AsyncIterator[Scope | None]:
        scope, seat = await self._take_turn(stop)
        try:
            yield scope
        finally:
            seat.give_back()
