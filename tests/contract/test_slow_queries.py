"""The slow-query log: which statements, what is said about them, and that it disturbs nothing."""

import asyncio
import logging
import re

import pytest
from support import StatementLog, assert_no_transaction_left, unwrap

from sqliter.core import events
from sqliter.core.slow import LONGEST
from sqliter.exceptions import RecordInsertionError, SqlExecutionError
from sqliter.model import BaseDBModel, unique

ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT COUNT(*) FROM c"


class User(BaseDBModel):
    name: str = unique()
    age: int = 0


@pytest.fixture
def log():
    """What is logged at WARNING level; nothing else is."""
    log = StatementLog()
    log.logger.setLevel(logging.WARNING)
    return log


@pytest.fixture
def slow(make_db, log):
    """A database for which every statement is slow."""
    return make_db(slow_query=0, logger=log.logger)


async def filled(db, *names):
    await db.create_table(User)
    for name in names:
        await db.insert(User(name=name))
    return db


# --- which statements --------------------------------------------------------------------


async def test_nothing_is_slow_by_default(make_db, log):
    db = await filled(make_db(logger=log.logger), "a")
    assert db.slow_query is None
    assert log.messages == []


@pytest.mark.parametrize(("threshold", "count"), [(2.0, 1), (2.1, 0)])
async def test_what_runs_for_the_threshold_is_slow(
    make_db, log, monkeypatch, threshold, count
):
    db = await filled(make_db(slow_query=threshold, logger=log.logger), "a")
    ticks = iter(
        range(0, 100, 2)
    )  # each look at the clock is two seconds after the last
    monkeypatch.setattr(events, "perf_counter", lambda: next(ticks))
    await db.get(User, 1)
    assert len(log.messages) == count
    assert all("Slow query: 2.000 s" in message for message in log.messages)


async def test_waiting_is_not_slow(make_db, log, monkeypatch):
    db = await filled(make_db(slow_query=2.1, logger=log.logger), "a")
    told = []
    db.on_statement(told.append)
    ticks = iter(range(0, 100, 2))
    monkeypatch.setattr(events, "perf_counter", lambda: next(ticks))
    await db.insert(User(name="b"))
    assert (told[0].queue >= 2, told[0].run) == (True, 2)
    assert log.messages == []


async def test_only_the_users_statements_are_logged_once_each(slow, log):
    told = []
    slow.on_statement(told.append)
    await filled(slow, "a", "b")
    async with slow:
        await slow.update_where(User, {"name": "a"}, {"age": 1})
        await slow.select(User).filter(age__gt=0).fetch_all()
    assert len(log.messages) == len(told) == 5


async def test_it_can_be_changed_at_any_time(make_db, log):
    db = await filled(make_db(logger=log.logger), "a")
    unwrap(db).slow_query = 0
    await db.get(User, 1)
    assert (db.slow_query, len(log.messages)) == (0, 1)
    unwrap(db).slow_query = 0.0
    await db.get(User, 1)
    assert len(log.messages) == 2
    unwrap(db).slow_query = 1000
    await db.get(User, 1)
    unwrap(db).slow_query = None
    await db.get(User, 1)
    assert (db.slow_query, len(log.messages)) == (None, 2)


@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan")])
async def test_it_is_a_number_of_seconds(make_db, seconds):
    with pytest.raises(ValueError, match="slow_query"):
        make_db(slow_query=seconds)
    db = make_db(slow_query=1)
    with pytest.raises(ValueError, match="slow_query"):
        unwrap(db).slow_query = seconds
    assert db.slow_query == 1


async def test_create_takes_it_too(make_db, log):
    db = await make_db.create(slow_query=0, logger=log.logger)
    await db.fetch("SELECT 1")
    assert len(log.messages) == 1


async def test_without_a_logger_it_is_the_one_of_the_library(make_db, caplog):
    db = make_db(slow_query=0)
    await db.fetch("SELECT 'x' AS y")
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("sqliter", logging.WARNING)
    assert "SELECT 'x' AS y" in record.getMessage()


# --- what is said ------------------------------------------------------------------------


async def test_the_line_names_the_time_the_asker_and_the_values(slow, log, colour):
    await filled(slow, "it's")
    log.messages.clear()
    await slow.select(User).filter(name="it's").count()
    (message,) = log.messages
    first, *plan = message.splitlines()
    asker = "task" if colour == "async" else "thread"
    assert re.match(r"Slow query: \d+\.\d{3} s, ", first)
    assert f" s, {asker} '" in first
    assert first.endswith(""": SELECT COUNT(*) FROM "users" WHERE "name" = 'it''s'""")
    assert len(plan) == 1
    assert plan[0].startswith("  SEARCH users USING")
    assert "INDEX" in plan[0]


async def test_the_plan_shows_a_scan_and_its_steps(slow, log):
    await filled(slow)
    log.messages.clear()
    await slow.fetch(
        "SELECT age FROM users WHERE age IN (SELECT max(age) FROM users) ORDER BY name || ''"
    )
    (message,) = log.messages
    plan = message.splitlines()[1:]
    assert "  SCAN users" in plan
    assert any(line.startswith("    ") for line in plan)
    assert any("TEMP B-TREE FOR ORDER BY" in line for line in plan)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE users SET age = 1",
        "DELETE FROM users WHERE age = 1",
        "INSERT INTO users (name) SELECT 'x' || name FROM users",
        "REPLACE INTO users (name) SELECT 'x' || name FROM users",
        "-- why\nSELECT * FROM users",
        "WITH w AS (SELECT * FROM users) SELECT * FROM w",
    ],
)
async def test_what_has_a_plan_shows_it(slow, log, sql):
    await filled(slow, "a")
    log.messages.clear()
    await slow.execute(sql)
    (message,) = log.messages
    assert "\n  SCAN users" in message


async def test_the_plan_is_that_of_now(slow, log):
    await filled(slow)
    for plan in ("SCAN", "SEARCH", "SCAN"):
        log.messages.clear()
        await slow.select(User).filter(age=1).count()
        (message,) = log.messages
        assert message.splitlines()[1].startswith(f"  {plan} users")
        if plan == "SCAN":
            await slow.create_indexes(User, ["age"])
        else:
            await slow.execute("DROP INDEX idx_users_age")


@pytest.mark.parametrize(
    "sql",
    [
        "PRAGMA page_size",
        "CREATE TABLE t (a)",
        "EXPLAIN SELECT 1",
        "; SELECT 1",  # EXPLAIN does not take the semicolon
        "INSERT INTO users (name) VALUES ('x')",
    ],
)
async def test_what_has_no_plan_shows_none(slow, log, sql):
    await filled(slow)
    log.messages.clear()
    await slow.execute(sql)
    (message,) = log.messages
    assert message.endswith(f": {sql}")
    assert_no_transaction_left(slow)


async def test_a_statement_that_failed_says_so(slow, log):
    await filled(slow, "a")
    log.messages.clear()
    with pytest.raises(RecordInsertionError):
        await slow.insert(User(name="a"))
    with pytest.raises(SqlExecutionError):
        await slow.fetch("SELECT * FROM nowhere")
    first, second = log.messages
    assert "failed (UNIQUE constraint failed: users.name): INSERT INTO" in first
    assert second.endswith("failed (no such table: nowhere): SELECT * FROM nowhere")


async def test_a_very_long_statement_is_cut_off(slow, log):
    await filled(slow)
    log.messages.clear()
    await slow.insert(User(name="x" * 3 * LONGEST))
    (message,) = log.messages
    assert LONGEST < len(message) < LONGEST + 200
    assert message.endswith(" characters)")


# --- what it does not disturb ------------------------------------------------------------


async def test_a_transaction_goes_on(slow, log):
    await filled(slow, "a")
    with pytest.raises(ZeroDivisionError):
        async with slow:
            await slow.insert(User(name="b"))
            async with slow:
                await slow.update_where(User, {"name": "a"}, {"age": 1})
            assert await slow.select(User).filter(age=1).count() == 1
            raise ZeroDivisionError
    users = await slow.select(User).fetch_all()
    assert [(user.name, user.age) for user in users] == [("a", 0)]
    assert_no_transaction_left(slow)


async def test_looking_at_the_plan_is_no_change(make_db, log):
    db = make_db(slow_query=0, logger=log.logger, cache_enabled=True)
    await filled(db, "a")
    await db.get(User, 1)
    before = len(log.messages)
    await db.get(User, 1)
    assert len(log.messages) == before  # from the cache, which knows of no other writer


@pytest.mark.only("file")
@pytest.mark.only("async")
async def test_a_cancelled_statement_is_logged(make_db, log):
    db = make_db(slow_query=0.01, logger=log.logger)
    await db.connect()
    task = asyncio.create_task(db.fetch(ENDLESS), name="endless")
    while (await db.health()).oldest_reader is None:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    message = next(text for text in log.messages if "endless" in text)
    assert "failed (interrupted)" in message
    assert "RECURSIVE STEP" in message
    assert await db.fetch("SELECT 1 AS n") == [{"n": 1}]
