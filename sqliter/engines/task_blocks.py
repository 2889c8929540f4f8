"""Blocks of tasks: transactions and snapshots that one opens, and others may join."""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqliter.core import scopes
from sqliter.core.askers import Asker
from sqliter.core.context import Context
from sqliter.core.faults import reported_as
from sqliter.core.scopes import Mode, Scope
from sqliter.core.stop import Stop
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

READING_THREADS = 16
"""Reads that may be under way at the same time."""


class TaskBlocks(PromptEngine):
    """Opens and closes blocks, in a thread where that takes long."""

    pragmas = PRAGMAS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._writing = Workers(1, "sqliter-writer", self._connections.interrupt_writer)
        self._reading = Workers(READING_THREADS, "sqliter-reader")
        self._lifetime.parts += (self._writing, self._reading)
        weakref.finalize(self, self._writing.dismiss)
        weakref.finalize(self, self._reading.dismiss)

    def _asker(self) -> Asker:
        return asyncio.current_task()

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
