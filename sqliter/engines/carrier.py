"""Carries operations out on a connection, with the cache before and behind it.

Blocks for as long as SQLite does. Whoever calls has the connection to itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

from sqliter.core.cache import Cache
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault
from sqliter.core.settings import Settings
from sqliter.core.statement import Request, Result
from sqliter.core.steps import Access, Drive
from sqliter.core.stop import Loss
from sqliter.engines.connection import Connection
from sqliter.engines.units import unit
from sqliter.engines.watch import Watch
from sqliter.exceptions import TransactionError


class Carrier:
    """Drives operations: each alone, in a transaction, or many in one."""

    def __init__(self, settings: Settings, cache: Cache) -> None:
        self.cache = cache
        self.watch = Watch(settings, cache)
        self._settings = settings

    def serve(
        self, drive: Drive[Any], writer: Connection | None, most: float = inf
    ) -> Result | None:
        """Answer from the cache as long as it knows.

        An answer of more than ``most`` rows is returned, for the caller to give.
        """
        while not drive.finished and drive.request.memo is not None:
            self.watch.look(writer)
            answer = self.cache.lookup(drive.request.memo)
            if answer is None:
                break
            if len(answer.rows) > most:
                return answer
            drive.answer((answer,))
        return None

    def carry(
        self,
        drive: Drive[Any],
        connection: Connection,
        *,
        use_cache: bool = False,
        budget: float | None = None,
    ) -> None:
        """Drive to the end; raises ``Handover`` when the budget is used up."""
        connection.start(drive, budget=budget)
        try:
            self.drive(drive, connection, use_cache=use_cache)
        finally:
            connection.finish()

    def within(
        self,
        drive: Drive[Any],
        connection: Connection,
        effects: Effects,
        *,
        loss: Loss,
        budget: float | None = None,
    ) -> None:
        """Run inside the open transaction that has these effects.

        ``loss`` is what goes with a write that is interrupted.
        """
        is_write = drive.access is Access.WRITE
        connection.start(drive, budget=budget, loss=loss if is_write else Loss.NOTHING)
        try:
            if not connection.in_transaction:
                raise lost_transaction()
            with taken_back(drive.effects):
                self._drive_unit(drive, connection)
            effects.merge(drive.effects)
        finally:
            connection.finish()

    def alone(
        self, drive: Drive[Any], connection: Connection, budget: float | None = None
    ) -> None:
        """Run in auto-commit mode: each request is a transaction of its own."""
        connection.start(drive, budget=budget)
        try:
            connection.abandon()
            self.write_alone(drive, connection)
        finally:
            connection.finish()

    def committed(self, effects: Effects, connection: Connection) -> None:
        """Let go what was remembered of the tables written."""
        if effects.everything:
            self.cache.forget_everything()
        elif effects.tables:
            self.cache.forget(effects.tables)
        effects.clear()
        self.watch.note_own_commit(connection)

    # --- one ---

    def drive(
        self, drive: Drive[Any], connection: Connection, *, use_cache: bool = False
    ) -> None:
        """Drive to the end; the connection works for this one already."""
        while not drive.finished:
            drive.check()
            self._step(drive, connection, use_cache=use_cache)

    def _drive_unit(self, drive: Drive[Any], connection: Connection) -> None:
        """Run, in one transaction or savepoint around it if that is asked for."""
        if not drive.is_unit:
            self.drive(drive, connection)
            return
        enforced = drive.foreign_keys or connection.in_transaction
        with unit(connection, foreign_keys=enforced):
            self.drive(drive, connection)

    def write_alone(self, drive: Drive[Any], connection: Connection) -> None:
        """Write in auto-commit mode; the connection works for this one already."""
        self.watch.look(connection)
        with taken_back(drive.effects):
            self._drive_unit(drive, connection)
            if connection.in_transaction:  # opened through the raw connection
                connection.commit()
        self.committed(drive.effects, connection)

    def _step(
        self, drive: Drive[Any], connection: Connection, *, use_cache: bool
    ) -> None:
        try:
            results = self._answer(drive.request, connection, use_cache=use_cache)
        except Fault as fault:
            drive.refuse(fault)
        else:
            drive.answer(results)
        if use_cache:
            self.serve(drive, connection)

    def _answer(
        self, request: Request, connection: Connection, *, use_cache: bool
    ) -> list[Result]:
        memo = request.memo
        if memo is None or not use_cache:
            return connection.answer(request)
        version = self.cache.version(memo)
        results = connection.answer(request)
        self.cache.store(memo, results[0], version)
        return results


@contextmanager
def taken_back(effects: Effects) -> Iterator[None]:
    """Undo what an operation assigned when it fails."""
    try:
        yield
    except BaseException:
        effects.undo()
        raise


def lost_transaction() -> TransactionError:
    """Return the error for a block whose transaction is no more."""
    return TransactionError(
        "the transaction of this block has ended, by SQLite after a severe error or "
        "through the raw connection. Leave the block and try again."
    )
