"""Short writes of many tasks or threads in one transaction, with one COMMIT for all.

Each is all or nothing by itself, and none is acknowledged before the COMMIT. Where the
transaction is lost as a whole, all are run once more, each alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqliter.core.effects import Effects
from sqliter.core.faults import BusyFault, Fault
from sqliter.core.steps import Drive
from sqliter.core.stop import Loss, Stop
from sqliter.engines.carrier import Carrier, taken_back
from sqliter.engines.connection import Connection
from sqliter.engines.turn import Seat, Ticket, wake_all
from sqliter.engines.units import unit
from sqliter.exceptions import DatabaseBusyError


class Group:
    """One write, and those of others that are carried along in its transaction."""

    def __init__(
        self,
        carrier: Carrier,
        connection: Connection,
        seat: Seat,
        drive: Drive[Any],
        companions: Sequence[Ticket],
    ) -> None:
        self._carrier = carrier
        self._connection = connection
        self._seat = seat
        self._members = [
            _Member(drive),
            *(_Member(each.parcel, each) for each in companions),
        ]
        self._current: Drive[Any] | None = None
        self._is_given_up = False
        for ticket in companions:
            ticket.give_up = self.give_up

    def interrupt(self, stop: Stop) -> None:
        """Stop working for others: whose turn it is does not want to wait longer."""
        self.give_up()

    def give_up(self) -> None:
        """Take all back and run them alone: somebody does not want to wait longer.

        Called from any thread. What is being committed already will be over soon.
        """
        current = self._current
        if current is not None:
            self._is_given_up = True
            self._connection.interrupt(current)

    def carry(self) -> None:
        """Write all; raises what happened to the first, whose turn it is."""
        first = self._members[0]
        try:
            with self._connection.working(first.drive):
                self._connection.abandon()
                self._share()
        finally:  # whatever happens here, nobody may wait for ever
            _acknowledge(self._members)
        if first.error is not None:
            raise first.error

    def _share(self) -> None:
        if self._connection.in_transaction:  # opened through the raw connection
            self._one_by_one(self._members)
            return
        members = self._begin()
        if members:
            self._carry_members(members)

    def _begin(self) -> Sequence[_Member]:
        """Open the transaction; return those who are to be in it."""
        self._carrier.watch.look(self._connection)
        for position, member in enumerate(self._members):
            self._connection.obey(member.drive)
            try:
                self._connection.open_transaction()
            except Fault as fault:
                member.error = fault
                if not member.drive.is_over:  # it is not about this one alone
                    _refuse(self._members[position:], fault)
                    return ()
            else:
                return self._members[position:]
        return ()

    def _carry_members(self, members: Sequence[_Member]) -> None:
        """Run all and commit; where that cannot be, run them alone or refuse them."""
        is_committing = False
        try:
            for member in members:
                self._carry_member(member)
            self._connection.obey(Stop())
            is_committing = True
            self._connection.commit()
        except (BusyFault, DatabaseBusyError) as busy:
            self._take_back(members)
            _refuse(members, busy)
        except BaseException as error:
            if is_committing and not self._connection.in_transaction:
                self._end_committed(members, error)
            else:
                self._begin_anew(members, error)
            if not isinstance(error, Exception):
                raise
        else:
            self._conclude(members)

    def _carry_member(self, member: _Member) -> None:
        """Run one write; when it fails, the others are as if it had never been."""
        if not member.is_claimed:
            return
        drive = self._current = member.drive
        first = self._members[0].drive
        self._connection.obey(drive, loss=Loss.BLOCK, until=first.deadline)
        if drive is not first:
            first.worker = self
        try:
            with taken_back(drive.effects), unit(self._connection):
                self._carrier.drive(drive, self._connection)
        except (BusyFault, DatabaseBusyError):
            raise
        except Exception as error:
            if not drive.is_over and (self._is_given_up or first.is_over):
                raise  # not the fault of this one
            member.error = error
            if not self._connection.in_transaction:
                raise
        finally:
            self._current = first.worker = None

    def _begin_anew(self, members: Sequence[_Member], error: BaseException) -> None:
        """Run all once more, if whoever runs this has the time."""
        self._take_back(members)
        first = self._members[0]
        if not isinstance(error, Exception):  # a signal, for whoever runs this
            first.error = error
        if first.error is not None or first.drive.is_over:
            self._put_back(members[1:])
        self._one_by_one(members)

    def _put_back(self, members: Sequence[_Member]) -> None:
        """Have others care for themselves, one after another as they were."""
        waiting = [member for member in members if member.is_waiting]
        for member in waiting:
            member.drive.restart()
        self._seat.put_back([member.let_go() for member in waiting])

    def _end_committed(self, members: Sequence[_Member], error: BaseException) -> None:
        """Tell of a COMMIT that left no transaction behind, and raised all the same."""
        if isinstance(error, Exception):  # nobody knows what the disk has of it
            self._take_back(members)
            _refuse(members, error)
        else:  # a signal, when it was done
            self._conclude(members)

    def _conclude(self, members: Sequence[_Member]) -> None:
        effects = Effects()
        for member in members:
            member.is_done = True
            effects.merge(member.drive.effects)
        self._carrier.committed(effects, self._connection)

    def _take_back(self, members: Sequence[_Member]) -> None:
        self._connection.undo("ROLLBACK")
        for member in reversed(members):
            member.drive.effects.undo()

    def _one_by_one(self, members: Sequence[_Member]) -> None:
        """Run each alone that did not fail by itself, from its start."""
        for member in members:
            if member.error is None and member.is_claimed:
                self._repeat(member)
            _acknowledge([member])

    def _repeat(self, member: _Member) -> None:
        self._connection.obey(member.drive)
        try:
            member.drive.restart()
            self._carrier.write_alone(member.drive, self._connection)
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
        self._is_claimed = ticket is None

    @property
    def is_claimed(self) -> bool:
        """Whether its owner cannot leave any more, from now on."""
        if not self._is_claimed and self.error is None:
            assert self._ticket is not None
            self._is_claimed = self._ticket.claim()
            if not self._is_claimed:
                self.error = Fault("nobody waits for it")
        return self._is_claimed

    @property
    def is_waiting(self) -> bool:
        """Whether its owner has nothing to be told yet."""
        return self.error is None and self.is_claimed and not self.drive.is_over

    def let_go(self) -> Ticket:
        """Return the ticket, which others will care for."""
        ticket, self._ticket = self._ticket, None
        assert ticket is not None
        self.error = Fault("others care for it")
        return ticket

    def finished(self) -> Iterator[Ticket]:
        """Yield the ticket of whoever waits, once, with how it went."""
        ticket, self._ticket = self._ticket, None
        if ticket is None:
            return
        if self.error is None and not self.is_done:
            self.error = Fault("the program was interrupted before it was written")
        ticket.finish(self.error)
        yield ticket


def _acknowledge(members: Iterable[_Member]) -> None:
    """Tell those who wait how it went."""
    wake_all([ticket for member in members for ticket in member.finished()])


def _refuse(members: Sequence[_Member], error: Exception) -> None:
    """Give all that have not failed yet the same error, each its own."""
    for member in members:
        if member.error is None:
            member.error = copy.copy(error)
