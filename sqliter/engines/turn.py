"""One seat, taken in turn: first come, first served, by threads and tasks alike.

How a thread waits is here; how a task waits is in ``awaiting``, so that a program
without an event loop does not import one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from math import inf
from typing import Any

from sqliter.core.askers import name_of
from sqliter.core.faults import LateFault
from sqliter.core.stop import Stop
from sqliter.exceptions import DatabaseBusyError

LAST_LOOK = 0.1
"""Seconds to look once more before giving up."""

A_WHILE = 60.0
"""Seconds to wait at a time where nothing can go wrong."""

COMPANIONS = 128
"""Writes that are carried together at most."""


class Ticket:
    """A place in the queue; ``call`` wakes whoever waits for it.

    ``who`` is a thread or a task. ``parcel`` is work that the holder of the seat may
    carry along: the ticket is ``taken`` then, and ``over`` when that is done, with the
    ``error`` it ended with. Its owner may leave until the carrier has claimed it, and
    ``give_up`` afterwards. ``watched`` is the holder that its owner waits for, until
    ``deadline``.
    """

    __slots__ = (
        "_claim",
        "call",
        "deadline",
        "error",
        "give_up",
        "granted",
        "has_grace",
        "is_hopeless",
        "over",
        "parcel",
        "taken",
        "thread",
        "watched",
        "who",
    )

    def __init__(
        self, who: object, call: Callable[[], object], parcel: Any = None
    ) -> None:
        self.who = who
        self.call = call
        self.parcel = parcel
        self.thread = threading.get_ident()
        self.granted = self.over = False
        self.error: BaseException | None = None
        self.is_hopeless = False
        self.watched: Ticket | None = None
        self.deadline = 0.0
        self.has_grace = True
        self.taken = False
        self.give_up: Callable[[], None] = _nobody_waits
        self._claim: threading.Lock | None = None

    def take_along(self) -> None:
        """Have the parcel carried by whoever has the seat."""
        self._claim = threading.Lock()
        self.taken = True

    def begin_anew(self) -> None:
        """Wait for a turn; nobody carries the parcel."""
        self.taken = False
        self.give_up = _nobody_waits

    def claim(self) -> bool:
        """Say what becomes of a parcel that is taken; true for who was first."""
        assert self._claim is not None
        return self._claim.acquire(blocking=False)

    def finish(self, error: BaseException | None) -> None:
        """Note that the parcel was carried; the owner has still to be woken."""
        self.error = error
        self.over = True


class Seat:
    """A fair lock that names its holder when the wait was in vain.

    A holder that keeps it for longer than ``timeout`` seconds makes those who wait
    raise ``DatabaseBusyError``; ``doing`` says what it is doing.
    """

    def __init__(
        self, timeout: float, doing: Callable[[], str | None] = lambda: None
    ) -> None:
        self.timeout = timeout
        self._doing = doing
        self.begin_anew()

    def begin_anew(self) -> None:
        """Be free, whoever had it: they are threads of another process now."""
        self._mutex = threading.Lock()
        self._queue: deque[Ticket] = deque()
        self._holder: Ticket | None = None
        self._since = 0.0

    def take(self, who: object, stop: Stop, parcel: Any = None) -> Ticket | None:
        """Wait for the seat, blocking the thread.

        Returns the ticket if its parcel was carried by somebody else, else ``None``:
        the seat was taken. Raises ``DatabaseBusyError``, or what ``stop`` says.
        """
        if self.try_take(who):
            return None
        asleep = threading.Lock()  # released by whoever calls: cheaper than an Event
        asleep.acquire()
        ticket = self.sit_or_queue(who, asleep.release, parcel)
        if ticket is None:
            return None
        # A thread that waits for itself would wait for ever.
        ticket.is_hopeless = self.is_mine
        try:
            while not asleep.acquire(timeout=self.patience(ticket, stop)):
                continue
        except BaseException as error:  # Ctrl-C: nobody would give the seat back
            if not isinstance(error, LateFault) and ticket.parcel is not None:
                ticket.parcel.cancel()
            while not self.leave_queue(ticket):
                ticket.give_up()
                asleep.acquire(timeout=1)
            if not (ticket.over and isinstance(error, LateFault)):
                raise
        return ticket if ticket.over else None

    def try_take(self, who: object) -> bool:
        """Take the seat if nobody has it; say whether that was so."""
        with self._mutex:
            if self._holder is not None:
                return False
            self._holder, self._since = Ticket(who, _nobody_waits), time.monotonic()
            return True

    def give_back(self, ticket: Ticket | None = None) -> None:
        """Hand the seat to the next in the queue.

        With a ticket, only if that still has the seat: it may have been taken away.
        """
        with self._mutex:
            if ticket is not None and ticket is not self._holder:
                return
            while self._queue:
                ticket = self._queue.popleft()
                ticket.granted = True
                self._sit(ticket)
                if _wake(ticket):
                    return
            self._holder = None

    def sit_or_queue(
        self, who: object, call: Callable[[], object], parcel: Any = None
    ) -> Ticket | None:
        """Take the seat if it is free (``None``), else join the queue."""
        ticket = Ticket(who, call, parcel)
        with self._mutex:
            if self._holder is None:
                self._sit(ticket)
                return None
            self._queue.append(ticket)
            return ticket

    def companions(self) -> list[Ticket]:
        """Take those with parcels out of the queue, up to the first without."""
        taken: list[Ticket] = []
        with self._mutex:
            while self._queue and len(taken) < COMPANIONS:
                if self._queue[0].parcel is None:
                    break
                ticket = self._queue.popleft()
                ticket.take_along()
                taken.append(ticket)
        return taken

    def put_back(self, tickets: Sequence[Ticket]) -> None:
        """Have those that were taken out of the queue wait as before, in front."""
        with self._mutex:
            for ticket in reversed(tickets):
                ticket.begin_anew()
                self._queue.appendleft(ticket)

    def patience(self, ticket: Ticket, stop: Stop | None = None) -> float:
        """Return the seconds to wait on: a long queue is fine while it moves.

        Raises ``DatabaseBusyError`` once the same holder was waited for too long.
        """
        left = inf
        if stop is not None:
            stop.check()
            left = stop.left
        return max(0.0, min(left, self._patience(ticket)))

    def _patience(self, ticket: Ticket) -> float:
        with self._mutex:
            if ticket.granted or ticket.taken:
                return A_WHILE
            if ticket.watched is not self._holder:
                ticket.watched, ticket.has_grace = self._holder, True
                ticket.deadline = time.monotonic() + self.timeout
            left = ticket.deadline - time.monotonic()
            if left <= 0 and ticket.has_grace:
                ticket.has_grace = False  # a busy event loop may be what was slow
                left = LAST_LOOK
            if ticket.is_hopeless or left <= 0:
                raise self._busy()
            return left

    def look(self) -> tuple[str | None, float, int]:
        """Return who has the seat, for how many seconds, and how many wait."""
        with self._mutex:
            if self._holder is None:
                return None, 0.0, 0
            age = time.monotonic() - self._since
            return name_of(self._holder.who), age, len(self._queue)

    @property
    def holder(self) -> Ticket | None:
        """The ticket of whoever has the seat."""
        return self._holder

    @property
    def is_mine(self) -> bool:
        """Whether the running thread has the seat, for itself or for a task."""
        holder = self._holder
        return holder is not None and holder.thread == threading.get_ident()

    def leave_queue(self, ticket: Ticket) -> bool:
        """Give up waiting, and the seat if it had been granted already.

        Returns false while somebody is carrying the parcel.
        """
        with self._mutex:
            if ticket.taken:
                return ticket.over or ticket.claim()
            if not ticket.granted:
                self._queue.remove(ticket)
                return True
        self.give_back(ticket)
        return True

    def _sit(self, ticket: Ticket) -> None:
        self._holder = ticket
        self._since = time.monotonic()

    def _busy(self) -> DatabaseBusyError:
        holder = self._holder
        name = name_of(holder.who) if holder else "another task"
        age = time.monotonic() - self._since
        doing = self._doing()
        return DatabaseBusyError(
            f"{name} has been using it for {age:.1f} s"
            f"{f' (its last statement: {doing})' if doing else ''}. "
            "Keep transactions short, or raise busy_timeout."
        )


def wake_all(tickets: Iterable[Ticket]) -> None:
    """Wake their owners; tasks of one event loop with one call.

    To call an event loop from a thread costs as much as to write a row.
    """
    sleeps: dict[Any, list[Callable[[], object]]] = {}
    for ticket in tickets:
        loop = getattr(ticket.call, "loop", None)
        if loop is None:
            _wake(ticket)
        else:
            sleeps.setdefault(loop, []).append(ticket.call.end)  # type: ignore[attr-defined]
    for loop, ends in sleeps.items():
        with suppress(RuntimeError):  # it is closed: nobody waits there
            loop.call_soon_threadsafe(_call_each, ends)


def _call_each(calls: Iterable[Callable[[], object]]) -> None:
    for call in calls:
        call()


def _wake(ticket: Ticket) -> bool:
    try:
        ticket.call()
    except RuntimeError:  # its event loop is closed: nobody waits there
        return False
    return True


def _nobody_waits() -> None:
    """Stand for the call of a ticket that never waited."""
