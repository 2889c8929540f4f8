"""One seat, taken in turn: first come, first served, by threads and tasks alike.

How a thread waits is here; how a task waits is in ``awaiting``, so that a program
without an event loop does not import one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from sqliter.exceptions import DatabaseBusyError

GRACE = 0.1
"""Seconds to look once more before giving up."""


class Ticket:
    """A place in the queue; ``call`` wakes whoever waits for it.

    ``watched`` is the holder that its owner waits for, until ``deadline``.
    """

    __slots__ = (
        "call",
        "deadline",
        "granted",
        "has_grace",
        "is_hopeless",
        "name",
        "thread",
        "watched",
    )

    def __init__(self, name: str, call: Callable[[], object]) -> None:
        self.name = name
        self.call = call
        self.thread = threading.get_ident()
        self.granted = False
        self.is_hopeless = False
        self.watched: Ticket | None = None
        self.deadline = 0.0
        self.has_grace = True


class Seat:
    """A fair lock that names its holder when the wait was in vain.

    A holder that keeps it for longer than ``timeout`` seconds makes those who wait
    raise ``DatabaseBusyError``.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._mutex = threading.Lock()
        self._queue: deque[Ticket] = deque()
        self._holder: Ticket | None = None
        self._since = 0.0

    def take(self, name: str) -> None:
        """Wait for the seat, blocking the thread."""
        asleep = threading.Lock()  # released by whoever calls: cheaper than an Event
        asleep.acquire()
        ticket = self.sit_or_queue(name, asleep.release)
        if ticket is None:
            return
        # A thread that waits for itself would wait for ever.
        ticket.is_hopeless = self._holder_is(threading.get_ident())
        try:
            while not asleep.acquire(timeout=self.patience(ticket)):
                continue
        except BaseException:  # Ctrl-C: nobody would ever give the seat back
            self.leave_queue(ticket)
            raise

    def give_back(self) -> None:
        """Hand the seat to the next in the queue."""
        with self._mutex:
            while self._queue:
                ticket = self._queue.popleft()
                ticket.granted = True
                self._sit(ticket)
                try:
                    ticket.call()
                except RuntimeError:  # its event loop is closed: nobody waits there
                    continue
                return
            self._holder = None

    def sit_or_queue(self, name: str, call: Callable[[], object]) -> Ticket | None:
        """Take the seat if it is free (``None``), else join the queue."""
        ticket = Ticket(name, call)
        with self._mutex:
            if self._holder is None:
                self._sit(ticket)
                return None
            self._queue.append(ticket)
            return ticket

    def patience(self, ticket: Ticket) -> float:
        """Return the seconds to wait on: a long queue is fine while it moves.

        Raises ``DatabaseBusyError`` once the same holder was waited for too long.
        """
        with self._mutex:
            if ticket.granted:
                return self.timeout
            if ticket.watched is not self._holder:
                ticket.watched, ticket.has_grace = self._holder, True
                ticket.deadline = time.monotonic() + self.timeout
            left = ticket.deadline - time.monotonic()
            if left <= 0 and ticket.has_grace:
                ticket.has_grace = False  # a busy event loop may be what was slow
                left = GRACE
            if ticket.is_hopeless or left <= 0:
                raise self._busy()
            return left

    def look(self) -> tuple[str | None, float, int]:
        """Return who has the seat, for how many seconds, and how many wait."""
        with self._mutex:
            if self._holder is None:
                return None, 0.0, 0
            age = time.monotonic() - self._since
            return self._holder.name, age, len(self._queue)

    def _holder_is(self, thread: int) -> bool:
        holder = self._holder
        return holder is not None and holder.thread == thread

    def leave_queue(self, ticket: Ticket) -> None:
        """Give up waiting, and the seat if it had been granted already."""
        with self._mutex:
            if not ticket.granted:
                self._queue.remove(ticket)
                return
        self.give_back()

    def _sit(self, ticket: Ticket) -> None:
        self._holder = ticket
        self._since = time.monotonic()

    def _busy(self) -> DatabaseBusyError:
        holder = self._holder
        name = holder.name if holder else "another task"
        age = time.monotonic() - self._since
        return DatabaseBusyError(
            f"{name} has been using it for {age:.1f} s. "
            "Keep transactions short, or raise busy_timeout."
        )
