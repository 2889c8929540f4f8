"""One seat, taken in turn: first come, first served, by threads and tasks alike."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable

from sqliter.exceptions import DatabaseBusyError


class _Ticket:
    """A place in the queue; ``call`` wakes whoever waits for it."""

    __slots__ = ("call", "granted", "is_hopeless", "name", "thread")

    def __init__(self, name: str, call: Callable[[], object]) -> None:
        self.name = name
        self.call = call
        self.thread = threading.get_ident()
        self.granted = False
        self.is_hopeless = False


class Seat:
    """A fair lock that names its holder when the wait was in vain.

    Waiting for longer than ``timeout`` seconds raises ``DatabaseBusyError``.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._mutex = threading.Lock()
        self._queue: deque[_Ticket] = deque()
        self._holder: _Ticket | None = None
        self._since = 0.0

    def take(self, name: str) -> None:
        """Wait for the seat, blocking the thread."""
        woken = threading.Event()
        ticket = self._sit_or_queue(name, woken.set)
        if ticket is None:
            return
        if ticket.is_hopeless or not woken.wait(self._timeout):
            if not self._withdraw(ticket):
                raise self._busy()

    async def take_async(self, name: str) -> None:
        """Wait for the seat, leaving the event loop to others."""
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        ticket = self._sit_or_queue(
            name, lambda: loop.call_soon_threadsafe(_settle, woken)
        )
        if ticket is not None:
            await self._await_turn(ticket, woken)

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

    async def _await_turn(self, ticket: _Ticket, woken: asyncio.Future[None]) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await woken
        except TimeoutError:
            if not self._withdraw(ticket):
                raise self._busy() from None
        except asyncio.CancelledError:
            if self._withdraw(ticket):
                self.give_back()
            raise

    def _sit_or_queue(self, name: str, call: Callable[[], object]) -> _Ticket | None:
        """Take the seat if it is free (``None``), else join the queue."""
        ticket = _Ticket(name, call)
        with self._mutex:
            if self._holder is None:
                self._sit(ticket)
                return None
            # A thread that waits for itself would wait for ever.
            ticket.is_hopeless = self._holder.thread == ticket.thread
            self._queue.append(ticket)
            return ticket

    def _withdraw(self, ticket: _Ticket) -> bool:
        """Leave the queue; true if the seat had been granted already."""
        with self._mutex:
            if not ticket.granted:
                self._queue.remove(ticket)
            return ticket.granted

    def _sit(self, ticket: _Ticket) -> None:
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


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
