"""A local file (or memory): one writer, many readers, and whose turn it is.

What is here knows nothing about waiting; ``blocking`` and ``awaiting`` add that, each
in its own way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from typing import Any, ClassVar, TypeVar

from sqliter.core import scopes
from sqliter.core.asked import UNANSWERED, Order, Question, Unanswered
from sqliter.core.askers import Asker
from sqliter.core.context import Context
from sqliter.core.faults import Fault, reported_as
from sqliter.core.scopes import Mode, Scope
from sqliter.core.settings import Pragmas
from sqliter.core.statement import Result
from sqliter.core.steps import Access, Drive, Operation
from sqliter.core.stop import Loss, Stop, deadline, is_limited
from sqliter.engines.carrier import Carrier, lost_transaction
from sqliter.engines.connection import Connection
from sqliter.engines.connections import Connections, Lease
from sqliter.engines.group import Group
from sqliter.engines.lifetime import Lifetime
from sqliter.engines.transactions import Callback, Transactions
from sqliter.engines.turn import Seat
from sqliter.exceptions import SqlExecutionError, TransactionError

R = TypeVar("R")
S = TypeVar("S", bound=Stop)


class LocalEngine:
    """The connections of one database object and what is open on them."""

    pragmas: ClassVar[Pragmas] = {}

    def __init__(self, context: Context) -> None:
        settings, log = context.settings, context.log
        self.settings = settings
        self._connections = Connections(settings, log, self.pragmas)
        self._carrier = Carrier(settings, context.cache)
        self._transactions = Transactions(settings, self._connections, self._carrier)
        self._log = log
        self._observers = context.observers
        self.seat = self._new_seat()
        self._blocks: list[Scope] = []  # open ones, the innermost last
        self.token = object()  # names this engine in contexts, which outlive it
        # A forgotten close() must neither warn nor lose a file handle at exit.
        self._lifetime = Lifetime(
            self.seat, self._connections, self._carrier.watch, context.cache
        )
        self._lifetime.end_with(self)

    # --- state ---

    @property
    def writer_connection(self) -> Connection | None:
        """The writer, if it is open."""
        return self._connections.open_writer

    @property
    def stays_open(self) -> bool:
        """Whether a short visit must not close the database after it."""
        return self.writer_connection is not None or self.settings.is_memory

    @property
    def in_block(self) -> bool:
        """Whether the running task or thread is in a ``with`` block."""
        return self._scope() is not None

    def refuse_in_block(self, verb: str) -> None:
        """Raise ``TransactionError`` if the caller is in a ``with`` block."""
        if self.in_block:
            msg = f"{verb} inside an open block would lose its writes: leave it first"
            raise TransactionError(msg)

    def mode(
        self,
        *,
        read_only: bool = False,
        timeout: float | None = None,
        immediate: bool | None = None,
    ) -> Mode:
        """Return how a block is to be opened; raises ``ValueError``."""
        begin = self.settings.begin_sql
        if immediate is not None:
            begin = "BEGIN IMMEDIATE" if immediate else "BEGIN DEFERRED"
        if read_only:
            if immediate:
                msg = "a read-only transaction takes no lock: leave out immediate"
                raise ValueError(msg)
            begin = "BEGIN DEFERRED"
        snapshot = read_only and not self.settings.is_memory
        return Mode(begin, read_only, snapshot, deadline(self.token, timeout))

    def _modes_of_course(self) -> list[Mode]:
        """Return how the blocks are to be opened that a course is carried out in.

        They have the write lock before anything is read. Without auto-commit the inner
        one may be undone, and the outer one leaves what was written uncommitted.
        """
        is_late = self.settings.begin == "deferred"
        mode = self.mode(immediate=True if is_late else None)
        if self.settings.auto_commit or self.in_block:
            return [mode]
        return [mode._replace(implicit=True), mode]

    def add_callback(self, callback: Callback) -> bool:
        """Have it called after the commit; false if nothing is open that could end."""
        scope = self._scope()
        effects = self._transactions.pending if scope is None else scope.effects
        if effects is None:
            return False
        effects.callbacks.append(callback)
        return True

    def oldest_reader(self) -> Lease | None:
        """Return the lease of who has been reading for the longest time."""
        return self._connections.oldest_lease()

    def hand_out(self) -> sqlite3.Connection | None:
        """Return the driver's connection that writes, to be kept; or ``None``."""
        writer = self.writer_connection
        with reported_as(SqlExecutionError, self.settings.begin_sql):
            return None if writer is None else writer.hand_out()

    def _new_seat(self) -> Seat:
        return Seat(self.settings.busy_timeout, self._connections.doing)

    def _scope(self) -> Scope | None:
        return scopes.innermost(self.token)

    def _deadline(self, seconds: float | None) -> float:
        """Return when an operation has to end that is asked for now."""
        own, scope = deadline(self.token, seconds), self._scope()
        return own if scope is None else min(own, scope.deadline)

    def _asker(self) -> Asker:
        """Return the running task or thread."""
        raise NotImplementedError

    def _drive(self, operation: Operation[R], seconds: float | None = None) -> Drive[R]:
        deadline = self._deadline(seconds)
        return Drive(operation, deadline, self._asker(), self._observers)

    def _stop(self, deadline: float) -> Stop:
        asker = self._asker()
        return Stop(deadline, asker, self._observers.follow(asker))

    def _limited(self, stop: S) -> S:
        """Have it end with the time limits that hold here."""
        stop.asker = self._asker()
        stop.deadline = min(stop.deadline, self._deadline(None))
        return stop

    def _block_to_leave(self, entered: Sequence[Scope] | None = None) -> Scope:
        """Return the block of the running code, of those ``entered`` if they are known.

        Generators and test fixtures may leave in another context than they entered
        in. Those know of no block at all; the innermost open one is theirs.
        """
        scope = self._scope()
        if entered:
            return scope if scope is not None and scope in entered else entered[-1]
        if scope is None and not scopes.was_in_block(self.token):
            blocks = [block for block in self._blocks if not block.is_snapshot]
            scope = blocks[-1] if blocks else None
        if scope is None:
            msg = "the block has ended already, or was never entered"
            raise TransactionError(msg)
        return scope

    def _entered(self, scope: Scope) -> None:
        self._blocks.append(scope)
        scopes.enter(scope)

    def _left(self, scope: Scope) -> None:
        scopes.leave(scope)
        for block in [each for each in self._blocks if not each.is_open]:
            with suppress(ValueError):  # others leave at the same time
                self._blocks.remove(block)

    def _seat_around(self, scope: Scope | None) -> Seat:
        """What operations inside this block, or outside of all, take in turn."""
        return self.seat if scope is None else scope.seat

    def _is_alone(self, scope: Scope | None) -> bool:
        """Whether no transaction is open that an operation would join."""
        return scope is None and self._transactions.pending is None

    def _reads_elsewhere(self, drive: Drive[Any], scope: Scope | None) -> bool:
        """Whether the lease is a reader, which nobody has to wait for."""
        is_read = drive.access is Access.READ
        return is_read and self._is_alone(scope) and not self.settings.is_memory

    def _shares_commit(self, drive: Drive[Any], scope: Scope | None) -> bool:
        """Whether it may be written in one transaction with others that wait."""
        is_short = drive.again is not None and self.settings.auto_commit
        return is_short and self._is_alone(scope)

    def _uses_cache(self) -> bool:
        """Whether answers may be remembered: never while something is not committed."""
        return self._carrier.cache.enabled and self._is_alone(self._scope())

    def _answer(
        self, question: Question[R], budget: float | None = None
    ) -> R | Unanswered:
        """Answer with an idle reader, if there is nothing else to be regarded."""
        if self._has_regards():
            return UNANSWERED
        connection = self._connections.borrow()
        if connection is None:
            return UNANSWERED
        sql, params, _ = question.statement
        try:
            rows = connection.peek(sql, params, budget)
        finally:
            self._connections.put_back(connection)
        try:
            return UNANSWERED if rows is None else question.load(rows)
        except Fault:
            return UNANSWERED  # asked once more, it will be reported

    def _write(self, order: Order[R], budget: float | None = None) -> R | Unanswered:
        """Write with the writer, if nobody has the turn and all else is as simple."""
        writer = self._connections.sound_writer
        if writer is None or not self.settings.auto_commit or self._has_regards():
            return UNANSWERED
        if self._carrier.cache.enabled or not self.seat.try_take(self._asker()):
            return UNANSWERED
        try:
            result = writer.put(order.statement, budget)
        except Fault:
            with order.failure:
                raise
        finally:
            self.seat.give_back()
        return UNANSWERED if result is None else order.done(result)

    def _has_regards(self) -> bool:
        """Whether there is more to be regarded than one statement."""
        return bool(
            (self._observers.present or self._log.debug)
            or (scopes.in_any() or is_limited())
            or self._transactions.pending is not None
        )

    # --- work; the lease is held ---

    def _serve(self, drive: Drive[Any], most: float = inf) -> Result | None:
        return self._carrier.serve(drive, self.writer_connection, most)

    def _carry_reader(self, drive: Drive[Any]) -> None:
        with self._connections.reader(drive) as connection:
            use_cache = self._carrier.cache.enabled
            self._carrier.carry(drive, connection, use_cache=use_cache)

    def _carry_visitor(self, drive: Drive[Any]) -> None:
        """Run on a connection of its own, closed afterwards."""
        reported = reported_as(SqlExecutionError, self.settings.begin_sql)
        with reported, self._connections.visitor(drive) as connection:
            self._carrier.carry(drive, connection)

    def _carry_shared(self, drive: Drive[Any]) -> None:
        """Run a short write, and those that wait behind it in the same transaction."""
        if not self._shares_commit(drive, None):  # switched off meanwhile
            self._carry_writer(drive, None, [])
            return
        connection = self._connections.writer(drive)
        companions = self.seat.companions()
        if companions:
            Group(self._carrier, connection, self.seat, drive, companions).carry()
        else:
            self._carrier.alone(drive, connection)

    def _carry_writer(
        self,
        drive: Drive[Any],
        scope: Scope | None,
        due: list[Callback],
        budget: float | None = None,
    ) -> None:
        """Run in a block, in the implicit transaction, or alone on the writer."""
        if scope is not None:
            self._carry_in_block(drive, scope, budget)
            return
        connection = self._connections.writer(drive)
        if drive.access is not Access.WRITE:
            self._read_writer(drive, connection, budget)
        elif self.settings.auto_commit and self._transactions.pending is None:
            self._carrier.alone(drive, connection, budget)
        else:
            self._transactions.carry(drive, connection)
            if self.settings.auto_commit:  # switched on meanwhile
                self._transactions.commit(None, drive, due)

    def _read_writer(
        self, drive: Drive[Any], connection: Connection, budget: float | None
    ) -> None:
        pending = self._transactions.pending
        if pending is None:
            connection.abandon()
        use_cache = self._carrier.cache.enabled and pending is None
        self._carrier.carry(drive, connection, use_cache=use_cache, budget=budget)

    def _carry_in_block(
        self, drive: Drive[Any], scope: Scope, budget: float | None
    ) -> None:
        if not scope.is_open:
            raise lost_transaction()
        if scope.read_only and drive.access is Access.WRITE:
            msg = "this transaction is read-only: write outside of it"
            raise TransactionError(msg)
        scope.hand_waits(drive.trace)
        self._carrier.within(
            drive, scope.connection, scope.effects, loss=Loss.BLOCK, budget=budget
        )

    def _lend_raw(
        self,
        scope: Scope | None,
        call: Callable[[sqlite3.Connection], R],
        stop: Stop,
    ) -> R:
        """Call with the driver's connection; the turn of a writer is held."""
        if scope is not None and scope.is_on_reader:
            msg = "this transaction is read-only: use the connection outside of it"
            raise TransactionError(msg)
        connection = self._connections.writer(stop)
        loss = Loss.NOTHING if self._is_alone(scope) else Loss.BLOCK
        connection.start(stop, loss=loss)
        try:
            with connection.waiting() as raw:
                return call(raw)
        finally:
            connection.finish()

    def _close(self) -> None:
        """Close every connection; an implicit transaction is discarded."""
        self._transactions.discard_pending()
        self._connections.close()
        self._carrier.watch.close()
        self._carrier.cache.forget_everything()
        self._carrier.cache.reset_stats()
