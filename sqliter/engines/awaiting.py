"""The engine of the asyncio API: the loop goes on while a thread works.

What is short is done on the loop's own thread, within a budget. Everything else costs
one hop to a thread: the whole of it is carried out there, building of instances
included. An answer from the cache costs none.
"""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

from sqliter.core.asked import (
    UNANSWERED,
    Asked,
    AwaitedBatches,
    Question,
    Unanswered,
    Work,
)
from sqliter.core.courses import Course, Part
from sqliter.core.faults import reported_as
from sqliter.core.scopes import Scope
from sqliter.core.steps import Access, Drive, Operation
from sqliter.core.stop import Stop, is_limited
from sqliter.engines.copies import Backup, Restore
from sqliter.engines.streaming import Stream, batches
from sqliter.engines.task_blocks import TaskBlocks
from sqliter.engines.transactions import Callback
from sqliter.engines.waiting import (
    call_all,
    take,
)
from sqliter.exceptions import SqlExecutionError

R = TypeVar("R")
T = TypeVar("T")

TIDY_EVERY = 16
"""Writes after which the size of the WAL is looked at."""


class AwaitingEngine(TaskBlocks):
    """Runs operations for tasks, which blocks belong to."""

    async def run(self, asked: Asked[R], seconds: float | None = None) -> R:
        """Carry an operation out and return its result."""
        if isinstance(asked, (Operation, Course)):
            return await self._run(asked, seconds)
        if seconds is None and not is_limited():
            if self._inline.is_pause_due:
                await asyncio.sleep(0)
            answer: R | Unanswered
            if isinstance(asked, Question):
                question: Question[R] = asked
                answer = self._answer_here(question)
            else:
                answer = self._write_here(asked)
                if self._writes >= TIDY_EVERY:
                    await self._tidy()
            if answer is not UNANSWERED:
                return answer
        return await self._run(asked.operation(), seconds)

    async def _run(self, work: Work[R], seconds: float | None) -> R:
        if isinstance(work, Course):
            return await self._follow(work)
        drive = self._drive(work, seconds)
        if self._inline.is_pause_due:
            await asyncio.sleep(0)
        if self._uses_cache():
            await self._serve_in_time(drive)
        if not drive.finished:
            with reported_as(SqlExecutionError, self.settings.begin_sql):
                await self._lease_and_carry(drive)
        return drive.value  # type: ignore[no-any-return]

    async def _follow(self, course: Course[R]) -> R:
        """Carry operations and calls out in a block of their own, all or nothing."""
        around = self._scope()
        try:
            for mode in self._modes_of_course():
                await self.enter(mode)
            part = course.advance()
            while part is not None:
                part = course.advance(await self._do(part))
            while self._scope() is not around:
                await self.leave(keep=True)
        except BaseException:
            await self._undo_up_to(around)
            raise
        return course.value  # type: ignore[no-any-return]

    async def _undo_up_to(self, around: Scope | None) -> None:
        """Leave all blocks inside this one, though leaving them may fail, too."""
        scope = self._scope()
        if scope is around:
            return
        try:
            await self.leave(keep=False)
        finally:
            if self._scope() is not scope:
                await self._undo_up_to(around)

    async def _do(self, part: Part) -> Any:
        if isinstance(part, Operation):
            return await self._run(part, None)
        if part.is_late:
            return await self.on_commit(part.make)
        result = part.make()
        return await result if inspect.isawaitable(result) else result

    async def stream(
        self,
        question: Question[list[R]],
        size: int,
        part: int,
        seconds: float | None = None,
    ) -> AwaitedBatches[R]:
        """Yield what a question gives; see ``BlockingEngine.stream``."""
        if not self._is_alone(self._scope()) or self.settings.is_memory:
            for found in batches(await self.run(question, seconds), part):
                yield found
            return
        stop = self._stop(self._deadline(seconds))

        async def wait(call: Callable[[], T]) -> T:
            with question.failure:
                return await self._reading.run(call, stop)

        stream = await wait(lambda: Stream(self._connections, question, stop))
        with closing(stream):
            while rows := await wait(lambda: stream.next(size)):
                for each in batches(rows, part):
                    yield stream.load(each)

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
            self._writes += TIDY_EVERY if drive.again is None else 1
            if self._writes >= TIDY_EVERY:
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
