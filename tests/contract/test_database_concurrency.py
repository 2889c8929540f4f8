"""Many tasks (async) or threads (sync) on one database; several databases on one file."""

import asyncio
import contextvars
import random
import threading

import pytest
from support import Signal, assert_no_transaction_left, committed, run_python, unwrap

from sqliter.exceptions import RecordInsertionError, SqliterError
from sqliter.model import BaseDBModel, unique


class Counter(BaseDBModel):
    value: int = 0


class User(BaseDBModel):
    name: str = unique()


async def prepared(db):
    await db.create_table(Counter)
    await db.create_table(User)
    return await db.insert(Counter())


async def names(db):
    return [user.name for user in await db.select(User).order("pk").fetch_all()]


async def add_one(db, pause=0.005):
    async with db:
        counter = await db.get(Counter, 1)
        await asyncio.sleep(pause)
        counter.value += 1
        await db.update(counter)


# --- one database ------------------------------------------------------------------------


@pytest.mark.defect("D8")
async def test_twenty_blocks_lose_no_update(db, together):
    await prepared(db)
    await together(*(add_one(db) for _ in range(20)))
    assert (await db.get(Counter, 1)).value == 20
    assert_no_transaction_left(db)


@pytest.mark.defect("D8")
async def test_insert_of_one_survives_the_rollback_of_another(db, together):
    await prepared(db)
    inside = Signal()

    async def failing():
        async with db:
            await db.insert(User(name="undone"))
            inside.set()
            await asyncio.sleep(0.02)
            raise ZeroDivisionError

    async def inserting():
        await inside.wait()
        return await db.insert(User(name="kept"))

    error, kept = await together(failing(), inserting(), return_exceptions=True)
    assert isinstance(error, ZeroDivisionError)
    assert await names(db) == ["kept"]
    assert await db.get(User, kept.pk) == kept


@pytest.mark.defect("D8")
async def test_one_failing_block_does_not_undo_another(db, together):
    await prepared(db)

    async def block(name, fail):
        async with db:
            await db.insert(User(name=name))
            await asyncio.sleep(0.002)
            await db.insert(User(name=name + "2"))
            if fail:
                raise ZeroDivisionError

    await together(
        *(block(str(n), fail=n % 2 == 0) for n in range(10)), return_exceptions=True
    )
    expected = {str(n) + tail for n in range(1, 10, 2) for tail in ("", "2")}
    assert set(await names(db)) == expected


@pytest.mark.defect("D8")
async def test_failing_inserts_lose_no_acknowledged_one(db, together):
    await prepared(db)
    await db.insert(User(name="taken"))
    wanted = [f"u{n}" if n % 5 else "taken" for n in range(100)]
    results = await together(
        *(db.insert(User(name=name)) for name in wanted), return_exceptions=True
    )
    acknowledged = {user.name for user in results if isinstance(user, User)}
    refused = [error for error in results if not isinstance(error, User)]
    assert len(acknowledged) == 80
    assert {type(error) for error in refused} == {RecordInsertionError}
    assert set(await names(db)) == acknowledged | {"taken"}
    if not db.is_memory:
        assert len(committed(db, "SELECT pk FROM users")) == 81
    rows = {user.pk: user.name for user in await db.select(User).fetch_all()}
    assert all(rows[user.pk] == user.name for user in results if isinstance(user, User))


@pytest.mark.defect("D8")
async def test_concurrent_bulks_are_all_or_nothing_each(db, together):
    await prepared(db)
    await db.insert(User(name="taken"))

    async def bulk(letter, last):
        rows = [User(name=f"{letter}{n}") for n in range(30)]
        await db.bulk_insert([*rows, User(name=last)])

    await together(
        bulk("a", "a-last"),
        bulk("b", "taken"),
        bulk("c", "c-last"),
        return_exceptions=True,
    )
    letters = [name[0] for name in await names(db)]
    assert {letter: letters.count(letter) for letter in "abc"} == {
        "a": 31,
        "b": 0,
        "c": 31,
    }


@pytest.mark.defect("D8")
async def test_others_neither_see_nor_join_a_block(db, together):
    await prepared(db)
    inside, looked = Signal(), Signal()

    async def writer():
        async with db:
            await db.insert(User(name="a"))
            inside.set()
            await (looked.wait() if not db.is_memory else asyncio.sleep(0.02))

    async def reader():
        await inside.wait()
        assert db.in_transaction is False
        seen = await names(db)
        looked.set()
        return seen

    _, seen = await together(writer(), reader())
    # a memory database has one connection, so there a reader waits for the block's end
    assert seen == (["a"] if db.is_memory else [])


async def test_block_waits_for_the_block_of_another(db, together):
    await prepared(db)
    inside, events = Signal(), []

    async def first():
        async with db:
            events.append("first in")
            inside.set()
            await asyncio.sleep(0.02)
            events.append("first out")

    async def second():
        await inside.wait()
        async with db:
            events.append("second in")

    await together(first(), second())
    assert events == ["first in", "first out", "second in"]


@pytest.mark.only("async")
@pytest.mark.defect("D8")
async def test_tasks_started_inside_a_block_join_it(db):
    await prepared(db)

    async def insert(name):
        assert db.in_transaction
        await db.insert(User(name=name))

    with pytest.raises(ZeroDivisionError):
        async with db:
            await asyncio.gather(*(insert(str(n)) for n in range(10)))
            assert len(await names(db)) == 10
            raise ZeroDivisionError
    assert await names(db) == []
    async with db:
        await asyncio.gather(*(insert(str(n)) for n in range(10)))
    assert len(await names(db)) == 10


@pytest.mark.only("async")
async def test_task_that_outlives_its_block_works_on_its_own(db):
    await prepared(db)
    ended = asyncio.Event()

    async def late():
        await ended.wait()
        await db.insert(User(name="late"))
        async with db:
            await db.insert(User(name="later"))

    async with db:
        task = asyncio.create_task(late())
        await asyncio.sleep(0)
    ended.set()
    await task
    assert await names(db) == ["late", "later"]
    assert_no_transaction_left(db)


@pytest.mark.only("async")
async def test_task_that_waits_when_its_block_ends_loses_nothing(db):
    await prepared(db)
    for part in range(5):
        async with db:
            tasks = [
                asyncio.create_task(db.insert(User(name=f"{part}-{n}")))
                for n in range(10)
            ]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
    assert len(await names(db)) == 50
    assert_no_transaction_left(db)


@pytest.mark.defect("D32")
async def test_connecting_at_once_opens_one_connection(db, together):
    connections = await together(*(db.connect() for _ in range(20)))
    assert len({id(unwrap(connection)) for connection in connections}) == 1


@pytest.mark.defect("D32")
async def test_first_operations_at_once_share_one_database(db, together):
    await together(*(db.create_table(User) for _ in range(10)))
    await together(*(db.insert(User(name=str(n))) for n in range(10)))
    assert len(await names(db)) == 10


async def test_reads_and_writes_side_by_side(db, together):
    await prepared(db)

    async def write(part):
        for n in range(10):
            await db.insert(User(name=f"{part}-{n}"))

    async def read():
        sizes = [len(await names(db)) for _ in range(10)]
        assert sizes == sorted(sizes)

    await together(*(write(part) for part in range(5)), *(read() for _ in range(5)))
    assert len(await names(db)) == 50


async def test_read_sees_the_write_that_was_acknowledged_before(db, together):
    await prepared(db)

    async def work(part):
        for n in range(20):
            user = await db.insert(User(name=f"{part}-{n}"))
            assert await db.get(User, user.pk) == user

    await together(*(work(part) for part in range(5)))


async def test_long_result_does_not_hide_newer_writes(db, together):
    await prepared(db)
    await db.bulk_insert([User(name=str(n)) for n in range(5000)])

    async def scan():
        rows = await db.select(User).fetch_all()
        assert len(rows) >= 5000

    async def write(n):
        user = await db.insert(User(name=f"new {n}"))
        assert await db.get(User, user.pk) == user

    await together(scan(), *(write(n) for n in range(10)), scan())
    assert await db.select(User).count() == 5010


async def test_close_while_others_work_ends_cleanly(db, together, place):
    await prepared(db)

    async def work(n):
        await db.insert(User(name=str(n)))

    results = await together(
        *(work(n) for n in range(10)), db.close(), return_exceptions=True
    )
    errors = [error for error in results if error is not None]
    assert all(isinstance(error, SqliterError) for error in errors)
    if place == "file":
        assert len(await names(db)) == 10 - len(errors)


# --- several databases on one file -------------------------------------------------------


@pytest.mark.defect("D41")
@pytest.mark.only("file")
async def test_read_then_write_in_two_handles_never_fails(db, make_db, together):
    await prepared(db)
    other = make_db(filename=db.filename)
    await together(*(add_one(one) for one in (db, other) * 5))
    assert (await db.get(Counter, 1)).value == 10


PROCESS = """
import sys
from sqliter import SqliterDB
from sqliter.model import BaseDBModel
class Counter(BaseDBModel):
    value: int = 0
db = SqliterDB(sys.argv[1], busy_timeout=30)
for _ in range(25):
    with db:
        counter = db.get(Counter, 1)
        counter.value += 1
        db.update(counter)
"""


@pytest.mark.defect("D41")
@pytest.mark.only("file")
async def test_read_then_write_in_two_processes_never_fails(make_db):
    db = make_db(busy_timeout=30)
    await prepared(db)
    loop = asyncio.get_running_loop()
    others = [
        loop.run_in_executor(None, run_python, PROCESS, db.filename) for _ in range(2)
    ]
    for _ in range(25):
        await add_one(db, pause=0)
    await asyncio.gather(*others)
    assert (await db.get(Counter, 1)).value == 75


# --- threads -----------------------------------------------------------------------------


@pytest.mark.only("sync")
@pytest.mark.defect("D26")
async def test_database_may_be_used_from_any_thread(db):
    await prepared(db)
    real, failures = unwrap(db), []

    def work(part):
        try:
            for n in range(50):
                real.insert(User(name=f"{part}-{n}"))
                real.select(User).filter(name=f"{part}-{n}").fetch_one()
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(part,)) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(await names(db)) == 400


@pytest.mark.only("sync")
@pytest.mark.defect("D26")
async def test_database_may_be_closed_from_another_thread(db):
    await prepared(db)
    thread = threading.Thread(target=unwrap(db).close)
    thread.start()
    thread.join()
    assert db.is_connected is False


# --- cancellation ------------------------------------------------------------------------


async def cancel_at_random(rng, coroutines):
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    for task in rng.sample(tasks, k=len(tasks)):
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(rng.choice([0, 0, 0.0002, 0.002]))
        if rng.random() < 0.7:
            task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.only("async")
@pytest.mark.defect("D32")
@pytest.mark.parametrize("seed", range(8))
async def test_cancelled_blocks_are_undone_whole(db, seed):
    await prepared(db)

    async def pair(n):
        async with db:
            await db.insert(User(name=f"{n}-first"))
            await asyncio.sleep(0.0005)
            await db.insert(User(name=f"{n}-second"))
        return n

    results = await cancel_at_random(random.Random(seed), [pair(n) for n in range(12)])
    assert_no_transaction_left(db)
    found = await names(db)
    for n in range(12):
        halves = {f"{n}-first", f"{n}-second"} & set(found)
        assert len(halves) in (0, 2)
        if n in results:
            assert len(halves) == 2
    async with db:
        await db.insert(User(name="works"))
    assert "works" in await names(db)


@pytest.mark.only("async")
@pytest.mark.defect("D32")
@pytest.mark.parametrize("seed", range(8))
async def test_cancelled_operations_happened_or_did_not(db, seed):
    await prepared(db)
    users = [User(name=str(n)) for n in range(10)]
    batch = [User(name=f"bulk {n}") for n in range(200)]
    work = [
        *(db.insert(user) for user in users),
        db.bulk_insert(batch),
        *(db.select(User).fetch_all() for _ in range(5)),
        db.update_where(Counter, {}, {"value": 7}),
    ]
    results = await cancel_at_random(random.Random(seed), work)
    assert_no_transaction_left(db)
    found = await names(db)
    for user, result in zip(users, results, strict=False):
        assert isinstance(result, (User, asyncio.CancelledError))
        if isinstance(result, User):
            assert user.name in found
    assert len([name for name in found if name.startswith("bulk")]) in (0, 200)
    await db.insert(User(name="works"))
    assert_no_transaction_left(db)


@pytest.mark.only("async")
@pytest.mark.defect("D32")
async def test_task_cancelled_while_it_waits_for_the_writer_holds_nothing(db):
    await prepared(db)
    async with db:
        # with an empty context a task does not belong to the block it is started in
        waiting = [
            asyncio.create_task(
                db.insert(User(name=str(n))), context=contextvars.Context()
            )
            for n in range(5)
        ]
        await asyncio.sleep(0.005)
        for task in waiting:
            task.cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert_no_transaction_left(db)
    await db.insert(User(name="works"))
    assert await names(db) == ["works"]


@pytest.mark.only("async")
async def test_cancelled_long_query_leaves_the_database_usable(db):
    await prepared(db)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n"
    task = asyncio.create_task(db.fetch(endless))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await db.insert(User(name="works"))
    assert await names(db) == ["works"]


@pytest.mark.only("async")
async def test_loop_keeps_running_during_a_long_query(db):
    await prepared(db)
    long = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
        " SELECT max(i) AS m FROM n"
    )
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    ticker = asyncio.create_task(tick())
    assert await db.fetch(long) == [{"m": 1000000}]
    ticker.cancel()
    assert ticks > 5


@pytest.mark.only("async")
async def test_no_thread_is_left_after_close(make_db):
    before = set(threading.enumerate())
    for _ in range(3):
        db = make_db()
        await prepared(db)
        await asyncio.gather(*(db.insert(User(name=str(n))) for n in range(20)))
        await asyncio.gather(*(db.fetch("SELECT 1 AS a") for _ in range(20)))
        await db.close()
    lasting = [
        thread for thread in set(threading.enumerate()) - before if not thread.daemon
    ]
    assert lasting == []
