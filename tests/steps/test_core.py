"""Scopes, effects, the cache and the log: pure units, each by itself."""

from __future__ import annotations

import contextvars
import gc
import logging
import math
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sqliter.core import scopes
from sqliter.core.cache import Cache, CacheLimits
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault, LateFault
from sqliter.core.logs import StatementLog, render
from sqliter.core.scopes import Mode, Scope
from sqliter.core.statement import Memo, Request, Result, Statement
from sqliter.core.steps import (
    Drive,
    Operation,
    Steps,
    ask,
    ask_all,
    look_up,
    reads,
    writes,
    writes_shortly,
)
from sqliter.core.stop import Loss, Stop, TimeLimit, deadline

# --- scopes -----------------------------------------------------------------

HOME = object()
MODE = Mode("BEGIN IMMEDIATE")


@pytest.fixture
def nest() -> Iterator[Any]:
    """Return a function that opens a block inside another."""

    def opened(parent: Scope | None = None, home: object = HOME) -> Scope:
        scope = Scope(home, None, 0, parent, MODE)
        scope.begun()
        scopes.enter(scope)
        found.append(scope)
        return scope

    found: list[Scope] = []
    yield opened
    for scope in reversed(found):
        scopes.leave(scope)


def test_the_outermost_block_is_a_transaction(nest: Any) -> None:
    outer = nest()
    assert outer.opening == "BEGIN IMMEDIATE"
    assert outer.keeping() == "COMMIT"
    assert outer.undoing() == ("ROLLBACK",)


def test_inner_blocks_are_savepoints_of_their_own(nest: Any) -> None:
    outer = nest()
    inner = nest(outer)
    innermost = nest(inner)
    assert [outer.depth, inner.depth, innermost.depth] == [0, 1, 2]
    assert inner.opening == f"SAVEPOINT {inner.name}"
    assert inner.keeping() == f"RELEASE {inner.name}"
    assert inner.undoing() == (f"ROLLBACK TO {inner.name}", f"RELEASE {inner.name}")
    assert inner.name != innermost.name
    assert innermost.lineage() == [outer, inner, innermost]


def test_the_innermost_open_block_counts(nest: Any) -> None:
    assert scopes.innermost(HOME) is None
    outer = nest()
    inner = nest(outer)
    assert scopes.innermost(HOME) is inner
    scopes.leave(inner)
    assert scopes.innermost(HOME) is outer
    scopes.leave(outer)
    assert scopes.innermost(HOME) is None


def test_blocks_belong_to_their_database(nest: Any) -> None:
    other = object()
    mine, theirs = nest(), nest(home=other)
    assert scopes.innermost(HOME) is mine
    assert scopes.innermost(other) is theirs


def test_a_block_reaches_into_copied_contexts_until_it_ends(nest: Any) -> None:
    outer = nest()
    task = contextvars.copy_context()
    assert task.run(scopes.innermost, HOME) is outer
    scopes.leave(outer)
    assert task.run(scopes.innermost, HOME) is None


def test_a_block_is_not_seen_by_other_threads(nest: Any) -> None:
    nest()
    found: list[Scope | None] = []
    thread = threading.Thread(target=lambda: found.append(scopes.innermost(HOME)))
    thread.start()
    thread.join()
    assert found == [None]


def test_an_adopted_transaction_keeps_its_effects() -> None:
    pending = Effects()
    scope = Scope(HOME, None, 0, None, MODE)
    scope.adopt(pending)
    assert scope.adopted
    assert scope.effects is pending


# --- effects ----------------------------------------------------------------


def test_effects_are_undone_newest_first_and_once() -> None:
    calls: list[int] = []
    effects = Effects()
    effects.on_undo(lambda: calls.append(1))
    effects.on_undo(lambda: calls.append(2))
    effects.undo()
    effects.undo()
    assert calls == [2, 1]


def test_inner_effects_join_the_outer_ones() -> None:
    calls: list[str] = []
    outer, inner = Effects(), Effects()
    outer.touch(["a"])
    outer.on_undo(lambda: calls.append("outer"))
    inner.touch(["b"])
    inner.touch_everything()
    inner.on_undo(lambda: calls.append("inner"))
    outer.merge(inner)
    assert outer.tables == {"a", "b"}
    assert outer.everything
    outer.undo()
    assert calls == ["inner", "outer"]


def test_cleared_effects_are_no_effects() -> None:
    effects = Effects()
    effects.touch(["a"])
    effects.touch_everything()
    effects.on_undo(lambda: pytest.fail("cleared"))
    effects.clear()
    effects.undo()
    assert (effects.tables, effects.everything) == (set(), False)


# --- the cache --------------------------------------------------------------


def _memo(
    key: object, *tables: str, ttl: float | None = None, keep: bool = True
) -> Memo:
    return Memo(key, tables[0], tables, ttl, keep)


def _answer(*values: Any) -> Result:
    return Result([(value,) for value in values], -1, None)


def _cache(**limits: Any) -> Cache:
    return Cache(CacheLimits(**limits), enabled=True)


def _store(cache: Cache, memo: Memo, answer: Result) -> None:
    cache.store(memo, answer, cache.version(memo))


def test_an_answer_is_remembered_and_counted() -> None:
    cache, memo = _cache(), _memo("k", "pets")
    assert cache.lookup(memo) is None
    _store(cache, memo, _answer(1))
    assert cache.lookup(memo) == _answer(1)
    assert cache.stats() == {"hits": 1, "misses": 1, "total": 2, "hit_rate": 50.0}
    cache.reset_stats()
    assert cache.stats() == {"hits": 0, "misses": 0, "total": 0, "hit_rate": 0.0}


def test_an_answer_of_several_tables_is_dropped_with_any_of_them() -> None:
    for changed in ("pets", "owners"):
        cache, memo = _cache(), _memo("k", "pets", "owners")
        _store(cache, memo, _answer(1))
        cache.forget(["other"])
        assert cache.lookup(memo) is not None
        cache.forget([changed])
        assert cache.lookup(memo) is None


@pytest.mark.parametrize(
    "change", [lambda c: c.forget(["pets"]), Cache.forget_everything]
)
def test_an_answer_on_its_way_while_a_table_changed_is_not_stored(change: Any) -> None:
    cache, memo = _cache(), _memo("k", "pets")
    version = cache.version(memo)
    change(cache)
    cache.store(memo, _answer(1), version)
    assert cache.lookup(memo) is None


def test_no_rows_are_remembered_on_request() -> None:
    cache = _cache()
    _store(cache, _memo("no", "pets", keep=False), _answer())
    _store(cache, _memo("yes", "pets"), _answer())
    assert cache.lookup(_memo("no", "pets")) is None
    assert cache.lookup(_memo("yes", "pets")) == _answer()


def test_the_least_recently_used_goes_first() -> None:
    cache = _cache(max_size=2)
    for key in ("a", "b"):
        _store(cache, _memo(key, "pets"), _answer(key))
    cache.lookup(_memo("a", "pets"))
    _store(cache, _memo("c", "pets"), _answer("c"))
    found = [cache.lookup(_memo(key, "pets")) is not None for key in "abc"]
    assert found == [True, False, True]


def test_limits_are_for_each_table() -> None:
    cache = _cache(max_size=1)
    _store(cache, _memo("a", "pets"), _answer(1))
    _store(cache, _memo("a", "owners"), _answer(2))
    assert cache.lookup(_memo("a", "pets")) == _answer(1)


def test_an_entry_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.time", lambda: now)
    cache = _cache(ttl=10)
    _store(cache, _memo("default", "pets"), _answer(1))
    _store(cache, _memo("own", "pets", ttl=20), _answer(1))
    now = 111.0
    assert cache.lookup(_memo("default", "pets")) is None
    assert cache.lookup(_memo("own", "pets")) is not None


def test_memory_is_bounded() -> None:
    cache = _cache(max_memory_mb=0.01)
    for number in range(50):
        _store(cache, _memo(number, "pets"), _answer("x" * 1000))
    kept = [n for n in range(50) if cache.lookup(_memo(n, "pets")) is not None]
    assert kept
    assert kept == list(range(50 - len(kept), 50))
    assert len(kept) * 1000 < 0.01 * 1024 * 1024


def test_a_cache_that_is_off_remembers_and_counts_nothing() -> None:
    cache = Cache(CacheLimits(), enabled=False)
    cache.put("pets", "k", 1, None)
    assert cache.get("pets", "k") == (False, None)
    assert cache.stats()["total"] == 0


@pytest.mark.parametrize("limits", [{"max_size": 0}, {"ttl": -1}, {"max_memory_mb": 0}])
def test_impossible_limits(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cache_"):
        CacheLimits(**limits)


# --- the log ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "params", "text"),
    [
        ("SELECT ?", [1], "SELECT 1"),
        ("a = ? AND b = ?", ["it's", None], "a = 'it''s' AND b = NULL"),
        ("a = ?", [b"\x01\xff"], "a = X'01ff'"),
        ("a = '?' AND \"?\" = ?", [2.5], "a = '?' AND \"?\" = 2.5"),
        ("a = 'it''s ?' AND b = ?", [1], "a = 'it''s ?' AND b = 1"),
        ("a = ?", ["?"], "a = '?'"),
        ("? ?", [1], "1 NULL"),
    ],
)
def test_values_are_shown_in_place(sql: str, params: list[Any], text: str) -> None:
    assert render(sql, params) == text


def test_nothing_is_rendered_unless_it_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sqliter.core.logs.render", lambda *_: pytest.fail("rendered"))
    logger = logging.getLogger("tests.steps")
    StatementLog(logger, debug=False).statement("SELECT 1", ())
    logger.setLevel(logging.INFO)
    StatementLog(logger, debug=True).statement("SELECT 1", ())
    assert not caplog.records


def test_warnings_are_logged_always(caplog: pytest.LogCaptureFixture) -> None:
    StatementLog(logging.getLogger("tests.steps"), debug=False).warning(
        "beware of %s", "dogs"
    )
    assert caplog.messages == ["beware of dogs"]


# --- words and drives -------------------------------------------------------


@reads
def _two_questions() -> Steps[list[Any]]:
    one = yield from ask(Statement("SELECT 1"), named=True)
    two = yield from ask_all([Statement("A"), Statement("B")], foreign_keys=False)
    three = yield from look_up(Statement("C"))
    return [one, *two, three]


def test_words_make_requests() -> None:
    steps = _two_questions().steps
    result = _answer()
    assert steps.send(None) == Request((Statement("SELECT 1"),), named=True)
    assert steps.send([result]) == Request(
        (Statement("A"), Statement("B")), atomic=True, foreign_keys=False
    )
    assert steps.send([result, result]) == Request((Statement("C"),), internal=True)
    with pytest.raises(StopIteration) as stop:
        steps.send([result])
    assert stop.value.value == [result] * 4


def test_a_drive_goes_from_request_to_request() -> None:
    drive = Drive(_two_questions())
    assert not drive.finished
    drive.answer([_answer(1)])
    assert drive.request.atomic
    drive.answer([_answer(2), _answer(3)])
    drive.answer([_answer(4)])
    assert drive.finished
    assert drive.value == [_answer(1), _answer(2), _answer(3), _answer(4)]


def test_a_drive_hands_failures_to_the_steps() -> None:
    @writes
    def operation(effects: Effects) -> Steps[str]:
        try:
            yield from ask(Statement("A"))
        except ZeroDivisionError:
            yield from ask(Statement("B"))
        return "saved"

    drive = Drive(operation())
    drive.refuse(ZeroDivisionError())
    assert drive.request.statements[0].sql == "B"
    drive.answer([_answer()])
    assert drive.value == "saved"


def test_steps_that_ask_for_nothing_are_finished_at_once() -> None:
    @reads
    def operation() -> Steps[int]:
        return 5
        yield

    assert Drive(operation()).finished
    assert Drive(operation()).value == 5


class Worker:
    """Counts how often it is interrupted, and for whom."""

    def __init__(self) -> None:
        self.interrupted: list[Stop] = []

    def interrupt(self, stop: Stop) -> None:
        self.interrupted.append(stop)


def test_cancelling_reaches_the_statement_that_runs() -> None:
    worker, drive = Worker(), Drive(_two_questions())
    drive.cancel()
    drive.worker = worker
    drive.cancel()
    assert worker.interrupted == [drive]
    with pytest.raises(Fault, match="cancelled"):
        drive.check()


def test_what_would_cost_a_block_is_not_interrupted_at_once() -> None:
    worker, stop = Worker(), Stop()
    stop.worker, stop.loss = worker, Loss.BLOCK
    stop.cancel()
    assert (worker.interrupted, stop.cancelled) == ([], True)
    stop.interrupt()
    assert worker.interrupted == [stop]


def test_a_deadline_that_has_passed_is_a_fault() -> None:
    Stop(time.monotonic() + 60).check()
    with pytest.raises(LateFault):
        Stop(time.monotonic()).check()


def test_the_nearest_limit_counts_and_only_at_home() -> None:
    with TimeLimit(HOME, 60), TimeLimit(HOME, 600), TimeLimit(object(), 1):
        assert 50 < deadline(HOME) - time.monotonic() <= 60
        assert deadline(HOME, 5) - time.monotonic() <= 5
    assert deadline(HOME) == math.inf


def test_limits_end_in_any_order() -> None:
    one, other = TimeLimit(HOME, 60), TimeLimit(HOME, 600)
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert deadline(HOME) - time.monotonic() > 60
    other.__exit__(None, None, None)
    assert deadline(HOME) == math.inf


@pytest.mark.parametrize("seconds", [0, -1, math.nan])
def test_a_timeout_is_positive(seconds: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        deadline(HOME, seconds)


def test_a_short_write_can_begin_anew() -> None:
    asked: list[int] = []

    @writes_shortly
    def operation(effects: Effects, number: int) -> Steps[int]:
        asked.append(number)
        yield from ask(Statement("A"))
        return number

    drive = Drive(operation(7))
    drive.answer([_answer()])
    before = drive.effects
    drive.restart()
    assert (asked, drive.finished) == ([7, 7], False)
    assert drive.effects is not before
    drive.answer([_answer()])
    assert drive.value == 7


def test_operations_are_cheap_to_drop() -> None:
    operation: Operation[Any] = _two_questions()
    del operation
    gc.collect()  # a generator that never started has nothing to complain about
