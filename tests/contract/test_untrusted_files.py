"""Files that are no databases, or damaged ones: a clear error, nothing written, and life goes on."""

import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from support import outside

from sqliter.exceptions import (
    BackupError,
    DatabaseConnectionError,
    RecordFetchError,
    SqliterError,
)
from sqliter.model import BaseDBModel

pytestmark = pytest.mark.only("file")

PAGE = 4096
ROWS = 400


class User(BaseDBModel):
    name: str
    age: int = 0

    class Meta:
        table_name = "users"
        indexes = ("name",)


async def entered(db):
    async with db:
        await db.select(User).count()


VERBS = {
    "connect": lambda db, _: db.connect(),
    "get_table_names": lambda db, _: db.get_table_names(),
    "create_table": lambda db, _: db.create_table(User),
    "drop_table": lambda db, _: db.drop_table(User),
    "reset_database": lambda db, _: db.reset_database(),
    "insert": lambda db, _: db.insert(User(name="new")),
    "bulk_insert": lambda db, _: db.bulk_insert([User(name="new")]),
    "get": lambda db, _: db.get(User, 1),
    "update": lambda db, _: db.update(User(pk=1, name="new")),
    "update_where": lambda db, _: db.update_where(User, {}, {"age": 1}),
    "delete": lambda db, _: db.delete(User, 1),
    "fetch_all": lambda db, _: db.select(User).fetch_all(),
    "count": lambda db, _: db.select(User).count(),
    "execute": lambda db, _: db.execute("UPDATE users SET age = 1"),
    "fetch": lambda db, _: db.fetch("SELECT * FROM users"),
    "block": lambda db, _: entered(db),
    "backup": lambda db, folder: db.backup(folder / "copy.db"),
    "checkpoint": lambda db, _: db.checkpoint(),
    "vacuum": lambda db, _: db.vacuum(),
    "optimize": lambda db, _: db.optimize(),
    "integrity_check": lambda db, _: db.integrity_check(),
    "health": lambda db, _: db.health(),
}


def text(path):
    path.write_text("Dear Ada, " * 1000)


def header_only(path):
    path.write_bytes(b"SQLite format 3\0" + b"nonsense" * 1000)


def encrypted(path):
    path.write_bytes(random.Random(1).randbytes(PAGE * 10))


def folder(path):
    path.unlink()
    path.mkdir()


def cut_in_the_header(path):
    os.truncate(path, 50)


def cut_in_a_page(path):
    os.truncate(path, PAGE * 10 + 100)


def cut_between_pages(path):
    os.truncate(path, PAGE * 10)


def no_schema(path):
    overwrite(path, 100, b"\xff" * 200)


def unknown_format(path):
    overwrite(path, 18, b"\x09\x09")


def nonsense_in_the_schema(path):
    database = sqlite3.connect(path)
    database.execute("PRAGMA writable_schema = ON")
    database.execute(
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE users(' WHERE name = 'users'"
    )
    database.commit()
    database.close()


NO_DATABASE = {
    text: "no_database",
    header_only: "no_database",
    encrypted: "no_database",
    unknown_format: "no_database",
    folder: "unreachable",
    cut_in_the_header: "damaged",
    cut_in_a_page: "damaged",
    cut_between_pages: "damaged",
    no_schema: "damaged",
    nonsense_in_the_schema: "damaged",
}
ADVICE = {
    "no_database": "use another file",
    "unreachable": "Name a file in it",
    "damaged": "Restore a backup",
}


def overwrite(path, position, data):
    with Path(path).open("r+b") as file:
        file.seek(position)
        file.write(data)


async def filled(db):
    await db.create_table(User)
    await db.bulk_insert([User(name=f"{'x' * 300}{i}", age=i) for i in range(ROWS)])
    await db.close()
    return Path(db.filename)


def contents(folder):
    return {
        path.name: path.read_bytes() if path.is_file() else None
        for path in folder.iterdir()
    }


# --- what cannot be opened ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "kind"),
    NO_DATABASE.items(),
    ids=lambda each: getattr(each, "__name__", ""),
)
async def test_every_verb_says_so_and_writes_nothing(db, spoil, kind):
    path = await filled(db)
    spoil(path)
    before = contents(path.parent)
    for verb in VERBS.values():
        with pytest.raises(DatabaseConnectionError) as caught:
            await verb(db, path.parent)
        error = caught.value
        assert str(path) in str(error)
        assert ADVICE[kind] in str(error)
        assert (error.filename, error.kind) == (str(path), kind)
        assert not db.is_connected
    assert contents(path.parent) == before


@pytest.mark.parametrize(
    "spoil", [text, cut_in_a_page, folder], ids=lambda each: each.__name__
)
async def test_the_same_object_works_once_the_file_is_whole(db, spoil, tmp_path):
    path = await filled(db)
    copy = tmp_path / "whole"
    shutil.copy(path, copy)
    spoil(path)
    with pytest.raises(DatabaseConnectionError):
        await db.get(User, 1)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copy(copy, path)
    assert await db.select(User).count() == ROWS
    assert (await db.insert(User(name="new"))).pk == ROWS + 1


async def test_an_empty_file_is_an_empty_database(db):
    Path(db.filename).touch()
    assert await db.get_table_names() == []
    with pytest.raises(RecordFetchError, match="no such table: users"):
        await db.get(User, 1)
    await db.create_table(User)
    assert (await db.insert(User(name="Ada"))).pk == 1


# --- what is damaged inside --------------------------------------------------------------


async def test_damage_names_table_and_file_and_what_to_do(db):
    path = await filled(db)
    overwrite(path, PAGE * 10, b"\x5a" * PAGE * 20)
    with pytest.raises(RecordFetchError) as caught:
        await db.select(User).fetch_all()
    error = caught.value
    assert (error.table, error.kind, error.filename) == ("users", "damaged", str(path))
    assert f"'{path}' is damaged. Restore a backup" in str(error)
    assert "malformed" in str(error)


async def test_what_is_whole_can_still_be_read(db, tmp_path):
    path = await filled(db)
    overwrite(path, PAGE * 20, b"\x5a" * PAGE)
    readable = 0
    for pk in range(1, ROWS + 1):
        try:
            readable += await db.get(User, pk) is not None
        except RecordFetchError:
            continue
    assert 0 < readable < ROWS
    assert await db.integrity_check() != []


async def test_a_write_that_meets_damage_changes_nothing(db):
    path = await filled(db)
    overwrite(path, PAGE * 20, b"\x5a" * PAGE)
    with pytest.raises(SqliterError, match="is damaged"):
        await db.update_where(User, {}, {"age": -1})
    with pytest.raises(SqliterError, match="is damaged"):
        async with db:
            await db.update(User(pk=1, name="lost", age=-1))
            await db.select(User).filter(age__gte=0).update({"age": -1})
    assert not db.in_transaction
    assert (await db.get(User, 1)).age == 0
    assert (await db.get(User, ROWS)).age == ROWS - 1


async def test_restoring_a_backup_is_what_helps(db, tmp_path):
    await filled(db)
    await db.backup(tmp_path / "copy.db")
    await db.close()
    overwrite(db.filename, PAGE * 10, b"\x5a" * PAGE * 20)
    with pytest.raises(RecordFetchError):
        await db.select(User).fetch_all()
    with pytest.raises(BackupError):
        await db.backup(tmp_path / "other.db")
    await db.restore(tmp_path / "copy.db")
    assert len(await db.select(User).fetch_all()) == ROWS
    assert await db.integrity_check() == []


@pytest.mark.parametrize("seed", range(15))
async def test_whatever_bytes_are_flipped(db, seed, tmp_path):
    """Any verb either works or says what is wrong; none fails in another way."""
    path = await filled(db)
    randomly = random.Random(seed)
    size = path.stat().st_size
    for _ in range(randomly.choice([1, 10, 100, 1000])):
        overwrite(
            path,
            randomly.randrange(size),
            randomly.randbytes(randomly.choice([1, 4, 64])),
        )
    for name in randomly.choices(list(VERBS), k=30):
        try:
            await VERBS[name](db, tmp_path)
        except SqliterError as error:
            assert str(error)
        assert not db.in_transaction
    await db.close()


@pytest.mark.parametrize("size", [50, PAGE * 3])
async def test_cut_while_it_is_open(db, size):
    path = await filled(db)
    await db.get(User, 1)
    await db.checkpoint()
    os.truncate(path, size)
    for verb in (
        VERBS["insert"],
        VERBS["fetch_all"],
        VERBS["update_where"],
        VERBS["block"],
    ):
        with pytest.raises(SqliterError) as caught:
            await verb(db, path.parent)
        assert str(path) in str(caught.value)
    assert path.stat().st_size == size
    await db.close()


# --- what lies beside the file -----------------------------------------------------------


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
async def test_garbage_in_place_of_a_journal_is_ignored(db, suffix):
    path = await filled(db)
    Path(f"{path}{suffix}").write_bytes(b"garbage" * 1000)
    assert await db.select(User).count() == ROWS
    assert await db.integrity_check() == []
    assert (await db.insert(User(name="new"))).pk == ROWS + 1


async def test_an_older_wal_of_the_same_file_changes_nothing(db, tmp_path):
    path = await filled(db)
    await db.insert(User(name="first"))
    shutil.copy(f"{path}-wal", tmp_path / "older")
    await db.close()
    await db.insert(User(name="second"))
    await db.close()
    shutil.copy(tmp_path / "older", f"{path}-wal")
    assert await db.integrity_check() == []
    newest = await db.select(User).order("pk", reverse=True).limit(2).fetch_all()
    assert "first" in [user.name for user in newest]


async def test_a_wal_that_nobody_wrote_back_is_read(db, make_db, tmp_path):
    """As after a crash: what was committed is there."""
    await db.create_table(User)
    await db.insert(User(name="Ada"))
    for suffix in ("", "-wal"):
        shutil.copy(f"{db.filename}{suffix}", f"{tmp_path}/crashed{suffix}")
    crashed = make_db(filename=str(tmp_path / "crashed"))
    assert [user.name for user in await crashed.select(User).fetch_all()] == ["Ada"]


async def test_a_torn_wal_loses_only_what_was_torn(db, make_db, tmp_path):
    await db.create_table(User)
    await db.insert(User(name="Ada"))
    await db.insert(User(name="Bob"))
    for suffix in ("", "-wal"):
        shutil.copy(f"{db.filename}{suffix}", f"{tmp_path}/torn{suffix}")
    os.truncate(tmp_path / "torn-wal", (tmp_path / "torn-wal").stat().st_size - 100)
    torn = make_db(filename=str(tmp_path / "torn"))
    assert [user.name for user in await torn.select(User).fetch_all()] == ["Ada"]
    assert await torn.integrity_check() == []


async def test_a_folder_in_place_of_the_wal(db):
    path = await filled(db)
    Path(f"{path}-wal").mkdir()
    with pytest.raises(DatabaseConnectionError, match="may both be read and written"):
        await db.get(User, 1)
    Path(f"{path}-wal").rmdir()
    assert await db.get(User, 1) is not None


# --- what cannot be decoded --------------------------------------------------------------


async def test_undecodable_text_is_an_error_that_does_not_stay(db):
    """A statement that was left open would show the past as long as the error is known."""
    await db.create_table(User)
    await db.insert(User(name="Ada"))
    await db.execute("UPDATE users SET name = CAST(x'ff' AS TEXT)")
    with pytest.raises(RecordFetchError, match="'name'") as caught:
        await db.select(User).fetch_all()
    with outside(db) as other:
        other.execute("UPDATE users SET name = 'Eve'")
    for _ in range(5):
        assert [user.name for user in await db.select(User).fetch_all()] == ["Eve"]
    assert caught.value.table == "users"
    assert await db.checkpoint()
