"""`timeout` in all its forms, and cancellation: what runs is stopped, for good and soon."""

import asyncio
import functools
import math
import random
import sqlite3
import time
from contextlib import asynccontextmanager

import pytest
from pressure import (
    LONG,
    NUMBERS,
    PROMPT,
    SLOW,
    STICKY,
    Item,
    Number,
    overrun,
    prepare,
    values,
)
from support import Signal, assert_no_transaction_left, outside, unwrap

from sqliter.exceptions import (
    DatabaseBusyError,
    OperationTimeoutError,
    SqliterError,
    TransactionError,
)
from sqliter.model import BaseDBModel

SOON = 0.05
"""Seconds until what is to be stopped is stopped."""

AGES = 5
"""Seconds that nothing here takes, if anything stops it."""


class Text(BaseDBModel):
    text: str


@functools.cache
def many():
    """So many items that turning them into rows takes far longer than `SOON`."""
    return [Item(value=n) for n in range(120_000)]


async def stop_after(db, seconds, work):
    with db.timeout(seconds):
        return await work(db)


async def assert_clean(db):
    """Nothing is open, nobody holds or wants the turn, the next operations work."""
    assert_no_transaction_left(db)
    health = await db.health()
    assert (health.waiting, health.in_transaction) == (0, False)
    item = await db.insert(Item(value=99))
    assert (await db.get(Item, item.pk)).value == 99
    await db.delete(Item, item.pk)


@asynccontextmanager
async def locked(db):
    """Another program is in the middle of a write transaction."""
    with outside(db) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


# --- what is stopped ---------------------------------------------------------------------

WORK = {
    "raw read": lambda db: db.fetch(LONG),
    "read of many rows": lambda db: db.fetch(
        f"{NUMBERS} SELECT i AS a FROM n LIMIT 2000000"
    ),
    "fetch_all": lambda db: db.select(Number).filter(value=-1).fetch_all(),
    "insert": lambda db: db.insert(Item(value=SLOW)),
    "update": lambda db: db.update(Item(pk=1, value=SLOW)),
    "delete": lambda db: db.delete(Item, 2),
    "bulk insert": lambda db: db.bulk_insert([Item(), Item(value=SLOW)]),
    "query update": lambda db: db.select(Item).update({"value": SLOW}),
    "raw write": lambda db: db.execute(
        f"{NUMBERS} INSERT INTO items (created_at, updated_at, value) SELECT 1, 1, i "
        "FROM n LIMIT 3000000"
    ),
    "create table as": lambda db: db.execute(
        f"CREATE TABLE copied AS {NUMBERS} SELECT i FROM n LIMIT 3000000"
    ),
}


async def prepared(db):
    await prepare(db)
    await db.insert(Item(value=STICKY))


@pytest.mark.parametrize("name", WORK)
async def test_a_statement_is_stopped(db, name):
    await prepared(db)
    with pytest.raises(OperationTimeoutError) as caught:
        await stop_after(db, SOON, WORK[name])
    assert isinstance(caught.value, SqliterError)
    assert isinstance(caught.value, TimeoutError)
    assert await values(db) == [1, STICKY]
    assert await db.get_table_names() == ["items"]
    await assert_clean(db)


@pytest.mark.parametrize("name", WORK)
async def test_a_statement_in_a_block_is_stopped_and_the_block_undone(db, name):
    await prepared(db)
    item = Item(value=2)
    with pytest.raises(OperationTimeoutError):
        async with db.transaction(timeout=0.2):
            await db.insert(item)
            await WORK[name](db)
    assert (item.pk, item.created_at) == (0, 0)
    assert await values(db) == [1, STICKY]
    await assert_clean(db)


QUERIES = {
    "fetch_all": lambda query: query.filter(value=-1).fetch_all(),
    "fetch_one": lambda query: query.filter(value=-1).fetch_one(),
    "fetch_first": lambda query: query.filter(value=-1).fetch_first(),
    "fetch_last": lambda query: query.filter(value=-1).fetch_last(),
    "fetch_dicts": lambda query: query.group_by("value").filter(value=-1).fetch_dicts(),
    "count": lambda query: query.count(),
    "exists": lambda query: query.filter(value=-1).exists(),
}


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_with_a_timeout_is_stopped(db, name):
    await prepared(db)
    with pytest.raises(OperationTimeoutError):
        await QUERIES[name](db.select(Number).timeout(SOON))
    await assert_clean(db)


@pytest.mark.parametrize("verb", ["update", "delete"])
async def test_a_query_with_a_timeout_that_writes_is_stopped(db, verb):
    await prepared(db)
    query = db.select(Item).timeout(SOON)
    with pytest.raises(OperationTimeoutError):
        await (query.delete() if verb == "delete" else query.update({"value": SLOW}))
    assert await values(db) == [1, STICKY]
    await assert_clean(db)


async def test_a_query_in_time_is_answered(db):
    await prepared(db)
    query = db.select(Item).timeout(AGES)
    assert await query.count() == 2
    assert len(await query.fetch_all()) == 2
    assert await query.exists()
    assert [item.value for item in await query.clone().filter(value=1).fetch_all()] == [
        1
    ]


async def test_a_copy_of_a_query_has_its_timeout(db):
    await prepared(db)
    query = db.select(Number).timeout(SOON)
    with pytest.raises(OperationTimeoutError):
        await query.clone().filter(value=-1).exists()
    copied = db.select(Number)
    copied.clone().timeout(SOON)
    assert (await copied.limit(1).fetch_one()).value == 1


async def test_a_read_in_a_snapshot_is_stopped(db):
    await prepared(db)
    with pytest.raises(OperationTimeoutError):
        async with db.transaction(read_only=True, timeout=SOON):
            await db.fetch(LONG)
    await assert_clean(db)
    async with db.transaction(read_only=True):
        assert await values(db) == [1, STICKY]


async def test_prefetching_counts(db, library, seeded):
    await seeded(db)
    await db.execute("ALTER TABLE books RENAME TO real_books")
    await db.execute(
        f"CREATE VIEW books AS SELECT * FROM real_books WHERE ({LONG}) > 0"
    )
    with pytest.raises(OperationTimeoutError):
        await (
            db.select(library.Author)
            .prefetch_related("books")
            .timeout(SOON)
            .fetch_all()
        )
    assert await db.select(library.Author).timeout(AGES).count() == 2


# --- which limit counts ------------------------------------------------------------------


@pytest.mark.parametrize("outer", [SOON, AGES])
async def test_the_nearest_limit_wins(db, outer):
    await prepared(db)
    inner = AGES + SOON - outer
    started = time.monotonic()
    for work in (
        lambda db: stop_after(db, inner, WORK["raw read"]),
        lambda db: db.select(Number).filter(value=-1).timeout(inner).exists(),
    ):
        with pytest.raises(OperationTimeoutError):
            await stop_after(db, outer, work)
    with pytest.raises(OperationTimeoutError):
        async with db.transaction(timeout=outer):
            async with db.transaction(timeout=inner):
                await db.fetch(LONG)
    assert time.monotonic() - started < AGES


async def test_a_limit_is_over_when_its_block_is(db):
    await prepared(db)
    with db.timeout(SOON):
        assert await values(db) == [1, STICKY]
    await asyncio.sleep(2 * SOON)
    await db.insert(Item(value=2))
    assert await values(db) == [1, STICKY, 2]


async def test_what_is_asked_for_too_late_is_not_begun(db):
    await prepared(db)
    item = Item(value=2)
    with db.timeout(0.001):
        await asyncio.sleep(0.01)
        for name in ("raw read", "fetch_all"):
            with pytest.raises(OperationTimeoutError):
                await WORK[name](db)
        for work in (
            lambda: db.insert(item),
            lambda: db.bulk_insert([Item(value=3)]),
            lambda: db.execute("DELETE FROM items"),
            lambda: db.get(Item, 1),
        ):
            with pytest.raises(OperationTimeoutError):
                await work()
        with pytest.raises(OperationTimeoutError):
            async with db:
                await db.insert(item)
    assert item.pk == 0
    assert await values(db) == [1, STICKY]
    await assert_clean(db)


async def test_the_limit_of_one_database_does_not_touch_another(db, make_db):
    other = make_db()
    await prepared(db)
    await prepared(other)
    with db.timeout(0.001):
        await asyncio.sleep(0.01)
        await other.insert(Item(value=2))
        async with other:
            await other.insert(Item(value=3))
        with pytest.raises(OperationTimeoutError):
            await db.insert(Item(value=4))
    assert await values(other) == [1, STICKY, 2, 3]


@pytest.mark.only("async")
async def test_tasks_started_inside_have_the_limit(db):
    await prepared(db)
    with db.timeout(SOON):
        task = asyncio.create_task(db.fetch(LONG))
        gathered = asyncio.gather(
            db.insert(Item(value=SLOW)), db.fetch(LONG), return_exceptions=True
        )
        await asyncio.sleep(0)
    with pytest.raises(OperationTimeoutError):
        await task
    assert [type(error) for error in await gathered] == [OperationTimeoutError] * 2
    await assert_clean(db)


async def test_one_that_is_outside_has_no_limit(db, apart):
    await prepared(db)
    with db.timeout(0.001):
        await asyncio.sleep(0.01)
        await apart(db.insert(Item(value=2)))
    assert await values(db) == [1, STICKY, 2]


@pytest.mark.parametrize("seconds", [0, -1, -0.001, math.nan])
async def test_a_timeout_is_a_positive_number(db, seconds):
    await prepared(db)
    with pytest.raises(ValueError), db.timeout(seconds):
        pytest.fail("it was entered")
    with pytest.raises(ValueError):
        db.select(Item).timeout(seconds)
    await assert_clean(db)


@pytest.mark.parametrize("seconds", [math.inf, 1e12, 10**10])
async def test_a_timeout_may_be_as_long_as_one_likes(db, apart, seconds):
    await prepared(db)
    inside = Signal()

    async def hold():
        async with db:
            inside.set()
            await asyncio.sleep(0.05)

    with db.timeout(seconds):
        holding = apart(hold())
        await inside.wait()
        await db.insert(Item(value=2))
        assert (await db.fetch(f"{NUMBERS} SELECT i FROM n LIMIT 200000"))[-1] == {
            "i": 200_000
        }
        async with db.transaction(timeout=seconds):
            assert len(await values(db)) == 3
        await holding


# --- waiting counts ----------------------------------------------------------------------

SHORT = {
    "insert": lambda db: db.insert(Item(value=2)),
    "update": lambda db: db.update(Item(pk=1, value=2)),
    "bulk insert": lambda db: db.bulk_insert([Item(value=2)]),
    "query update": lambda db: db.select(Item).update({"value": 2}),
    "raw": lambda db: db.execute("DELETE FROM items"),
    "create table": lambda db: db.create_table(Text),
    "block": lambda db: _block(db),
}


async def _block(db):
    async with db:
        await db.insert(Item(value=2))


@pytest.mark.parametrize("name", SHORT)
async def test_waiting_in_the_queue_counts(db, apart, name):
    await prepared(db)
    inside, tried = Signal(), Signal()

    async def hold():
        async with db:
            inside.set()
            await tried.wait()
            await db.insert(Item(value=3))

    holding = apart(hold())
    await inside.wait()
    with pytest.raises(OperationTimeoutError):
        await stop_after(db, SOON, SHORT[name])
    assert (await apart(waiting_of(db))) == 0
    tried.set()
    await holding
    assert await values(db) == [1, STICKY, 3]
    await assert_clean(db)


async def waiting_of(db):
    """How many wait for their turn; asking waits for nobody in a file only."""
    return unwrap(db)._engine.seat.look()[2]


@pytest.mark.only("memory")
async def test_a_read_waits_in_the_queue_of_a_database_in_memory(db, apart):
    await prepared(db)
    inside, tried = Signal(), Signal()

    async def hold():
        async with db:
            inside.set()
            await tried.wait()

    holding = apart(hold())
    await inside.wait()
    with pytest.raises(OperationTimeoutError):
        await stop_after(db, SOON, lambda db: db.get(Item, 1))
    tried.set()
    await holding
    await assert_clean(db)


OPENINGS = {
    "by its first operation": lambda db: db.get(Item, 1),
    "by connect()": lambda db: db.connect(),
    "and its connection handed out": lambda db: _handed_out(db),
}


OPENED = [(opened, "insert") for opened in OPENINGS]
OPENED += [("by its first operation", name) for name in SHORT if name != "insert"]


async def _handed_out(db):
    await db.connect()
    cursor = await db.conn.execute("SELECT 1")
    await cursor.fetchall()


@pytest.mark.only("file")
@pytest.mark.parametrize(("opened", "name"), OPENED)
async def test_waiting_for_another_program_counts(db, make_db, name, opened):
    await prepared(db)
    other = make_db(filename=db.filename, busy_timeout=AGES)
    await OPENINGS[opened](other)
    started = time.monotonic()
    async with locked(db):
        with pytest.raises(OperationTimeoutError):
            await stop_after(other, SOON, SHORT[name])
    assert time.monotonic() - started < AGES / 2
    assert await values(other) == [1, STICKY]
    await assert_clean(other)


@pytest.mark.only("file")
@pytest.mark.parametrize("verb", ["vacuum", "checkpoint"])
async def test_upkeep_that_waits_for_another_program_is_stopped(db, make_db, verb):
    await prepared(db)
    other = make_db(filename=db.filename, busy_timeout=AGES)
    await other.insert(Item(value=2))
    started = time.monotonic()
    async with locked(db):
        with pytest.raises(OperationTimeoutError):
            await stop_after(other, SOON, lambda db: getattr(db, verb)())
    assert time.monotonic() - started < AGES / 2
    await assert_clean(other)


UPKEEP = {
    "backup": lambda db, folder: db.backup(folder / "copy.db"),
    "vacuum": lambda db, folder: db.vacuum(),
    "integrity_check": lambda db, folder: db.integrity_check(),
    "restore": lambda db, folder: db.restore(folder / "older.db"),
}


@pytest.mark.only("file")
@pytest.mark.parametrize("verb", UPKEEP)
async def test_upkeep_is_stopped(db, tmp_path, verb):
    await prepared(db)
    await db.execute(
        f"{NUMBERS} INSERT INTO items (created_at, updated_at, value) SELECT 1, 1, 5 "
        "FROM n LIMIT 600000"
    )
    await db.backup(tmp_path / "older.db")
    with pytest.raises(OperationTimeoutError):
        await stop_after(db, 0.01, lambda db: UPKEEP[verb](db, tmp_path))
    assert not (tmp_path / "copy.db").exists()
    assert len(list(tmp_path.glob("*.part"))) == 0
    assert await db.select(Item).count() == 600_002
    await assert_clean(db)


@pytest.mark.only("file")
async def test_waiting_for_a_file_that_cannot_even_be_opened_counts(make_db):
    path = make_db().filename
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("CREATE TABLE t (a)")
        connection.execute("BEGIN EXCLUSIVE")
        db = make_db(filename=path, busy_timeout=AGES)
        started = time.monotonic()
        with pytest.raises(OperationTimeoutError):
            await stop_after(db, SOON, lambda db: db.fetch("SELECT * FROM t"))
        assert time.monotonic() - started < AGES / 2
        connection.execute("ROLLBACK")
    connection.close()
    assert await db.fetch("SELECT * FROM t") == []


# --- in a transaction --------------------------------------------------------------------


async def test_a_block_that_took_too_long_keeps_nothing(db):
    """Not only operations take time: `timeout` is for all of the block."""
    await prepared(db)
    item = Item(value=2)
    with pytest.raises(OperationTimeoutError):
        async with db.transaction(timeout=SOON):
            await db.insert(item)
            await asyncio.sleep(2 * SOON)
    assert item.pk == 0
    assert await values(db) == [1, STICKY]
    await assert_clean(db)


async def test_nothing_is_done_in_a_block_after_its_time(db):
    await prepared(db)
    with pytest.raises(OperationTimeoutError):
        async with db.transaction(timeout=SOON):
            await asyncio.sleep(2 * SOON)
            for name in ("insert", "update", "bulk insert", "raw", "block"):
                with pytest.raises(OperationTimeoutError):
                    await SHORT[name](db)
            await db.get(Item, 1)
    assert await values(db) == [1, STICKY]
    await assert_clean(db)


async def test_an_error_of_the_body_is_told_even_if_it_is_late(db):
    await prepared(db)
    with pytest.raises(ZeroDivisionError):
        async with db.transaction(timeout=SOON):
            await db.insert(Item(value=2))
            await asyncio.sleep(2 * SOON)
            raise ZeroDivisionError
    assert await values(db) == [1, STICKY]


async def test_a_late_read_costs_its_block_nothing(db):
    await prepared(db)
    async with db:
        await db.insert(Item(value=2))
        with pytest.raises(OperationTimeoutError):
            await db.select(Number).filter(value=-1).timeout(SOON).exists()
        with pytest.raises(OperationTimeoutError):
            await stop_after(db, SOON, WORK["raw read"])
        await db.insert(Item(value=3))
    assert await values(db) == [1, STICKY, 2, 3]
    await assert_clean(db)


async def test_a_late_write_costs_its_block_everything(db):
    """SQLite undoes the whole transaction: that must be told, not hidden."""
    await prepared(db)
    items = [Item(value=2), Item(value=3)]
    with pytest.raises(TransactionError):
        async with db:
            await db.insert(items[0])
            with pytest.raises(OperationTimeoutError):
                await stop_after(db, SOON, WORK["insert"])
            with pytest.raises(TransactionError):
                await db.insert(items[1])
    assert [item.pk for item in items] == [0, 0]
    assert await values(db) == [1, STICKY]
    await assert_clean(db)


async def test_without_auto_commit_a_late_read_loses_nothing(make_db):
    db = make_db(auto_commit=False)
    await prepared(db)
    await db.commit()
    await db.insert(Item(value=2))
    with pytest.raises(OperationTimeoutError):
        await stop_after(db, SOON, WORK["raw read"])
    await db.commit()
    assert await values(db) == [1, STICKY, 2]


async def test_without_auto_commit_a_late_write_loses_at_most_itself(make_db):
    db = make_db(auto_commit=False)
    await prepared(db)
    await db.commit()
    await db.insert(Item(value=2))
    sql = (
        f"{NUMBERS} INSERT INTO items (created_at, updated_at, value) "
        "SELECT 1, 1, 3 FROM (SELECT i FROM n LIMIT 600000) WHERE i = 600000"
    )
    try:
        await stop_after(db, SOON, lambda db: db.execute(sql))
        written = [3]
    except OperationTimeoutError:
        written = []
    await db.commit()
    assert await values(db) == [1, STICKY, 2, *written]
    await assert_clean(db)


# --- cancellation ------------------------------------------------------------------------


async def cancelled_after(seconds, coroutine):
    """Run it, cancel it, and give back how it ended."""
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(seconds)
    task.cancel()
    await task


@pytest.mark.only("async")
@pytest.mark.parametrize("how", ["timeout", "cancel"])
@pytest.mark.parametrize("name", WORK)
async def test_a_cancelled_statement_is_stopped(db, name, how):
    await prepared(db)
    if how == "timeout":
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(SOON):
                await WORK[name](db)
        assert not isinstance(caught.value, SqliterError)
    else:
        with pytest.raises(asyncio.CancelledError):
            await cancelled_after(SOON, WORK[name](db))
    assert await values(db) == [1, STICKY]
    assert await db.get_table_names() == ["items"]
    await assert_clean(db)


@pytest.mark.only("async")
@pytest.mark.parametrize("name", WORK)
async def test_a_block_whose_statement_is_cancelled_is_undone(db, name):
    await prepared(db)
    item = Item(value=2)

    async def block():
        async with db:
            await db.insert(item)
            await WORK[name](db)

    with pytest.raises(asyncio.CancelledError):
        await cancelled_after(SOON, block())
    assert (item.pk, item.created_at) == (0, 0)
    assert await values(db) == [1, STICKY]
    await assert_clean(db)


@pytest.mark.only("async")
@pytest.mark.parametrize("name", WORK)
async def test_a_second_cancellation_is_survived(db, name):
    await prepared(db)

    async def block():
        async with db:
            await db.insert(Item(value=2))
            await WORK[name](db)

    task = asyncio.create_task(block())
    await asyncio.sleep(SOON)
    while not task.done():
        task.cancel()
        await asyncio.sleep(0.001)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await values(db) == [1, STICKY]
    await assert_clean(db)


@pytest.mark.only("async")
@pytest.mark.parametrize("name", SHORT)
async def test_a_cancelled_waiter_leaves_the_queue(db, apart, name):
    await prepared(db)
    inside, tried = Signal(), Signal()

    async def hold():
        async with db:
            inside.set()
            await tried.wait()

    holding = apart(hold())
    await inside.wait()
    with pytest.raises(asyncio.CancelledError):
        await cancelled_after(SOON, SHORT[name](db))
    assert await waiting_of(db) == 0
    tried.set()
    await holding
    assert await values(db) == [1, STICKY]
    await assert_clean(db)


@pytest.mark.only("async")
@pytest.mark.only("file")
@pytest.mark.parametrize(("opened", "name"), OPENED)
async def test_one_that_waits_for_another_program_can_be_cancelled(
    db, make_db, name, opened
):
    await prepared(db)
    other = make_db(filename=db.filename, busy_timeout=AGES)
    await OPENINGS[opened](other)
    started = time.monotonic()
    async with locked(db):
        with pytest.raises(asyncio.CancelledError):
            await cancelled_after(SOON, SHORT[name](other))
    assert time.monotonic() - started < AGES / 2
    assert await values(other) == [1, STICKY]
    await assert_clean(other)


@pytest.mark.only("async")
async def test_a_cancelled_read_costs_its_block_nothing(db):
    await prepared(db)
    async with db:
        await db.insert(Item(value=2))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SOON):
                await db.fetch(LONG)
        await db.insert(Item(value=3))
    assert await values(db) == [1, STICKY, 2, 3]


@pytest.mark.only("async")
async def test_leaving_a_block_can_be_cancelled_while_a_task_works_in_it(db):
    """The block waits for its tasks; cancelled meanwhile, it is undone, and soon."""
    await prepared(db)
    joined = []

    async def block():
        async with db:
            await db.insert(Item(value=2))
            joined.append(asyncio.create_task(db.fetch(LONG)))
            await asyncio.sleep(0)

    started = time.monotonic()
    try:
        async with asyncio.timeout(AGES):
            with pytest.raises(asyncio.CancelledError):
                await cancelled_after(SOON, block())
    finally:
        joined[0].cancel()
        (error,) = await asyncio.gather(*joined, return_exceptions=True)
    assert time.monotonic() - started < AGES / 2
    assert isinstance(error, (SqliterError, asyncio.CancelledError))
    assert await values(db) == [1, STICKY]
    await assert_clean(db)


# --- happened, or did not ----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
async def test_what_was_late_did_not_happen(db, together, seed):
    await prepared(db)
    rng = random.Random(seed)

    async def write(n, seconds, kind):
        rows = [Item(value=n) for _ in range(1 if kind == "insert" else 300)]
        try:
            with db.timeout(seconds):
                if kind == "insert":
                    await db.insert(rows[0])
                elif kind == "bulk":
                    await db.bulk_insert(rows)
                else:
                    async with db:
                        await db.bulk_insert(rows)
        except OperationTimeoutError:
            assert {row.pk for row in rows} == {0}
            return n, 0
        return n, len(rows)

    work = [
        write(1000 + n, rng.choice([1e-5, 1e-4, 0.001, 0.01, 1]), kind)
        for n in range(10)
        for kind in ("insert", "bulk", "block")
    ]
    expected = {n: 0 for n in range(1000, 1010)}
    for n, count in await together(*work):
        expected[n] += count
    found = await values(db)
    assert {n: found.count(n) for n in expected} == expected
    await assert_clean(db)


# --- how soon ----------------------------------------------------------------------------


async def in_a_block(db):
    async with db:
        await db.insert(Item(value=2))
        await db.insert(Item(value=SLOW))


STOPPABLE = {
    "read": WORK["raw read"],
    "read of many rows": WORK["read of many rows"],
    "write": WORK["insert"],
    "raw write": WORK["raw write"],
    "write in a block": in_a_block,
    "bulk insert": lambda db: db.bulk_insert(many()),
}


@pytest.mark.parametrize("name", STOPPABLE)
async def test_a_deadline_is_kept(db, name):
    await prepared(db)

    async def attempt(seconds):
        await stop_after(db, seconds, STOPPABLE[name])

    assert await overrun(attempt, OperationTimeoutError, SOON) < PROMPT


@pytest.mark.only("sync")
@pytest.mark.parametrize("name", ["read", "write", "bulk insert"])
async def test_a_deadline_is_kept_in_any_thread(db, apart, name):
    await prepared(db)

    async def attempt(seconds):
        await apart(stop_after(db, seconds, STOPPABLE[name]))

    assert await overrun(attempt, OperationTimeoutError, SOON) < PROMPT


@pytest.mark.only("async")
@pytest.mark.parametrize("name", STOPPABLE)
async def test_a_cancellation_is_prompt(db, name):
    await prepared(db)

    async def attempt(seconds):
        async with asyncio.timeout(seconds):
            await STOPPABLE[name](db)

    assert await overrun(attempt, TimeoutError, SOON) < PROMPT


SLOW_STEPS = {
    "casefolding long texts": lambda db: (
        db.select(Text).filter(text__icontains="zebra").count()
    ),
    "searching long texts": lambda db: (
        db.select(Text).filter(text__contains="zebra").count()
    ),
    "matching long texts": lambda db: (
        db.select(Text).filter(text__regex="zebra$").count()
    ),
    "updating by long texts": lambda db: (
        db.select(Text).filter(text__icontains="zebra").update({"text": ""})
    ),
}


@pytest.mark.parametrize("name", SLOW_STEPS)
async def test_a_deadline_is_kept_where_each_step_is_slow(db, name):
    """SQLite's own measure is steps of its machine: one may cost a millisecond."""
    await prepared(db)
    await db.create_table(Text)
    await db.bulk_insert([Text(text="Straße, ma ma " * 25_000) for _ in range(4)])
    # the same few, many times over
    await db.execute("ALTER TABLE texts RENAME TO few")
    await db.execute(
        "CREATE VIEW texts AS SELECT few.* FROM "
        f"({NUMBERS} SELECT i FROM n LIMIT 500) CROSS JOIN few"
    )
    await db.execute(
        "CREATE TRIGGER never INSTEAD OF UPDATE ON texts BEGIN SELECT 1; END"
    )

    async def attempt(seconds):
        await stop_after(db, seconds, SLOW_STEPS[name])

    assert await overrun(attempt, OperationTimeoutError, SOON) < PROMPT


@pytest.mark.only("file")
async def test_a_deadline_is_kept_while_another_program_writes(db):
    await prepared(db)

    async def attempt(seconds):
        await stop_after(db, seconds, SHORT["insert"])

    async with locked(db):
        assert await overrun(attempt, OperationTimeoutError, SOON) < PROMPT


async def test_a_deadline_is_kept_in_the_queue_behind_a_long_block(db, apart):
    await prepared(db)
    inside, tried = Signal(), Signal()

    async def hold():
        async with db:
            inside.set()
            await tried.wait()

    async def attempt(seconds):
        await stop_after(db, seconds, SHORT["insert"])

    holding = apart(hold())
    await inside.wait()
    assert await overrun(attempt, OperationTimeoutError, SOON) < PROMPT
    tried.set()
    await holding


async def test_a_deadline_beyond_busy_timeout_is_not_what_ends_the_wait(make_db, apart):
    db = make_db(busy_timeout=0.1)
    await prepared(db)
    inside, tried = Signal(), Signal()

    async def hold():
        async with db:
            inside.set()
            await tried.wait()

    holding = apart(hold())
    await inside.wait()
    with pytest.raises(DatabaseBusyError):
        await stop_after(db, AGES, SHORT["insert"])
    tried.set()
    await holding
