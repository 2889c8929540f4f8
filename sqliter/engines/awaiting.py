"""The engine of the asyncio API: the loop goes on while a thread works.

What is short is done on the loop's own thread, within a budget. Everything else costs
one hop to a thread: the whole of it is carried out there, building of instances
included. An answer from the cache costs none.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any, TypeVar

from sqliter.core import scopes
from sqliter.core.askers import Asker
from sqliter.core.context import Context
from sqliter.core.faults import reported_as
from sqliter.core.scopes import Mode, Scope
from sqliter.core.steps import Access, Drive, Operation
from sqliter.core.stop import Stop
from sqliter.engines.copies import Backup, Restore
from sqliter.engines.prompt import PromptEngine
from sqliter.engines.transactions import Callback
from sqliter.engines.turn import Seat
from sqliter.engines.waiting import (
    call_all,
    clean_up_later,
    hindrance_to_take,
    is_lost,
    take,
)
from sqliter.engines.wal import PRAGMAS
from sqliter.engines.workers import Workers
from sqliter.exceptions import SqlExecutionError, TransactionError

R = TypeVar("R")

READING_THREADS = 16
"""Reads that may be under way at the same time."""

TIDY_EVERY = 16
"""Writes after which the size of the WAL is looked at."""


class AwaitingEngine(PromptEngine):
    """Runs operations for tasks, which blocks belong to."""

    pragmas = PRAGMAS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._writing = Workers(1, "sqliter-writer", self._connections.interrupt_writer)
        self._reading = Workers(READING_THREADS, "sqliter-reader")
        self._writes = 0
        self._lifetime.parts += (self._writing, self._reading)
        weakref.finalize(self, self._writing.dismiss)
        weakref.finalize(self, self._reading.dismiss)

    async def run(self, operation: Operation[R], seconds: float | None = None) -> R:
        """Carry an operation out and return its result."""
        if self._inline.is_pause_due:
            await asyncio.sleep(0)
        drive = self._drive(operation, seconds)
        if self._uses_cache():
            await self._serve_in_time(drive)
        if not drive.finished:
            with reported_as(SqlExecutionError, self.settings.begin_sql):
                await self._lease_and_carry(drive)
        return drive.value  # type: ignore[no-any-return]

    def _asker(self) -> Asker:
        return asyncio.current_task()

    async def _serve_in_time(self, drive: Drive[Any]) -> None:
        """Answer from the cache as far as it knows; large answers in a thread."""
        large = self._serve_here(drive)
        if large is not None:
            await self._reading.run(lambda: drive.answer((large,)), drive)

    async def _lease_and_carry(self, drive: Drive[R]) -> None:
        if self._carry_here(drive):
            self._writes += drive.access is not Access.READ
            if self._writes >= TIDY_EVERY:
                await self._tidy()
            return
        await self._carry_in_thread(drive)
        if drive.access is not Access.READ:
            await self._tidy()

    async def _carry_in_thread(self, drive: Drive[R]) -> None:
        scope = self._scope()
        if self._reads_elsewhere(drive, scope):
            await self._reading.run(lambda: self._carry_reader(drive), drive)
        elif self._shares_commit(drive, scope):
            await self._share(drive)
        else:
            await self._carry_in_turn(drive)

    async def _carry_in_turn(self, drive: Drive[R]) -> None:
        due: list[Callback] = []
        async with self._turn(drive) as scope:
            await self._thread_of(scope).run(
                lambda: self._carry_and_learn(drive, scope, due), drive
            )
        await call_all(due)

    async def _share(self, drive: Drive[Any]) -> None:
        """Write alone, or leave it to whoever has the turn and commits for many."""
        await self._evict_lost()
        carried = await take(self.seat, drive, drive)
        if carried is None:
            holder = self.seat.holder
            try:
                await self._writing.run(lambda: self._carry_shared(drive), drive)
            finally:
                self.seat.give_back(holder)
        elif carried.error is not None:
            raise carried.error

    def _thread_of(self, scope: Scope | None) -> Workers:
        is_read = scope is not None and scope.is_on_reader
        return self._reading if is_read else self._writing

    async def _tidy(self) -> None:
        """Have the WAL written back if it is large."""
        self._writes = 0
        wal = self._connections.wal
        beside, alone = wal.look()
        if beside:
            self._reading.post(wal.tidy)
        if alone:
            async with self._turn(Stop()):
                await self._writing.run(wal.tidy_alone)

    # --- the connection, files ---

    async def on_writer(
        self, call: Callable[[sqlite3.Connection], R], stop: Stop | None = None
    ) -> R:
        """Call with the driver's connection, in the thread and turn of a writer."""
        stop = self._limited(stop or Stop())
        with reported_as(SqlExecutionError, self.settings.begin_sql):
            async with self._turn(stop) as scope:
                result = await self._writing.run(
                    lambda: self._lend_raw(scope, call, stop), stop
                )
        await self._tidy()
        return result

    async def back_up(self, backup: Backup) -> None:
        """Write a copy of the database to a file; only memory takes a turn for it."""
        self.refuse_in_block("backup()")
        with closing(self._limited(backup)):
            if self.settings.is_memory:
                await self.on_writer(backup.take, backup)
            await self._reading.run(
                lambda: backup.write(self._connections.reader), backup
            )

    async def restore(self, restore: Restore) -> None:
        """Replace the content of the database by that of a file."""
        self.refuse_in_block("restore()")
        with closing(self._limited(restore)):
            await self._reading.run(restore.prepare, restore)
            await self.on_writer(restore.write, restore)

    async def close(self) -> None:
        """Close everything; raises ``TransactionError`` inside a block."""
        self.refuse_in_block("close()")
        async with self._turn(self._limited(Stop())):
            await self._writing.run(self._close)
        await self._reading.end_lost_work()
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

    async def enter(self, mode: Mode) -> Scope:
        """Open a block: a transaction, a snapshot, or a savepoint inside one."""
        if self._inline.is_pause_due:
            await asyncio.sleep(0)
        scope, stop = await self._occupy(mode)
        try:
            if not self._begin_here(scope, stop):
                await self._thread_of(scope).run(
                    lambda: self._transactions.begin(scope, stop), stop
                )
            self._entered(scope)
        except GeneratorExit:
            clean_up_later(self._give_up(scope))
            raise
        except BaseException:
            await self._give_up(scope)
            raise
        return scope

    async def _give_up(self, scope: Scope) -> None:
        """Take back a block that nobody got to use."""

        def abandon() -> None:
            if self._has_turn(scope):
                self._transactions.abandon(scope)

        try:
            await self._thread_of(scope).run(abandon)
        finally:
            self._vacate(scope)

    async def leave(
        self, *, keep: bool, entered: Sequence[Scope] | None = None
    ) -> Scope:
        """Close the innermost block, keeping or undoing what it did; return it.

        Waits for operations of tasks that joined the block. A cancellation meanwhile,
        or a task that keeps a block of its own open for too long, undoes the block.
        """
        foreign = scopes.left_foreign(self.token, keep=keep)
        if foreign is not None:
            return foreign
        if isinstance(sys.exc_info()[1], GeneratorExit):
            return self._leave_later(entered)
        return await self._leave(self._block_to_leave(entered), keep=keep)

    def _leave_later(self, entered: Sequence[Scope] | None) -> Scope:
        """Undo the innermost block: a coroutine that is closed can wait for nothing."""
        try:
            scope = self._block_to_leave(entered)
        except TransactionError:  # others have undone it
            raise GeneratorExit from None
        scopes.leave(scope)
        clean_up_later(self._leave(scope, keep=False))
        return scope

    async def _leave(self, scope: Scope, *, keep: bool) -> Scope:
        due: list[Callback] = []
        hindrance = await hindrance_to_take(scope.seat)
        if hindrance is not None:
            scope.ended()  # whoever is still inside is outside now
            scope.connection.interrupt_anybody()
        try:
            await self._end(scope, due, keep=keep, hindrance=hindrance)
        finally:
            self._left(scope)
            if hindrance is None:
                scope.seat.give_back()
            self._vacate(scope)
            await call_all(due)
        if hindrance is not None:
            raise hindrance
        if not scope.is_on_reader and not self.in_block:
            await self._tidy()
        return scope

    async def commit(self) -> None:
        """Commit what is open."""
        due: list[Callback] = []
        stop = self._limited(Stop())
        try:
            async with self._turn(stop) as scope:
                await self._thread_of(scope).run(
                    lambda: self._transactions.commit(scope, stop, due)
                )
        finally:
            await call_all(due)

    async def rollback(self) -> None:
        """Take back what is open."""
        async with self._turn(Stop()) as scope:
            await self._thread_of(scope).run(lambda: self._transactions.rollback(scope))

    async def on_commit(self, callback: Callback) -> None:
        """Call after the commit of what is open, or now if nothing is."""
        if not self.add_callback(callback):
            await call_all([callback])

    async def _end(
        self,
        scope: Scope,
        due: list[Callback],
        *,
        keep: bool,
        hindrance: BaseException | None,
    ) -> None:
        def end() -> None:
            if self._has_turn(scope):
                self._transactions.end(scope, due, keep=keep and hindrance is None)

        # Who hinders may still be at work, in a thread: this waits for it there.
        if hindrance is None and self._ends_quickly(scope):
            end()
        else:
            await self._thread_of(scope).run(end)

    async def _occupy(self, mode: Mode) -> tuple[Scope, Stop]:
        """Take the turn that a block keeps until it ends; a snapshot needs none."""
        stop = self._stop(mode.deadline)
        parent = self._scope()
        seat: Seat | None = None
        if parent is not None or not mode.snapshot:
            parent, seat = await self._take_turn(stop)
            if parent is None and mode.snapshot:  # the block around it has ended
                seat.give_back()
                seat = None
        scope = Scope(self.token, self._new_seat(), 0, parent, mode)
        scope.turn = None if seat is None else seat.holder
        scope.trace, stop.deadline = stop.trace, scope.deadline
        return scope, stop

    def _vacate(self, scope: Scope) -> None:
        if not scope.is_snapshot:
            self._seat_around(scope.parent).give_back(scope.turn)

    def _has_turn(self, scope: Scope) -> bool:
        """Whether the turn that it keeps was not taken away."""
        return scope.is_snapshot or self._seat_around(scope.parent).holder is scope.turn

    async def _evict_lost(self) -> None:
        """Undo what a task left open whose event loop is closed; free the seat."""
        holder = self.seat.holder
        if not is_lost(holder):
            return

        def undo() -> None:
            if self.seat.holder is holder:  # others may have been faster
                self._transactions.forget(self._blocks)

        await self._writing.run(undo)
        self.seat.give_back(holder)

    async def _take_turn(self, stop: Stop) -> tuple[Scope | None, Seat]:
        while True:
            scope = self._scope()
            seat = self._seat_around(scope)
            if scope is None:
                await self._evict_lost()
            with reported_as(SqlExecutionError, self.settings.begin_sql):
                await take(seat, stop)
            if scope is None or scope.is_open:
                return scope, seat
            seat.give_back()  # the block ended meanwhile: this task is outside

    @asynccontextmanager
    async def _turn(self, stop: Stop) -> AsyncIterator[Scope | None]:
        scope, seat = await self._take_turn(stop)
        holder = seat.holder
        try:
            yield scope
        finally:
            seat.give_back(holder)
