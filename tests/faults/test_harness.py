"""The tests of this folder can fail: made-up errors look real, and harm is noticed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults import kinds
from faults.driver import Driver
from faults.strikes import Failure, Steps
from faults.table import scenarios
from faults.trial import Trial
from support import Colour

# --- the errors ---


def meet_a_lock(folder: Path) -> None:
    holder = sqlite3.connect(folder / "locked.db", isolation_level=None)
    other = sqlite3.connect(folder / "locked.db", timeout=0)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
    finally:
        holder.close()
        other.close()


def fill_the_disk(folder: Path) -> None:
    raw = sqlite3.connect(folder / "small.db")
    try:
        raw.execute("CREATE TABLE t (a)")
        raw.execute("PRAGMA max_page_count = 3")
        raw.execute("INSERT INTO t VALUES (zeroblob(100000))")
    finally:
        raw.close()


def be_interrupted(folder: Path) -> None:
    raw = sqlite3.connect(folder / "slow.db")
    raw.set_progress_handler(lambda: 1, 1)
    try:
        raw.execute("SELECT 1")
    finally:
        raw.close()


@pytest.mark.parametrize(
    ("provoke", "make"),
    [
        (meet_a_lock, kinds.busy),
        (fill_the_disk, kinds.full),
        (be_interrupted, kinds.interrupted),
    ],
)
def test_an_error_looks_like_that_of_sqlite(
    folder: Path, provoke: Callable[[Path], None], make: Callable[[], sqlite3.Error]
) -> None:
    with pytest.raises(sqlite3.Error) as caught:
        provoke(folder)
    real, made = caught.value, make()
    assert (type(made), made.args) == (type(real), real.args)
    assert (made.sqlite_errorcode, made.sqlite_errorname) == (
        real.sqlite_errorcode,
        real.sqlite_errorname,
    )


# --- the driver ---


@pytest.fixture
def raw(driver: Driver) -> Any:
    """A connection that the driver has opened, with a table of two rows."""
    connection = driver.connect(":memory:", isolation_level=None)
    connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")
    yield connection
    connection.close()


def rows(raw: Any) -> list[Any]:
    return [a for (a,) in raw.execute("SELECT a FROM t")]


def kind(name: str) -> kinds.Kind:
    return next(each for each in (*kinds.ERRORS, *kinds.KEYS) if each.name == name)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_nth_call_fails_and_no_other(driver: Driver, raw: Any, number: int) -> None:
    done = []
    with driver.failing(kind("i/o error"), number) as plan:
        for value in (3, 4, 5):
            try:
                raw.execute("INSERT INTO t VALUES (?)", (value,))
                done.append(value)
            except sqlite3.OperationalError:
                assert value == number + 2
    assert plan.hit is not None
    assert rows(raw) == [1, 2, *done]
    assert len(done) == 2


def test_a_call_that_fails_afterwards_has_been_made(driver: Driver, raw: Any) -> None:
    with driver.failing(kind("Ctrl-C after"), 1), pytest.raises(KeyboardInterrupt):
        raw.execute("INSERT INTO t VALUES (3)")
    assert rows(raw) == [1, 2, 3]


def test_a_lost_transaction_is_lost(driver: Driver, raw: Any) -> None:
    raw.execute("BEGIN")
    raw.execute("INSERT INTO t VALUES (3)")
    with driver.failing(kind("full, rolled back"), 1), pytest.raises(sqlite3.Error):
        raw.execute("INSERT INTO t VALUES (4)")
    assert not raw.in_transaction
    assert rows(raw) == [1, 2]


@pytest.mark.parametrize("fetch", ["fetchone", "fetchmany", "fetchall", "__next__"])
def test_a_fetch_fails_where_sqlite_works_for_it(
    driver: Driver, raw: Any, fetch: str
) -> None:
    with driver.failing(kind("i/o error"), 2) as plan:
        cursor = raw.execute("SELECT a FROM t")
        with pytest.raises(sqlite3.OperationalError) as caught:
            getattr(cursor, fetch)()
    assert caught.value.sqlite_errorname == "SQLITE_IOERR_WRITE"
    assert plan.hit is not None and plan.hit.word == "FETCH"
    with driver.failing(kind("i/o error"), 2) as plan:
        assert raw.execute("SELECT a FROM t WHERE a > 9").fetchall() == []
    assert plan.hit is None


def test_a_full_disk_stays_full(driver: Driver, raw: Any) -> None:
    with driver.failing(kind("full for good"), 2):
        raw.execute("INSERT INTO t VALUES (3)")
        for _ in range(3):
            with pytest.raises(sqlite3.OperationalError, match="full"):
                raw.execute("INSERT INTO t VALUES (4)")
        assert rows(raw) == [1, 2, 3]


# --- the judge ---


class Careless(Driver):
    """Does not run statements of one word, and says it did."""

    ignored = ""

    def call(self, connection: Any, what: str, function: Callable[[], Any]) -> Any:
        if self.ignored and what.startswith(self.ignored):
            return sqlite3.Connection.execute(connection, "SELECT 1")
        return super().call(connection, what, function)


NEVER = Failure(kind("full"), 999)
FIRST = Failure(kind("full"), 1)
SECOND = Failure(kind("full"), 2)


@pytest.mark.parametrize(
    ("name", "ignored", "strike", "found"),
    [
        ("block", "ROLLBACK", SECOND, "a transaction is open"),
        ("nested_blocks", "ROLLBACK TO", FIRST, None),
        ("block", "COMMIT", NEVER, "a transaction is open"),
        ("block", "UPDATE", NEVER, "returned, but"),
        ("query_delete", "DELETE", NEVER, "returned, but"),
        ("links_set", "DELETE", NEVER, "returned, but"),
        ("inner_block_that_fails_by_itself", "ROLLBACK TO", NEVER, "returned, but"),
        ("create_table_anew_with_links", "PRAGMA foreign_keys = 1", NEVER, "enforced"),
        ("snapshot", "COMMIT", NEVER, "a transaction is open"),
    ],
)
async def test_harm_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    name: str,
    ignored: str,
    strike: Failure,
    found: str | None,
) -> None:
    driver = Careless()
    monkeypatch.setattr(sqlite3, "connect", driver.connect)
    scenario = next(each for each in scenarios() if each.name == name)
    trial = Trial(scenario, Colour.SYNC, "memory", driver, folder, {})
    await trial.learn()
    driver.ignored = ignored
    _, problems = await trial.attempt(strike)
    if found is None:
        assert not problems  # the block around it takes all back
    else:
        assert any(found in problem for problem in problems), problems


# --- cancellation ---


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_task_is_cancelled_at_its_nth_suspension(
    number: int, late: bool
) -> None:
    passed = []

    async def act() -> None:
        for step in (1, 2, 3):
            await asyncio.sleep(0.001)
            passed.append(step)

    steps = Steps(act, {number}, late=late)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(steps.run())
    assert passed == list(range(1, number))
    assert steps.hit == "Future"


async def test_a_task_that_ends_before_is_left_alone() -> None:
    async def act() -> str:
        await asyncio.sleep(0)
        return "done"

    steps = Steps(act, {2}, late=False)
    assert await asyncio.create_task(steps.run()) == "done"
    assert steps.hit is None


async def test_a_task_is_cancelled_once_more_while_it_cleans_up() -> None:
    cancelled = []

    async def act() -> None:
        for _ in range(2):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                cancelled.append(True)
        raise asyncio.CancelledError

    steps = Steps(act, {1, 2}, late=False)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(steps.run())
    assert len(cancelled) == 2
