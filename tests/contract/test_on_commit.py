"""`db.on_commit(fn)`: called once what is open is committed, never when it is undone."""

import asyncio
import threading

import pytest
from support import Signal, assert_no_transaction_left, committed, unwrap

from sqliter.engines.connection import Connection
from sqliter.exceptions import SqliterError, TransactionError
from sqliter.model import BaseDBModel


class User(BaseDBModel):
    name: str


async def names(db):
    return [user.name for user in await db.select(User).order("pk").fetch_all()]


class Calls(list):
    """What was called, in order."""

    def by(self, name):
        """A callback that notes its name."""
        return lambda: self.append(name)


@pytest.fixture
def calls():
    return Calls()


# --- when --------------------------------------------------------------------------------


async def test_called_once_and_in_order_after_the_commit(db, calls):
    await db.create_table(User)
    async with db:
        for name in "abc":
            await db.on_commit(calls.by(name))
        await db.insert(User(name="x"))
        assert calls == []
    assert calls == ["a", "b", "c"]
    async with db:
        await db.insert(User(name="y"))
    assert calls == ["a", "b", "c"]


@pytest.mark.only("file")
async def test_called_when_others_see_the_rows(db, calls):
    await db.create_table(User)
    async with db:
        await db.on_commit(
            lambda: calls.append(committed(db, "SELECT name FROM users"))
        )
        await db.insert(User(name="x"))
    assert calls == [["x"]]


async def test_called_outside_of_the_block(db, calls):
    await db.create_table(User)
    async with db:
        await db.on_commit(lambda: calls.append(db.in_transaction))
    assert calls == [False]
    assert_no_transaction_left(db)


async def test_registered_twice_called_twice(db, calls):
    callback = calls.by("a")
    async with db:
        await db.on_commit(callback)
        await db.on_commit(callback)
    assert calls == ["a", "a"]


async def test_called_though_nothing_was_written(db, calls):
    async with db:
        await db.on_commit(calls.by("a"))
    assert calls == ["a"]


async def test_at_once_where_nothing_is_open(db, calls):
    await db.on_commit(calls.by("a"))
    assert calls == ["a"]
    await db.create_table(User)
    await db.insert(User(name="x"))
    assert calls == ["a"]


async def test_an_error_of_a_callback_that_is_called_at_once_is_raised(db):
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await db.on_commit(fail)


@pytest.mark.parametrize("options", [{"read_only": True}, {"immediate": False}])
async def test_however_the_block_was_opened(db, calls, options):
    await db.create_table(User)
    async with db.transaction(**options):
        await db.on_commit(calls.by("a"))
        assert calls == []
    assert calls == ["a"]
    with pytest.raises(ZeroDivisionError):
        async with db.transaction(**options):
            await db.on_commit(calls.by("b"))
            raise ZeroDivisionError
    assert calls == ["a"]


async def test_each_database_has_its_own(db, make_db, calls):
    other = make_db()
    async with db:
        async with other:
            await other.on_commit(calls.by("other"))
            await db.on_commit(calls.by("db"))
        assert calls == ["other"]
    assert calls == ["other", "db"]


# --- never on rollback -------------------------------------------------------------------


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError])
async def test_not_called_when_the_block_fails(db, calls, error):
    await db.create_table(User)
    with pytest.raises(error):
        async with db:
            await db.on_commit(calls.by("a"))
            await db.insert(User(name="x"))
            raise error
    async with db:
        await db.insert(User(name="y"))
    assert calls == []


async def test_an_inner_block_calls_with_the_outermost(db, calls):
    async with db:
        await db.on_commit(calls.by("outer"))
        async with db:
            await db.on_commit(calls.by("inner"))
            async with db:
                await db.on_commit(calls.by("innermost"))
        assert calls == []
        await db.on_commit(calls.by("last"))
    assert calls == ["outer", "inner", "innermost", "last"]


async def test_an_inner_block_that_is_undone_drops_its_own_only(db, calls):
    async with db:
        await db.on_commit(calls.by("before"))
        with pytest.raises(ZeroDivisionError):
            async with db:
                await db.on_commit(calls.by("undone"))
                async with db:
                    await db.on_commit(calls.by("undone as well"))
                raise ZeroDivisionError
        async with db:
            await db.on_commit(calls.by("kept"))
        await db.on_commit(calls.by("after"))
    assert calls == ["before", "kept", "after"]


async def test_an_outer_block_that_is_undone_drops_all(db, calls):
    with pytest.raises(ZeroDivisionError):
        async with db:
            async with db:
                await db.on_commit(calls.by("inner"))
            raise ZeroDivisionError
    async with db:
        pass
    assert calls == []


async def test_a_failed_operation_drops_nothing(db, calls):
    await db.create_table(User)
    async with db:
        await db.on_commit(calls.by("a"))
        with pytest.raises(SqliterError):
            await db.execute("INSERT INTO nowhere VALUES (1)")
    assert calls == ["a"]


async def test_rollback_in_a_block_drops_what_was_registered_in_it(db, calls):
    async with db:
        await db.on_commit(calls.by("outer"))
        async with db:
            await db.on_commit(calls.by("inner"))
            await db.rollback()
            await db.on_commit(calls.by("later"))
    assert calls == ["outer", "later"]


async def test_a_commit_that_fails_calls_nothing(db, calls):
    await db.create_table(User)
    await db.execute(
        "CREATE TABLE late (user INTEGER REFERENCES users(pk) DEFERRABLE INITIALLY DEFERRED)"
    )
    with pytest.raises(SqliterError, match="FOREIGN KEY"):
        async with db:
            await db.on_commit(calls.by("a"))
            await db.execute("INSERT INTO late VALUES (99)")
    async with db:
        await db.on_commit(calls.by("b"))
    assert calls == ["b"]


async def test_a_transaction_that_was_lost_calls_nothing(db, calls):
    await db.create_table(User)
    await db.execute(
        "CREATE TRIGGER lose BEFORE INSERT ON users BEGIN SELECT RAISE(ROLLBACK, 'no'); END"
    )
    with pytest.raises(TransactionError):
        async with db:
            await db.on_commit(calls.by("a"))
            with pytest.raises(SqliterError):
                await db.insert(User(name="x"))
    assert calls == []


# --- commit() and rollback() -------------------------------------------------------------


async def test_commit_inside_a_block_calls_at_once_and_once(db, calls):
    await db.create_table(User)
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.on_commit(calls.by("outer"))
            async with db:
                await db.insert(User(name="x"))
                await db.on_commit(calls.by("inner"))
                await db.commit()
                assert calls == ["outer", "inner"]
                await db.on_commit(calls.by("undone"))
            raise ZeroDivisionError
    assert calls == ["outer", "inner"]
    assert await names(db) == ["x"]


async def test_what_is_registered_after_a_commit_waits_for_the_next(db, calls):
    async with db:
        await db.commit()
        await db.on_commit(calls.by("a"))
        assert calls == []
    assert calls == ["a"]


async def test_without_auto_commit_at_commit(make_db, calls):
    db = make_db(auto_commit=False)
    await db.create_table(User)
    await db.on_commit(calls.by("a"))
    await db.insert(User(name="x"))
    await db.on_commit(calls.by("b"))
    assert calls == []
    await db.commit()
    assert calls == ["a", "b"]
    await db.commit()
    assert calls == ["a", "b"]


async def test_without_auto_commit_never_at_rollback(make_db, calls):
    db = make_db(auto_commit=False)
    await db.create_table(User)
    await db.commit()
    await db.insert(User(name="x"))
    await db.on_commit(calls.by("a"))
    await db.rollback()
    await db.insert(User(name="y"))
    await db.on_commit(calls.by("b"))
    await db.commit()
    assert calls == ["b"]
    assert await names(db) == ["y"]


async def test_without_auto_commit_never_when_it_is_closed(make_db, calls):
    db = make_db(auto_commit=False)
    await db.create_table(User)
    await db.on_commit(calls.by("a"))
    await db.close()
    await db.create_table(User)
    await db.commit()
    assert calls == []


async def test_without_auto_commit_at_once_where_nothing_is_pending(make_db, calls):
    db = make_db(auto_commit=False)
    await db.on_commit(calls.by("a"))
    assert calls == ["a"]


@pytest.mark.parametrize("fails", [False, True])
async def test_a_block_takes_over_what_was_registered_before_it(make_db, calls, fails):
    db = make_db(auto_commit=False)
    await db.create_table(User)
    await db.on_commit(calls.by("before"))
    try:
        async with db:
            await db.on_commit(calls.by("inside"))
            if fails:
                raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert calls == ([] if fails else ["before", "inside"])
    await db.create_table(User)
    await db.commit()
    assert calls == ([] if fails else ["before", "inside"])


# --- callbacks that fail -----------------------------------------------------------------


def failing(calls, name, error):
    def fail():
        calls.append(name)
        raise error

    return fail


async def test_an_error_keeps_no_other_from_being_called(db, calls):
    await db.create_table(User)
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.insert(User(name="x"))
            await db.on_commit(calls.by("a"))
            await db.on_commit(failing(calls, "b", ZeroDivisionError()))
            await db.on_commit(failing(calls, "c", KeyError()))
            await db.on_commit(calls.by("d"))
    assert calls == ["a", "b", "c", "d"]
    assert await names(db) == ["x"]
    assert_no_transaction_left(db)


async def test_an_error_at_commit_leaves_the_block_open(db, calls):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="x"))
        await db.on_commit(failing(calls, "a", ZeroDivisionError()))
        with pytest.raises(ZeroDivisionError):
            await db.commit()
        assert db.in_transaction
        await db.insert(User(name="y"))
    assert await names(db) == ["x", "y"]
    assert calls == ["a"]


async def test_objects_keep_their_keys_when_a_callback_fails(db, calls):
    await db.create_table(User)
    user = User(name="x")
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.insert(user)
            await db.on_commit(failing(calls, "a", ZeroDivisionError()))
    assert await db.get(User, user.pk) == user


# --- callbacks that do more --------------------------------------------------------------


@pytest.mark.only("async")
async def test_coroutine_functions_are_awaited(db, calls):
    await db.create_table(User)

    async def later(name):
        await asyncio.sleep(0.005)
        calls.append(name)

    async with db:
        await db.on_commit(lambda: later("a"))
        await db.on_commit(calls.by("b"))
        await db.on_commit(lambda: later("c"))
    assert calls == ["a", "b", "c"]
    await db.on_commit(lambda: later("at once"))
    assert calls[-1] == "at once"


@pytest.mark.only("async")
async def test_an_error_of_a_coroutine_is_one_of_a_callback(db, calls):
    async def fail():
        await asyncio.sleep(0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.on_commit(fail)
            await db.on_commit(calls.by("b"))
    assert calls == ["b"]


def through(db, body):
    """A callback that does what the coroutine function says, in either colour."""
    if db is not unwrap(db):  # blocking: its coroutines never wait

        def run():
            with pytest.raises(StopIteration):
                body().send(None)

        return run
    return body


async def test_a_callback_may_write(db, calls):
    await db.create_table(User)

    async def write():
        await db.insert(User(name="after"))
        async with db:
            await db.insert(User(name="in a block"))
        calls.append(await names(db))

    async with db:
        await db.insert(User(name="x"))
        await db.on_commit(through(db, write))
    assert calls == [["x", "after", "in a block"]]
    assert_no_transaction_left(db)


async def test_a_callback_may_register_another(db, calls):
    async def outer():
        await db.on_commit(calls.by("at once"))
        async with db:
            await db.on_commit(calls.by("inner"))
            calls.append("outer")

    async with db:
        await db.on_commit(through(db, outer))
        await db.on_commit(calls.by("next"))
    assert calls == ["at once", "outer", "inner", "next"]


async def test_a_callback_that_writes_and_fails_loses_its_own_only(db, calls):
    await db.create_table(User)

    async def write():
        async with db:
            await db.insert(User(name="undone"))
            raise ZeroDivisionError

    def run():
        write().send(None)

    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.insert(User(name="x"))
            await db.on_commit(write if db is unwrap(db) else run)
            await db.on_commit(calls.by("next"))
    assert await names(db) == ["x"]
    assert calls == ["next"]


async def test_a_callback_of_commit_works_in_the_block_that_goes_on(db):
    await db.create_table(User)

    async def write():
        assert db.in_transaction
        await db.insert(User(name="undone"))

    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.insert(User(name="x"))
            await db.on_commit(through(db, write))
            await db.commit()
            assert await names(db) == ["x", "undone"]
            raise ZeroDivisionError
    assert await names(db) == ["x"]


async def test_others_may_write_while_a_callback_runs(db, apart):
    await db.create_table(User)
    committed_ = Signal()

    async def other():
        await committed_.wait()
        await db.insert(User(name="other"))

    def wait():
        committed_.set()
        if db is unwrap(db):
            return writing
        while not unwrap(db).select(User).filter(name="other").exists():
            threading.Event().wait(0.002)
        return None

    writing = apart(other())
    async with db:
        await db.insert(User(name="x"))
        await db.on_commit(wait)
    assert await names(db) == ["x", "other"]
    await writing


async def test_a_cached_answer_is_dropped_before_the_callbacks(make_db, calls):
    db = make_db(cache_enabled=True)
    await db.create_table(User)
    assert await names(db) == []

    async def look():
        calls.append(await names(db))

    async with db:
        await db.insert(User(name="x"))
        await db.on_commit(through(db, look))
    assert calls == [["x"]]


# --- tasks and threads -------------------------------------------------------------------


@pytest.mark.only("async")
async def test_a_task_that_joined_registers_for_the_block(db, calls):
    async with db:
        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(db.on_commit(calls.by(name)))
        assert calls == []
    assert calls == ["a", "b", "c"]


async def test_one_that_is_outside_does_not_wait_for_the_block_of_another(
    db, apart, calls
):
    async with db:
        await db.on_commit(calls.by("inside"))
        await apart(db.on_commit(calls.by("outside")))
        assert calls == ["outside"]
    assert calls == ["outside", "inside"]


async def test_each_is_called_where_its_block_ended(db, together):
    """Readers that leave their snapshots meanwhile are not to call those of writers."""
    await db.create_table(User)
    strangers = []

    def me():
        task = asyncio.current_task() if db is unwrap(db) else None
        return task or threading.current_thread()

    def check(owner):
        if me() is not owner:
            strangers.append(owner)

    async def write(part):
        for n in range(20):
            async with db:
                owner = me()
                await db.bulk_insert([User(name=f"{part}-{n}") for _ in range(150)])
                await db.on_commit(lambda owner=owner: check(owner))

    async def read():
        for _ in range(60):
            async with db.transaction(read_only=True):
                owner = me()
                await db.select(User).limit(1).fetch_all()
                await db.on_commit(lambda owner=owner: check(owner))

    await together(write(1), read(), write(2), read())
    assert strangers == []


@pytest.mark.only("file")
async def test_a_snapshot_that_ends_meanwhile_calls_nothing_of_others(
    db, apart, calls, monkeypatch
):
    """The same, at the one moment that matters: committed, and not called yet."""
    await db.create_table(User)
    committed_, read = Signal(), Signal()
    end = type(unwrap(db)._engine._transactions).end

    def slow(self, scope, due, *, keep):
        end(self, scope, due, keep=keep)
        if not scope.is_on_reader:
            committed_.set()
            while not read.is_set():
                threading.Event().wait(0.001)

    monkeypatch.setattr(type(unwrap(db)._engine._transactions), "end", slow)

    async def write():
        async with db:
            # so many that it is committed in a thread
            await db.bulk_insert([User(name=str(n)) for n in range(500)])
            await db.on_commit(calls.by("writer"))

    async def look():
        await committed_.wait()
        async with db.transaction(read_only=True):
            await names(db)
        seen = list(calls)
        read.set()
        return seen

    writing, looking = apart(write()), apart(look())
    assert await looking == []
    await writing
    assert calls == ["writer"]


@pytest.mark.only("sync")
async def test_threads_each_have_their_own(db, together, calls):
    await db.create_table(User)

    async def work(part):
        for n in range(20):
            async with db:
                await db.insert(User(name=f"{part}-{n}"))
                await db.on_commit(
                    lambda n=n: calls.append((part, n, threading.get_ident()))
                )
        return threading.get_ident()

    idents = await together(*(work(part) for part in range(5)))
    for part, ident in enumerate(idents):
        assert [call for call in calls if call[0] == part] == [
            (part, n, ident) for n in range(20)
        ]


# --- cancellation ------------------------------------------------------------------------


@pytest.mark.only("async")
async def test_cancelled_during_a_callback_the_data_stay(db, calls):
    await db.create_table(User)

    async def wait():
        calls.append("waiting")
        await asyncio.sleep(30)

    async def block():
        async with db:
            await db.insert(User(name="x"))
            await db.on_commit(wait)

    task = asyncio.create_task(block())
    while not calls:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await names(db) == ["x"]
    assert_no_transaction_left(db)


@pytest.mark.only("async")
async def test_cancelled_during_a_callback_the_others_are_called(db, calls):
    async def wait():
        calls.append("waiting")
        await asyncio.sleep(30)

    async def block():
        async with db:
            await db.on_commit(wait)
            await db.on_commit(calls.by("next"))

    task = asyncio.create_task(block())
    while not calls:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert calls == ["waiting", "next"]


@pytest.mark.only("async")
@pytest.mark.parametrize("how", ["end of the block", "commit()", "manual"])
async def test_cancelled_during_the_commit_what_was_committed_is_told(
    make_db, calls, monkeypatch, how
):
    """The commit cannot be stopped any more: its callbacks are due, here and now."""
    db = make_db(durability="full", auto_commit=how != "manual")
    await db.create_table(User)
    commit, loop = Connection.commit, asyncio.get_running_loop()

    def cancelled(self):
        loop.call_soon_threadsafe(task.cancel)
        threading.Event().wait(0.02)
        commit(self)

    async def work():
        # many: they are committed in a thread, in memory, too
        await db.bulk_insert([User(name=str(n)) for n in range(500)])
        await db.on_commit(calls.by("a"))
        if how != "end of the block":
            await db.commit()

    async def block():
        async with db:
            await work()

    await db.commit()
    monkeypatch.setattr(Connection, "commit", cancelled)
    task = asyncio.create_task(work() if how == "manual" else block())
    with pytest.raises(asyncio.CancelledError):
        await task
    monkeypatch.undo()
    assert await db.select(User).count() == 500
    assert calls == ["a"]
    async with db:
        await db.insert(User(name="x"))
    assert calls == ["a"]


@pytest.mark.only("async")
async def test_a_cancelled_block_calls_nothing(db, calls):
    await db.create_table(User)

    async def block():
        async with db:
            await db.insert(User(name="x"))
            await db.on_commit(calls.by("a"))
            await asyncio.sleep(30)

    task = asyncio.create_task(block())
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with db:
        pass
    assert calls == []
    assert await names(db) == []
