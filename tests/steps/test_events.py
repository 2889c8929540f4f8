"""What a trace makes of the waiting of an operation, with a clock of the test's own."""

from __future__ import annotations

import pytest

from sqliter import StatementEvent
from sqliter.core import events
from sqliter.core.events import Hooked, Observers, Trace
from sqliter.core.statement import Statement

ANY = Statement("SELECT 1")


class Clock:
    """Stands still until it is told how many seconds have gone by."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(events, "perf_counter", clock)
    return clock


@pytest.fixture
def told() -> list[StatementEvent]:
    return []


@pytest.fixture
def observers(told: list[StatementEvent]) -> Observers:
    observers = Observers(complain=print)
    observers.add(Hooked(told.append))
    return observers


def asked(observers: Observers) -> Trace:
    trace = observers.follow("task 'x'")
    assert trace is not None
    return trace


def locked(trace: Trace, clock: Clock, seconds: float) -> None:
    """Others hold the file for so long."""
    clock.now += seconds
    trace.lock += seconds


def run(trace: Trace, clock: Clock, seconds: float, *, lock: float = 0) -> None:
    """A statement waits for others inside SQLite, then works."""
    trace.start()
    locked(trace, clock, lock)
    clock.now += seconds
    trace.tell(ANY)


def split(told: list[StatementEvent]) -> list[tuple[float, float, float]]:
    return [(event.queue, event.lock, event.run) for event in told]


def test_each_second_is_told_once(
    clock: Clock, observers: Observers, told: list[StatementEvent]
) -> None:
    trace = asked(observers)
    clock.now += 1  # in the queue
    locked(trace, clock, 2)  # to begin
    run(trace, clock, 8, lock=4)
    clock.now += 16  # the library's own
    run(trace, clock, 64, lock=32)
    locked(trace, clock, 128)  # to begin once more
    run(trace, clock, 256)
    assert split(told) == [(1, 6, 8), (0, 32, 64), (0, 128, 256)]


def test_what_is_begun_anew_waited_all_the_time_before(
    clock: Clock, observers: Observers, told: list[StatementEvent]
) -> None:
    trace = asked(observers)
    clock.now += 1
    trace.start()  # here it took too long
    clock.now += 2
    run(trace, clock, 4)
    assert split(told) == [(3, 0, 4)]


def test_a_block_hands_on_what_it_waited_and_nothing_else(
    clock: Clock, observers: Observers, told: list[StatementEvent]
) -> None:
    block = asked(observers)
    clock.now += 1
    locked(block, clock, 2)
    block.served()
    clock.now += 4  # the code inside the block
    first, second = asked(observers), asked(observers)
    clock.now += 8
    first.inherit(block)
    run(first, clock, 16, lock=32)
    second.inherit(block)
    run(second, clock, 0)
    assert split(told) == [(9, 34, 16), (56, 0, 0)]


def test_a_transaction_that_could_not_begin(
    clock: Clock, observers: Observers, told: list[StatementEvent]
) -> None:
    trace = asked(observers)
    clock.now += 1
    locked(trace, clock, 2)
    error = OSError()
    trace.refused("BEGIN", error)
    assert split(told) == [(1, 2, 0)]
    assert (told[0].sql, told[0].error, told[0].task) == ("BEGIN", error, "task 'x'")


def test_nobody_is_followed_for_nobody() -> None:
    assert Observers(complain=print).follow("task 'x'") is None
