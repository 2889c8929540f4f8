"""`db.transaction(read_only=, timeout=, immediate=)`; deadlines stand in test_timeouts."""

import asyncio
import math
import sqlite3
import time

import pytest
from support import (
    Signal,
    assert_no_transaction_left,
    committed,
    outside,
    unwrap,
    values,
)

from sqliter.exceptions import DatabaseBusyError, TransactionError
from sqliter.model import BaseDBModel


class User(BaseDBModel):
    name: str


class Note(BaseDBModel):
    text: str


async def names(db):
    return [user.name for user in await db.select(User).order("pk").fetch_all()]


async def prepared(db, *users):
    await db.create_table(User)
    return [await db.insert(User(name=name)) for name in users]


@pytest.fixture
def write_elsewhere(apart, make_db):
    """`await write_elsewhere(db, who, name)` commits a user past the open block."""

    async def write(db, who, name):
        if who == "another process":
            with outside(db) as connection:
                connection.execute(
                    "INSERT INTO users (created_at, updated_at, name) VALUES (1, 1, ?)",
                    (name,),
                )
        elif who == "another object":
            await make_db(filename=db.filename).insert(User(name=name))
        else:
            await apart(db.insert(User(name=name)))

    return write


# --- read-only: one state ----------------------------------------------------------------

OTHERS = ["the same object", "another object", "another process"]


@pytest.mark.only("file")
@pytest.mark.parametrize("who", OTHERS)
async def test_all_reads_of_a_snapshot_see_one_state(db, write_elsewhere, who):
    await prepared(db, "a")
    async with db.transaction(read_only=True):
        assert await names(db) == ["a"]
        await write_elsewhere(db, who, "b")
        assert await names(db) == ["a"]
        assert await db.select(User).count() == 1
        assert await db.get(User, 2) is None
        assert await db.fetch("SELECT name FROM users") == [{"name": "a"}]
    assert await names(db) == ["a", "b"]


@pytest.mark.only("file")
@pytest.mark.parametrize("who", OTHERS)
async def test_the_state_is_that_of_the_start_not_of_the_first_read(
    db, write_elsewhere, who
):
    await prepared(db, "a")
    async with db.transaction(read_only=True):
        await write_elsewhere(db, who, "b")
        assert await names(db) == ["a"]


@pytest.mark.only("file")
async def test_a_snapshot_as_the_first_thing_of_all(make_db, write_elsewhere):
    first = make_db()
    await prepared(first, "a")
    db = make_db(filename=first.filename)
    async with db.transaction(read_only=True):
        await write_elsewhere(first, "another process", "b")
        assert await names(db) == ["a"]


@pytest.mark.only("file")
async def test_the_cache_neither_answers_in_a_snapshot_nor_learns_from_it(
    make_db, apart
):
    db = make_db(cache_enabled=True)
    await prepared(db, "a")

    async def write_and_read():
        await db.insert(User(name="b"))
        return await names(db)

    async with db.transaction(read_only=True):
        assert await apart(write_and_read()) == ["a", "b"]
        assert await names(db) == ["a"]
    assert await names(db) == ["a", "b"]


@pytest.mark.only("file")
async def test_lazy_relations_are_read_from_the_snapshot(
    db, library, seeded, apart, reach, many
):
    ada, _, book = await seeded(db)
    async with db.transaction(read_only=True):
        found = await db.get(library.Book, book.pk)
        await apart(db.update_where(library.Author, {"pk": ada.pk}, {"name": "Eve"}))
        author = await reach(found.author)
        assert author.name == "Ada"
        assert await values(many(author.books), "title") == ["Notes"]
    assert (await db.get(library.Author, ada.pk)).name == "Eve"


@pytest.mark.only("async")
@pytest.mark.only("file")
async def test_tasks_started_inside_read_from_the_snapshot(db, apart):
    await prepared(db, "a")
    async with db.transaction(read_only=True):
        await apart(db.insert(User(name="b")))
        seen = await asyncio.gather(*(names(db) for _ in range(10)))
    assert seen == [["a"]] * 10


async def test_a_read_only_block_is_a_block(db):
    await prepared(db, "a")
    async with db.transaction(read_only=True) as inside:
        assert unwrap(inside) is unwrap(db)
        assert db.in_transaction
        assert await names(db) == ["a"]
    assert not db.in_transaction
    assert_no_transaction_left(db)


# --- read-only: nobody waits -------------------------------------------------------------


@pytest.mark.only("file")
async def test_a_snapshot_does_not_wait_for_a_writer(db, apart):
    await prepared(db, "a")
    inside, looked = Signal(), Signal()

    async def write():
        async with db:
            await db.insert(User(name="b"))
            inside.set()
            await looked.wait()

    writing = apart(write())
    await inside.wait()
    async with db.transaction(read_only=True):
        assert await names(db) == ["a"]
    looked.set()
    await writing
    assert await names(db) == ["a", "b"]


@pytest.mark.only("file")
async def test_writers_do_not_wait_for_a_snapshot(db, apart):
    (user,) = await prepared(db, "a")

    async def write():
        async with db:
            await db.insert(User(name="b"))
        await db.insert(User(name="c"))
        await db.bulk_insert([User(name="d")])
        await db.delete(User, user.pk)

    async with db.transaction(read_only=True):
        await apart(write())
        assert committed(db, "SELECT name FROM users") == ["b", "c", "d"]
        assert await names(db) == ["a"]


@pytest.mark.only("file")
async def test_snapshots_do_not_wait_for_each_other(db, together):
    await prepared(db, "a")
    count, inside = 6, []

    async def look():
        async with db.transaction(read_only=True):
            inside.append(await names(db))
            while len(inside) < count:
                await asyncio.sleep(0.001)

    await together(*(look() for _ in range(count)))
    assert inside == [["a"]] * count


@pytest.mark.only("file")
async def test_ended_snapshots_let_the_wal_be_emptied(db, apart):
    await prepared(db, "a")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with db.transaction(read_only=True):
                assert await names(db) != []
                await apart(db.insert(User(name="b")))
                raise ZeroDivisionError
    assert await db.checkpoint() is True


@pytest.mark.only("memory")
async def test_in_memory_others_wait_for_a_read_only_block(db, apart):
    await prepared(db, "a")
    events = []

    async def write():
        await db.insert(User(name="b"))
        events.append("written")

    async with db.transaction(read_only=True):
        writing = apart(write())
        await asyncio.sleep(0.03)
        assert await names(db) == ["a"]
        events.append("end")
    await writing
    assert events == ["end", "written"]


@pytest.mark.only("file")
async def test_a_snapshot_does_not_see_what_waits_for_its_commit(make_db):
    db = make_db(auto_commit=False)
    await prepared(db, "a")
    await db.commit()
    await db.insert(User(name="b"))
    async with db.transaction(read_only=True):
        assert await names(db) == ["a"]
    assert await names(db) == ["a", "b"]
    await db.commit()
    assert committed(db, "SELECT name FROM users") == ["a", "b"]


@pytest.mark.only("memory")
async def test_in_memory_what_waits_for_its_commit_comes_first(make_db):
    db = make_db(auto_commit=False)
    await prepared(db, "a")
    with pytest.raises(TransactionError, match="commit"):
        async with db.transaction(read_only=True):
            pytest.fail("the state of which moment?")
    assert not db.in_transaction
    assert await names(db) == ["a"]
    await db.rollback()
    assert await db.get_table_names() == []


@pytest.mark.only("async")
@pytest.mark.only("file")
async def test_a_task_whose_block_ended_meanwhile_holds_nothing(make_db):
    """It waits for its turn in a block that is being committed in a thread."""
    db = make_db(durability="full", busy_timeout=0.5)
    await prepared(db)

    async def late():
        async with db.transaction(read_only=True):
            return await names(db)

    async with db:
        await db.insert(User(name="a"))
        joined = asyncio.create_task(late())
    assert await joined == ["a"]
    await db.insert(User(name="b"))
    assert await names(db) == ["a", "b"]


# --- read-only: writes are refused -------------------------------------------------------

WRITES = {
    "insert": lambda db: db.insert(User(name="b")),
    "update": lambda db: db.update(User(pk=1, name="b")),
    "delete": lambda db: db.delete(User, 1),
    "bulk insert": lambda db: db.bulk_insert([User(name=str(n)) for n in range(300)]),
    "query update": lambda db: db.select(User).filter(name="a").update({"name": "b"}),
    "query delete": lambda db: db.select(User).delete(),
    "update where": lambda db: db.update_where(User, {"pk": 1}, {"name": "b"}),
    "raw": lambda db: db.execute("DELETE FROM users"),
    "raw with rows": lambda db: db.fetch("DELETE FROM users RETURNING pk"),
    "raw pragma": lambda db: db.execute("PRAGMA user_version = 7"),
    "create table": lambda db: db.create_table(Note),
    "drop table": lambda db: db.drop_table(User),
    "index": lambda db: db.create_indexes(User, ["name"]),
    "raw DDL": lambda db: db.execute("CREATE TABLE notes (text)"),
    "reset": lambda db: db.reset_database(),
}


@pytest.mark.parametrize("name", WRITES)
async def test_writes_are_refused(db, name):
    await prepared(db, "a")
    async with db.transaction(read_only=True):
        with pytest.raises(TransactionError, match="read-only"):
            await WRITES[name](db)
        assert await names(db) == ["a"]
    assert await names(db) == ["a"]
    assert await db.get_table_names() == ["users"]
    assert await db.fetch("PRAGMA user_version") == [{"user_version": 0}]
    assert await db.select(User).update({"name": "c"}) == 1


@pytest.mark.parametrize("verb", ["add", "remove", "clear", "set"])
async def test_links_cannot_be_written(db, press, linked, many, verb):
    article = await linked(db)
    tag = await db.get(press.Tag, 1)
    arguments = () if verb == "clear" else (tag,)
    async with db.transaction(read_only=True):
        with pytest.raises(TransactionError, match="read-only"):
            await getattr(many(article.tags), verb)(*arguments)
    assert await values(many(article.tags)) == ["api", "sql", "web"]


async def test_what_was_refused_can_be_tried_again_outside(db):
    await prepared(db)
    user = User(name="a")
    with pytest.raises(TransactionError):
        async with db.transaction(read_only=True):
            await db.insert(user)
    assert (user.pk, user.created_at) == (0, 0)
    await db.insert(user)
    assert await db.get(User, user.pk) == user


@pytest.mark.parametrize("write", ["insert", "bulk insert", "raw"])
async def test_read_only_inside_a_block_that_writes(db, write):
    await prepared(db, "a")
    async with db:
        await db.insert(User(name="mine"))
        async with db.transaction(read_only=True):
            assert await names(db) == ["a", "mine"]
            with pytest.raises(TransactionError, match="read-only"):
                await WRITES[write](db)
        await db.insert(User(name="later"))
    assert await names(db) == ["a", "mine", "later"]


async def test_an_error_in_a_read_only_part_keeps_what_was_written_around_it(db):
    await prepared(db)
    async with db:
        await db.insert(User(name="a"))
        with pytest.raises(ZeroDivisionError):
            async with db.transaction(read_only=True):
                raise ZeroDivisionError
    assert await names(db) == ["a"]


@pytest.mark.parametrize("inner", [{}, {"immediate": True}, {"immediate": False}])
async def test_a_block_inside_a_read_only_one_cannot_write(db, inner):
    await prepared(db, "a")
    async with db.transaction(read_only=True):
        async with db.transaction(**inner):
            assert await names(db) == ["a"]
            with pytest.raises(TransactionError, match="read-only"):
                await db.insert(User(name="b"))
        with pytest.raises(TransactionError, match="read-only"):
            await db.insert(User(name="b"))
    assert await names(db) == ["a"]
    assert_no_transaction_left(db)


@pytest.mark.only("file")
async def test_a_block_inside_a_snapshot_sees_the_snapshot(db, apart):
    await prepared(db, "a")
    async with db.transaction(read_only=True):
        await apart(db.insert(User(name="b")))
        async with db, db.transaction(read_only=True):
            assert await names(db) == ["a"]


async def test_a_snapshot_of_one_database_says_nothing_about_another(db, make_db):
    other = make_db()
    await prepared(db, "a")
    await prepared(other)
    async with db.transaction(read_only=True):
        async with other:
            await other.insert(User(name="b"))
        assert not other.in_transaction
    assert await names(other) == ["b"]


# --- read-only: commit, rollback, errors -------------------------------------------------


@pytest.mark.only("file")
@pytest.mark.parametrize("verb", ["commit", "rollback"])
async def test_commit_and_rollback_begin_a_new_snapshot(db, apart, verb):
    await prepared(db, "a")
    async with db.transaction(read_only=True):
        await apart(db.insert(User(name="b")))
        assert await names(db) == ["a"]
        await getattr(db, verb)()
        await apart(db.insert(User(name="c")))
        assert await names(db) == ["a", "b"]
        with pytest.raises(TransactionError, match="read-only"):
            await db.insert(User(name="d"))
    assert await names(db) == ["a", "b", "c"]


@pytest.mark.parametrize("verb", ["commit", "rollback"])
async def test_commit_and_rollback_in_memory_leave_it_read_only(db, verb):
    await prepared(db, "a")
    async with db.transaction(read_only=True):
        await getattr(db, verb)()
        assert db.in_transaction
        assert await names(db) == ["a"]
        with pytest.raises(TransactionError, match="read-only"):
            await db.insert(User(name="b"))
    assert_no_transaction_left(db)


@pytest.mark.only("file")
async def test_a_failed_read_does_not_end_a_snapshot(db, apart):
    await prepared(db, "a")
    async with db.transaction(read_only=True):
        with pytest.raises(Exception, match="no such table"):
            await db.fetch("SELECT * FROM nowhere")
        await apart(db.insert(User(name="b")))
        assert await names(db) == ["a"]


@pytest.mark.only("file")
async def test_an_exception_leaves_a_clean_reader(db, apart):
    await prepared(db, "a")
    with pytest.raises(ZeroDivisionError):
        async with db.transaction(read_only=True):
            assert await names(db) == ["a"]
            raise ZeroDivisionError
    await apart(db.insert(User(name="b")))
    async with db.transaction(read_only=True):
        assert await names(db) == ["a", "b"]
    assert await names(db) == ["a", "b"]


# --- immediate ---------------------------------------------------------------------------


def may_write(db):
    """Whether another process could write now."""
    with outside(db) as connection:
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


@pytest.mark.only("file")
@pytest.mark.parametrize(
    ("begin", "immediate", "free"),
    [
        ("immediate", None, False),
        ("immediate", True, False),
        ("immediate", False, True),
        ("deferred", None, True),
        ("deferred", True, False),
        ("deferred", False, True),
    ],
)
async def test_when_the_write_lock_is_taken(make_db, begin, immediate, free):
    db = make_db(begin=begin)
    await prepared(db, "a")
    async with db.transaction(immediate=immediate):
        assert may_write(db) is free
        assert await names(db) == ["a"]
        assert may_write(db) is free
        await db.insert(User(name="b"))
        assert not may_write(db)
    assert may_write(db)
    assert committed(db, "SELECT name FROM users") == ["a", "b"]


@pytest.mark.parametrize("immediate", [True, False])
async def test_a_block_commits_and_rolls_back_however_it_began(db, immediate):
    await prepared(db)
    async with db.transaction(immediate=immediate):
        await db.insert(User(name="a"))
        async with db.transaction(immediate=not immediate):
            await db.insert(User(name="b"))
    with pytest.raises(ZeroDivisionError):
        async with db.transaction(immediate=immediate):
            await db.insert(User(name="c"))
            raise ZeroDivisionError
    assert await names(db) == ["a", "b"]
    assert_no_transaction_left(db)


@pytest.mark.only("file")
@pytest.mark.parametrize("read", [True, False])
async def test_a_deferred_block_that_read_what_others_changed_cannot_write(
    make_db, write_elsewhere, read
):
    db = make_db(busy_timeout=30)
    await prepared(db, "a")
    user = User(name="mine")
    started = time.monotonic()
    if not read:
        async with db.transaction(immediate=False):
            await write_elsewhere(db, "another process", "theirs")
            await db.insert(user)  # the state was not chosen yet
        assert await names(db) == ["a", "theirs", "mine"]
        return
    with pytest.raises(DatabaseBusyError):
        async with db.transaction(immediate=False):
            assert await names(db) == ["a"]
            await write_elsewhere(db, "another process", "theirs")
            await db.insert(user)
    assert time.monotonic() - started < 15  # it will not get better by waiting
    assert user.pk == 0
    assert_no_transaction_left(db)
    async with db.transaction(immediate=False):
        assert await names(db) == ["a", "theirs"]
        await db.insert(user)
    assert await names(db) == ["a", "theirs", "mine"]


@pytest.mark.only("file")
async def test_the_conflict_of_a_deferred_block_is_told_as_what_it_is(
    make_db, write_elsewhere
):
    """Nobody holds anything: waiting longer, or raising busy_timeout, is no remedy."""
    db = make_db()
    await prepared(db, "a")
    async with db.transaction(immediate=False):
        assert await names(db) == ["a"]
        await write_elsewhere(db, "another process", "theirs")
        with pytest.raises(DatabaseBusyError) as caught:
            await db.insert(User(name="mine"))
    assert "busy_timeout" not in str(caught.value)


@pytest.mark.only("file")
async def test_a_deferred_block_takes_its_turn_all_the_same(db, apart):
    await prepared(db)
    events = []

    async def write():
        await db.insert(User(name="b"))
        events.append("b")

    async with db.transaction(immediate=False):
        writing = apart(write())
        await asyncio.sleep(0.03)
        await db.insert(User(name="a"))
        events.append("a")
    await writing
    assert events == ["a", "b"]


# --- the object, and its arguments -------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"read_only": True}, {"timeout": 30}, {"immediate": False}]
)
async def test_the_object_may_be_used_again(db, options):
    await prepared(db, "a")
    block = db.transaction(**options)
    for _ in range(3):
        async with block:
            assert db.in_transaction
            assert await names(db) == ["a"]
        assert not db.in_transaction
    with pytest.raises(ZeroDivisionError):
        async with block:
            raise ZeroDivisionError
    async with block, block:
        assert await names(db) == ["a"]
    assert_no_transaction_left(db)


async def test_the_time_of_each_use_begins_when_it_is_entered(db):
    await prepared(db)
    block = db.transaction(timeout=0.4)
    for name in "ab":
        await asyncio.sleep(0.45)
        async with block:
            await db.insert(User(name=name))
    assert await names(db) == ["a", "b"]


async def test_making_the_object_does_nothing(db):
    block = db.transaction(read_only=True)
    assert not db.is_connected or db.is_memory
    assert not db.in_transaction
    assert block is not db.transaction(read_only=True)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": math.nan},
        {"read_only": True, "immediate": True},
    ],
)
async def test_options_that_cannot_be(db, options):
    await prepared(db)
    with pytest.raises(ValueError):
        async with db.transaction(**options):
            pytest.fail("it was entered")
    assert not db.in_transaction
    await db.insert(User(name="a"))
    assert_no_transaction_left(db)


async def test_options_are_named(db):
    with pytest.raises(TypeError):
        db.transaction(True)


async def test_an_option_that_cannot_be_inside_a_block_leaves_the_block(db):
    await prepared(db)
    async with db:
        await db.insert(User(name="a"))
        with pytest.raises(ValueError):
            async with db.transaction(timeout=-1):
                pytest.fail("it was entered")
        await db.insert(User(name="b"))
    assert await names(db) == ["a", "b"]
