"""The engine of the asyncio API: the loop goes on while a thread works.

An operation costs at most one hop to a thread: the whole of it is carried out
there, building of instances included. An answer from the cache costs none.
"""

from __future__ import annotations

import asyncio
import sqlite3
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import TypeVar

from sqliter.core.askers import name_of
from sqliter.core.context import Context
from sqliter.core.faults import reported_as
from sqliter.core.scopes import Scope
from sqliter.core.steps import Drive, Operation
from sqliter.engines.connections import IDLE_READERS
from sqliter.engines.copies import Backup, Restore
from sqliter.engines.local import LocalEngine
from sqliter.engines.turn import Seat
from sqliter.engines.workers import Workers
from sqliter.exceptions import DatabaseBusyError, SqlExecutionError

R = TypeVar("R")


class AwaitingEngine(LocalEngine):
    """Runs operations in worker threads; blocks belong to tasks."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._writing = Workers(1, "sqliter-writer")
        self._reading = Workers(IDLE_READERS, "sqliter-reader")
        weakref.finalize(self, self._writing.dismiss)
        weakref.finalize(self, self._reading.dismiss)

    async def run(self, operation: Operation[R]) -> R:
        """Carry an operation out and return its result."""
        drive = Drive(operation, asyncio.current_task(), self._observers)
        if self._uses_cache():
            self._serve(drive)
        if not drive.finished:
            with reported_as(SqlExecutionError, self.settings.begin_sql):
                await self._lease_and_carry(drive)
        return drive.value  # type: ignore[no-any-return]

    async def _lease_and_carry(self, drive: Drive[R]) -> None:
        # Small reads will be driven here, on the loop thread, and waiting writes
        # share one commit: both belong between choosing the lease and the hop.
        if self._reads_elsewhere(drive.access, self._scope()):
            await self._reading.run(lambda: self._carry_reader(drive), drive.cancel)
        else:
            async with self._turn() as scope:
                await self._writing.run(
                    lambda: self._carry_writer(drive, scope), drive.cancel
                )

    async def on_writer(
        self,
        call: Callable[[sqlite3.Connection], R],
        interrupt: Callable[[], None] | None = None,
    ) -> R:
        """Call with the driver's connection, in the thread and turn of a writer.

        ``interrupt`` stops the call; else its statement is, where that is safe.
        """
        with reported_as(SqlExecutionError, self.settings.begin_sql):
            async with self._turn() as scope:
                # Interrupting a write inside a transaction would end all of it.
                alone = scope is None and self._pending is None
                stop = self._connections.interrupt_writer if alone else None
                return await self._writing.run(
                    lambda: call(self._connections.writer().raw), interrupt or stop
                )

    async def back_up(self, backup: Backup) -> None:
        """Write a copy of the database to a file; only memory takes a turn for it."""
        self.refuse_in_block("backup()")
        with closing(backup):
            if self.settings.is_memory:
                await self.on_writer(backup.take, backup.cancel)
            reader = self._connections.reader(asyncio.current_task())
            await self._reading.run(lambda: backup.write(reader), backup.cancel)

    async def restore(self, restore: Restore) -> None:
        """Replace the content of the database by that of a file."""
        self.refuse_in_block("restore()")
        with closing(restore):
            await self._reading.run(restore.check, restore.cancel)
            await self.on_writer(restore.write, restore.cancel)

    async def close(self) -> None:
        """Close everything; raises ``TransactionError`` inside a block."""
        self.refuse_in_block("close()")
        async with self._turn():
            await self._writing.run(self._close)
        self._writing.dismiss()
        self._reading.dismiss()

    async def visit(self, operation: Operation[R]) -> R:
        """Carry an operation out, and leave the database as open as it was."""
        if self.stays_open:
            return await self.run(operation)
        drive = Drive(operation, asyncio.current_task(), self._observers)
        await self._reading.run(lambda: self._carry_visitor(drive), drive.cancel)
        return drive.value  # type: ignore[no-any-return]

    async def enter(self) -> None:
        """Open a block: a transaction, or a savepoint inside one."""
        trace = self._observers.follow(asyncio.current_task())
        parent, seat = await self._take_turn()
        scope = Scope(self.token, Seat(self.settings.busy_timeout), 0, parent, trace)
        try:
            await self._writing.run(lambda: self._begin(scope))
        except BaseException:
            try:
                await self._writing.run(lambda: self._abandon(scope))
            finally:
                seat.give_back()
            raise
        self._entered(scope)

    async def leave(self, *, keep: bool) -> None:
        """Close the innermost block, keeping or undoing what it did.

        Waits for operations of tasks that joined the block. A cancellation meanwhile,
        or a task that keeps a block of its own open for too long, undoes the block.
        """
        scope = self._block_to_leave()
        hindrance = await _hindrance(scope.seat)
        if hindrance is not None:
            scope.ended()  # whoever is still inside is outside now
        try:
            keep = keep and hindrance is None
            await self._writing.run(lambda: self._end(scope, keep=keep))
        finally:
            self._left(scope)
            if hindrance is None:
                scope.seat.give_back()
            self._seat_around(scope.parent).give_back()
        if hindrance is not None:
            raise hindrance

    async def commit(self) -> None:
        """Commit what is open."""
        async with self._turn() as scope:
            await self._writing.run(lambda: self._commit(scope))

    async def rollback(self) -> None:
        """Take back what is open."""
        async with self._turn() as scope:
            await self._writing.run(lambda: self._rollback(scope))

    async def _take_turn(self) -> tuple[Scope | None, Seat]:
        while True:
            scope = self._scope()
            seat = self._seat_around(scope)
            await _take(seat)
            if scope is None or scope.is_open:
                return scope, seat
            seat.give_back()  # the block ended meanwhile: this task is outside

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Scope | None]:
        scope, seat = await self._take_turn()
        try:
            yield scope
        finally:
            seat.give_back()


async def _take(seat: Seat) -> None:
    """Wait for the seat, leaving the event loop to others."""
    loop = asyncio.get_running_loop()
    woken = loop.create_future()
    ticket = seat.sit_or_queue(_me(), lambda: loop.call_soon_threadsafe(_settle, woken))
    if ticket is None:
        return
    try:
        while not woken.done():
            await asyncio.wait([woken], timeout=seat.patience(ticket))
    except BaseException:
        seat.leave_queue(ticket)
        raise


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _hindrance(seat: Seat) -> BaseException | None:
    """Take the seat; return what came in the way instead, if anything."""
    try:
        await _take(seat)
    except (asyncio.CancelledError, DatabaseBusyError) as error:
        return error
    return None


def _me() -> str:
    return name_of(asyncio.current_task())
