"""A process that is forked while a database is open, in both colours.

SQLite's own rules: no handle of another process may be used or closed, and a new one is as bad while
an old one is there. What is idle is closed before a fork, so both sides open it anew; what is not is
refused in the child.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest
from support import committed, run_python

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

HEAD = '''
import asyncio, os, sqlite3, sys, threading, time, warnings
from pathlib import Path
from sqliter.exceptions import DatabaseConnectionError, TransactionError
from sqliter.model import BaseDBModel
from support import Colour

warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
colour, path = Colour(sys.argv[1]), sys.argv[2]
COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT %d) SELECT count(*) FROM n"

class User(BaseDBModel):
    name: str

    class Meta:
        table_name = "users"

def database(filename=path, **options):
    return colour.wrap(colour.database(filename, **options))

async def filled(filename=path, **options):
    db = database(filename, **options)
    await db.create_table(User)
    await db.insert(User(name="Ada"))
    await db.get(User, 1)
    return db

async def names(db):
    return [user.name for user in await db.select(User).fetch_all()]

# a child of a running event loop cannot leave it like any program
END = sys.exit if colour is Colour.SYNC else os._exit

def forked(child):
    """What a child says: the result of a coroutine function, or its error."""
    return forked_later(child)()

def forked_later(child):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            said = repr(asyncio.run(child()))
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writing, said.encode())
        END(0)
    os.close(writing)

    def wait():
        deadline = time.monotonic() + 10
        while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                return "it hangs"
            time.sleep(0.002)
        assert ended == (pid, 0)
        with open(reading, "rb") as pipe:
            return pipe.read().decode()

    return wait

async def refused(db, kind=DatabaseConnectionError):
    """What is said to each of four operations, which must all be the same."""
    said = set()
    for operation in (
        lambda: db.get(User, 1),
        lambda: db.select(User).count(),
        lambda: db.insert(User(name="child")),
        lambda: db.__aenter__(),
    ):
        try:
            await operation()
        except kind as error:
            said.add(str(error))
    (text,) = said
    return text
'''


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest, tmp_path: Path):
    """`run(body)` runs a program and gives what is in its file afterwards."""

    def run(body: str, *, memory: bool = False) -> list[str]:
        program = f"{HEAD}\nasync def main():\n{indent(dedent(body), '    ')}\nasyncio.run(main())"
        path = tmp_path / "x.db"
        assert run_python(program, request.param, path).stderr == ""
        if memory:
            return []
        (sound,) = committed_in(path, "PRAGMA integrity_check")
        assert sound == "ok"
        return committed_in(path, "SELECT name FROM users ORDER BY pk")

    return run


def committed_in(path: Path, sql: str) -> list[str]:
    class Named:
        filename = path

    return committed(Named, sql)


# --- what is idle ------------------------------------------------------------------------


def test_both_go_on(run):
    assert run("""
        db = await filled()
        async def child():
            await db.insert(User(name="child"))
            return await names(db)
        assert forked(child) == "['Ada', 'child']"
        await db.insert(User(name="parent"))
        assert await names(db) == ["Ada", "child", "parent"]
        await db.close()
        """) == ["Ada", "child", "parent"]


def test_nothing_is_lost_when_the_parent_closes_first(run):
    """The last one to close deletes the WAL: the child's locks must be its own."""
    assert run("""
        db = await filled()
        closed = os.pipe(), os.pipe()
        async def child():
            await db.insert(User(name="before"))
            os.write(closed[0][1], b"x")
            os.read(closed[1][0], 1)
            await db.insert(User(name="after"))
            return await names(db)
        wait = forked_later(child)
        os.read(closed[0][0], 1)
        await db.close()
        os.write(closed[1][1], b"x")
        assert wait() == "['Ada', 'before', 'after']"
        """) == ["Ada", "before", "after"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_no_handle_is_shared(run):
    run("""
        db = await filled(cache_enabled=True)
        await asyncio.gather(*(db.get(User, pk) for pk in range(5)))
        def opened():
            links = (f"/proc/self/fd/{each}" for each in os.listdir("/proc/self/fd"))
            return [link for link in links if os.path.exists(link) and "x.db" in os.readlink(link)]
        assert opened()
        async def child():
            return opened()
        assert forked(child) == "[]"
        """)


def test_the_parent_stays_connected(run):
    run("""
        db = await filled()
        async def child():
            return db.is_connected
        assert forked(child) == "False"
        assert db.is_connected
        assert db.conn is not None
        """)


def test_the_child_knows_nothing_of_the_cache(run):
    run("""
        db = await filled(cache_enabled=True)
        user = await db.get(User, 1)
        gate = os.pipe()
        async def child():
            os.read(gate[0], 1)
            return [(await db.get(User, 1)).name, await names(db)]
        wait = forked_later(child)
        user.name = "Eve"
        await db.update(user)
        os.write(gate[1], b"x")
        assert wait() == "['Eve', ['Eve']]"
        """)


def test_objects_find_their_database_in_the_child(run):
    run("""
        db = await filled()
        query = db.select(User).filter(name="Ada")
        async def child():
            return [await query.count(), await query.update({"name": "Eve"})]
        assert forked(child) == "[1, 1]"
        assert await names(db) == ["Eve"]
        """)


def test_children_may_have_children(run):
    assert run("""
        db = await filled()
        async def grandchild():
            return (await db.insert(User(name="grandchild"))).pk
        async def child():
            await db.insert(User(name="child"))
            return forked(grandchild)
        assert forked(child) == repr("3")
        """) == ["Ada", "child", "grandchild"]


def test_many_children_write_at_once(run):
    assert (
        len(
            run("""
        db = await filled()
        async def child():
            for _ in range(20):
                await db.insert(User(name="child"))
        waits = [forked_later(child) for _ in range(4)]
        assert [wait() for wait in waits] == ["None"] * 4
        """)
        )
        == 81
    )


# --- what is not -------------------------------------------------------------------------


def test_a_block_belongs_to_the_parent(run):
    assert run("""
        db = await filled()
        async def child():
            text = await refused(db, TransactionError)
            for verb in db.commit, db.rollback, db.close:
                try:
                    await verb()
                except TransactionError:
                    continue
                raise AssertionError(verb)
            return text
        async with db:
            await db.insert(User(name="parent"))
            assert "before the process was forked" in forked(child)
            await db.insert(User(name="parent"))
        """) == ["Ada", "parent", "parent"]


def test_a_snapshot_belongs_to_the_parent(run):
    assert run("""
        db = await filled()
        async def child():
            text = await refused(db, TransactionError)
            await filled(path + ".other")  # SQLite itself can be used
            return text
        async with db.transaction(read_only=True):
            assert await names(db) == ["Ada"]
            assert "before the process was forked" in forked(child)
            assert await names(db) == ["Ada"]
        """) == ["Ada"]


def test_a_block_is_left_with_an_error_in_the_child(run):
    assert run("""
        db = await filled()
        try:
            async with db:
                await db.insert(User(name="parent"))
                child_is_here = os.fork() == 0
        except TransactionError as error:
            assert child_is_here
            assert "before the process was forked" in str(error)
            assert not db.in_transaction
            os._exit(7)
        assert not child_is_here
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
        """) == ["Ada", "parent"]


def test_an_error_leaves_the_block_as_it_is(run):
    assert run("""
        db = await filled()
        try:
            async with db:
                async with db:
                    await db.insert(User(name="parent"))
                    if os.fork() == 0:
                        raise LookupError
        except LookupError:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
        """) == ["Ada", "parent"]


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_the_end_of_the_child_takes_nothing_back(run, mode):
    """Closing the handle would roll back what the parent is writing."""
    assert run(f"""
        db = await filled(journal_mode={mode!r}, pragmas={{"cache_size": 5}})
        async def child():
            return "in use when" in await refused(database())
        async with db:
            await db.bulk_insert([User(name="x" * 2000) for _ in range(100)])
            assert forked(child) == "True"
            await db.bulk_insert([User(name="x" * 2000) for _ in range(100)])
        """) == ["Ada", *["x" * 2000] * 200]


def test_a_file_in_use_is_refused_by_any_name(run):
    assert run("""
        db = await filled()
        os.symlink(path, path + ".link")
        os.link(path, path + ".hard")
        async def child():
            said = {await refused(database(path + end)) for end in ("", ".link", ".hard")}
            other = await filled(path + ".other")
            return len(said), await names(other)
        async with db:
            await db.insert(User(name="parent"))
            assert forked(child) == "(3, ['Ada'])"
        """) == ["Ada", "parent"]


def test_what_waits_for_commit(run):
    assert run("""
        db = await filled(auto_commit=False)
        async def child():
            return await refused(db)
        assert "Close the database before forking" in forked(child)
        await db.commit()
        """) == ["Ada"]


def test_the_drivers_connection_stays_open(run):
    assert run("""
        db = await filled()
        raw = await db.connect()
        async def child():
            return await (refused(db) if colour is Colour.SYNC else names(db))
        said = forked(child)
        assert "in use when" in said if colour is Colour.SYNC else said == "['Ada']"
        await raw.execute("INSERT INTO users VALUES (2, 0, 0, 'parent')")
        """) == ["Ada", "parent"]


def test_tables_of_a_connection_stay(run):
    assert run("""
        db = await filled()
        await db.execute("CREATE TEMP TABLE notes (text)")
        async def child():
            return "in use when" in await refused(db)
        assert forked(child) == "True"
        await db.execute("INSERT INTO notes VALUES ('kept')")
        """) == ["Ada"]


def test_memory_stays_with_the_parent(run):
    run(
        """
        db = await filled(":memory:")
        async def child():
            text = await refused(db)
            await db.close()
            return text, await db.get_table_names()
        said = forked(child)
        assert "stays in the process that made it" in said
        assert said.endswith(", [])")
        assert await names(db) == ["Ada"]
        """,
        memory=True,
    )


# --- other threads -----------------------------------------------------------------------


def test_a_thread_at_work_is_not_waited_for(run):
    assert run("""
        db = await filled()
        if colour is Colour.SYNC:
            threading.Thread(target=db.wrapped.fetch, args=(COUNT % 10**10,), daemon=True).start()
        else:
            task = asyncio.create_task(db.fetch(COUNT % 10**10))
        await asyncio.sleep(0.1)
        async def child():
            return await refused(db) + await refused(database(path + ".other"))
        since = time.monotonic()
        assert forked(child).count("SQLite was at work in another thread") == 2
        assert time.monotonic() - since < 5
        await db.insert(User(name="parent"))
        os._exit(0)  # nobody waits for the long read
        """) == ["Ada", "parent"]


def test_a_block_of_another_thread_or_task(run):
    assert run("""
        db = await filled()
        async def work():
            async with db:
                await db.insert(User(name="parent"))
                entered.set()
                await asyncio.sleep(0.5)
        async def child():
            return await refused(db)
        if colour is Colour.SYNC:
            entered = threading.Event()
            thread = threading.Thread(target=asyncio.run, args=(work(),))
            thread.start()
            entered.wait()
        else:
            entered = asyncio.Event()
            task = asyncio.create_task(work())
            await entered.wait()
        assert "before forking" in forked(child)
        if colour is Colour.SYNC:
            thread.join()
        else:
            await task
        """) == ["Ada", "parent"]


def test_forks_under_load(run):
    """Whatever locks the other threads hold: no child hangs, and none lies."""
    stored = run("""
        db = await filled(cache_enabled=True)
        over = False
        async def work():
            while not over:
                async with db:
                    await db.insert(User(name="load"))
                await db.insert(User(name="load"))
                await db.select(User).limit(3).fetch_all()
                await db.get(User, 1)
                await asyncio.sleep(0)
        async def child():
            await db.insert(User(name="child"))
        if colour is Colour.SYNC:
            threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(4)]
            for each in threads:
                each.start()
        else:
            tasks = [asyncio.create_task(work()) for _ in range(4)]
        said = []
        for _ in range(25):
            await asyncio.sleep(0.01)
            said.append(forked(child))
        over = True
        if colour is Colour.SYNC:
            for each in threads:
                each.join()
        else:
            await asyncio.gather(*tasks)
        assert all(each == "None" or "before forking" in each for each in said), said
        assert (await names(db)).count("child") == said.count("None")
        Path(path + ".said").write_text(str(said.count("None")))
        """)
    assert "load" in stored
