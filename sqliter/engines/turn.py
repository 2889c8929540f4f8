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

    __slots__ = ("call", "granted")

    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call
        self.granted = False


class Seat:
    """A fair lock that names its holder when the wait was in vain.

    Waiting for longer than ``timeout`` seconds raises ``DatabaseBusyError``.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._mutex = threading.Lock()
        self._queue: deque[_Ticket] = deque()
        self._holder: str | None = None
        self._thread = 0
        self._since = 0.0

    def take(self, name: str) -> None:
        """Wait for the seat, blocking the thread."""
        if self._take_if_free(name):
            return
        self._refuse_deadlock()
        woken = threading.Event()
        ticket = self._queue_up(woken.set)
        if ticket and not woken.wait(self._timeout) and not self._withdraw(ticket):
            raise self._busy()
        self._sit(name)

    async def take_async(self, name: str) -> None:
        """Wait for the seat, leaving the event loop to others."""
        if self._take_if_free(name):
            return
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        ticket = self._queue_up(lambda: loop.call_soon_threadsafe(_settle, woken))
        if ticket:
            await self._await_turn(ticket, woken)
        self._sit(name)

    def give_back(self) -> None:
        """Hand the seat to the next in the queue."""
        with self._mutex:
            while self._queue:
                ticket = self._queue.popleft()
                ticket.granted = True
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

    def _take_if_free(self, name: str) -> bool:
        with self._mutex:
            if self._holder is not None:
                return False
            self._holder = ""
        self._sit(name)
        return True

    def _queue_up(self, call: Callable[[], object]) -> _Ticket | None:
        """Join the queue; ``None`` if the seat became free meanwhile."""
        with self._mutex:
            if self._holder is None:
                self._holder = ""
                return None
            ticket = _Ticket(call)
            self._queue.append(ticket)
            return ticket

    def _withdraw(self, ticket: _Ticket) -> bool:
        """Leave the queue; true if the seat had been granted already."""
        with self._mutex:
            if not ticket.granted:
                self._queue.remove(ticket)
            return ticket.granted

    def _sit(self, name: str) -> None:
        self._holder = name
        self._thread = threading.get_ident()
        self._since = time.monotonic()

    def _refuse_deadlock(self) -> None:
        """A thread that waits for itself would wait for ever."""
        if self._thread == threading.get_ident():
            raise self._busy()

    def _busy(self) -> DatabaseBusyError:
        age = time.monotonic() - self._since
        return DatabaseBusyError(
            f"{self._holder or 'another task'} has been using it for {age:.1f} s. "
            "Keep transactions short, or raise busy_timeout."
        )


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
