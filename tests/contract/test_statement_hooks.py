"""`db.on_statement`: what a hook is told, where the time went, and what it must not disturb."""

import asyncio
import contextlib
import contextvars
import dataclasses
import gc
import logging
import sqlite3
import threading
import time
import weakref

import pytest
from support import (
    Colour,
    Signal,
    StatementLog,
    assert_no_transaction_left,
    outside,
    snapshot,
    unwrap,
)

from sqliter import SqliterDB, StatementEvent
from sqliter.core import events
from sqliter.core.logs import render
from sqliter.engines import workers
from sqliter.exceptions import (
    DatabaseBusyError,
    OperationTimeoutError,
    RecordInsertionError,
    SqlExecutionError,
)
from sqliter.model import BaseDBModel, unique

ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT COUNT(*) FROM c"


class User(BaseDBModel):
    name: str = unique()
    age: int = 0


class Told(list):
    """The events of a hook, which is the object itself."""

    def __call__(self, event):
        self.append(event)

    @property
    def verbs(self):
        return [event.sql.split()[0] for event in self]


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def watched(db, told):
    """A database whose statements are told."""
    db.on_statement(told)
    return db


async def filled(db, *names):
    await db.create_table(User)
    for name in names:
        await db.insert(User(name=name))
    return db


def me(colour):
    if colour is Colour.ASYNC:
        return f"task {asyncio.current_task().get_name()!r}"
    return f"thread {threading.current_thread().name!r}"


# --- what is told ------------------------------------------------------------------------


async def test_every_verb_tells_its_statement(watched, told, colour):
    await filled(watched)
    ada = await watched.insert(User(name="Ada", age=36))
    await watched.get(User, ada.pk)
    ada.age = 37
    await watched.update(ada)
    await watched.select(User).filter(name="Ada").fetch_all()
    await watched.delete(User, ada.pk)
    assert told.verbs == ["CREATE", "INSERT", "SELECT", "UPDATE", "SELECT", "DELETE"]
    assert {event.task for event in told} == {me(colour)}
    assert {event.error for event in told} == {None}
    assert told[1].sql.endswith("VALUES (?, ?, ?, ?)")
    assert told[1].params == (ada.created_at, ada.created_at, "Ada", 36)
    assert told[4].params == ("Ada",)


async def test_rows_are_those_fetched_or_written(watched, told):
    await filled(watched, "a", "b", "c")
    told.clear()
    await watched.select(User).fetch_all()
    await watched.select(User).filter(name="nobody").fetch_all()
    await watched.select(User).filter(pk__gt=1).update({"age": 5})
    await watched.fetch("UPDATE users SET age = 6 WHERE pk < 3 RETURNING pk")
    await watched.execute("CREATE INDEX ages ON users (age)")
    assert [event.rows for event in told] == [3, 0, 2, 2, 0]


async def test_the_log_and_the_hook_agree(make_db, told):
    log = StatementLog()
    db = make_db(debug=True, logger=log.logger)
    db.on_statement(told)
    await filled(db, "a", "b")
    await db.bulk_insert([User(name=f"u{n}") for n in range(250)])
    async with db:
        await db.insert(User(name="c"))
        async with db:
            await db.select(User).filter(age=0).count()
        await db.update_where(User, {"name": "a"}, {"age": 1})
    await db.create_table(User, force=True)
    await db.get_table_names()
    await db.execute("INSERT INTO users (name, age) VALUES ('it''s?', ?)", (3,))
    with pytest.raises(SqlExecutionError):
        await db.execute("nonsense")
    await db.drop_table(User)
    assert [render(event.sql, event.params) for event in told] == log.statements
    assert len(told) > 12


async def test_a_failed_statement_is_told_with_the_error(watched, told):
    await filled(watched, "a")
    with pytest.raises(RecordInsertionError) as caught:
        await watched.insert(User(name="a"))
    assert isinstance(told[-1].error, sqlite3.IntegrityError)
    assert told[-1].error is caught.value.original_exception
    assert told[-1].rows == 0
    assert_no_transaction_left(watched)
    await watched.insert(User(name="b"))
    assert told[-1].error is None


async def test_what_fails_in_its_commit_failed(watched, told):
    await watched.execute("CREATE TABLE parents (pk INTEGER PRIMARY KEY)")
    await watched.execute(
        "CREATE TABLE children "
        "(parent INTEGER REFERENCES parents (pk) DEFERRABLE INITIALLY DEFERRED)"
    )
    with pytest.raises(SqlExecutionError):
        await watched.execute("INSERT INTO children VALUES (99)")
    assert told.verbs == ["CREATE", "CREATE", "INSERT"]
    assert isinstance(told[-1].error, sqlite3.IntegrityError)
    assert await watched.fetch("SELECT * FROM children") == []
    assert_no_transaction_left(watched)


async def test_an_answer_from_the_cache_is_no_statement(make_db, told):
    db = await filled(make_db(cache_enabled=True), "a")
    db.on_statement(told)
    for _ in range(3):
        await db.get(User, 1)
    assert len(told) == 1


async def test_a_closed_database_tells_too(db, told):
    await filled(db)
    await db.close()
    db.on_statement(told)
    await db.get_table_names()
    assert len(told) == 1


def test_an_event_is_data():
    event = StatementEvent("SELECT ?", (1,), 0.5, 0.25, 1.0, 1, "task 'x'")
    assert event.duration == 1.75
    assert event.error is None
    assert event == dataclasses.replace(event)
    with pytest.raises(AttributeError):
        event.rows = 2


# --- where the time went -----------------------------------------------------------------


class Clock:
    """Stands still until it is told how many seconds have gone by."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(events, "perf_counter", clock)
    return clock


@pytest.fixture
def busy(clock):
    """`await busy(db, inside)` holds a block for three seconds while somebody waits."""

    async def hold(db, inside):
        async with db:
            await db.insert(User(name="held"))
            inside.set()
            while (await db.health()).waiting == 0:
                await asyncio.sleep(0.001)
            clock.now += 3

    return hold


async def test_waiting_for_the_turn_is_the_queue(db, told, together, busy):
    await filled(db)
    inside = Signal()

    async def write():
        await inside.wait()
        db.on_statement(told)
        await db.insert(User(name="waited"))
        await db.insert(User(name="did not"))

    await together(busy(db, inside), write())
    assert [(e.queue, e.lock, e.run) for e in told] == [(3, 0, 0), (0, 0, 0)]


@pytest.mark.only("memory")
async def test_a_read_that_waits_tells_so_too(db, told, together, busy):
    await filled(db)
    inside = Signal()

    async def read():
        await inside.wait()
        db.on_statement(told)
        await db.select(User).count()

    await together(busy(db, inside), read())
    assert [(e.queue, e.lock, e.run) for e in told] == [(3, 0, 0)]


async def test_a_block_tells_what_it_waited_with_its_first_statement(
    db, told, together, busy
):
    await filled(db)
    inside = Signal()

    async def write():
        await inside.wait()
        db.on_statement(told)
        async with db, db:
            await db.insert(User(name="first"))
            await db.insert(User(name="second"))
            async with db:
                await db.get(User, 1)

    await together(busy(db, inside), write())
    assert told.verbs == ["INSERT", "INSERT", "SELECT"]
    assert [(e.queue, e.lock, e.run) for e in told] == [(3, 0, 0), (0, 0, 0), (0, 0, 0)]


async def test_time_between_two_statements_of_a_block_is_nobodys(watched, told, clock):
    await filled(watched)
    async with watched:
        clock.now += 3
        await watched.insert(User(name="a"))
        clock.now += 3
        await watched.get(User, 1)
    clock.now += 3
    await watched.get(User, 1)
    assert [event.duration for event in told] == [0] * 4


async def test_what_sqlite_works_on_is_the_run(watched, told, clock):
    def tick():
        clock.now += 2

    await filled(watched)
    writer = unwrap(watched)._engine.writer_connection.raw
    writer.create_function("tick", 0, tick)
    await watched.execute("INSERT INTO users (name, age) VALUES ('a', tick())")
    async with watched:
        await watched.execute("UPDATE users SET age = tick()")
        await watched.execute("UPDATE users SET age = 1")
    assert [(e.queue, e.lock, e.run) for e in told[1:]] == [
        (0, 0, 2),
        (0, 0, 2),
        (0, 0, 0),
    ]
    assert told[1].duration == 2


async def single(db):
    await db.insert(User(name="x"))


async def several(db):
    await db.bulk_insert([User(name="x"), User(name="y")])


async def in_block(db):
    async with db, db:
        await db.insert(User(name="x"))


async def raw(db):
    await db.execute("UPDATE users SET age = 1")


@contextlib.contextmanager
def locked_for(db, seconds):
    """Another program holds the file for a while."""
    options = {"isolation_level": None, "check_same_thread": False}
    with contextlib.closing(sqlite3.connect(db.filename, **options)) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(seconds, other.rollback)
        timer.start()
        yield
        timer.join()


async def raw_models(db):
    await db.fetch("UPDATE users SET age = 1 RETURNING *", model=User)


WRITES = {
    single: "INSERT",
    several: "BEGIN",
    in_block: "BEGIN",
    raw: "UPDATE",
    raw_models: "BEGIN",
}
"""Ways to write, and the statement that has to wait for other programs."""


@pytest.mark.only("file")
@pytest.mark.parametrize("write", list(WRITES))
async def test_waiting_for_another_program_is_the_lock(db, told, write):
    await filled(db, "a")
    db.on_statement(told)
    with locked_for(db, 0.4):
        await write(db)
    assert 0.1 < told[0].lock < 10
    assert told[0].run < told[0].lock
    assert told[0].error is None
    assert_no_transaction_left(db)


@pytest.mark.only("file")
@pytest.mark.parametrize(("write", "verb"), WRITES.items())
async def test_what_waited_in_vain_for_another_program_is_told(
    make_db, told, write, verb
):
    db = await filled(make_db(busy_timeout=0.1), "a")
    db.on_statement(told)
    with outside(db) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusyError):
            await write(db)
    (event,) = told
    assert event.sql.startswith(verb)
    assert str(event.error) == "database is locked"
    assert event.lock > 0.09
    assert (event.run < 0.09, event.rows) == (True, 0)
    await write(db)
    assert_no_transaction_left(db)


@pytest.mark.only("file")
@pytest.mark.parametrize(("write", "verb"), WRITES.items())
async def test_what_waited_until_its_time_was_up_is_told(db, told, write, verb):
    await filled(db, "a")
    db.on_statement(told)
    with outside(db) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationTimeoutError), db.timeout(0.5):
            await write(db)
    (event,) = told
    assert event.sql.startswith(verb)
    # … or its time was up during one of its attempts
    assert str(event.error) in ("database is locked", "interrupted")
    assert 0.05 < event.lock < 4
    assert_no_transaction_left(db)


async def test_the_implicit_transaction_tells_its_lock(make_db, told, place):
    db = await filled(make_db(auto_commit=False, busy_timeout=0.1))
    await db.commit()
    db.on_statement(told)
    await db.insert(User(name="x"))
    assert told.verbs == ["INSERT"]
    await db.rollback()
    assert await db.select(User).count() == 0
    if place == "file":
        with outside(db) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseBusyError):
                await db.insert(User(name="x"))
        assert told.verbs == ["INSERT", "SELECT", "BEGIN"]


async def test_nothing_is_measured_for_nobody(db, monkeypatch):
    counted = []
    clock = events.perf_counter
    monkeypatch.setattr(events, "perf_counter", lambda: counted.append(1) or clock())
    monkeypatch.setattr(events, "copy_context", None)
    await filled(db, "a")
    async with db:
        await db.get(User, 1)
    await db.bulk_insert([User(name="b"), User(name="c")])
    assert not counted


# --- who asked ---------------------------------------------------------------------------


async def test_each_statement_names_who_asked(watched, told, together, colour):
    await filled(watched)
    names = {}

    async def write(n):
        names[f"u{n}"] = me(colour)
        await watched.insert(User(name=f"u{n}"))

    await together(*(write(n) for n in range(10)))
    assert {e.params[2]: e.task for e in told[1:]} == names
    assert len(set(names.values())) == 10


request_id = contextvars.ContextVar("request_id", default=None)


async def test_a_hook_sees_the_context_of_who_asked(db, together):
    await filled(db)
    seen = {}

    def look(event):
        seen[event.params[2]] = request_id.get()
        request_id.set("changed by the hook")

    db.on_statement(look)

    async def write(n):
        request_id.set(n)
        await db.insert(User(name=f"u{n}"))
        assert request_id.get() == n

    await together(*(write(n) for n in range(5)))
    assert seen == {f"u{n}": n for n in range(5)}
    assert request_id.get() is None


# --- work that others do, or that is begun twice -----------------------------------------


async def test_writes_that_share_a_commit_are_told_one_by_one(
    db, told, together, colour
):
    await filled(db, "u5", "u6")
    db.on_statement(told)
    inside, names = Signal(), {}

    async def hold():
        async with db:
            inside.set()
            while (await db.health()).waiting < 20:
                await asyncio.sleep(0.001)

    async def write(n):
        names[f"u{n}"] = me(colour)
        await inside.wait()
        with contextlib.suppress(RecordInsertionError):
            await db.insert(User(name=f"u{n}"))

    await together(hold(), *(write(n) for n in range(20)))
    assert told.verbs == ["INSERT"] * 20
    assert {e.params[2]: e.task for e in told} == names
    assert {e.params[2] for e in told if e.error} == {"u5", "u6"}
    assert all(event.queue > 0 for event in told)
    assert await db.select(User).count() == 20


@pytest.mark.only("async")
@pytest.mark.parametrize("inline", [True, False])
async def test_what_a_thread_had_to_begin_anew_is_told_once(make_db, told, inline):
    db = await filled(make_db(inline=inline), "a")
    await db.get(User, 1)  # from now on there is a reader to try it with
    threads = []
    db.on_statement(told)
    db.on_statement(lambda event: threads.append(threading.current_thread().name))
    long = ENDLESS.replace("FROM c)", "FROM c WHERE n < 1e5)")
    await db.fetch(long)
    await db.get(User, 1)
    assert [event.sql.split()[0] for event in told] == ["WITH", "SELECT"]
    assert told[0].error is None
    assert threads[0].startswith("sqliter-")
    assert threads[1].startswith("sqliter-") is not inline


@pytest.mark.only("async")
async def test_time_until_a_thread_has_it_is_the_queue(db, told, clock, monkeypatch):
    await filled(db, "a")
    db.on_statement(told)
    work = workers._Job.work

    def late(job):
        clock.now += 3
        work(job)

    monkeypatch.setattr(workers._Job, "work", late)
    await db.fetch(ENDLESS.replace("FROM c)", "FROM c WHERE n < 1e5)"))
    assert [(e.queue, e.lock, e.run) for e in told] == [(3, 0, 0)]


async def test_a_snapshot_tells_its_statements(watched, told):
    await filled(watched, "a")
    told.clear()
    async with snapshot(watched):
        await watched.select(User).count()
        await watched.get(User, 1)
    assert told.verbs == ["SELECT", "SELECT"]
    assert [event.rows for event in told] == [1, 1]


# --- hooks come and go -------------------------------------------------------------------


async def test_a_hook_can_be_ended(db, told):
    stop = db.on_statement(told)
    await filled(db)
    stop()
    await db.insert(User(name="a"))
    assert told.verbs == ["CREATE"]
    stop()  # once more is fine


async def test_one_function_may_be_a_hook_twice(db, told):
    first, second = db.on_statement(told), db.on_statement(told)
    await filled(db)
    first()
    first()
    await db.insert(User(name="a"))
    second()
    await db.insert(User(name="b"))
    assert told.verbs == ["CREATE", "CREATE", "INSERT"]


async def test_a_hook_may_end_itself(db, told):
    def once(event):
        stop()

    stop = db.on_statement(once)
    db.on_statement(told)
    await filled(db, "a")
    assert told.verbs == ["CREATE", "INSERT"]


async def test_databases_have_their_own_hooks(make_db, told):
    one, other = make_db(), make_db()
    one.on_statement(told)
    await filled(other)
    assert told == []


async def test_a_failing_hook_is_logged_and_disturbs_nothing(make_db, told):
    log = StatementLog()
    db = make_db(logger=log.logger)

    def fail(event):
        raise KeyError("the hook's own")

    db.on_statement(fail)
    db.on_statement(told)
    await filled(db, "a")
    async with db:
        await db.insert(User(name="b"))
    assert await db.select(User).count() == 2
    assert told.verbs == ["CREATE", "INSERT", "INSERT", "SELECT"]
    assert len(log.messages) == 4
    assert all("fail" in message for message in log.messages)


async def test_the_failure_of_a_hook_is_logged_in_full(make_db):
    records = []
    logger = logging.Logger("x")
    handler = logging.Handler()
    handler.emit = records.append
    logger.addHandler(handler)
    db = make_db(logger=logger)
    db.on_statement(lambda event: 1 / 0)
    await filled(db)
    (record,) = records
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is ZeroDivisionError


async def coroutine(event):
    pass


@pytest.mark.parametrize("hook", [coroutine, None, "print"])
def test_a_hook_is_a_plain_function(make_db, hook):
    with pytest.raises(TypeError, match="plain function"):
        make_db().on_statement(hook)


# --- a hook that uses the database -------------------------------------------------------


@pytest.mark.only("file")
@pytest.mark.only("sync")
async def test_statements_of_a_hook_are_not_told(db, told):
    await filled(db, "a")

    def look(event):
        told(event)
        told.append(unwrap(db).select(User).count())

    db.on_statement(look)
    await db.get(User, 1)
    assert (len(told), told[1]) == (2, 1)
    await db.get(User, 1)
    assert len(told) == 4


@pytest.mark.only("async")
async def test_a_task_that_a_hook_starts_is_not_told(db, told):
    await filled(db, "a")
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    async def write():
        await db.insert(User(name="by the hook"))
        done.set()

    def start(event):
        told(event)
        loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(write())))

    tasks = []
    db.on_statement(start)
    await db.get(User, 1)
    await done.wait()
    assert told.verbs == ["SELECT"]
    assert await db.select(User).count() == 2


# --- cancellation and garbage ------------------------------------------------------------


@pytest.mark.only("file")
async def test_a_statement_whose_time_was_up_is_told(watched, told):
    with pytest.raises(OperationTimeoutError), watched.timeout(0.1):
        await watched.fetch(ENDLESS)
    (event,) = told
    assert (event.sql, str(event.error)) == (ENDLESS, "interrupted")
    assert 0.05 < event.run < 4


@pytest.mark.only("file")
@pytest.mark.only("async")
async def test_a_cancelled_statement_is_told(watched, told):
    await watched.connect()
    task = asyncio.create_task(watched.fetch(ENDLESS), name="endless")
    while (await watched.health()).oldest_reader is None:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (event,) = told
    assert (event.task, str(event.error)) == ("task 'endless'", "interrupted")
    assert event.run > 0.02


def test_a_hook_does_not_keep_a_forgotten_database(tmp_path):
    db = SqliterDB(tmp_path / "x.db")
    db.on_statement(lambda event: db)
    db.create_table(User)
    db.get(User, 1)
    engine = weakref.ref(db._engine)
    del db
    gc.collect()
    assert engine() is None


async def test_what_was_asked_for_is_let_go(watched, colour):
    class Thing:
        pass

    await filled(watched, "a")
    thing = Thing()
    forgotten = weakref.ref(thing)
    request_id.set(thing)
    await watched.get(User, 1)
    async with watched:
        await watched.insert(User(name="b"))
    request_id.set(None)
    del thing
    deadline = time.monotonic() + 5  # a worker lets go when it looks for more work
    while forgotten() is not None and time.monotonic() < deadline:
        gc.collect()
        await asyncio.sleep(0.01)
    assert forgotten() is None
