"""The engine of the blocking API: the calling thread waits and works."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeVar

from sqliter.core import scopes
from sqliter.core.asked import (
    UNANSWERED,
    Asked,
    Batches,
    Question,
    Unanswered,
    Work,
)
from sqliter.core.askers import Asker
from sqliter.core.courses import Course, Part
from sqliter.core.faults import reported_as
from sqliter.core.scopes import Mode, Scope
from sqliter.core.steps import Drive, Operation
from sqliter.core.stop import Stop
from sqliter.engines.copies import Backup, Restore
from sqliter.engines.local import LocalEngine
from sqliter.engines.streaming import Stream, batches
from sqliter.engines.transactions import Callback
from sqliter.engines.turn import Seat
from sqliter.exceptions import SqlExecutionError

R = TypeVar("R")


class BlockingEngine(LocalEngine):
    """Runs operations in the thread that asks; blocks belong to threads."""

    def run(self, asked: Asked[R], seconds: float | None = None) -> R:
        """Carry an operation out and return its result."""
        if isinstance(asked, (Operation, Course)):
            return self._run(asked, seconds)  # type: ignore[no-any-return]
        if seconds is None:
            answer: R | Unanswered
            if isinstance(asked, Question):
                question: Question[R] = asked
                answer = self._answer(question)
            else:
                answer = self._write(asked)
            if answer is not UNANSWERED:
                return answer
        return self._run(asked.operation(), seconds)

    def _run(self, work: Work[R], seconds: float | None) -> R:
        if isinstance(work, Course):
            return self._follow(work)
        drive = self._drive(work, seconds)
        if self._uses_cache():
            self._serve(drive)
        if not drive.finished:
            with reported_as(SqlExecutionError, self.settings.begin_sql):
                self._lease_and_carry(drive)
        return drive.value  # type: ignore[no-any-return]

    def _follow(self, course: Course[R]) -> R:
        """Carry operations and calls out in a block of their own, all or nothing."""
        around = self._scope()
        try:
            for mode in self._modes_of_course():
                self.enter(mode)
            part = course.advance()
            while part is not None:
                part = course.advance(self._do(part))
            while self._scope() is not around:
                self.leave(keep=True)
        except BaseException:
            self._undo_up_to(around)
            raise
        return course.value  # type: ignore[no-any-return]

    def _undo_up_to(self, around: Scope | None) -> None:
        """Leave all blocks inside this one, though leaving them may fail, too."""
        scope = self._scope()
        if scope is around:
            return
        try:
            self.leave(keep=False)
        finally:
            if self._scope() is not scope:
                self._undo_up_to(around)

    def _do(self, part: Part) -> Any:
        if isinstance(part, Operation):
            return self._run(part, None)
        return self.on_commit(part.make) if part.is_late else part.make()

    def stream(
        self,
        question: Question[list[R]],
        size: int,
        part: int,
        seconds: float | None = None,
    ) -> Batches[R]:
        """Yield what a question gives, all of the same state.

        So many rows are fetched at once, and a ``part`` of them is made instances.
        What is not committed can be seen on one connection only, which also writes
        meanwhile: there all rows are fetched at once.
        """
        if not self._is_alone(self._scope()) or self.settings.is_memory:
            yield from batches(self.run(question, seconds), part)
            return
        stop = self._stop(self._deadline(seconds))
        with question.failure:
            stream = Stream(self._connections, question, stop)
        with closing(stream):
            while rows := stream.next(size):
                yield from map(stream.load, batches(rows, part))

    def _asker(self) -> Asker:
        return threading.current_thread()

    def _lease_and_carry(self, drive: Drive[R]) -> None:
        scope = self._scope()
        if self._reads_elsewhere(drive, scope):
            self._carry_reader(drive)
        elif self._shares_commit(drive, scope):
            self._share(drive)
        else:
            due: list[Callback] = []
            with self._turn(drive) as scope:
                self._carry_writer(drive, scope, due)
            _call(due)

    def _share(self, drive: Drive[Any]) -> None:
        """Write alone, or leave it to whoever has the turn and commits for many."""
        carried = self._take(self.seat, drive, drive)
        if carried is None:
            try:
                self._carry_shared(drive)
            finally:
                self.seat.give_back()
        elif carried.error is not None:
            raise carried.error

    def open(self) -> None:
        """Open the writer."""
        self.on_writer(lambda _: None)

    def connect(self) -> sqlite3.Connection:
        """Open the writer and return the driver's connection, to be kept."""
        self.open()
        with reported_as(SqlExecutionError, self.settings.begin_sql):
            return self._connections.writer(Stop()).hand_out()

    def on_writer(
        self, call: Callable[[sqlite3.Connection], R], stop: Stop | None = None
    ) -> R:
        """Call with the driver's connection, in the turn of a writer."""
        stop = self._limited(stop or Stop())
        reported = reported_as(SqlExecutionError, self.settings.begin_sql)
        with reported, self._turn(stop) as scope:
            return self._lend_raw(scope, call, stop)

    def back_up(self, backup: Backup) -> None:
        """Write a copy of the database to a file; only memory takes a turn for it."""
        self.refuse_in_block("backup()")
        with closing(self._limited(backup)):
            if self.settings.is_memory:
                self.on_writer(backup.take, backup)
            backup.write(self._connections.reader)

    def restore(self, restore: Restore) -> None:
        """Replace the content of the database by that of a file."""
        self.refuse_in_block("restore()")
        with closing(self._limited(restore)):
            restore.prepare()
            self.on_writer(restore.write, restore)

    def close(self) -> None:
        """Close everything; raises ``TransactionError`` inside a block."""
        self.refuse_in_block("close()")
        with self._turn(self._limited(Stop())):
            self._close()

    def visit(self, operation: Operation[R]) -> R:
        """Carry an operation out, and leave the database as open as it was."""
        if self.stays_open:
            return self.run(operation)
        drive = self._drive(operation)
        self._carry_visitor(drive)
        return drive.value  # type: ignore[no-any-return]

    def enter(self, mode: Mode) -> Scope:
        """Open a block: a transaction, a snapshot, or a savepoint inside one."""
        parent = self._scope()
        scope = Scope(self.token, self._new_seat(), _thread(), parent, mode)
        stop = self._stop(scope.deadline)
        scope.trace = stop.trace
        with reported_as(SqlExecutionError, scope.opening):
            self._occupy(scope, stop)
        try:
            self._transactions.begin(scope, stop)
            self._entered(scope)
        except BaseException:
            try:
                self._transactions.abandon(scope)
            finally:
                self._vacate(scope)
            raise
        return scope

    def leave(self, *, keep: bool, entered: Sequence[Scope] | None = None) -> Scope:
        """Close the innermost block, keeping or undoing what it did; return it."""
        foreign = scopes.left_foreign(self.token, keep=keep)
        if foreign is not None:
            return foreign
        scope = self._block_to_leave(entered)
        due: list[Callback] = []
        try:
            self._transactions.end(scope, due, keep=keep)
        finally:
            try:
                self._left(scope)
            finally:
                self._vacate(scope)
            _call(due)
        return scope

    def commit(self) -> None:
        """Commit what is open."""
        due: list[Callback] = []
        stop = self._limited(Stop())
        try:
            with self._turn(stop) as scope:
                self._transactions.commit(scope, stop, due)
        finally:
            _call(due)

    def rollback(self) -> None:
        """Take back what is open."""
        with self._turn() as scope:
            self._transactions.rollback(scope)

    def on_commit(self, callback: Callback) -> None:
        """Call after the commit of what is open, or now if nothing is."""
        if not self.add_callback(callback):
            callback()

    def _scope(self) -> Scope | None:
        # A context copied into another thread does not take its blocks along.
        scope = super()._scope()
        return scope if scope is None or scope.thread == _thread() else None

    def _occupy(self, scope: Scope, stop: Stop) -> None:
        """Take the turn that a block keeps until it ends; a snapshot needs none."""
        if not scope.is_snapshot:
            self._take(self._seat_around(scope.parent), stop)

    def _vacate(self, scope: Scope) -> None:
        if not scope.is_snapshot:
            self._seat_around(scope.parent).give_back()

    def _take(self, seat: Seat, stop: Stop, parcel: Drive[Any] | None = None) -> Any:
        if seat.is_mine and not self._is_in_use():
            seat.give_back()  # a signal came just after it was taken
        return seat.take(threading.current_thread(), stop, parcel)

    def _is_in_use(self) -> bool:
        """Whether this thread has a block open, or is called by what it is doing."""
        if any(block.thread == _thread() for block in self._blocks if block.is_open):
            return True
        import inspect  # noqa: PLC0415 - hardly ever needed

        frame, is_inside = inspect.currentframe(), True
        while frame is not None and (frame := frame.f_back):
            if frame.f_globals.get("__name__") == "contextlib":
                continue  # between a ``with`` of this object and what it enters
            was_inside, is_inside = is_inside, frame.f_locals.get("self") is self
            if is_inside and not was_inside:
                return True
        return False

    @contextmanager
    def _turn(self, stop: Stop | None = None) -> Iterator[Scope | None]:
        scope = self._scope()
        seat: Seat = self._seat_around(scope)
        with reported_as(SqlExecutionError, self.settings.begin_sql):
            self._take(seat, stop or Stop())
        try:
            yield scope
        finally:
            seat.give_back()


def _thread() -> int:
    return threading.get_ident()


def _call(callbacks: list[Callback]) -> None:
    """Call each, whatever the others do; then raise what the first of them raised."""
    errors: list[Exception] = []
    for callback in callbacks:
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - raised below
            errors.append(error)
    if errors:
        raise errors[0]
