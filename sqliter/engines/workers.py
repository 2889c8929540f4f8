"""Threads that work for an event loop and never keep the interpreter alive."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from math import inf
from typing import Any, TypeVar

from sqliter.core.faults import LateFault
from sqliter.core.stop import WRITE_GRACE, Loss, Stop

R = TypeVar("R")

AGAIN = 2 * WRITE_GRACE
"""Seconds after which cancelled work that still goes on is interrupted once more."""


class _Job:
    """One call on its way to a thread and back."""

    __slots__ = (
        "_call",
        "_claim",
        "_error",
        "_loop",
        "_over",
        "_stop",
        "_timers",
        "_value",
        "_waiters",
    )

    def __init__(
        self,
        call: Callable[[], Any],
        stop: Stop | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._call = call
        self._stop = stop
        self._loop = loop
        self._claim = threading.Lock()  # taken by the thread, or by a cancellation
        self._over = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._timers: list[asyncio.TimerHandle] = []

    def work(self) -> None:
        if not self._claim.acquire(blocking=False):
            return
        if self.is_lost and self._stop is not None:
            return
        try:
            self._value = self._call()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            self._error = error
        try:
            self._loop.call_soon_threadsafe(self._end)
        except RuntimeError:  # the loop is closed: who waited is to be let go
            self._waiters.clear()

    def _end(self) -> None:
        self._over = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    @property
    def is_lost(self) -> bool:
        """Whether nobody waits for it: its event loop was closed."""
        return self._loop.is_closed()

    def cancel(self) -> None:
        """Have it end soon, if it can be told to."""
        if self._stop is not None:
            self._stop.cancel()

    async def result(self) -> Any:
        """Wait for the end; a cancelled wait stops the call and still waits for it.

        Cancelled, or late, before a thread took it up, the call is never made. A call
        that has no ``stop`` is made in any case.
        """
        stop = self._stop
        cancelled: asyncio.CancelledError | None = None
        self._watch_clock(stop)
        while not self._over:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError as error:
                cancelled = error
                if stop is None:
                    continue
                if self._claim.acquire(blocking=False):
                    raise
                cancel(stop, self._loop)
                self._later(AGAIN, self._cancel_again, stop)
        for timer in self._timers:
            timer.cancel()
        if cancelled is not None:
            raise cancelled
        if self._error is not None:
            raise self._error
        return self._value

    def _cancel_again(self, stop: Stop) -> None:
        """SQLite does not hear what comes just before a statement begins."""
        if not self._over and stop.loss is not Loss.WRITES:
            stop.interrupt()
            self._later(AGAIN, self._cancel_again, stop)

    def _watch_clock(self, stop: Stop | None) -> None:
        if stop is not None and stop.deadline != inf:
            self._later(stop.left, self._expire, stop)

    def _later(self, delay: float, call: Callable[[Stop], None], stop: Stop) -> None:
        self._timers.append(self._loop.call_later(delay, call, stop))

    def _expire(self, stop: Stop) -> None:
        if self._claim.acquire(blocking=False):
            self._error = LateFault()
            self._end()
        else:  # SQLite asks seldom whether time is up, where its steps are slow
            stop.interrupt()


class _Chore:
    """A call that nobody waits for."""

    is_lost = False

    def __init__(self, call: Callable[[], None]) -> None:
        self.work = call

    def cancel(self) -> None:
        """It is never lost."""


def cancel(stop: Stop, loop: asyncio.AbstractEventLoop) -> None:
    """Stop what is done in a thread; a write in a block gets a moment to end."""
    stop.cancel()
    if stop.loss is Loss.BLOCK:
        loop.call_later(WRITE_GRACE, stop.interrupt)


class Workers:
    """Up to ``size`` daemon threads, started when there is work for them.

    ``interrupt`` ends whatever they are doing; for work that nobody waits for.
    """

    def __init__(
        self, size: int, name: str, interrupt: Callable[[], None] = lambda: None
    ) -> None:
        self._size = size
        self._name = name
        self._interrupt = interrupt
        self.begin_anew()

    def begin_anew(self) -> None:
        """Know no threads: those there were are of another process."""
        self._lock = threading.Lock()
        self._pool = _Pool()

    async def run(self, call: Callable[[], R], stop: Stop | None = None) -> R:
        """Call in a thread: one hop. When it raises or returns, so does this.

        ``stop`` stops the call when the wait is cancelled; a call without it goes on to
        its end first.
        """
        job = _Job(call, stop, asyncio.get_running_loop())
        if self._pool.at_work:
            await self.end_lost_work()
        self._put(job)
        return await job.result()  # type: ignore[no-any-return]

    def post(self, call: Callable[[], None]) -> None:
        """Call in a thread; nobody waits for it. It must not raise."""
        self._put(_Chore(call))

    def dismiss(self) -> None:
        """Let every thread end after its work; new work gets new threads."""
        with self._lock:
            pool, self._pool = self._pool, _Pool()
            for _ in range(pool.count):
                pool.jobs.put(None)

    async def end_lost_work(self) -> None:
        """Stop work for event loops that were closed; it would be in the way."""
        while lost := [job for job in tuple(self._pool.at_work) if job.is_lost]:
            for job in lost:
                job.cancel()
            self._interrupt()
            await asyncio.sleep(0.005)  # a statement that had not begun goes on

    def _put(self, job: _Job | _Chore) -> None:
        with self._lock:
            pool = self._pool
            if not pool.idle.acquire(blocking=False) and pool.count < self._size:
                self._hire(pool)
            pool.jobs.put(job)

    def _hire(self, pool: _Pool) -> None:
        threading.Thread(
            target=_work,
            args=(pool,),
            name=f"{self._name}-{pool.count + 1}",
            daemon=True,
        ).start()
        pool.count += 1


class _Pool:
    """Threads that share a queue."""

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[_Job | _Chore | None] = queue.SimpleQueue()
        self.at_work: set[_Job | _Chore] = set()
        self.idle = threading.Semaphore(0)
        self.count = 0


def _work(pool: _Pool) -> None:
    # A function, not a method: a thread must not keep its database alive.
    while (job := pool.jobs.get()) is not None:
        pool.at_work.add(job)
        job.work()
        pool.at_work.remove(job)
        del job
        pool.idle.release()
