"""Items about the rest of the program: how much of its time a query takes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.contenders.contender import Contender
from benchmarks.figure import Figure, Unit
from benchmarks.items.checks import typed
from benchmarks.items.item import Item
from benchmarks.items.reading import drained
from benchmarks.library import Library

__all__ = ["COMPANY"]

TICK = 0.001
"""Seconds."""

ROWS = Library(books=100_000)


class ListBesideTicker(Item):
    """How late a task that wants to run every millisecond is, at worst."""

    name = "ticker-list"
    figures = (
        Figure(
            "Longest delay of a 1 ms ticker: 100,000 rows selected as one list",
            Unit.MILLISECONDS,
            asyncio=35,
        ),
    )
    library = ROWS
    needs_tasks = True

    def warm_up(self, contender: Contender) -> None:
        self.measure(contender)

    def measure(self, contender: Contender) -> tuple[float, ...]:
        _, (late, result) = contender.clocked(lambda: ticking(self.work(contender)))
        self.check(contender, result)
        return (1_000 * late,)

    def work(self, contender: Contender) -> Any:
        """Return what can be awaited."""
        return contender.select(0)

    def check(self, contender: Contender, result: Any) -> None:
        """Raise ``AssertionError`` for wrong rows."""
        assert len(result) == self.content.books
        typed(contender, result[:100])


class StreamBesideTicker(ListBesideTicker):
    """The same, while rows are taken one after another."""

    name = "ticker-stream"
    figures = (Figure("… streamed with `async for`", Unit.MILLISECONDS, asyncio=3),)

    def work(self, contender: Contender) -> Any:
        return drained(contender)

    def check(self, contender: Contender, result: Any) -> None:
        numbers = range(self.content.books)
        assert result == sum(1900 + number % 100 for number in numbers)


async def ticking(work: Any) -> tuple[float, Any]:
    """Return the longest delay in seconds while ``work`` is awaited; its result."""
    ticker = asyncio.ensure_future(tick())
    await asyncio.sleep(5 * TICK)
    result = await work
    await asyncio.sleep(2 * TICK)
    ticker.cancel()
    return await ticker, result


async def tick() -> float:
    """Return the longest delay until cancelled."""
    longest = 0.0
    while True:
        start = time.perf_counter()
        try:
            await asyncio.sleep(TICK)
        except asyncio.CancelledError:
            return longest
        longest = max(longest, time.perf_counter() - start - TICK)


class SelectBesideThread(Item):
    """A thread that computes takes the interpreter whenever it can."""

    name = "busy-thread"
    figures = (
        Figure(
            "That select beside a busy Python thread, over its undisturbed time",
            Unit.TIMES,
            asyncio=2.5,
        ),
    )
    library = ROWS
    needs_tasks = True
    most_rounds = 3

    def warm_up(self, contender: Contender) -> None:
        contender.call(lambda: contender.select(0))

    def measure(self, contender: Contender) -> tuple[float, ...]:
        alone, rows = contender.clocked(lambda: contender.select(0))
        assert len(rows) == self.content.books
        del rows
        with computing():
            beside, rows = contender.clocked(lambda: contender.select(0))
        assert len(rows) == self.content.books
        return (beside / alone,)


@contextmanager
def computing() -> Iterator[None]:
    """Have another thread compute meanwhile."""
    stop = threading.Event()

    def compute() -> None:
        number = 0
        while not stop.is_set():
            for _ in range(1_000):
                number = (number * 31 + 7) % 1_000_003

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


COMPANY: tuple[type[Item], ...] = (
    ListBesideTicker,
    StreamBesideTicker,
    SelectBesideThread,
)
