"""The fair queue for the one seat, with a clock of the test's own."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from sqliter.core.faults import LateFault
from sqliter.core.stop import Stop
from sqliter.engines import turn
from sqliter.engines.turn import LAST_LOOK, Seat, wake_all
from sqliter.exceptions import DatabaseBusyError


class Clock:
    """Stands still until it is told the time."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(turn, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def queued(seat: Seat, name: str, called: list[str]) -> turn.Ticket:
    ticket = seat.sit_or_queue(name, lambda: called.append(name))
    assert ticket is not None
    return ticket


def test_first_come_first_served() -> None:
    seat, called = Seat(5), list[str]()
    assert seat.sit_or_queue("a", lambda: None) is None
    queued(seat, "b", called)
    queued(seat, "c", called)
    seat.give_back()
    assert called == ["b"]
    seat.give_back()
    assert called == ["b", "c"]
    seat.give_back()
    assert seat.sit_or_queue("d", lambda: None) is None


def test_a_long_queue_is_no_error_while_it_moves(clock: Clock) -> None:
    seat, called = Seat(5), list[str]()
    seat.sit_or_queue("first", lambda: None)
    for number in range(100):
        queued(seat, str(number), called)
    last = queued(seat, "last", called)
    for _ in range(100):
        assert seat.patience(last) == 5
        clock.now += 4
        seat.give_back()
    assert clock.now == 400


def test_one_holder_gets_its_time_and_a_moment_more(clock: Clock) -> None:
    seat = Seat(5)
    seat.sit_or_queue("the holder", lambda: None)
    waiting = queued(seat, "b", [])
    assert seat.patience(waiting) == 5
    clock.now = 3
    assert seat.patience(waiting) == 2
    clock.now = 5
    assert seat.patience(waiting) == LAST_LOOK
    with pytest.raises(
        DatabaseBusyError, match=r"the holder has been using it for 5.0"
    ):
        seat.patience(waiting)


def test_whoever_was_called_may_take_its_time(clock: Clock) -> None:
    seat, called = Seat(5), list[str]()
    seat.sit_or_queue("a", lambda: None)
    waiting = queued(seat, "b", called)
    seat.give_back()
    clock.now = 60
    assert called == ["b"]
    assert seat.patience(waiting) > 5


def test_leaving_the_queue_hands_a_granted_seat_on() -> None:
    seat, called = Seat(5), list[str]()
    seat.sit_or_queue("a", lambda: None)
    leaving, staying = queued(seat, "b", called), queued(seat, "c", called)
    seat.give_back()
    seat.leave_queue(leaving)
    assert called == ["b", "c"]
    seat.give_back()
    assert not staying.is_hopeless


def test_a_closed_event_loop_is_passed_over() -> None:
    def closed() -> None:
        raise RuntimeError("Event loop is closed")

    seat, called = Seat(5), list[str]()
    seat.sit_or_queue("a", lambda: None)
    seat.sit_or_queue("gone", closed)
    queued(seat, "c", called)
    seat.give_back()
    assert called == ["c"]


def test_a_thread_never_waits_for_itself() -> None:
    seat = Seat(5)
    seat.take("thread", Stop())
    with pytest.raises(DatabaseBusyError, match="thread has been using it"):
        seat.take("thread, again", Stop())
    seat.give_back()
    seat.take("thread, later", Stop())


def test_the_holder_is_named_with_what_it_does(clock: Clock) -> None:
    seat = Seat(0, lambda: "DELETE FROM users")
    seat.try_take(threading.Thread(name="cleaner"))
    waiting = queued(seat, "b", [])
    clock.now = 1
    seat.patience(waiting)
    with pytest.raises(DatabaseBusyError) as caught:
        clock.now = 2
        seat.patience(waiting)
    assert "thread 'cleaner'" in str(caught.value)
    assert "DELETE FROM users" in str(caught.value)


def test_parcels_at_the_front_are_taken_along() -> None:
    seat, called = Seat(5), list[str]()
    seat.try_take("holder")
    parcels = [seat.sit_or_queue(name, lambda: None, name) for name in "ab"]
    plain = queued(seat, "plain", called)
    late = seat.sit_or_queue("c", lambda: None, "c")
    companions = seat.companions()
    assert [each.parcel for each in companions] == ["a", "b"]
    assert companions == parcels
    assert companions[0].claim()
    assert not seat.leave_queue(companions[0])
    assert seat.leave_queue(companions[1])
    assert not companions[1].claim()
    seat.give_back()
    assert (called, plain.granted) == (["plain"], True)
    assert [each.parcel for each in seat.companions()] == ["c"]
    assert late is not None


def test_a_thread_learns_that_its_parcel_was_carried() -> None:
    seat, outcome = Seat(5), list[object]()
    seat.try_take("holder")
    waiting = threading.Thread(
        target=lambda: outcome.append(seat.take("waiting", Stop(), "parcel"))
    )
    waiting.start()
    while not (companions := seat.companions()):
        continue
    companions[0].finish(None)
    wake_all(companions)
    waiting.join()
    assert outcome == companions


def test_a_deadline_ends_the_wait() -> None:
    seat = Seat(5)
    seat.try_take("holder")
    with pytest.raises(LateFault):
        seat.patience(queued(seat, "late", []), Stop(0.0))
