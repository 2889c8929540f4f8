"""Other threads compute meanwhile: their turns are shortened, and only then."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sqliter import SqliterDB
from sqliter.engines import interpreter, rows
from sqliter.engines.interpreter import SHORT, Contention
from sqliter.model import BaseDBModel

USUAL = 0.004


class Page(BaseDBModel):
    number: int


def hold_up(clock: Clock, contention: Contention) -> None:
    """Have it wait in two slices: the first one makes it suspicious."""
    for _ in range(2):
        clock.spend(passed=0.02, worked=0.001)
        contention.look()


class Clock:
    """Says how much time passed, and how much of it this thread worked."""

    def __init__(self) -> None:
        self.passed = self.worked = 100.0

    def spend(self, passed: float, worked: float) -> None:
        self.passed += passed
        self.worked += worked

    def perf_counter(self) -> float:
        return self.passed

    def thread_time(self) -> float:
        return self.worked


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(interpreter, "time", clock)
    monkeypatch.setattr(interpreter, "_turns", interpreter._Turns())
    return clock


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(USUAL)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(autouse=True)
def other() -> Iterator[None]:
    """There is another thread."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    yield
    over.set()
    thread.join()


def test_waiting_for_the_lock_is_noticed(clock: Clock) -> None:
    with Contention() as contention:
        clock.spend(passed=0.02, worked=0.001)
        contention.look()
        assert sys.getswitchinterval() == USUAL
        clock.spend(passed=0.02, worked=0.001)
        contention.look()
        assert sys.getswitchinterval() == SHORT
    assert sys.getswitchinterval() == USUAL


@pytest.mark.parametrize(
    ("passed", "worked"), [(0.02, 0.02), (0.002, 0.0001), (0.02, 0.015)]
)
def test_work_is_no_contention(clock: Clock, passed: float, worked: float) -> None:
    with Contention() as contention:
        for _ in range(100):
            clock.spend(passed, worked)
            contention.look()
        assert sys.getswitchinterval() == USUAL


def test_it_is_remembered_for_a_while(clock: Clock) -> None:
    with Contention() as contention:
        hold_up(clock, contention)
    with Contention():
        assert sys.getswitchinterval() == SHORT
    clock.spend(passed=1.5, worked=0)
    with Contention():
        assert sys.getswitchinterval() == USUAL


def test_the_last_one_makes_turns_long_again(clock: Clock) -> None:
    one, two = Contention(), Contention()
    one.__enter__()
    hold_up(clock, one)
    two.__enter__()
    one.__exit__(None, None, None)
    assert sys.getswitchinterval() == SHORT
    two.__exit__(None, None, None)
    assert sys.getswitchinterval() == USUAL


def test_what_others_choose_meanwhile_stays(clock: Clock) -> None:
    with Contention() as contention:
        hold_up(clock, contention)
        sys.setswitchinterval(0.01)
    assert sys.getswitchinterval() == 0.01


def test_an_error_leaves_nothing_behind(clock: Clock) -> None:
    with pytest.raises(KeyboardInterrupt), Contention() as contention:
        hold_up(clock, contention)
        raise KeyboardInterrupt
    assert sys.getswitchinterval() == USUAL


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_forked_process_has_usual_turns() -> None:
    with Contention() as contention:
        interpreter._turns.shorten(contention)
        child = os.fork()
        if not child:
            os._exit(sys.getswitchinterval() != USUAL)
        _, status = os.waitpid(child, 0)
    assert status == 0


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128, 200])
@pytest.mark.parametrize("batch", [1, 63, 64, 65, 500])
def test_slices_lose_no_row(count: int, batch: int, tmp_path: Any) -> None:
    db = SqliterDB(tmp_path / "x.db")
    db.create_table(Page)
    db.bulk_insert([Page(number=number) for number in range(count)])
    found = [page.number for page in db.select(Page).order("number").fetch_all()]
    streamed = [page.number for page in db.select(Page).iterate(batch)]
    db.close()
    assert found == streamed == list(range(count))


def test_rows_are_fetched_in_slices(tmp_path: Any, monkeypatch: Any) -> None:
    """So that contention is noticed while they are."""
    looks = []
    monkeypatch.setattr(Contention, "look", lambda self: looks.append(self))
    with SqliterDB(tmp_path / "x.db") as db:
        db.create_table(Page)
        db.bulk_insert([Page(number=number) for number in range(10 * rows.SLICE)])
    db = SqliterDB(tmp_path / "x.db")
    assert len(db.select(Page).fetch_all()) == 10 * rows.SLICE
    assert len(looks) == 9
    db.close()
