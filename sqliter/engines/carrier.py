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
from sqliter.core.faults import Fault
from sqliter.core.settings import Settings
from sqliter.core.statement import Request, Result
from sqliter.core.steps import Access, Drive
from sqliter.engines.connection import Connection
from sqliter.engines.turn import Ticket
from sqliter.engines.watch import Watch
from sqliter.exceptions import TransactionError


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
        # SQLite undoes all of a transaction when a write in it is interrupted.
        drive.is_gentle = drive.access is Access.WRITE and connection.in_transaction
        connection.start(drive, budget=budget)
        try:
            while not drive.finished:
                drive.check()
                self._step(drive, connection, use_cache=use_cache)
        finally:
            connection.finish()

    def within(
        self,
        drive: Drive[Any],
        connection: Connection,
        effects: Effects,
        budget: float | None = None,
    ) -> None:
        """Run inside the open transaction that has these effects."""
        if not connection.in_transaction:
            raise lost_transaction()
        with _taken_back(drive.effects):
            self._carry_unit(drive, connection, budget)
        effects.merge(drive.effects)

    def alone(
        self, drive: Drive[Any], connection: Connection, budget: float | None = None
    ) -> None:
        """Run in auto-commit mode: each request is a transaction of its own."""
        connection.abandon()
        self.watch.look(connection)
        with _taken_back(drive.effects):
            self._carry_unit(drive, connection, budget)
            if connection.in_transaction:  # opened through the raw connection
                connection.control("COMMIT")
        self.committed(drive.effects, connection)

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

    def _carry_unit(
        self, drive: Drive[Any], connection: Connection, budget: float | None = None
    ) -> None:
        """Run, in one transaction or savepoint around it if that is asked for."""
        if not drive.is_unit:
            self.carry(drive, connection, budget=budget)
            return
        connection.start(drive, budget=budget)  # to begin may take waiting, too
        try:
            with connection.unit():
                self.carry(drive, connection, budget=budget)
        finally:
            connection.finish()

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
        members = self._begin(group, connection)
        if not members:
            return
        try:
            for member in members:
                self._carry_member(member, connection)
            connection.commit()
        except BaseException as error:
            self._one_by_one(members, connection)
            if not isinstance(error, Exception):
                raise
        else:
            effects = Effects()
            for member in members:
                effects.merge(member.drive.effects)
                member.is_done = True
            self.committed(effects, connection)

    def _begin(
        self, group: Sequence[_Member], connection: Connection
    ) -> Sequence[_Member]:
        """Open the transaction; return those who are to be in it."""
        connection.abandon()
        self.watch.look(connection)
        for position, member in enumerate(group):
            connection.start(member.drive)
            try:
                connection.open_transaction(self._settings.begin_sql)
            except Fault as fault:
                member.error = fault
                if not member.drive.is_over:  # it is not about this one alone
                    for other in group[position + 1 :]:
                        other.error = copy.copy(fault)
                    break
            else:
                return group[position:]
            finally:
                connection.finish()
        return ()

    def _carry_member(self, member: _Member, connection: Connection) -> None:
        """Run one write; when it fails, the others are as if it had never been."""
        try:
            with _taken_back(member.drive.effects), connection.unit():
                self.carry(member.drive, connection)
        except Exception as error:
            member.error = error
            if not connection.in_transaction:
                raise

    def _one_by_one(self, members: Sequence[_Member], connection: Connection) -> None:
        """Take all back, and run each alone that did not fail by itself."""
        connection.undo("ROLLBACK")
        for member in reversed(members):
            member.drive.effects.undo()
        for member in members:
            if member.error is None:
                self._repeat(member, connection)

    def _repeat(self, member: _Member, connection: Connection) -> None:
        try:
            member.drive.restart()
            self.alone(member.drive, connection)
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
