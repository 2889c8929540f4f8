"""Several programs on one file, and Ctrl-C: who waits, for how long, and what is left."""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from contextlib import asynccontextmanager, contextmanager

import pytest
from pressure import LONG, PROMPT, SLOW, Item, prepare, queue_of, values
from support import (
    INTERRUPTIBLE,
    Colour,
    Signal,
    assert_no_transaction_left,
    outside,
    unwrap,
)

from sqliter import SqliterDB
from sqliter.exceptions import DatabaseBusyError
from sqliter.model import BaseDBModel


class Account(BaseDBModel):
    balance: int = 0

    class Meta:
        table_name = "accounts"


@contextmanager
def child(code, *args):
    """Another interpreter that runs the program, talked to by lines."""
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE + code, *map(str, args)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def heard(process, word):
    """The rest of the next line, which begins with the word."""
    line = process.stdout.readline()
    if not line.startswith(word):
        process.kill()
        pytest.fail(f"{line!r} instead of {word!r}:\n{process.stderr.read()}")
    return line.removeprefix(word).strip()


def go_on(process):
    process.stdin.write("\n")
    process.stdin.flush()


# --- several programs --------------------------------------------------------------------

WORKER = """
import asyncio, sys
from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.model import BaseDBModel

class Account(BaseDBModel):
    balance: int = 0
    class Meta:
        table_name = "accounts"

def blocking(path):
    db = SqliterDB(path, busy_timeout=40)
    db.connect()
    for n in range(20):
        with db:
            account = db.get(Account, 1)
            account.balance += 1
            db.update(account)
        db.insert(Account(balance=1000))
        if n % 5 == 0:
            db.bulk_insert([Account(balance=2000)] * 1)
            db.select(Account).filter(balance=2000).update({"balance": 2001})
    db.close()

async def awaiting(path):
    db = AsyncSqliterDB(path, busy_timeout=40)

    async def part():
        for n in range(10):
            async with db:
                account = await db.get(Account, 1)
                account.balance += 1
                await db.update(account)
            await db.insert(Account(balance=1000))
            if n % 5 == 0:
                await db.bulk_insert([Account(balance=2001)])

    await asyncio.gather(part(), part())
    await db.close()

if sys.argv[2] == "sync":
    blocking(sys.argv[1])
else:
    asyncio.run(awaiting(sys.argv[1]))
"""


@pytest.mark.parametrize("durability", ["normal", "full"])
def test_no_program_is_told_that_the_database_is_locked(tmp_path, durability):
    path = tmp_path / "x.db"
    db = SqliterDB(path, durability=durability, busy_timeout=40)
    db.create_table(Account)
    db.insert(Account())
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(path), colour],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stderr=subprocess.PIPE,
            text=True,
        )
        for colour in ("sync", "async", "sync", "async")
    ]
    for _ in range(20):
        with db:
            account = db.get(Account, 1)
            account.balance += 1
            db.update(account)
    errors = [process.communicate(timeout=50)[1] for process in processes]
    assert errors == [""] * 4
    assert db.get(Account, 1).balance == 100
    assert db.select(Account).filter(balance=1000).count() == 80
    assert db.select(Account).filter(balance=2001).count() == 16
    db.close()


@pytest.mark.only("file")
@pytest.mark.parametrize("name", ["insert", "bulk insert", "block", "raw", "DDL"])
async def test_a_lock_that_is_let_go_in_time_is_no_error(db, apart, name):
    await prepare(db)
    work = {
        "insert": lambda: db.insert(Item(value=2)),
        "bulk insert": lambda: db.bulk_insert([Item(value=2)]),
        "block": lambda: block(db, Item(value=2)),
        "raw": lambda: db.execute("UPDATE items SET value = 2"),
        "DDL": lambda: db.create_table(Account),
    }[name]
    with outside(db) as connection:
        connection.execute("BEGIN IMMEDIATE")
        working = apart(work())
        await asyncio.sleep(0.1)
        assert not working.done()
        connection.execute("ROLLBACK")
        await working
    assert_no_transaction_left(db)


async def block(db, *items):
    async with db:
        for item in items:
            await db.insert(item)


# --- in vain -----------------------------------------------------------------------------

PATIENCE = 0.3

WAITERS = {
    "insert": lambda db: db.insert(Item(value=2)),
    "bulk insert": lambda db: db.bulk_insert([Item(value=2)]),
    "block": lambda db: block(db, Item(value=2)),
    "query update": lambda db: db.select(Item).update({"value": 2}),
    "DDL": lambda db: db.create_table(Account),
}


@contextmanager
def named(db, name):
    """Give the running task or thread a name."""
    one = threading.current_thread() if db is not unwrap(db) else asyncio.current_task()
    get, set_ = (
        (lambda: one.name, lambda name: setattr(one, "name", name))
        if isinstance(one, threading.Thread)
        else (one.get_name, one.set_name)
    )
    before = get()
    set_(name)
    try:
        yield
    finally:
        set_(before)


@asynccontextmanager
async def held(db, apart, work):
    """A block of a named task or thread did some work, and stays open."""
    inside, release = Signal(), Signal()

    async def hold():
        with named(db, "the holder"):
            async with db:
                await work(db)
                inside.set()
                await release.wait()

    holding = apart(hold())
    await inside.wait()
    try:
        yield
    finally:
        release.set()
        await holding


@pytest.mark.parametrize("name", WAITERS)
async def test_the_error_says_who_in_this_process_and_since_when(make_db, apart, name):
    db = make_db(busy_timeout=PATIENCE)
    await prepare(db)
    async with held(db, apart, lambda db: db.update(Item(pk=1, value=5))):
        started = time.monotonic()
        with pytest.raises(DatabaseBusyError) as caught:
            await WAITERS[name](db)
        waited = time.monotonic() - started
    text = str(caught.value)
    kind = "thread" if db is not unwrap(db) else "task"
    assert f"{kind} 'the holder'" in text
    assert 'UPDATE "items"' in text
    age = float(text.split("for ")[1].split(" s")[0])
    assert PATIENCE - 0.1 <= age <= waited + 1
    assert waited >= PATIENCE
    assert await values(db) == [5]
    await WAITERS[name](db)
    assert_no_transaction_left(db)


async def test_the_error_names_no_statement_of_somebody_else(make_db, apart):
    """The holder has done nothing yet; what was done before it says nothing about it."""
    db = make_db(busy_timeout=PATIENCE)
    await prepare(db)
    await db.insert(Item(value=2))

    async def nothing(db):
        pass

    async with held(db, apart, nothing):
        with pytest.raises(DatabaseBusyError, match="the holder") as caught:
            await db.insert(Item(value=3))
    assert "INSERT" not in str(caught.value)


async def test_the_error_names_the_statement_that_runs(make_db, apart):
    db = make_db(busy_timeout=PATIENCE)
    await prepare(db)
    running = Signal()

    async def long():
        with named(db, "the holder"):
            running.set()
            with db.timeout(1):
                await db.execute(f"UPDATE items SET value = {SLOW}")

    holding = apart(long())
    await running.wait()
    await asyncio.sleep(0.05)
    with pytest.raises(DatabaseBusyError, match="the holder") as caught:
        await db.insert(Item(value=3))
    assert f"SET value = {SLOW}" in str(caught.value)
    await asyncio.gather(holding, return_exceptions=True)


@pytest.mark.only("file")
@pytest.mark.parametrize("name", WAITERS)
async def test_the_error_says_that_another_program_does(db, make_db, name):
    await prepare(db)
    other = make_db(filename=db.filename, busy_timeout=PATIENCE)
    await other.insert(Item(value=2))
    started = time.monotonic()
    with outside(db) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusyError) as caught:
            await WAITERS[name](other)
        connection.execute("ROLLBACK")
    assert time.monotonic() - started >= PATIENCE
    assert "another connection or process" in str(caught.value)
    assert "task" not in str(caught.value)
    assert "thread" not in str(caught.value)
    await WAITERS[name](other)
    assert_no_transaction_left(db)


@pytest.mark.only("file")
async def test_all_who_wait_for_another_program_are_told(db, make_db, together):
    await prepare(db)
    other = make_db(filename=db.filename, busy_timeout=PATIENCE)
    await other.insert(Item(value=2))
    items = [Item(value=n) for n in range(10)]
    with outside(db) as connection:
        connection.execute("BEGIN IMMEDIATE")
        results = await together(
            *(other.insert(item) for item in items), return_exceptions=True
        )
        connection.execute("ROLLBACK")
    assert {type(result) for result in results} == {DatabaseBusyError}
    assert [item.pk for item in items] == [0] * 10
    await together(*(other.insert(item) for item in items))
    assert len(await values(other)) == 12


async def test_a_queue_that_moves_is_no_error(make_db, together):
    db = make_db(busy_timeout=PATIENCE)
    await prepare(db)

    async def work(n):
        async with db:
            await db.insert(Item(value=n))
            await asyncio.sleep(0.05)

    await together(*(work(n) for n in range(20)))  # a second altogether
    assert len(await values(db)) == 21


async def test_no_patience_at_all(make_db, apart):
    db = make_db(busy_timeout=0)
    await prepare(db)
    await db.insert(Item(value=2))
    async with held(db, apart, lambda db: db.insert(Item(value=3))):
        with pytest.raises(DatabaseBusyError, match="the holder"):
            await db.insert(Item(value=4))
    assert await values(db) == [1, 2, 3]


# --- readers -----------------------------------------------------------------------------


@pytest.mark.only("file")
async def test_a_quick_read_beside_a_long_one(db, apart):
    await prepare(db)
    reading = Signal()

    async def read():
        reading.set()
        with db.timeout(1.5):
            await db.fetch(LONG)

    long = [apart(read()) for _ in range(3)]
    await reading.wait()
    await asyncio.sleep(0.05)
    for _ in range(20):
        assert (await db.get(Item, 1)).value == 1
        assert await db.select(Item).count() == 1
    assert not any(each.done() for each in long)
    await asyncio.gather(*long, return_exceptions=True)


@pytest.mark.only("file")
async def test_a_quick_read_beside_a_long_write(db, apart):
    await prepare(db)
    writing = Signal()

    async def write():
        writing.set()
        with db.timeout(1):
            await db.insert(Item(value=SLOW))

    long = apart(write())
    await writing.wait()
    await asyncio.sleep(0.05)
    for _ in range(20):
        assert (await db.get(Item, 1)).value == 1
        assert await values(db) == [1]
    assert not long.done()
    await asyncio.gather(long, return_exceptions=True)


async def assert_reads_do_not_wait(db):
    for _ in range(20):
        assert (await db.get(Item, 1)).value == 1
        assert await db.select(Item).count() == 1
        assert await db.fetch("SELECT value FROM items") == [{"value": 1}]
    assert queue_of(db) == 0


@pytest.mark.only("file")
async def test_a_read_waits_for_no_block(make_db, apart):
    db = make_db(busy_timeout=0.05)
    await prepare(db)
    async with held(db, apart, lambda db: db.bulk_insert([Item(value=2)])):
        await assert_reads_do_not_wait(db)


@pytest.mark.only("file")
async def test_a_read_waits_for_no_other_program(make_db):
    db = make_db(busy_timeout=0.05)
    await prepare(db)
    with outside(db) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE items SET value = 3")
        await assert_reads_do_not_wait(db)


@pytest.mark.only("file")
async def test_the_first_read_of_all_waits_for_no_writer(db, make_db):
    await prepare(db)
    other = make_db(filename=db.filename, busy_timeout=0.05)
    with outside(db) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert await values(other) == [1]
        async with other.transaction(read_only=True):
            assert await values(other) == [1]


# --- Ctrl-C ------------------------------------------------------------------------------

CHILD = """
import asyncio, json, sys, threading, time
from pressure import LONG, NUMBERS, SLOW, Item
from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.model import BaseDBModel

class Text(BaseDBModel):
    text: str
    class Meta:
        table_name = "texts"

def say(*words):
    print(*words, flush=True)

async def sleep(seconds):
    if is_async:
        await asyncio.sleep(seconds)
    else:
        time.sleep(seconds)

def run(steps):
    '''Of the blocking database every verb is done at once, so that nothing waits.'''
    if is_async:
        return asyncio.run(steps)
    try:
        steps.send(None)
    except StopIteration as stop:
        return stop.value

path, colour, name = sys.argv[1:4]
is_async = colour == "async"
options = dict(auto_commit=False) if name == "without auto_commit" else {}
if is_async:
    db = AsyncSqliterDB(path, busy_timeout=8, **options)
else:
    from support import BlockingDatabase
    db = BlockingDatabase(SqliterDB(path, busy_timeout=8, **options))

release = threading.Event()
held = threading.Event()

def hold():
    async def block():
        async with db:
            held.set()
            while not release.is_set():
                await sleep(0.01)
    run(block())

async def block(*items):
    async with db:
        for item in items:
            await db.insert(item)

async def sleeping():
    async with db:
        await db.insert(Item(value=5))
        await sleep(30)

async def reading_in_a_block():
    async with db:
        await db.insert(Item(value=5))
        await db.fetch(LONG)

async def long_texts():
    await db.select(Text).filter(text__icontains="zebra").count()

many = []

WORK = {
    "read": lambda: db.fetch(LONG),
    "read of many rows": lambda: db.fetch(f"{NUMBERS} SELECT i FROM n LIMIT 4000000"),
    "write": lambda: db.insert(Item(value=SLOW)),
    "raw write": lambda: db.execute(f"UPDATE items SET value = {SLOW}"),
    "write in a block": lambda: block(Item(value=5), Item(value=SLOW)),
    "read in a block": reading_in_a_block,
    "sleep in a block": sleeping,
    "lock": lambda: db.insert(Item(value=5)),
    "lock, block": lambda: block(Item(value=5)),
    "lock after connect()": lambda: db.insert(Item(value=5)),
    "turn": lambda: db.insert(Item(value=5)),
    "turn, block": lambda: block(Item(value=5)),
    "bulk insert": lambda: db.bulk_insert(many),
    "long texts": long_texts,
    "without auto_commit": lambda: db.fetch(LONG),
}

async def once():
    await WORK[name]()

if name == "bulk insert":
    many += [Item(value=n) for n in range(150_000)]
if name == "lock after connect()":
    run(db.connect())
if name.startswith("turn"):
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()

for _ in range(3):
    if name == "without auto_commit":
        run(db.insert(Item(value=5)))
    say("ready")
    sys.stdin.readline()
    try:
        run(once())
    except KeyboardInterrupt:
        say("stopped", time.monotonic())
    except Exception as error:
        say("failed", repr(error))
    else:
        say("finished")
release.set()
say("ready")
sys.stdin.readline()

async def finish():
    if name == "without auto_commit":
        await db.commit()
    await db.insert(Item(value=7))
    if name == "without auto_commit":
        await db.commit()
    return [item.value for item in await db.select(Item).order("pk").fetch_all()]

say("values", json.dumps(run(finish())))
"""

INTERRUPTED = [
    "read",
    "read of many rows",
    "write",
    "raw write",
    "write in a block",
    "read in a block",
    "sleep in a block",
    "lock",
    "lock, block",
    "lock after connect()",
    "turn",
    "turn, block",
    "bulk insert",
    "long texts",
    "without auto_commit",
]


@pytest.fixture
def shop(tmp_path):
    """The path of a file with an item, and with what takes long."""
    path = tmp_path / "x.db"
    db = SqliterDB(path)

    async def fill():
        wrapped = Colour.SYNC.wrap(db)
        await prepare(wrapped)
        await wrapped.execute("CREATE TABLE few (text TEXT)")
        for _ in range(4):
            await wrapped.execute(
                "INSERT INTO few VALUES (?)", ["Straße, ma ma " * 25_000]
            )
        await wrapped.execute(
            "CREATE VIEW texts AS SELECT 1 AS pk, 1 AS created_at, 1 AS updated_at, few.* "
            "FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
            "3000) SELECT i FROM n) CROSS JOIN few"
        )

    asyncio.run(fill())
    db.close()
    return path


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("name", INTERRUPTED)
def test_ctrl_c_stops_what_runs_or_waits(shop, colour, name):
    late = []
    with child(CHILD, shop, colour, name) as process, outside_of(shop) as connection:
        for _ in range(3):
            heard(process, "ready")
            if name.startswith("lock"):
                connection.execute("BEGIN IMMEDIATE")
            go_on(process)
            time.sleep(0.2)
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            late.append(float(heard(process, "stopped")) - sent)
            if name.startswith("lock"):
                connection.execute("ROLLBACK")
            if not name.startswith(("turn", "without")):
                assert_free(connection)
        heard(process, "ready")
        go_on(process)
        found = json.loads(heard(process, "values"))
        assert process.wait(10) == 0
    kept = [5, 5, 5] if name == "without auto_commit" else []
    assert found == [1, *kept, 7]
    assert statistics.median(late) < PROMPT


@contextmanager
def outside_of(path):
    class File:
        filename = path

    with outside(File) as connection:
        connection.execute("PRAGMA busy_timeout = 0")
        yield connection


def assert_free(connection):
    """Another program can write at once."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")


GROUP = """
import json, sys, threading, time
from pressure import SLOW, Item
from sqliter import SqliterDB

db = SqliterDB(sys.argv[1], busy_timeout=20)
db.insert(Item(value=0))
seat = db._engine.seat
held, release = threading.Event(), threading.Event()

def hold():
    with db:
        held.set()
        release.wait()

def follow():
    while seat.look()[2] < 1:
        time.sleep(0.001)
    db.insert(Item(value=6))

def let_go():
    while seat.look()[2] < 2:
        time.sleep(0.001)
    print("ready", flush=True)
    release.set()

threads = [threading.Thread(target=each) for each in (hold, follow, let_go)]
for thread in threads:
    thread.start()
held.wait()
try:
    db.insert(Item(value=SLOW))  # first in the queue: it works for the one behind it
except KeyboardInterrupt:
    print("stopped", time.monotonic(), flush=True)
for thread in threads:
    thread.join()
rows = db.select(Item).order("pk").fetch_all()
print("values", json.dumps([item.value for item in rows]), flush=True)
"""


def test_ctrl_c_stops_one_that_works_for_others(shop):
    with child(GROUP, shop) as process:
        heard(process, "ready")
        time.sleep(0.3)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        late = float(heard(process, "stopped")) - sent
        found = json.loads(heard(process, "values"))
        assert process.wait(10) == 0
    assert found == [1, 0, 6]
    assert late < 1


STORM = """
import random, signal, sys, threading
from pressure import Item
from sqliter import SqliterDB

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
rng = random.Random(int(sys.argv[2]))
db = SqliterDB(sys.argv[1], busy_timeout=1)
db.insert(Item(value=0))
db.get(Item, 1)
kept = []

def some_work(n):
    kind = rng.randrange(4)
    if kind == 0:
        db.insert(Item(value=n))
        kept.append(n)
    elif kind == 1:
        db.bulk_insert([Item(value=n), Item(value=n)])
        kept.append(n)
    elif kind == 2:
        db.get(Item, 1)
    else:
        db.select(Item).filter(pk=1).update({"value": n})

left = []
for n in range(1000, 1400):
    try:
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(2e-5, 6e-4))
        while True:
            some_work(n)
    except KeyboardInterrupt:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        if db.in_transaction:
            raise RuntimeError("a block is open that the program has left")
        item = db.insert(Item(value=7))
        other = SqliterDB(sys.argv[1], busy_timeout=0)
        assert other.get(Item, item.pk) is not None, "it was not committed"
        other.insert(Item(value=8))
        other.close()
    except Exception as error:
        left.append(f"{n}: {error!r}"[:200])
        db = SqliterDB(sys.argv[1], busy_timeout=1)
stored = {item.value for item in db.select(Item).fetch_all()}
print(f"{len(left)} of 400:", *left[:5])
print("lost:", sorted(set(kept) - stored))
"""


@pytest.mark.parametrize("seed", range(2))
def test_ctrl_c_at_any_moment_leaves_a_database_that_works(shop, seed):
    """As in a notebook: the program goes on, and so must the database."""
    with child(STORM, shop, seed) as process:
        output, errors = process.communicate(timeout=50)
    assert process.returncode == 0, errors
    assert output.splitlines() == ["0 of 400:", "lost: []"]
