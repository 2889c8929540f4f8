"""What the event loop's thread does itself: all that is short, and nothing for long."""

import asyncio
import contextvars
import math
import statistics
import sys
import threading
import time

import pytest
from pressure import LONG, NUMBERS, SLOW, HeldLoop, Item, prepare
from support import Colour, Signal, outside

from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.engines import inline, prompt, wal, workers
from sqliter.engines.connection import Connection
from sqliter.exceptions import DatabaseBusyError, OperationTimeoutError
from sqliter.model import BaseDBModel
from sqliter.orm import ModelRegistry

HOMES = {
    "normal": {},
    "full": {"durability": "full"},
    "memory": {"memory": True},
}
QUICK = ["normal", "memory"]
"""Where a commit waits for no disk."""


class Text(BaseDBModel):
    text: str


class Row(BaseDBModel):
    value: int
    name: str = "a name"


@pytest.fixture
def home(request, tmp_path):
    """Options of a database: a file that is committed quickly, or safely; or memory."""
    options = HOMES[getattr(request, "param", "normal")]
    return (
        options if "memory" in options else {"db_filename": tmp_path / "x.db"} | options
    )


everywhere = pytest.mark.parametrize("home", HOMES, indirect=True)
in_files = pytest.mark.parametrize("home", ["normal", "full"], indirect=True)
where_commits_are_quick = pytest.mark.parametrize("home", QUICK, indirect=True)


class Hops:
    """Counts the calls that went to a thread."""

    def __init__(self, monkeypatch):
        self.count = 0
        real = workers._Job

        def job(*args):
            self.count += 1
            return real(*args)

        monkeypatch.setattr(workers, "_Job", job)

    async def of(self, awaitable):
        """How many one operation takes."""
        before = self.count
        await awaitable
        return self.count - before


@pytest.fixture
def steady(monkeypatch):
    """As if no other program could make this one slow: what is short counts as short."""
    monkeypatch.setattr(inline, "STALL", math.inf)
    monkeypatch.setattr(prompt, "BUDGET", 10)


@pytest.fixture
def hops(monkeypatch):
    return Hops(monkeypatch)


async def opened(options, *models, rows=0, **more):
    """A database that is open for writing and reading, with so many rows."""
    db = AsyncSqliterDB(**options, **more)
    for model in (Row, *models):
        await db.create_table(model)
    await db.insert(Row(value=0))
    if rows:
        await db.execute(
            f"{NUMBERS} INSERT INTO rows (created_at, updated_at, value, name) "
            f"SELECT 1, 1, i, 'a name' FROM n LIMIT {rows}"
        )
    await db.get(Row, 1)
    return db


@pytest.fixture
def relations():
    """The relation classes for asyncio."""
    before = ModelRegistry.snapshot()
    yield Colour.ASYNC.orm
    ModelRegistry.restore(before)


@pytest.fixture
def articles(relations):
    class Tag(relations.BaseDBModel):
        name: str

    class Article(relations.BaseDBModel):
        title: str
        tags: relations.ManyToMany[Tag] = relations.ManyToMany(
            Tag, related_name="articles"
        )

    return Article, Tag


# --- what is short takes no hop ----------------------------------------------------------

READS = {
    "get": lambda db: db.get(Row, 1),
    "get of nothing": lambda db: db.get(Row, 99),
    "fetch_all": lambda db: db.select(Row).fetch_all(),
    "fetch_one": lambda db: db.select(Row).filter(value=0).fetch_one(),
    "count": lambda db: db.select(Row).count(),
    "exists": lambda db: db.select(Row).exists(),
    "fetch_dicts": lambda db: db.select(Row).group_by("value").fetch_dicts(),
    "raw fetch": lambda db: db.fetch("SELECT 1"),
}
WRITES = {
    "insert": lambda db: db.insert(Row(value=2)),
    "update": lambda db: db.update(Row(pk=1, value=3)),
    "delete": lambda db: db.delete(Row, 1),
}


@everywhere
@pytest.mark.parametrize("name", READS)
@pytest.mark.usefixtures("steady")
async def test_a_short_read_takes_no_hop(home, hops, name):
    db = await opened(home)
    await READS[name](db)  # learns the columns of the table
    assert await hops.of(READS[name](db)) == 0
    async with db:
        assert await hops.of(READS[name](db)) == 0
    await db.close()


@where_commits_are_quick
@pytest.mark.parametrize("name", WRITES)
@pytest.mark.usefixtures("steady")
async def test_a_short_write_takes_no_hop(home, hops, name):
    db = await opened(home)
    assert await hops.of(WRITES[name](db)) == 0
    assert [row.value for row in await db.select(Row).fetch_all()] == {
        "insert": [0, 2],
        "update": [3],
        "delete": [],
    }[name]
    await db.close()


@everywhere
@pytest.mark.parametrize("name", ["insert", "update"])
@pytest.mark.usefixtures("steady")
async def test_a_write_in_a_block_takes_no_hop_once_known_as_short(home, hops, name):
    db = await opened(home)
    async with db:
        assert await hops.of(WRITES[name](db)) == 1
        assert await hops.of(WRITES[name](db)) == 0
    await db.close()


@where_commits_are_quick
@pytest.mark.usefixtures("steady")
async def test_links_take_no_hop(home, hops, articles):
    Article, Tag = articles
    db = await opened(home, Article, Tag)
    article, tag = await db.insert(Article(title="x")), await db.insert(Tag(name="t"))
    await article.tags.add(tag)
    await article.tags.remove(tag)
    assert await hops.of(article.tags.add(tag)) == 0
    assert await hops.of(article.tags.count()) == 0
    assert await hops.of(article.tags.remove(tag)) == 0
    await db.close()


@where_commits_are_quick
@pytest.mark.usefixtures("steady")
async def test_a_short_block_takes_no_hop(home, hops):
    db = await opened(home)
    async with db:
        await db.insert(Row(value=1))  # from now on it is known as short

    async def block():
        async with db:
            await db.insert(Row(value=1))
            async with db.transaction(immediate=True):
                await db.get(Row, 1)
            await asyncio.gather(*(db.insert(Row(value=n)) for n in range(10)))

    async def undone():
        async with db:
            await db.insert(Row(value=1))
            raise ZeroDivisionError

    assert await hops.of(block()) == 0
    hops.count = 0
    with pytest.raises(ZeroDivisionError):
        await undone()
    assert hops.count == 0
    assert await db.select(Row).count() == 13
    await db.close()


@pytest.mark.usefixtures("steady")
async def test_a_commit_that_waits_for_the_disk_takes_a_hop(tmp_path, hops):
    db = await opened({"db_filename": tmp_path / "x.db"}, durability="full")
    assert await hops.of(db.insert(Row(value=2))) == 1

    async def block():
        async with db:
            await db.insert(Row(value=3))

    assert await hops.of(block()) == 2
    assert await hops.of(block()) == 1
    await db.close()


@everywhere
@pytest.mark.parametrize("name", READS | WRITES)
async def test_the_switch_sends_everything_to_threads(home, hops, name):
    db = await opened(home, inline=False)
    work = (READS | WRITES)[name]
    assert await hops.of(work(db)) == 1
    async with db:
        await db.insert(Row(pk=1, value=1)) if name == "delete" else None
        assert await hops.of(work(db)) == 1
    await db.close()


@everywhere
async def test_with_the_switch_blocks_begin_and_end_in_threads(home, hops):
    db = await opened(home, inline=False)
    assert await hops.of(in_block(db, done)) == 2
    assert await hops.of(in_block(db, lambda: db.insert(Row(value=1)))) == 3
    await db.close()


async def test_the_switch_means_nothing_to_blocking_code(tmp_path):
    with SqliterDB(tmp_path / "x.db", inline=False) as db:
        db.create_table(Row)
        assert db.get(Row, 1) is None


# --- what is long goes to a thread -------------------------------------------------------


@everywhere
@pytest.mark.parametrize("in_block", [False, True])
async def test_a_long_read_goes_to_a_thread_and_is_remembered(
    home, hops, monkeypatch, in_block
):
    db = await opened(home)
    tried = []
    real = Connection.start

    def start(self, stop, *, budget=None, **loss):
        tried.append(budget is not None)
        real(self, stop, budget=budget, **loss)

    monkeypatch.setattr(Connection, "start", start)
    sql = f"{NUMBERS} SELECT max(i) AS m FROM (SELECT i FROM n LIMIT 300000)"

    async def read():
        for _ in range(3):
            tried.clear()
            assert await hops.of(db.fetch(sql)) == 1
            yield tried

    async def check():
        attempts = [list(each) async for each in read()]
        assert attempts == [[True, False], [False], [False]]

    if in_block:
        async with db:
            await check()
    else:
        await check()
    await db.close()


async def test_a_hiccup_does_not_send_a_query_away_for_ever(home, hops, monkeypatch):
    """The machine was slow once. What is quick is done here again, sooner or later."""
    db = await opened(home)
    real = Connection.peek
    monkeypatch.setattr(Connection, "peek", lambda *_: time.sleep(0.02))
    assert await hops.of(db.get(Row, 1)) == 1
    monkeypatch.setattr(Connection, "peek", real)
    deadline = time.monotonic() + 4
    while await hops.of(db.get(Row, 1)):
        assert time.monotonic() < deadline, f"{hops.count} reads by key took a hop"
        await asyncio.sleep(0.005)
    await db.close()


@everywhere
@pytest.mark.parametrize("size", [0, 1, 100, 900, 1500, 4000, 20_000])
async def test_the_answer_is_the_same_wherever_it_comes_from(home, size):
    db = await opened(home, rows=20_000)
    for _ in range(2):  # in the middle it moves; then it starts in the thread
        rows = await db.select(Row).order("pk").limit(size).fetch_all()
        assert [row.pk for row in rows] == list(range(1, size + 1))
        assert [row.value for row in rows] == list(range(size))
    await db.close()


async def test_an_operation_may_move_between_its_statements(home, articles, hops):
    """The first of them is short, the next ones are not."""
    Article, Tag = articles
    db = await opened(home, Article, Tag)
    await db.insert(Article(title="x"))
    await db.bulk_insert([Tag(name=str(n)) for n in range(5000)])
    await db.execute(
        "INSERT INTO articles_tags (articles_pk, tags_pk) SELECT 1, pk FROM tags"
    )
    query = db.select(Article).prefetch_related("tags")
    for _ in range(3):
        article = await query.fetch_one()
        assert await article.tags.count() == 5000
        assert {tag.name for tag in await article.tags.fetch_all()} == set(
            map(str, range(5000))
        )
    await db.close()


@pytest.mark.parametrize(("size", "takes"), [(100, 0), (3000, 1)])
async def test_what_moved_is_remembered_by_the_cache(home, hops, size, takes):
    """To make many objects of what is remembered is long work, too."""
    db = await opened(home, rows=5000, cache_enabled=True)
    assert len(await db.select(Row).limit(size).fetch_all()) == size
    assert await hops.of(db.select(Row).limit(size).fetch_all()) == takes
    assert db.get_cache_stats()["hits"] == 1
    await db.close()


HEAVY = 100_000


@where_commits_are_quick
@pytest.mark.parametrize("in_block", [False, True])
@pytest.mark.usefixtures("steady")
async def test_a_heavy_value_is_written_in_a_thread_and_once(home, hops, in_block):
    db = await opened(home, Text)

    async def write(size):
        text = await db.insert(Text(text="x" * size))
        text.text = "y" * size
        await db.update(text)
        return text

    async def both():
        await write(1000)
        await write(1000)
        assert await hops.of(write(1000)) == 0
        assert await hops.of(write(HEAVY)) == 2

    if in_block:
        async with db:
            await both()
    else:
        await both()
    texts = await db.select(Text).order("pk").fetch_all()
    assert [text.text for text in texts] == ["y" * n for n in (1000, 1000, 1000, HEAVY)]
    await db.close()


@everywhere
@pytest.mark.parametrize("in_block", [False, True])
async def test_a_write_that_turns_out_slow_is_done_once(home, in_block):
    """It begins anew in a thread: its triggers must have run once all the same."""
    db = await opened(home)
    await db.execute("CREATE TABLE log (value)")
    await db.execute(
        "CREATE TRIGGER slow AFTER INSERT ON rows BEGIN INSERT INTO log SELECT m FROM "
        f"({NUMBERS} SELECT max(i) AS m FROM (SELECT i FROM n LIMIT 200000)); END"
    )
    rows = [Row(value=n) for n in range(1, 4)]

    async def write():
        for row in rows:
            await db.insert(row)

    if in_block:
        async with db:
            await write()
    else:
        await write()
    assert [row.pk for row in rows] == [2, 3, 4]
    assert await db.select(Row).order("pk").filter(pk__gt=1).fetch_all() == rows
    assert await db.fetch("SELECT count(*) AS n FROM log") == [{"n": 3}]
    await db.close()


# --- the loop is never held --------------------------------------------------------------

WORKED = 0.01
"""Seconds of the processor's time: ten times what a turn of the loop may take."""

HELD = 0.3
"""Seconds of the clock; the machine has other work as well."""


async def assert_not_held(work, prepare):
    """Prepare and do it three times; in most of them, the loop is free all the time.

    Two good ones are most of three.
    """
    worked, held = [], []
    for n in range(3):
        prepared = await prepare(n)
        with HeldLoop() as loop:
            # a task of its own: what this one does besides is not the database's work
            kept = await asyncio.create_task(work(prepared))
        del kept  # letting go of many objects takes time as well
        worked.append(loop.worked)
        held.append(loop.held)
        if n == 1 and max(worked) < WORKED and max(held) < HELD:
            return
    assert statistics.median(worked) < WORKED
    assert statistics.median(held) < HELD


def anew(home, n):
    """Another file: what was slow once is remembered."""
    return (
        home | {"db_filename": f"{home['db_filename']}{n}"}
        if "memory" not in home
        else home
    )


def always(thing):
    """Prepared once, used each time."""

    async def prepare(n):
        return thing

    return prepare


async def many_times(count, call):
    for n in range(count):
        await call(n)


async def at_once(*work):
    await asyncio.gather(*work)


ROWS = 100_000


def new_rows(count):
    return [Row(value=n) for n in range(count)]


async def done():
    """Nothing to wait for."""


async def in_block(db, call):
    async with db:
        await call()


LOADS = {
    "3,000 gets": lambda db: many_times(3000, lambda n: db.get(Row, n + 1)),
    "300 inserts": lambda db: many_times(300, lambda n: db.insert(Row(value=n))),
    "300 updates": lambda db: many_times(
        300, lambda n: db.update(Row(pk=n + 1, value=n))
    ),
    "300 inserts and deletes": lambda db: many_times(
        300, lambda n: insert_and_delete(db)
    ),
    "200 blocks": lambda db: many_times(
        200, lambda n: in_block(db, lambda: db.insert(Row(value=n)))
    ),
    "1,000 empty blocks": lambda db: many_times(1000, lambda n: in_block(db, done)),
    "1,000 inserts in a block": lambda db: in_block(
        db, lambda: many_times(1000, lambda n: db.insert(Row(value=n)))
    ),
    "200 tasks": lambda db: at_once(
        *(many_times(10, lambda n: db.insert(Row(value=n))) for _ in range(200))
    ),
    "selects of 10 rows": lambda db: many_times(
        500, lambda n: db.select(Row).limit(10).offset(n).fetch_all()
    ),
    "selects of 1,000 rows": lambda db: many_times(
        20, lambda n: db.select(Row).limit(1000).fetch_all()
    ),
    "a select of 20,000 rows": lambda db: db.select(Row).limit(20_000).fetch_all(),
    "a select of 100,000 rows": lambda db: db.select(Row).fetch_all(),
    "raw rows": lambda db: db.fetch("SELECT * FROM rows"),
    "a scan": lambda db: db.select(Row).filter(name__icontains="zebra").count(),
    "update of all": lambda db: db.select(Row).update({"name": "other"}),
    "delete of all": lambda db: db.select(Row).delete(),
    "a long list of values": lambda db: (
        db.select(Row).filter(value__in=LONG_LIST).count()
    ),
    "a mixture": lambda db: at_once(
        many_times(300, lambda n: db.get(Row, n + 1)),
        many_times(20, lambda n: db.select(Row).limit(2000).fetch_all()),
        many_times(200, lambda n: db.insert(Row(value=n))),
        many_times(50, lambda n: in_block(db, lambda: db.insert(Row(value=n)))),
        db.select(Row).limit(30_000).fetch_all(),
        db.select(Row).filter(name__icontains="zebra").count(),
    ),
}


async def insert_and_delete(db):
    row = await db.insert(Row(value=-1))
    await db.delete(Row, row.pk)


LONG_LIST = list(range(ROWS))


@everywhere
@pytest.mark.parametrize("name", LOADS)
async def test_no_load_holds_the_loop(home, name):
    kept = []

    async def prepared(n):
        kept.append(await opened(anew(home, n), rows=ROWS))
        return kept[-1]

    await assert_not_held(LOADS[name], prepared)
    for db in kept:
        await db.close()


@everywhere
@pytest.mark.parametrize("how", ["alone", "in a block"])
async def test_a_large_bulk_insert_does_not_hold_the_loop(home, how):
    """Not even by turning the objects into rows."""
    db = await opened(home)

    async def work(rows):
        if how == "alone":
            await db.bulk_insert(rows)
        else:
            await in_block(db, lambda: db.bulk_insert(rows))

    async def prepare(n):
        return new_rows(50_000)

    await assert_not_held(work, prepare)
    await db.close()


@everywhere
@pytest.mark.parametrize("rows", [1, 50_000])
async def test_answers_from_the_cache_do_not_hold_the_loop(home, rows):
    """They are there at once. Thousands of them, or of their rows, are not."""
    db = await opened(home, rows=50_000, cache_enabled=True)
    query = db.select(Row).limit(rows)
    await query.fetch_all()
    times = 10_000 if rows == 1 else 1

    async def work(n):
        kept = []
        for _ in range(times):
            kept.append(await query.fetch_all())
        return kept

    await assert_not_held(work, always(None))
    await db.close()


@everywhere
@pytest.mark.parametrize("keep", [True, False])
async def test_the_end_of_a_large_block_does_not_hold_the_loop(home, keep):
    db = await opened(home)

    async def work(n):
        try:
            async with db:
                await db.execute(
                    f"{NUMBERS} INSERT INTO rows (created_at, updated_at, value, name) "
                    f"SELECT 1, 1, i, 'a name' FROM n LIMIT {ROWS}"
                )
                if not keep:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    await assert_not_held(work, always(None))
    await db.close()


@everywhere
@pytest.mark.parametrize("how", ["alone", "in a block"])
async def test_a_slow_trigger_does_not_hold_the_loop(home, how):
    async def prepared(n):
        db = AsyncSqliterDB(**anew(home, n))
        await prepare(db)
        return db

    async def work(db):
        with pytest.raises(OperationTimeoutError), db.timeout(0.3):
            if how == "alone":
                await db.insert(Item(value=SLOW))
            else:
                await in_block(db, lambda: db.insert(Item(value=SLOW)))
        await db.close()

    await assert_not_held(work, prepared)


@everywhere
@pytest.mark.parametrize("how", ["alone", "in a block"])
async def test_a_delete_that_reaches_far_does_not_hold_the_loop(home, relations, how):
    class Parent(relations.BaseDBModel):
        name: str

    class Child(relations.BaseDBModel):
        parent: relations.ForeignKey[Parent] = relations.ForeignKey(
            Parent, on_delete="CASCADE"
        )

    async def prepared(n):
        db = await opened(anew(home, n), Parent, Child)
        await db.insert(Parent(name="x"))
        await db.execute(
            f"{NUMBERS} INSERT INTO children (created_at, updated_at, parent_id) "
            "SELECT 1, 1, 1 FROM n LIMIT 150000"
        )
        return db

    async def work(db):
        if how == "alone":
            await db.delete(Parent, 1)
        else:
            await in_block(db, lambda: db.delete(Parent, 1))
        assert await db.fetch("SELECT count(*) AS n FROM children") == [{"n": 0}]
        await db.close()

    await assert_not_held(work, prepared)


OPENINGS = {
    "by its first operation": lambda db: db.insert(Row(value=1)),
    "by connect()": lambda db: db.connect(),
}


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize(
    "name", ["insert", "bulk insert", "block", "create table", "raw"]
)
async def test_another_program_does_not_hold_the_loop(tmp_path, opening, name):
    path = tmp_path / "x.db"
    await (await opened({"db_filename": path})).close()
    opened_ = []

    async def prepared(n):
        db = AsyncSqliterDB(path, busy_timeout=0.7)
        await OPENINGS[opening](db)
        await db.get(Row, 1)
        opened_.append(db)
        return db

    async def work(db):
        with outside(db) as connection:
            connection.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseBusyError):
                await {
                    "insert": lambda: db.insert(Row(value=1)),
                    "bulk insert": lambda: db.bulk_insert(new_rows(3)),
                    "block": lambda: in_block(db, done),
                    "create table": lambda: db.create_table(Text),
                    "raw": lambda: db.execute("DELETE FROM rows"),
                }[name]()
            connection.execute("ROLLBACK")

    await assert_not_held(work, prepared)
    for db in opened_:
        await db.close()


@everywhere
async def test_a_cancelled_block_does_not_hold_the_loop_for_its_tasks(home):
    """One of them reads for long while the block is to be undone."""
    db = await opened(home)
    read = f"{NUMBERS} SELECT max(i) FROM (SELECT i FROM n LIMIT 4000000)"

    async def block():
        async with db:
            await db.insert(Row(value=1))
            joined = asyncio.create_task(db.fetch(read))
            await asyncio.sleep(0.02)
        await joined

    async def work(n):
        task = asyncio.create_task(block())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])

    await assert_not_held(work, always(None))
    await db.close()


async def test_a_query_that_runs_for_long_leaves_the_loop_to_others(home):
    db = await opened(home)
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticker = asyncio.create_task(tick())
    with pytest.raises(OperationTimeoutError), db.timeout(0.5):
        await db.fetch(LONG)
    ticker.cancel()
    assert ticks > 50
    await db.close()


# --- turns -------------------------------------------------------------------------------

SEQUENCES = {
    "gets": lambda db, n: db.get(Row, n % 50 + 1),
    "inserts": lambda db, n: db.insert(Row(value=n)),
    "updates": lambda db, n: db.update(Row(pk=1, value=n)),
}


@where_commits_are_quick
@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.usefixtures("steady")
async def test_others_get_their_turns_between_short_operations(
    home, hops, monkeypatch, name
):
    """5,000 in sequence, none of which waits for anything."""
    monkeypatch.setattr(wal, "HUGE", math.inf)  # for whose end a writer would wait
    db = await opened(home, rows=100)
    turns = 0

    async def count_turns():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    await SEQUENCES[name](db, 0)
    counting = asyncio.create_task(count_turns())
    hops.count, worked = 0, time.thread_time()
    for n in range(5000):
        await SEQUENCES[name](db, n)
    worked = time.thread_time() - worked
    counting.cancel()
    assert hops.count == 0
    assert turns > worked / 0.01
    await db.close()


# --- what was written is seen ------------------------------------------------------------


@everywhere
async def test_own_writes_are_read_at_once(home):
    db = await opened(home)
    for n in range(100):
        row = await db.insert(Row(value=n))
        assert await db.get(Row, row.pk) == row
        assert await db.select(Row).count() == n + 2
        row.value = -n
        await db.update(row)
        assert (await db.select(Row).filter(pk=row.pk).fetch_one()).value == -n
    await db.close()


@everywhere
async def test_own_writes_of_every_kind_are_read_at_once(home):
    db = await opened(home)
    count = 1
    for n in range(20):
        async with db:
            await db.insert(Row(value=n))
        await db.bulk_insert(new_rows(300))
        async with db:
            await db.bulk_insert(new_rows(300))
        await db.execute(
            "INSERT INTO rows (created_at, updated_at, value, name) VALUES (1, 1, 1, '')"
        )
        count += 602
        assert await db.select(Row).count() == count
        assert await db.fetch("SELECT count(*) AS n FROM rows") == [{"n": count}]
    await db.close()


async def test_a_long_read_does_not_hide_newer_writes(home):
    db = await opened(home)
    reading = asyncio.create_task(db.fetch(LONG))
    await asyncio.sleep(0.05)
    for n in range(20):
        row = await db.insert(Row(value=n))
        assert await db.get(Row, row.pk) == row
    assert not reading.done()
    reading.cancel()
    await asyncio.wait([reading])
    await db.close()


async def test_writes_here_and_in_threads_keep_their_order(home):
    db = await opened(home, Text)
    for n in range(30):
        size = 100_000 if n % 3 == 0 else 10
        await db.insert(Text(text=f"{n}" + "x" * size))
        if n % 5 == 0:
            await db.bulk_insert([Text(text=f"{n}.5")])
    texts = await db.select(Text).order("pk").fetch_all()
    numbers = [float(text.text.rstrip("x")) for text in texts]
    assert numbers == sorted(numbers)
    await db.close()


# --- the breaker -------------------------------------------------------------------------


async def test_while_the_disk_is_slow_threads_wait_for_it(home, hops, monkeypatch):
    db = await opened(home)
    queries = [db.select(Row).filter(value__gt=0).limit(n) for n in range(1, 4)]
    shapes = [
        queries[0],
        queries[0].clone().order("name"),
        db.select(Row).order("value"),
    ]
    probe = db.select(Row).filter(name="never seen before")
    real = Connection.peek

    def slow(*arguments):
        time.sleep(0.03)
        return real(*arguments)

    monkeypatch.setattr(Connection, "peek", slow)
    for query in shapes:
        await query.fetch_all()
    monkeypatch.setattr(Connection, "peek", real)
    monkeypatch.setattr(inline, "STALL", math.inf)
    monkeypatch.setattr(prompt, "BUDGET", 10)
    assert await hops.of(probe.fetch_all()) == 1
    assert await hops.of(db.insert(Row(value=1))) == 1
    await asyncio.sleep(1.1)
    assert await hops.of(probe.fetch_all()) == 0
    assert await hops.of(db.insert(Row(value=1))) == 0
    await db.close()


async def test_one_slow_moment_is_no_slow_disk(home, hops, monkeypatch):
    db = await opened(home)
    real = Connection.answer
    monkeypatch.setattr(
        Connection,
        "answer",
        lambda self, request: time.sleep(0.03) or real(self, request),
    )
    await db.select(Row).order("name").fetch_all()
    monkeypatch.setattr(Connection, "answer", real)
    assert await hops.of(db.get(Row, 1)) == 0
    await db.close()


# --- several loops -----------------------------------------------------------------------


def in_threads(*functions):
    errors = []

    def run(function):
        try:
            asyncio.run(function())
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@everywhere
def test_two_loops_in_two_threads_share_a_database(home):
    db = AsyncSqliterDB(**home)
    asyncio.run(db.create_table(Row))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    def work(part):
        async def run():
            for n in range(60):
                row = await db.insert(Row(value=part, name=str(n)))
                assert await db.get(Row, row.pk) == row
                async with db:
                    await db.insert(Row(value=part + 10))
                    await asyncio.gather(*(db.get(Row, 1) for _ in range(3)))
                if n % 10 == 0:
                    await db.bulk_insert([Row(value=part + 20)] * 1)
            await asyncio.gather(*(db.insert(Row(value=part + 30)) for _ in range(60)))

        return run

    try:
        in_threads(*(work(part) for part in range(4)))
    finally:
        sys.setswitchinterval(interval)

    async def counted():
        rows = await db.select(Row).fetch_all()
        await db.close()
        return [sum(row.value == n for row in rows) for n in range(40)]

    expected = [60] * 4 + [0] * 6 + [60] * 4 + [0] * 6 + [6] * 4 + [0] * 6 + [60] * 4
    assert asyncio.run(counted()) == expected + [0] * 6


@everywhere
def test_one_loop_after_another(home):
    db = AsyncSqliterDB(**home)

    async def work(n):
        if n == 0:
            await db.create_table(Row)
        await db.insert(Row(value=n))
        async with db:
            await db.bulk_insert(new_rows(200))
        return await db.select(Row).count()

    assert [asyncio.run(work(n)) for n in range(5)] == [201 * n for n in range(1, 6)]
    asyncio.run(db.close())


@everywhere
def test_a_block_of_one_loop_makes_those_of_another_wait(home):
    db = AsyncSqliterDB(**home)
    asyncio.run(db.create_table(Row))
    inside, events = threading.Event(), []

    async def first():
        async with db:
            await db.insert(Row(value=1))
            inside.set()
            await asyncio.sleep(0.1)
            events.append("first")

    async def second():
        while not inside.is_set():
            await asyncio.sleep(0.001)
        await db.insert(Row(value=2))
        events.append("second")

    in_threads(first, second)
    assert events == ["first", "second"]
    asyncio.run(db.close())


# --- many at once ------------------------------------------------------------------------


@in_files
async def test_a_quick_read_does_not_wait_for_slow_ones(home):
    db = await opened(home)
    slow = [asyncio.create_task(db.fetch(LONG)) for _ in range(3)]
    await asyncio.sleep(0.05)
    for _ in range(50):
        assert await db.get(Row, 1) is not None
    assert not any(task.done() for task in slow)
    for task in slow:
        task.cancel()
    await asyncio.wait(slow)
    await db.close()


@in_files
async def test_a_quick_read_waits_for_no_block(home):
    db = await opened(home)
    inside, release = Signal(), Signal()

    async def hold():
        async with db:
            await db.bulk_insert(new_rows(500))
            inside.set()
            await release.wait()

    holding = asyncio.create_task(hold(), context=contextvars.Context())
    await inside.wait()
    for _ in range(50):
        assert await db.select(Row).count() == 1
    release.set()
    await holding
    await db.close()
