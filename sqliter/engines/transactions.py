"""Transactions on the writer, and snapshots on readers: begun, kept, taken back.

Blocks for as long as SQLite does. Whoever calls has the turn of the block around.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqliter.core.effects import Effects
from sqliter.core.faults import reported_as
from sqliter.core.scopes import Scope
from sqliter.core.settings import Settings
from sqliter.core.steps import Drive
from sqliter.core.stop import Loss, Stop
from sqliter.engines.carrier import Carrier, lost_transaction
from sqliter.engines.connection import Connection
from sqliter.engines.connections import Connections
from sqliter.exceptions import SqlExecutionError, TransactionError

Callback = Callable[[], object]


class Transactions:
    """What is open: blocks, and the implicit transaction of ``auto_commit=False``."""

    def __init__(
        self, settings: Settings, connections: Connections, carrier: Carrier
    ) -> None:
        self.pending: Effects | None = None  # of the implicit transaction
        self._settings = settings
        self._connections = connections
        self._carrier = carrier

    def discard_pending(self) -> None:
        """The implicit transaction is not committed: the database is closed."""
        writer = self._connections.open_writer
        if self.pending is not None and writer is not None and writer.in_transaction:
            self.pending.undo()
        self.pending = None

    # --- blocks ---

    def begin(self, scope: Scope, stop: Stop, budget: float | None = None) -> None:
        """Open a block; raises ``Handover`` when it has to wait and has a budget."""
        with reported_as(SqlExecutionError, scope.opening):
            connection = scope.connection = self._connection_for(scope, stop)
            with connection.working(stop, budget=budget):
                self._open(scope, connection)

    def _connection_for(self, scope: Scope, stop: Stop) -> Connection:
        if scope.parent is not None:
            connection: Connection = scope.parent.connection
            return connection
        if scope.is_snapshot:
            return self._connections.lend(stop)
        return self._connections.writer(stop)

    def _open(self, scope: Scope, connection: Connection) -> None:
        if scope.parent is not None:
            self._open_inner(scope, connection)
        elif scope.is_snapshot:
            connection.open_snapshot()
        elif self.pending is not None:
            self._adopt(scope)
        else:
            connection.abandon()
            self._carrier.watch.look(connection)
            connection.open_transaction(scope.opening)
        scope.begun()

    def _open_inner(self, scope: Scope, connection: Connection) -> None:
        if not connection.in_transaction:
            raise lost_transaction()
        connection.control(scope.opening)

    def _adopt(self, scope: Scope) -> None:
        assert self.pending is not None
        if scope.read_only:
            msg = "writes are not committed yet: commit() or rollback() them first"
            raise TransactionError(msg)
        scope.adopt(self.pending)
        self.pending = None

    def abandon(self, scope: Scope) -> None:
        """Take back a block that nobody got to use."""
        if scope.adopted:
            self.pending = scope.effects
        elif scope.connection is not None and scope.is_open:
            with scope.connection.working(Stop()):
                scope.connection.undo(*scope.undoing())
        self._release(scope)
        scope.ended()

    def forget(self, blocks: Iterable[Scope]) -> None:
        """Take back blocks on the writer that nobody can leave any more."""
        for scope in [each for each in blocks if not each.is_on_reader]:
            scope.effects.undo()
            scope.ended()
        writer = self._connections.open_writer
        if writer is not None and self.pending is None:
            with writer.working(Stop()):
                writer.undo("ROLLBACK")

    def end(self, scope: Scope, due: list[Callback], *, keep: bool) -> None:
        """Close a block, keeping or undoing what it did.

        ``due`` gets the callbacks of what was committed; the caller has to call them.
        """
        try:
            with scope.connection.working(Stop(scope.deadline)):
                self._end(scope, due, keep=keep)
        finally:
            self._release(scope)

    def _end(self, scope: Scope, due: list[Callback], *, keep: bool) -> None:
        if scope.mode.implicit and (keep or scope.adopted):
            self._hand_back(scope)
            return
        if not keep:
            self._undo(scope)
            return
        try:
            self._keep(scope)
        except BaseException:
            self._undo(scope)
            raise
        if scope.parent is None:
            self._committed(scope, scope.effects, due)
        else:
            scope.parent.effects.merge(scope.effects)

    def _hand_back(self, scope: Scope) -> None:
        """Leave the transaction open; what failed in it has been undone by itself."""
        if not scope.connection.in_transaction:
            scope.effects.undo()
            raise lost_transaction()
        self.pending = scope.effects

    def _undo(self, scope: Scope) -> None:
        try:
            scope.connection.undo(*scope.undoing())
        finally:
            scope.effects.undo()

    def _keep(self, scope: Scope) -> None:
        connection: Connection = scope.connection
        if not connection.in_transaction:
            raise lost_transaction()
        with reported_as(SqlExecutionError, scope.keeping()):
            Stop(scope.deadline).check()
            if scope.parent is not None:
                connection.settle(scope.keeping())
            else:
                connection.commit()

    def _release(self, scope: Scope) -> None:
        if scope.is_snapshot and scope.connection is not None:
            self._connections.take_back(scope.connection)
            scope.connection = None

    def _committed(
        self, scope: Scope | None, effects: Effects, due: list[Callback]
    ) -> None:
        due += effects.callbacks
        connection = self._used_by(scope)
        is_snapshot = scope is not None and scope.is_on_reader  # it wrote nothing
        if connection is not None and not is_snapshot:
            self._carrier.committed(effects, connection)

    # --- the implicit transaction ---

    def carry(self, drive: Drive[Any], connection: Connection) -> None:
        """Run in the implicit transaction, which stays open when it worked."""
        if self.pending is None:
            connection.abandon()
        first = self._drop_ended(connection)
        if first:
            self._open_implicit(drive, connection)
        effects = self.pending or Effects()
        try:
            self._carrier.within(drive, connection, effects, loss=Loss.WRITES)
        except BaseException as error:
            if first:
                connection.undo("ROLLBACK")
            elif not connection.in_transaction:
                self._lose_pending(error)
            raise
        if self.pending is None:
            self.pending = drive.effects

    def _open_implicit(self, drive: Drive[Any], connection: Connection) -> None:
        self._carrier.watch.look(connection)
        with connection.working(drive):
            connection.open_transaction()

    def _drop_ended(self, connection: Connection) -> bool:
        """Whether no implicit transaction is open; the raw connection may end one."""
        if connection.in_transaction:
            return False
        self.pending = None
        return True

    def _lose_pending(self, error: BaseException) -> None:
        """Say that a severe error made SQLite undo what was written before it, too."""
        if self.pending is not None:
            self.pending.undo()
            self.pending = None
        raise lost_transaction() from error

    # --- commit() and rollback() ---

    def commit(self, scope: Scope | None, stop: Stop, due: list[Callback]) -> None:
        """Commit what is open; a block goes on with a new transaction.

        ``due`` gets the callbacks; the caller has to call them.
        """
        with reported_as(SqlExecutionError, "COMMIT"):
            connection = self._used_by(scope)
            if connection is None or not connection.in_transaction:
                return
            with connection.working(stop):
                self._commit(scope, connection, due)

    def _commit(
        self, scope: Scope | None, connection: Connection, due: list[Callback]
    ) -> None:
        connection.commit()
        lineage = scope.lineage() if scope else []
        for each in self._take_effects(lineage):
            self._committed(scope, each, due)
            each.clear()
        self._reopen(lineage, connection)

    def rollback(self, scope: Scope | None) -> None:
        """Take back what the innermost block, or the implicit transaction, did."""
        with reported_as(SqlExecutionError, "ROLLBACK"):
            connection = self._used_by(scope)
            if connection is None:
                return
            if scope and scope.parent and not connection.in_transaction:
                raise lost_transaction()
            with connection.working(Stop()):
                self._rollback(scope, connection)

    def _rollback(self, scope: Scope | None, connection: Connection) -> None:
        if scope is None:
            self._drop_ended(connection)
        effects = scope.effects if scope else self.pending
        connection.undo(*(scope.undoing() if scope else ("ROLLBACK",)))
        if effects is not None:
            effects.undo()
            effects.clear()
        if scope is None:
            self.pending = None
        else:
            self._reopen([scope], connection)

    def _used_by(self, scope: Scope | None) -> Connection | None:
        return self._connections.open_writer if scope is None else scope.connection

    def _reopen(self, lineage: list[Scope], connection: Connection) -> None:
        for scope in lineage:
            if scope.is_snapshot:
                connection.open_snapshot()
            elif scope.parent is None:
                connection.open_transaction(scope.opening)
            else:
                connection.control(scope.opening)

    def _take_effects(self, lineage: list[Scope]) -> list[Effects]:
        if lineage:
            return [scope.effects for scope in lineage]
        pending, self.pending = self.pending, None
        return [] if pending is None else [pending]
