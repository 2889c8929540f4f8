"""How a task waits: for its turn, and for callbacks that have to be awaited."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from typing import Any, TypeGuard

from sqliter.core.faults import LateFault
from sqliter.core.steps import Drive
from sqliter.core.stop import Stop
from sqliter.engines.transactions import Callback
from sqliter.engines.turn import A_WHILE, Seat, Ticket
from sqliter.engines.workers import cancel
from sqliter.exceptions import DatabaseBusyError


async def take(
    seat: Seat, stop: Stop, parcel: Drive[Any] | None = None
) -> Ticket | None:
    """Wait for the seat, leaving the event loop to others; see ``Seat.take``."""
    task = asyncio.current_task()
    if seat.try_take(task):
        return None
    sleep = _Sleep(asyncio.get_running_loop())
    ticket = seat.sit_or_queue(task, sleep, parcel)
    if ticket is None:
        return None
    try:
        while not sleep.is_over:
            await sleep.nap(seat.patience(ticket, stop))
    except GeneratorExit:
        seat.leave_queue(ticket)
        raise  # a coroutine that is closed can wait for nothing
    except BaseException as error:
        if not isinstance(error, LateFault):
            cancel(stop, sleep.loop)
        await _leave(seat, ticket, sleep)
        if not (ticket.over and isinstance(error, LateFault)):
            raise
    return ticket if ticket.over else None


class _Sleep:
    """The sleep of a task; called, from whatever thread, it ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.is_over = False
        self._nap: asyncio.Future[None] | None = None

    def __call__(self) -> None:
        self.loop.call_soon_threadsafe(self.end)

    def end(self) -> None:
        """End it, in the thread of the event loop."""
        self.is_over = True
        self._stir()

    async def nap(self, seconds: float) -> None:
        """Sleep on, but for so many seconds at the most."""
        if self.is_over:
            return
        self._nap = self.loop.create_future()
        timer = self.loop.call_later(min(seconds, A_WHILE), self._stir)
        try:
            await self._nap
        finally:
            timer.cancel()

    def _stir(self) -> None:
        if self._nap is not None and not self._nap.done():
            self._nap.set_result(None)


async def _leave(seat: Seat, ticket: Ticket, sleep: _Sleep) -> None:
    """Wait for whoever carries the parcel, even if this is cancelled meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    while not seat.leave_queue(ticket):
        ticket.give_up()
        try:
            await sleep.nap(1)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


_cleaning: set[asyncio.Task[object]] = set()


def clean_up_later(cleaning: Coroutine[Any, Any, object]) -> None:
    """Clean up in a task; without an event loop it is left to whoever comes next."""
    try:
        task = asyncio.get_running_loop().create_task(cleaning)
    except RuntimeError:
        cleaning.close()
    else:
        _cleaning.add(task)  # the event loop itself would forget it
        task.add_done_callback(_cleaning.discard)


def is_lost(holder: Ticket | None) -> TypeGuard[Ticket]:
    """Whether a task has the seat that cannot go on: its event loop is closed."""
    task = None if holder is None else holder.who
    return isinstance(task, asyncio.Task) and task.get_loop().is_closed()


async def hindrance_to_take(seat: Seat) -> BaseException | None:
    """Take the seat; return what came in the way instead, if anything."""
    try:
        await take(seat, Stop())
    except (asyncio.CancelledError, DatabaseBusyError) as error:
        return error
    return None


async def call_all(callbacks: list[Callback]) -> None:
    """Call each, whatever the others do; then raise what the first of them raised.

    A cancellation goes before errors.
    """
    errors: list[BaseException] = []
    for callback in callbacks:
        try:
            result = callback()
            if inspect.isawaitable(result):
                await result
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001
            errors.append(error)
    if errors:
        raise min(errors, key=lambda each: isinstance(each, Exception))
