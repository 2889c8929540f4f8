"""A local file (or memory): one writer, many readers, transactions, the cache.

What is here blocks for as long as SQLite does and knows nothing about waiting
for a turn; ``blocking`` and ``awaiting`` add that, each in its own way.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from sqliter.core import scopes
from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault, reported_as
from sqliter.core.scopes import Scope
from sqliter.core.statement import Result
from sqliter.core.steps import Access, Drive
from sqliter.engines.connection import Connection, Lease
from sqliter.engines.connections import Connections
from sqliter.engines.turn import Seat
from sqliter.engines.watch import Watch
from sqliter.exceptions import SqlExecutionError, TransactionError


class LocalEngine:
    """The connections of one database object and what is open on them."""

    def __init__(self, context: Context) -> None:
        self.settings = context.settings
        self.cache = context.cache
        self.seat = Seat(self.settings.busy_timeout)
        self._connections = Connections(self.settings, context.log)
        self._log = context.log
        self._observers = context.observers
        self._watch = Watch(self.settings, self.cache)
        self._pending: Effects | None = None  # of the implicit transaction
        self._blocks: list[Scope] = []  # open ones, the innermost last
        self.token = object()  # names this engine in contexts, which outlive it
        # A forgotten close() must neither warn nor lose a file handle at exit.
        weakref.finalize(self, _close_all, self._connections, self._watch)

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

    def _scope(self) -> Scope | None:
        return scopes.innermost(self.token)

    def _block_to_leave(self) -> Scope:
        """Return the block of the running code.

        Generators and test fixtures may leave in another context than they entered
        in. Those know of no block at all; the innermost open one is theirs.
        """
        scope = self._scope()
        if scope is None and self._blocks and not scopes.was_in_block(self.token):
            scope = self._blocks[-1]
        if scope is None:
            msg = "the block has ended already, or was never entered"
            raise TransactionError(msg)
        return scope

    def _entered(self, scope: Scope) -> None:
        self._blocks.append(scope)
        scopes.enter(scope)

    def _left(self, scope: Scope) -> None:
        scopes.leave(scope)
        self._blocks = [block for block in self._blocks if block.is_open]

    def _seat_around(self, scope: Scope | None) -> Seat:
        """What operations inside this block, or outside of all, take in turn."""
        return self.seat if scope is None else scope.seat

    def _reads_elsewhere(self, access: Access, scope: Scope | None) -> bool:
        """Whether the lease is a reader, which nobody has to wait for."""
        alone = scope is None and self._pending is None
        return access is Access.READ and alone and not self.settings.is_memory

    def oldest_reader(self) -> Lease | None:
        """Return the lease of who has been reading for the longest time."""
        return self._connections.oldest_lease()

    def _close(self) -> None:
        """Close every connection; an implicit transaction is discarded."""
        writer = self.writer_connection
        if writer is not None and self._pending is not None:
            if writer.in_transaction:
                self._pending.undo()
            self._pending = None
        self._connections.close()
        self._watch.close()
        self.cache.forget_everything()
        self.cache.reset_stats()

    # --- carrying an operation out; the lease is held ---

    def _serve(self, drive: Drive[Any]) -> None:
        """Answer from the cache as long as it knows."""
        while not drive.finished and drive.request.memo is not None:
            self._watch.look(self.writer_connection)
            answer = self.cache.lookup(drive.request.memo)
            if answer is None:
                return
            drive.answer((answer,))

    def _uses_cache(self) -> bool:
        """Whether answers may be remembered: never while something is not committed."""
        return self.cache.enabled and self._scope() is None and self._pending is None

    def _carry_reader(self, drive: Drive[Any]) -> None:
        with self._connections.reader(drive.asker) as connection:
            self._carry(drive, connection, use_cache=self.cache.enabled)

    def _carry_visitor(self, drive: Drive[Any]) -> None:
        """Run on a connection of its own, closed afterwards."""
        with (
            reported_as(SqlExecutionError, self.settings.begin_sql),
            closing(Connection(self.settings, self._log, reader=False)) as connection,
        ):
            self._carry(drive, connection, use_cache=False)

    def _carry_writer(self, drive: Drive[Any], scope: Scope | None) -> None:
        """Run on the writer: alone, in a block, or in the implicit transaction."""
        connection = self._connections.writer()
        if scope is not None and not scope.is_open:
            raise _lost_transaction()
        if scope is not None:
            scope.hand_waits(drive.trace)
            self._carry_in(drive, connection, scope.effects)
        elif drive.access is not Access.WRITE:
            self._carry(drive, connection, use_cache=self._uses_cache())
        elif self.settings.auto_commit and self._pending is None:
            self._carry_alone(drive, connection)
        else:
            self._carry_pending(drive, connection)
            if self.settings.auto_commit:  # switched on meanwhile
                self._commit(None)

    def _carry_in(
        self, drive: Drive[Any], connection: Connection, effects: Effects
    ) -> None:
        """Run inside the open transaction."""
        if not connection.in_transaction:
            raise _lost_transaction()
        with _taken_back(drive.effects):
            self._carry_unit(drive, connection)
        effects.merge(drive.effects)

    def _carry_unit(self, drive: Drive[Any], connection: Connection) -> None:
        """Run, in one transaction or savepoint around it if that is asked for."""
        if not drive.is_unit:
            self._carry(drive, connection, use_cache=False)
            return
        with connection.unit(drive.trace):
            self._carry(drive, connection, use_cache=False)

    def _carry_alone(self, drive: Drive[Any], connection: Connection) -> None:
        """Run in auto-commit mode: each request is a transaction of its own."""
        self._watch.look(connection)
        with _taken_back(drive.effects):
            self._carry_unit(drive, connection)
            if connection.in_transaction:  # opened through the raw connection
                connection.control("COMMIT")
        self._committed(drive.effects, connection)

    def _carry_pending(self, drive: Drive[Any], connection: Connection) -> None:
        """Run in the implicit transaction, which stays open when it worked."""
        first = self._drop_ended_transaction(connection)
        if first:
            self._watch.look(connection)
            connection.begin(drive.trace)
        try:
            self._carry_in(drive, connection, self._pending or Effects())
        except BaseException as error:
            if first:
                connection.undo("ROLLBACK")
            elif not connection.in_transaction:
                self._lose_pending(error)
            raise
        if self._pending is None:
            self._pending = drive.effects

    def _drop_ended_transaction(self, connection: Connection) -> bool:
        """Whether no implicit transaction is open; the raw connection may end one."""
        if connection.in_transaction:
            return False
        self._pending = None
        return True

    def _lose_pending(self, error: BaseException) -> None:
        """Say that a severe error made SQLite undo what was written before it, too."""
        if self._pending is not None:
            self._pending.undo()
            self._pending = None
        raise _lost_transaction() from error

    def _carry(
        self, drive: Drive[Any], connection: Connection, *, use_cache: bool
    ) -> None:
        # SQLite undoes all of a transaction when a write in it is interrupted.
        if drive.access is Access.READ or not connection.in_transaction:
            drive.interrupt = connection.raw.interrupt
        try:
            while not drive.finished:
                if drive.cancelled:
                    raise Fault("cancelled")  # nobody hears it
                self._step(drive, connection, use_cache=use_cache)
        finally:
            drive.interrupt = None

    def _step(
        self, drive: Drive[Any], connection: Connection, *, use_cache: bool
    ) -> None:
        try:
            results = self._answer(drive, connection, use_cache=use_cache)
        except Fault as fault:
            drive.refuse(fault)
        else:
            drive.answer(results)
        if use_cache:
            self._serve(drive)

    def _answer(
        self, drive: Drive[Any], connection: Connection, *, use_cache: bool
    ) -> list[Result]:
        memo = drive.request.memo
        if memo is None or not use_cache:
            return connection.answer(drive.request, drive.trace)
        version = self.cache.version(memo)
        results = connection.answer(drive.request, drive.trace)
        self.cache.store(memo, results[0], version)
        return results

    def _committed(self, effects: Effects, connection: Connection) -> None:
        """Let go what was remembered of the tables written."""
        if effects.everything:
            self.cache.forget_everything()
        elif effects.tables:
            self.cache.forget(effects.tables)
        effects.clear()
        self._watch.note_own_commit(connection)

    # --- blocks and transactions; the seat is held ---

    def _begin(self, scope: Scope) -> None:
        with reported_as(SqlExecutionError, self.settings.begin_sql):
            connection = self._connections.writer()
            self._watch.look(connection)
            if scope.parent is not None and not connection.in_transaction:
                raise _lost_transaction()
            if scope.parent is None and self._pending is not None:
                scope.adopt(self._pending)
                self._pending = None
            else:
                connection.open(scope.opening(self.settings.begin_sql), scope.trace)
            scope.begun()

    def _abandon(self, scope: Scope) -> None:
        """Take back a block that nobody got to use."""
        if scope.adopted:
            self._pending = scope.effects
        elif scope.is_open:
            self._connections.writer().undo(*scope.undoing())
        scope.ended()

    def _end(self, scope: Scope, *, keep: bool) -> None:
        connection = self._connections.writer()
        effects = scope.effects
        if not keep:
            connection.undo(*scope.undoing())
            effects.undo()
            return
        try:
            self._keep(scope, connection)
        except BaseException:
            connection.undo(*scope.undoing())
            effects.undo()
            raise
        if scope.parent is None:
            self._committed(effects, connection)
        else:
            scope.parent.effects.merge(effects)

    def _keep(self, scope: Scope, connection: Connection) -> None:
        if not connection.in_transaction:
            raise _lost_transaction()
        with reported_as(SqlExecutionError, scope.keeping()):
            connection.control(scope.keeping())

    def _commit(self, scope: Scope | None) -> None:
        """Commit what is open; a block goes on with a new transaction."""
        connection = self.writer_connection
        if connection is None or not connection.in_transaction:
            return
        lineage = scope.lineage() if scope else []
        with reported_as(SqlExecutionError, "COMMIT"):
            connection.control("COMMIT")
            for each in self._take_effects(lineage):
                self._committed(each, connection)
            for block in lineage:
                connection.control(block.opening(self.settings.begin_sql))

    def _rollback(self, scope: Scope | None) -> None:
        """Take back what the innermost block, or the implicit transaction, did."""
        connection = self.writer_connection
        if connection is None:
            return
        if scope and scope.parent and not connection.in_transaction:
            raise _lost_transaction()
        if scope is None:
            self._drop_ended_transaction(connection)
        effects = scope.effects if scope else self._pending
        with reported_as(SqlExecutionError, "ROLLBACK"):
            connection.undo(*(scope.undoing() if scope else ("ROLLBACK",)))
            if effects is not None:
                effects.undo()
                effects.clear()
            if scope is None:
                self._pending = None
            else:
                connection.control(scope.opening(self.settings.begin_sql))

    def _take_effects(self, lineage: list[Scope]) -> list[Effects]:
        pending, self._pending = self._pending, None
        return [scope.effects for scope in lineage] or ([pending] if pending else [])


@contextmanager
def _taken_back(effects: Effects) -> Iterator[None]:
    """Undo what an operation assigned when it fails."""
    try:
        yield
    except BaseException:
        effects.undo()
        raise


def _lost_transaction() -> TransactionError:
    return TransactionError(
        "the transaction of this block has ended, by SQLite after a severe error or "
        "through the raw connection. Leave the block and try again."
    )


def _close_all(connections: Connections, watch: Watch) -> None:
    # A function, not a method: it must not keep the engine alive.
    connections.interrupt()
    connections.close()
    watch.close()
