"""Carries operations out on a connection, with the cache before and behind it.

Blocks for as long as SQLite does. Whoever calls has the connection to itself.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqliter.core.cache import Cache
from sqliter.core.effects import Effects
from sqliter.core.faults import BusyFault, Fault
from sqliter.core.settings import Settings
from sqliter.core.statement import Request, Result
from sqliter.core.steps import Access, Drive
from sqliter.core.stop import Loss, Stop
from sqliter.engines.connection import Connection
from sqliter.engines.turn import Ticket
from sqliter.engines.units import unit
from sqliter.engines.watch import Watch
from sqliter.exceptions import DatabaseBusyError, TransactionError


class Carrier:
    """Drives operations: each alone, in a transaction, or many in one."""

    def __init__(self, settings: Settings, cache: Cache) -> None:
        self.cache = cache
        self.watch = Watch(settings, cache)
        self._settings = settings

    def serve(self, drive: Drive[Any], writer: Connection | None) -> None:
        """Answer from the cache as long as it knows."""
        while not drive.finished and drive.request.memo is not None:
            self.watch.look(writer)
            answer = self.cache.lookup(drive.request.memo)
            if answer is None:
                return
            drive.answer((answer,))

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
            self._drive(drive, connection, use_cache=use_cache)
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
            with _taken_back(drive.effects):
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
            self._write_alone(drive, connection)
        finally:
            connection.finish()

    def together(
        self,
        drive: Drive[Any],
        companions: Sequence[Ticket],
        connection: Connection,
    ) -> None:
        """Run short writes in one transaction; none is acknowledged before its COMMIT.

        Each is all or nothing by itself. Where the transaction is lost as a whole, all
        are run once more, each alone.
        """
        group = [_Member(drive), *(_Member(each.parcel, each) for each in companions)]
        try:
            with connection.working(drive):
                connection.abandon()
                self._share(group, connection)
        finally:  # whatever happens here, nobody may wait for ever
            for member in group[1:]:
                member.acknowledge()
        if group[0].error is not None:
            raise group[0].error

    def committed(self, effects: Effects, connection: Connection) -> None:
        """Let go what was remembered of the tables written."""
        if effects.everything:
            self.cache.forget_everything()
        elif effects.tables:
            self.cache.forget(effects.tables)
        effects.clear()
        self.watch.note_own_commit(connection)

    # --- one ---

    def _drive(
        self, drive: Drive[Any], connection: Connection, *, use_cache: bool = False
    ) -> None:
        while not drive.finished:
            drive.check()
            self._step(drive, connection, use_cache=use_cache)

    def _drive_unit(self, drive: Drive[Any], connection: Connection) -> None:
        """Run, in one transaction or savepoint around it if that is asked for."""
        if not drive.is_unit:
            self._drive(drive, connection)
            return
        enforced = drive.foreign_keys or connection.in_transaction
        with unit(connection, foreign_keys=enforced):
            self._drive(drive, connection)

    def _write_alone(self, drive: Drive[Any], connection: Connection) -> None:
        self.watch.look(connection)
        with _taken_back(drive.effects):
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

    # --- many ---

    def _share(self, group: Sequence[_Member], connection: Connection) -> None:
        if connection.in_transaction:  # opened through the raw connection
            self._one_by_one(group, connection)
            return
        members = self._begin(group, connection)
        if members:
            self._carry_members(members, connection)

    def _begin(
        self, group: Sequence[_Member], connection: Connection
    ) -> Sequence[_Member]:
        """Open the transaction; return those who are to be in it."""
        self.watch.look(connection)
        for position, member in enumerate(group):
            connection.obey(member.drive)
            try:
                connection.open_transaction()
            except Fault as fault:
                member.error = fault
                if not member.drive.is_over:  # it is not about this one alone
                    _refuse(group[position:], fault)
                    return ()
            else:
                return group[position:]
        return ()

    def _carry_members(
        self, members: Sequence[_Member], connection: Connection
    ) -> None:
        """Run all and commit; where that cannot be, run them alone or refuse them."""
        is_committing = False
        try:
            for member in members:
                self._carry_member(member, connection)
            connection.obey(Stop())
            is_committing = True
            connection.commit()
        except (BusyFault, DatabaseBusyError) as busy:
            self._take_back(members, connection)
            _refuse(members, busy)
        except BaseException as error:
            if is_committing and not connection.in_transaction:
                self._end_committed(members, connection, error)
            else:
                self._take_back(members, connection)
                self._one_by_one(members, connection)
            if not isinstance(error, Exception):
                raise
        else:
            self._acknowledge(members, connection)

    def _end_committed(
        self, members: Sequence[_Member], connection: Connection, error: BaseException
    ) -> None:
        """Tell of a COMMIT that left no transaction behind, and raised all the same."""
        if isinstance(error, Exception):  # nobody knows what the disk has of it
            self._take_back(members, connection)
            _refuse(members, error)
        else:  # a signal, when it was done
            self._acknowledge(members, connection)

    def _acknowledge(self, members: Sequence[_Member], connection: Connection) -> None:
        effects = Effects()
        for member in members:
            member.is_done = True
            effects.merge(member.drive.effects)
        self.committed(effects, connection)

    def _carry_member(self, member: _Member, connection: Connection) -> None:
        """Run one write; when it fails, the others are as if it had never been."""
        connection.obey(member.drive, loss=Loss.BLOCK)
        try:
            with _taken_back(member.drive.effects), unit(connection):
                self._drive(member.drive, connection)
        except (BusyFault, DatabaseBusyError):
            raise
        except Exception as error:
            member.error = error
            if not connection.in_transaction:
                raise

    def _take_back(self, members: Sequence[_Member], connection: Connection) -> None:
        connection.undo("ROLLBACK")
        for member in reversed(members):
            member.drive.effects.undo()

    def _one_by_one(self, members: Sequence[_Member], connection: Connection) -> None:
        """Run each alone that did not fail by itself, from its start."""
        for member in members:
            if member.error is None:
                self._repeat(member, connection)

    def _repeat(self, member: _Member, connection: Connection) -> None:
        connection.obey(member.drive)
        try:
            member.drive.restart()
            self._write_alone(member.drive, connection)
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            member.error = error
        member.is_done = True


class _Member:
    """One write of a group, and the ticket of whoever waits for it."""

    def __init__(self, drive: Drive[Any], ticket: Ticket | None = None) -> None:
        self.drive = drive
        self.error: BaseException | None = None
        self.is_done = False
        self._ticket = ticket

    def acknowledge(self) -> None:
        """Tell whoever waits how it went."""
        assert self._ticket is not None
        if self.error is None and not self.is_done:
            self.error = Fault("the program was interrupted before it was written")
        self._ticket.finish(self.error)


def _refuse(members: Sequence[_Member], error: Exception) -> None:
    """Give all that have not failed yet the same error, each its own."""
    for member in members:
        if member.error is None:
            member.error = copy.copy(error)


@contextmanager
def _taken_back(effects: Effects) -> Iterator[None]:
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
