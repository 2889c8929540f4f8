"""Places that refuse: no permission, a full disk, a file that goes away while it is open."""

import contextlib
import os
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
from support import assert_no_transaction_left, committed, outside, run_python

from sqliter.engines import place
from sqliter.exceptions import (
    DatabaseConnectionError,
    RecordInsertionError,
    SqliterError,
    TransactionError,
)
from sqliter.model import BaseDBModel

pytestmark = pytest.mark.only("file")
unix = pytest.mark.skipif(sys.platform == "win32", reason="has other permissions")


class User(BaseDBModel):
    name: str

    class Meta:
        table_name = "users"


async def filled(db):
    await db.create_table(User)
    await db.insert(User(name="Ada"))
    await db.close()
    return Path(db.filename)


async def names(db):
    return [user.name for user in await db.select(User).order("pk").fetch_all()]


# --- permissions -------------------------------------------------------------------------

NOBODY = 65534

AS_NOBODY = """
import asyncio, logging, os, sys, warnings
from pathlib import Path
import sqliter.asyncio, urllib.parse
from sqliter.exceptions import DatabaseConnectionError, SqliterError
from sqliter.model import BaseDBModel
from support import Colour

colour, path = Colour(sys.argv[1]), Path(sys.argv[2])
db = colour.wrap(colour.database(str(path)))  # imports all while it may be read
logging.disable()

class User(BaseDBModel):
    name: str

    class Meta:
        table_name = "users"

async def said(operation, kind=SqliterError):
    try:
        await operation
    except kind as error:
        assert str(path) in str(error), error
        return str(error), error.kind
    raise AssertionError("nothing is refused")

async def names(db):
    return [user.name for user in await db.select(User).fetch_all()]

async def main():
    WORK

if os.getuid() == 0:  # who may do everything
    os.seteuid(NOBODY)
asyncio.run(main())
os.seteuid(os.getuid())
"""


@pytest.fixture
def as_nobody(db, colour, tmp_path_factory):
    """`await as_nobody(work, file=…, inside=…)`: a program, and what it may do with file and folder."""
    folder = tmp_path_factory.mktemp("locked")

    async def run(
        work: str,
        *,
        file: int = 0o600,
        inside: int = 0o700,
        mode: str = "wal",
        name: str = "x.db",
    ) -> Path:
        path = folder / "x.db"
        await filled(db)
        with outside(db) as other:
            other.execute(f"PRAGMA journal_mode = {mode}")
        shutil.copy(db.filename, path)
        path.chmod(file)
        folder.chmod(inside)
        if os.getuid() == 0:
            for each in (path, folder):
                os.chown(each, NOBODY, NOBODY)
            for each in folder.parents[:3]:
                each.chmod(each.stat().st_mode | 0o011)
        program = AS_NOBODY.replace("WORK", work.strip()).replace("NOBODY", str(NOBODY))
        try:
            assert run_python(program, colour.value, folder / name).stderr == ""
        finally:
            folder.chmod(0o700)
            path.chmod(0o600)
        return path

    return run


WRITES = """
    for operation in (
        lambda: db.insert(User(name="lost")),
        lambda: db.bulk_insert([User(name="lost")]),
        lambda: db.update(User(pk=1, name="lost")),
        lambda: db.delete(User, 1),
        lambda: db.update_where(User, {}, {"name": "lost"}),
        lambda: db.execute("DELETE FROM users"),
        lambda: db.drop_table(User),
    ):
        text, kind = await said(operation())
        assert kind == "read_only"
        assert "may only be read here. Nothing was changed" in text, text
        assert not db.in_transaction
"""


@unix
@pytest.mark.parametrize("mode", ["wal", "delete"])
async def test_a_file_that_may_only_be_read(as_nobody, mode):
    path = await as_nobody(
        f"""
    assert await names(db) == ["Ada"]
    {WRITES.strip()}
    assert await names(db) == ["Ada"]
    assert await db.integrity_check() == []
    await db.backup(path.with_name("copy.db"))
    copy = colour.wrap(colour.database(str(path.with_name("copy.db"))))
    await copy.insert(User(name="Bob"))
    assert await names(copy) == ["Ada", "Bob"]
    """,
        file=0o400,
        mode=mode,
    )
    assert committed_in(path) == ["Ada"]


@unix
async def test_a_folder_that_may_only_be_read(as_nobody):
    """SQLite needs two files beside one in WAL mode, even for reading."""
    path = await as_nobody(
        """
    for operation in (lambda: db.get(User, 1), lambda: db.insert(User(name="lost"))):
        text, kind = await said(operation(), DatabaseConnectionError)
        assert kind == "read_only"
        assert "Get the permission to write the folder" in text, text
    os.chmod(path.parent, 0o700)
    assert await names(db) == ["Ada"]
    await db.insert(User(name="Bob"))
    """,
        inside=0o500,
    )
    assert committed_in(path) == ["Ada", "Bob"]


@unix
async def test_a_folder_that_may_only_be_read_without_a_wal(as_nobody):
    path = await as_nobody(
        """
    assert await names(db) == ["Ada"]
    text, kind = await said(db.insert(User(name="lost")))
    assert kind in ("read_only", "unreachable")
    assert await names(db) == ["Ada"]
    """,
        inside=0o500,
        mode="delete",
    )
    assert committed_in(path) == ["Ada"]


@unix
@pytest.mark.parametrize(
    "permissions", [{"file": 0}, {"inside": 0}], ids=["file", "folder"]
)
async def test_no_permission_at_all(as_nobody, permissions):
    path = await as_nobody(
        """
    for operation in (
        lambda: db.connect(),
        lambda: db.get(User, 1),
        lambda: db.insert(User(name="lost")),
        lambda: db.get_table_names(),
        lambda: db.__aenter__(),
    ):
        text, kind = await said(operation(), DatabaseConnectionError)
        assert kind == "unreachable"
        assert "Does the folder exist, and may both be read and written?" in text, text
    """,
        **permissions,
    )
    assert committed_in(path) == ["Ada"]


@unix
async def test_a_new_file_where_none_may_be_made(as_nobody):
    path = await as_nobody(
        """
    text, kind = await said(db.create_table(User), DatabaseConnectionError)
    assert kind == "unreachable"
    assert not path.exists()
    """,
        inside=0o500,
        name="new.db",
    )
    assert committed_in(path) == ["Ada"]


async def test_a_database_that_is_to_be_read_only(make_db, db):
    """SQLite's own switch, for everybody."""
    await filled(db)
    reading = make_db(filename=db.filename, pragmas={"query_only": 1})
    assert await names(reading) == ["Ada"]
    with pytest.raises(RecordInsertionError, match="may only be read here") as caught:
        await reading.insert(User(name="lost"))
    assert (caught.value.kind, caught.value.table) == ("read_only", "users")
    assert await names(reading) == ["Ada"]
    assert_no_transaction_left(reading)


def committed_in(path):
    class Named:
        filename = path

    return committed(Named, "SELECT name FROM users ORDER BY pk")


# --- a full disk -------------------------------------------------------------------------

FULL = "There is no room left for '{}'"


async def limited(db, pages):
    """Let the file have so many pages more than it has."""
    (row,) = await db.fetch("PRAGMA page_count")
    await db.execute(f"PRAGMA max_page_count = {row['page_count'] + pages}")


async def test_a_full_disk_takes_no_row_and_loses_none(db):
    await filled(db)
    await limited(db, 5)
    stored = 1
    with pytest.raises(RecordInsertionError) as caught:
        while True:
            await db.insert(User(name="x" * 2000))
            stored += 1
    error = caught.value
    assert FULL.format(db.filename) in str(error)
    assert (error.kind, error.table, error.filename) == ("full", "users", db.filename)
    assert_no_transaction_left(db)
    assert await db.select(User).count() == stored > 3
    assert await db.integrity_check() == []


async def test_there_is_room_again(db):
    await filled(db)
    await limited(db, 2)
    with pytest.raises(RecordInsertionError):
        await db.bulk_insert([User(name="x" * 2000) for _ in range(10)])
    await limited(db, 1000)
    await db.bulk_insert([User(name="x" * 2000) for _ in range(10)])
    assert await db.select(User).count() == 11


async def test_a_full_disk_ends_the_block(db):
    await filled(db)
    await limited(db, 2)
    ada = await db.get(User, 1)
    with pytest.raises(RecordInsertionError, match="no room left"):
        async with db:
            ada.name = "lost"
            await db.update(ada)
            await db.bulk_insert([User(name="x" * 2000) for _ in range(10)])
    assert_no_transaction_left(db)
    assert await names(db) == ["Ada"]
    with pytest.raises(TransactionError, match="try again"):
        async with db:
            with contextlib.suppress(RecordInsertionError):
                await db.insert(User(name="x" * 20_000))
            await db.insert(User(name="lost"))
    assert await names(db) == ["Ada"]


async def test_what_waits_for_commit_is_lost_with_it(make_db):
    db = make_db(auto_commit=False)
    await db.create_table(User)
    await db.commit()
    await limited(db, 2)
    await db.insert(User(name="lost"))
    with pytest.raises(SqliterError):
        await db.insert(User(name="x" * 20_000))
    await db.rollback()
    assert await names(db) == []
    await db.insert(User(name="kept"))
    await db.commit()
    assert committed(db, "SELECT name FROM users") == ["kept"]


LIMITED = """
import asyncio, os, resource, sys
from sqliter.exceptions import SqliterError
from sqliter.model import BaseDBModel
from support import Colour

colour, path = Colour(sys.argv[1]), sys.argv[2]

class User(BaseDBModel):
    name: str

    class Meta:
        table_name = "users"

def limit(size):
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

async def block():
    async with db:
        for _ in range(50):
            await db.insert(User(name="x" * 2000))

async def main():
    global db
    db = colour.wrap(colour.database(path))
    await db.create_table(User)
    stored = 0
    limit(60_000)
    try:
        while True:
            await db.insert(User(name="x" * 2000))
            stored += 1
    except SqliterError as error:
        assert "The system refused to read or write" in str(error), error
        assert (error.kind, error.filename) == ("disk", path)
    assert stored > 3
    for verb in block, lambda: db.bulk_insert([User(name="x" * 2000)] * 50), db.vacuum:
        try:
            await verb()
        except SqliterError as error:
            assert "disk I/O error" in str(error), error
        else:
            raise AssertionError("there was room")
        assert not db.in_transaction
    assert await db.select(User).count() == stored
    limit(resource.RLIM_INFINITY)
    await block()
    assert await db.select(User).count() == stored + 50
    assert await db.integrity_check() == []
    await db.close()

asyncio.run(main())
"""


@unix
async def test_a_disk_that_refuses_to_write(colour, tmp_path):
    """As a quota does: the limit of a process stands for it."""
    assert run_python(LIMITED, colour.value, tmp_path / "x.db").stderr == ""


# --- a file that goes away ---------------------------------------------------------------


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch):
    monkeypatch.setattr(place, "PAUSE", 0)


def delete(path):
    path.unlink()


def delete_all(path):
    for each in path.parent.iterdir():
        each.unlink()


def move(path):
    path.rename(path.with_name("moved.db"))


def replace(path):
    copy = path.with_name("copy.db")
    with contextlib.closing(sqlite3.connect(copy)) as other:
        other.execute("CREATE TABLE other (x)")
    copy.replace(path)


VERBS = {
    "insert": lambda db: db.insert(User(name="lost")),
    "bulk_insert": lambda db: db.bulk_insert([User(name="lost")]),
    "update_where": lambda db: db.update_where(User, {}, {"name": "lost"}),
    "get": lambda db: db.get(User, 1),
    "count": lambda db: db.select(User).count(),
    "execute": lambda db: db.execute("DELETE FROM users"),
    "block": lambda db: db.__aenter__(),
}


@unix
@pytest.mark.parametrize("mode", ["wal", "delete"])
@pytest.mark.parametrize(
    "vanish", [delete, delete_all, move, replace], ids=lambda each: each.__name__
)
async def test_nothing_is_written_into_a_file_without_a_name(make_db, vanish, mode):
    db = make_db(journal_mode=mode)
    path = await filled(db)
    await db.insert(User(name="Bob"))
    assert await names(db) == ["Ada", "Bob"]
    vanish(path)
    for verb in [*VERBS.values(), *VERBS.values()]:
        with pytest.raises(
            DatabaseConnectionError, match="moved, deleted or replaced"
        ) as caught:
            await verb(db)
        assert caught.value.kind == "moved"
        assert str(path) in str(caught.value)
        assert "Call close()" in str(caught.value)
        assert not db.in_transaction


@unix
@pytest.mark.parametrize("vanish", [delete, delete_all], ids=lambda each: each.__name__)
async def test_after_close_a_deleted_database_begins_anew(db, vanish):
    path = await filled(db)
    await db.insert(User(name="Bob"))
    vanish(path)
    await db.close()
    assert await db.get_table_names() == []
    await db.create_table(User)
    assert (await db.insert(User(name="new"))).pk == 1


@unix
async def test_what_was_committed_moves_along(db, make_db):
    path = await filled(db)
    await db.insert(User(name="Bob"))
    move(path)
    with pytest.raises(DatabaseConnectionError):
        await db.get(User, 1)
    await db.close()
    moved = make_db(filename=str(path.with_name("moved.db")))
    assert await names(moved) == ["Ada", "Bob"]
    assert await moved.integrity_check() == []


@unix
async def test_what_was_committed_does_not_get_into_another_file(db):
    """The WAL beside it has the right name, and pages of the old file."""
    path = await filled(db)
    await db.bulk_insert([User(name="x" * 500) for _ in range(100)])
    other = path.with_name("other.db")
    await backup_of_other(db, other)
    os.replace(other, path)
    await db.close()
    assert await names(db) == ["other"]
    assert await db.integrity_check() == []
    await db.insert(User(name="more"))
    assert committed(db, "SELECT name FROM users ORDER BY pk") == ["other", "more"]


async def backup_of_other(db, path):
    """Make another database of the same model, with as many pages."""
    other = type(db.wrapped if hasattr(db, "wrapped") else db)(str(path))
    for call in (
        lambda: other.create_table(User),
        lambda: other.bulk_insert([User(name="y" * 500) for _ in range(100)]),
        lambda: other.select(User).delete(),
        lambda: other.insert(User(name="other")),
        other.close,
    ):
        result = call()
        if hasattr(result, "__await__"):
            await result


@unix
async def test_a_block_goes_on_to_its_end(db):
    """It began in the file: the transaction belongs there, wherever that is now."""
    path = await filled(db)
    async with db:
        await db.insert(User(name="Bob"))
        move(path)
        assert await names(db) == ["Ada", "Bob"]
    with pytest.raises(DatabaseConnectionError):
        await db.insert(User(name="lost"))
    await db.close()
    assert committed_in(path.with_name("moved.db")) == ["Ada", "Bob"]


@unix
async def test_a_file_that_comes_back(db):
    path = await filled(db)
    await db.insert(User(name="Bob"))
    move(path)
    with pytest.raises(DatabaseConnectionError):
        await db.get(User, 1)
    path.with_name("moved.db").rename(path)
    assert await names(db) == ["Ada", "Bob"]
    await db.insert(User(name="Cy"))
    assert committed(db, "SELECT count(*) FROM users") == [3]


async def test_a_look_from_time_to_time(db, monkeypatch):
    """It costs as much as a tenth of a write, so most writes go without."""
    monkeypatch.setattr(place, "PAUSE", 60)
    await filled(db)
    await db.insert(User(name="Bob"))
    looked = []
    really = place.identity_of
    monkeypatch.setattr(
        place, "identity_of", lambda path: looked.append(path) or really(path)
    )
    for _ in range(100):
        await db.insert(User(name="x"))
        await db.get(User, 1)
    assert looked == []
