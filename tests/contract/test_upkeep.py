"""Backups, restoring, and keeping a file in order."""

import asyncio
import os
import sqlite3
import threading
from pathlib import Path

import pytest
from support import (
    Colour,
    Signal,
    assert_no_transaction_left,
    outside,
    run_python,
    snapshot,
    unwrap,
)

from sqliter.core.askers import name_of
from sqliter.engines import copies
from sqliter.exceptions import (
    BackupError,
    DatabaseBusyError,
    DatabaseConnectionError,
    RestoreError,
    SqliterError,
    TransactionError,
)
from sqliter.model import BaseDBModel, ForeignKey


class User(BaseDBModel):
    name: str
    about: str = ""


class Note(BaseDBModel):
    user_id: int = ForeignKey(User)


class Account(BaseDBModel):
    owner: str

    class Meta:
        table_name = "users"


async def filled(db, rows=3, size=0):
    """Make the table with so many rows, each of so many characters."""
    await db.create_table(User)
    await db.bulk_insert([User(name=f"u{n}", about="x" * size) for n in range(rows)])
    return db


async def names(db):
    return [user.name for user in await db.select(User).order("pk").fetch_all()]


def read(path, sql="SELECT name FROM users ORDER BY pk"):
    """The first column, as a program without this library reads it."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [row[0] for row in connection.execute(sql)]
    finally:
        connection.close()


def plain_file(path, *statements):
    """A database that another program made."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for sql in statements:
            connection.execute(sql)
    finally:
        connection.close()
    return path


USERS = (
    "CREATE TABLE users (pk INTEGER PRIMARY KEY, created_at INTEGER DEFAULT 0,"
    " updated_at INTEGER DEFAULT 0, name TEXT, about TEXT DEFAULT '')"
)
ADD = "INSERT INTO users (name) VALUES ('other')"


@pytest.fixture
def target(tmp_path):
    """Where a backup goes: in a folder with nothing else in it."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "copy.db"


def left(target):
    return sorted(os.listdir(target.parent))


# --- backup ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [str, Path])
async def test_a_backup_holds_all_there_is(db, target, kind):
    await filled(db)
    assert await db.backup(kind(target)) is None
    assert read(target) == ["u0", "u1", "u2"]
    assert left(target) == ["copy.db"]
    assert read(target, "PRAGMA journal_mode") == ["delete"]


async def test_a_backup_is_a_database_of_its_own(db, make_db, target):
    await filled(db)
    await db.backup(target)
    await db.insert(User(name="later"))
    if db.is_memory:
        assert read(target) == ["u0", "u1", "u2"]
        return
    copy = make_db(filename=str(target))
    await copy.insert(User(name="in the copy"))
    assert await names(copy) == ["u0", "u1", "u2", "in the copy"]
    assert await names(db) == ["u0", "u1", "u2", "later"]


async def test_a_relative_path_is_in_the_working_folder(db, target, monkeypatch):
    await filled(db)
    monkeypatch.chdir(target.parent)
    await db.backup("copy.db")
    assert read(target) == ["u0", "u1", "u2"]


async def test_a_backup_replaces_an_older_one(db, target):
    await filled(db)
    await db.backup(target)
    await db.insert(User(name="new"))
    await db.backup(target)
    assert read(target)[-1] == "new"
    assert left(target) == ["copy.db"]


async def test_an_empty_database_can_be_backed_up_and_restored(db, make_db, target):
    await db.backup(target)
    await filled(db)
    await db.restore(target)
    assert await db.get_table_names() == []


async def test_progress_is_told(db, target):
    await filled(db, 400, 4000)
    told = []
    await db.backup(target, progress=lambda *pages: told.append(pages))
    lefts, totals = zip(*told, strict=True)
    assert len(told) > 1
    assert lefts[-1] == 0
    assert list(lefts) == sorted(lefts, reverse=True)
    assert set(totals) == {os.path.getsize(target) // 4096}


@pytest.mark.parametrize("error", [ZeroDivisionError, ValueError, OSError])
async def test_what_progress_raises_ends_the_backup(db, target, error):
    await filled(db)

    def refuse(left, total):
        raise error("enough")

    with pytest.raises(error, match="enough"):
        await db.backup(target, progress=refuse)
    assert left(target) == []
    assert await names(db) == ["u0", "u1", "u2"]


async def test_progress_may_use_the_database(db, target, tmp_path):
    await filled(db)
    blocking = Colour.SYNC.database(str(tmp_path / "log.db"))
    steps = []

    def note(left, total):
        if isinstance(unwrap(db), Colour.SYNC.database):
            steps.append(unwrap(db).insert(User(name="meanwhile")))
        blocking.execute("CREATE TABLE IF NOT EXISTS steps (n)")

    await db.backup(target, progress=note)
    blocking.close()
    assert read(target) == ["u0", "u1", "u2"]
    assert len(await names(db)) == 3 + len(steps)


@pytest.mark.parametrize("mode", ["wal", "delete"])
async def test_a_backup_ends_while_others_write_all_the_time(
    make_db, target, together, mode
):
    db = await filled(make_db(journal_mode=mode), 1500, 4000)
    over, written = Signal(), []

    async def write():
        while not over.is_set():
            async with db:  # both or none
                await db.insert(User(name="left"))
                await db.insert(User(name="right"))
            written.append(not over.is_set())
            await asyncio.sleep(0.001)

    async def back_up():
        while len(written) < 3:
            await asyncio.sleep(0.001)
        before = len(written)
        try:
            await db.backup(target)
        finally:
            during = len(written) - before
            over.set()
        return during

    _, during = await together(write(), back_up())
    assert during > 0 or db.is_memory
    copied = read(target)[1500:]
    assert copied == ["left", "right"] * (len(copied) // 2)
    assert len(copied) // 2 <= len(written)
    assert left(target) == ["copy.db"]


async def test_the_longest_wait_of_a_writer_is_short(db, target, together):
    await filled(db, 3000, 4000)
    began, over, waits = Signal(), Signal(), []

    def progress(left, total):
        began.set()

    async def write():
        await began.wait()
        while not over.is_set():
            start = asyncio.get_running_loop().time()
            await db.insert(User(name="meanwhile"))
            waits.append(asyncio.get_running_loop().time() - start)
            await asyncio.sleep(0)

    async def back_up():
        await db.backup(target, progress=progress)
        over.set()

    await together(write(), back_up())
    assert len(waits) > 2
    assert max(waits) < 2  # of seconds; a wait for the end would be DatabaseBusyError


@pytest.mark.only("file")
async def test_disturbed_too_often_a_copy_makes_writers_wait(
    make_db, target, monkeypatch
):
    monkeypatch.setattr(copies, "STEP", 1)
    db = await filled(make_db(journal_mode="delete", busy_timeout=0.05), 50, 4000)
    restarts, refused = [], []

    def disturb(left, total):
        try:
            with outside(db) as other:
                other.execute("PRAGMA busy_timeout = 1")
                other.execute(ADD)
            restarts.append(left)
        except sqlite3.OperationalError as error:
            refused.append(error)

    await db.backup(target, progress=disturb)
    assert 3 <= len(restarts) <= 10
    assert refused
    assert read(target, "PRAGMA integrity_check") == ["ok"]


@pytest.mark.only("file")
async def test_a_locked_file_is_busy(make_db, target):
    db = await filled(make_db(journal_mode="delete", busy_timeout=0.1))
    with outside(db) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseBusyError) as caught:
            await db.backup(target)
        assert str(target) in str(caught.value)
    assert left(target) == []
    await db.backup(target)


async def test_a_block_must_be_left_first(db, target):
    await filled(db)
    async with db:
        await db.insert(User(name="not committed"))
        for refused in (db.backup(target), db.restore(target)):
            with pytest.raises(TransactionError, match="leave it first"):
                await refused
    assert left(target) == []
    assert len(await names(db)) == 4


async def test_what_is_not_committed_is_not_copied(make_db, place, target):
    db = await filled(make_db(auto_commit=False))
    await db.commit()
    await db.insert(User(name="not committed"))
    if place == "memory":
        with pytest.raises(TransactionError, match=r"commit\(\) first"):
            await db.backup(target)
        await db.rollback()
    await db.backup(target)
    assert read(target) == ["u0", "u1", "u2"]


@pytest.mark.only("file")
async def test_the_own_file_is_refused(db, tmp_path, target):
    await filled(db)
    link, twin = tmp_path / "link.db", tmp_path / "twin.db"
    link.symlink_to(db.filename)
    os.link(db.filename, twin)
    wal = f"{db.filename}-wal"
    for path in (db.filename, link, twin, wal):
        with pytest.raises(BackupError, match="own file") as caught:
            await db.backup(path)
        assert caught.value.path == str(path)
    with pytest.raises(RestoreError, match="own file"):
        await db.restore(db.filename)
    assert await names(db) == ["u0", "u1", "u2"]


async def refused(db, path):
    with pytest.raises(BackupError) as caught:
        await db.backup(path)
    assert isinstance(caught.value, SqliterError)
    assert caught.value.path == str(path)
    assert str(path) in str(caught.value)
    return caught.value


async def test_a_missing_folder(db, target):
    await filled(db)
    error = await refused(db, target.parent / "nowhere" / "copy.db")
    assert isinstance(error.original_exception, FileNotFoundError)
    assert left(target) == []


async def test_a_folder_that_is_a_file_or_the_other_way_round(db, target):
    await filled(db)
    target.write_bytes(b"a file")
    await refused(db, target / "copy.db")
    await refused(db, target.parent)
    assert left(target) == ["copy.db"]


async def test_an_impossible_name(db, target):
    await filled(db)
    await refused(db, target.parent / ("x" * 300))
    await refused(db, target.parent / "a\0b")
    assert left(target) == []


async def test_a_read_only_folder(db, target, monkeypatch):
    await filled(db)
    target.parent.chmod(0o500)
    if os.access(target.parent, os.W_OK):  # root may write everywhere

        def touch(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "touch", touch)
    error = await refused(db, target)
    assert isinstance(error.original_exception, PermissionError)
    target.parent.chmod(0o700)
    assert left(target) == []


async def test_a_folder_that_nobody_may_write_to(db, target):
    await filled(db)
    if not os.path.isdir("/proc/self"):
        pytest.skip("there is no such folder")
    await refused(db, Path("/proc/self/copy.db"))


async def test_a_disk_that_fails_in_the_end(db, target, monkeypatch):
    await filled(db)
    await db.backup(target)
    before = target.read_bytes()
    await db.insert(User(name="more"))

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies, "_flush", full)
    error = await refused(db, target)
    assert "No space left" in str(error)
    assert left(target) == ["copy.db"]
    assert target.read_bytes() == before


async def test_a_full_disk(db, target, monkeypatch):
    await filled(db, 400, 4000)
    really = copies._open

    def small(path):
        raw = really(path)
        raw.execute("PRAGMA max_page_count = 5")
        return raw

    monkeypatch.setattr(copies, "_open", small)
    error = await refused(db, target)
    assert "full" in str(error)
    assert left(target) == []


async def test_a_copy_that_is_not_sound_gets_no_name(db, target, monkeypatch):
    await filled(db, 400, 4000)
    really = copies.Backup._fill

    def broken(self, part, source):
        really(self, part, source)
        damage(part)

    monkeypatch.setattr(copies.Backup, "_fill", broken)
    await refused(db, target)
    assert left(target) == []


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
async def test_a_backup_that_is_in_use_is_not_replaced(db, target, suffix):
    await filled(db)
    await db.backup(target)
    Path(f"{target}{suffix}").write_bytes(b"")
    error = await refused(db, target)
    assert "in use" in str(error)


@pytest.mark.only("file")
async def test_a_backup_is_no_less_secret(db, target):
    await filled(db)
    os.chmod(db.filename, 0o600)
    await db.backup(target)
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.only("file")
async def test_a_database_that_is_no_database(make_db, tmp_path, target):
    path = tmp_path / "letter.db"
    path.write_text("Dear Ada, " * 1000)
    with pytest.raises(DatabaseConnectionError):
        await make_db(filename=str(path)).backup(target)
    assert left(target) == []


@pytest.mark.only("file")
async def test_a_damaged_database_is_not_backed_up(db, make_db, target):
    await filled(db, 400, 4000)
    await db.close()
    damage(Path(db.filename))
    await refused(db, target)
    assert left(target) == []


@pytest.mark.only("async")
@pytest.mark.parametrize("when", ["copy", "check", "flush"])
async def test_a_cancelled_backup_leaves_no_file(db, target, monkeypatch, when):
    await filled(db, 2000, 4000)
    running, wait = threading.Event(), threading.Event()

    def pause(*_):
        running.set()
        wait.wait(5)

    if when == "check":
        really = copies._Copy._check
        monkeypatch.setattr(
            copies._Copy, "_check", lambda *args: (pause(), really(*args))
        )
    if when == "flush":
        monkeypatch.setattr(copies, "_flush", pause)
    task = asyncio.create_task(
        db.backup(target, progress=pause if when == "copy" else None)
    )
    await asyncio.to_thread(running.wait, 5)
    assert len(left(target)) >= 1
    task.cancel()
    asyncio.get_running_loop().call_later(0.01, wait.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(target) == []
    await db.insert(User(name="goes on"))
    assert_no_transaction_left(db)
    await db.backup(target)
    assert len(read(target)) == 2001


@pytest.mark.only("async")
async def test_backups_cancelled_at_any_time_leave_all_or_nothing(db, target):
    await filled(db, 300, 4000)
    for n in range(30):
        task = asyncio.create_task(db.backup(target))
        await asyncio.sleep(n * 0.0007)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
            raise asyncio.CancelledError
        assert left(target) in ([], ["copy.db"])
    if target.exists():
        assert len(read(target)) == 300
    await db.insert(User(name="goes on"))


@pytest.mark.only("sync")
async def test_ctrl_c_leaves_no_file(db, target):
    await filled(db)

    def interrupt(left, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await db.backup(target, progress=interrupt)
    assert left(target) == []
    await db.insert(User(name="goes on"))


async def test_several_backups_at_once(db, target, together):
    await filled(db, 100, 4000)
    paths = [target.with_name(f"{n}.db") for n in range(6)]
    await together(*(db.backup(path) for path in (*paths, paths[0])))
    assert left(target) == [path.name for path in paths]
    assert {len(read(path)) for path in paths} == {100}


@pytest.mark.only("file")
async def test_a_database_that_is_not_open_yet(make_db, target):
    db = make_db()
    await db.backup(target)
    assert read(target, "SELECT name FROM sqlite_master") == []


# --- restore -----------------------------------------------------------------------------


async def test_what_was_backed_up_comes_back(db, target):
    await filled(db)
    await db.backup(target)
    await db.delete(User, 1)
    await db.insert(User(name="later"))
    await db.create_table(Note)
    assert await db.restore(target) is None
    assert await names(db) == ["u0", "u1", "u2"]
    assert await db.get_table_names() == ["users"]
    assert await db.integrity_check() == []
    again = await db.insert(User(name="goes on"))
    assert again.pk == 4
    assert left(target) == ["copy.db"]
    assert_no_transaction_left(db)


async def test_a_backup_is_not_changed_by_restoring_it(db, target):
    await filled(db)
    await db.backup(target)
    before = target.read_bytes()
    await db.restore(target)
    await db.insert(User(name="later"))
    assert target.read_bytes() == before


async def test_a_new_database_can_start_from_a_backup(db, make_db, target):
    await filled(db, 100, 4000)
    await db.backup(target)
    other = make_db()
    await other.restore(target)
    assert len(await names(other)) == 100


async def test_the_cache_forgets_what_was_before(make_db, target):
    db = await filled(make_db(cache_enabled=True))
    await db.backup(target)
    await db.update_where(User, {"pk": 1}, {"name": "changed"})
    for _ in range(2):
        assert (await db.get(User, 1)).name == "changed"
        assert (await names(db))[0] == "changed"
    await db.restore(target)
    assert (await db.get(User, 1)).name == "u0"
    assert (await names(db))[0] == "u0"


async def test_what_was_known_of_tables_is_forgotten(db, make_db, tmp_path, target):
    await db.create_table(Account)
    await db.insert(Account(owner="Ada"))
    await db.backup(target)
    await db.reset_database()
    await filled(db)
    assert unwrap(db).context.known
    await db.restore(target)
    assert not unwrap(db).context.known
    with pytest.raises(SqliterError):
        await db.insert(User(name="of another table"))
    assert (await db.get(Account, 1)).owner == "Ada"


@pytest.mark.only("file")
async def test_other_connections_go_on(db, make_db, target):
    await filled(db)
    await db.backup(target)
    await db.insert(User(name="later"))
    twin = make_db(filename=db.filename, cache_enabled=True)
    assert len(await names(twin)) == 4
    with outside(db) as other:
        other.execute("BEGIN")
        count = "SELECT COUNT(*) FROM users"
        assert other.execute(count).fetchone() == (4,)
        await db.restore(target)
        assert other.execute(count).fetchone() == (4,)  # its snapshot
        other.execute("COMMIT")
        assert other.execute(count).fetchone() == (3,)
    assert len(await names(twin)) == 3
    await twin.insert(User(name="by the twin"))
    assert (await names(db))[-1] == "by the twin"


async def test_reading_while_it_is_restored(db, target, together):
    await filled(db, 200, 2000)
    await db.backup(target)
    await db.delete(User, 1)
    over, counts = Signal(), set()

    async def look():
        while not over.is_set():
            counts.add(len(await names(db)))
            await asyncio.sleep(0)

    async def restore():
        for _ in range(3):
            await db.restore(target)
            await db.delete(User, 1)
        over.set()

    await together(look(), restore())
    assert counts <= {199, 200}


async def test_what_waits_for_commit_stops_a_restore(make_db, target):
    db = await filled(make_db(auto_commit=False))
    await db.commit()
    await db.backup(target)
    await db.insert(User(name="not committed"))
    with pytest.raises(TransactionError, match=r"commit\(\) first"):
        await db.restore(target)
    assert len(await names(db)) == 4
    await db.rollback()
    await db.restore(target)
    assert len(await names(db)) == 3


def damage(path):
    """Overwrite pages in the middle of a database."""
    with path.open("r+b") as file:
        file.seek(4096 * 10)
        file.write(b"\x5a" * 4096 * 20)


def cut(path):
    os.truncate(path, 4096 * 20 + 100)


def cut_at_a_page(path):
    os.truncate(path, 4096 * 20)


def empty(path):
    os.truncate(path, 0)


def text(path):
    path.write_text("Dear Ada, " * 1000)


def header_only(path):
    path.write_bytes(b"SQLite format 3\0" + b"nonsense" * 1000)


def folder(path):
    path.unlink()
    path.mkdir()


def gone(path):
    path.unlink()


@pytest.mark.parametrize(
    "spoil", [damage, cut, cut_at_a_page, empty, text, header_only, folder, gone]
)
async def test_a_bad_file_changes_nothing(db, target, spoil):
    await filled(db, 400, 4000)
    await db.backup(target)
    spoil(target)
    before = left(target)
    await db.insert(User(name="kept"))
    with pytest.raises(RestoreError) as caught:
        await db.restore(target)
    assert isinstance(caught.value, BackupError)
    assert caught.value.path == str(target)
    assert str(target) in str(caught.value)
    assert (await names(db))[-1] == "kept"
    assert await db.integrity_check() == []
    assert left(target) == before
    assert_no_transaction_left(db)


async def test_a_copy_that_breaks_off_changes_nothing(db, target, monkeypatch):
    await filled(db, 2000, 4000)
    await db.backup(target)
    await db.insert(User(name="kept"))
    really = copies._Copy._tell

    def fail(self, left, total):
        really(self, left, total)
        if left < total - 300:
            raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(copies._Copy, "_tell", fail)
    with pytest.raises(RestoreError, match="disk I/O error"):
        await db.restore(target)
    assert (await names(db))[-1] == "kept"
    assert len(await names(db)) == 2001
    assert await db.integrity_check() == []
    await db.insert(User(name="goes on"))
    assert_no_transaction_left(db)


@pytest.mark.only("file")
@pytest.mark.parametrize("mode", ["wal", "delete"])
async def test_a_program_killed_in_a_restore_changed_nothing(make_db, target, mode):
    db = await filled(make_db(journal_mode=mode), 2000, 4000)
    await db.backup(target)
    await db.insert(User(name="kept"))
    await db.close()
    program = """
import os, sys
from sqliter import SqliterDB
from sqliter.engines import copies
def tell(self, left, total):
    if left < total - 600:
        os._exit(9)
copies._Copy._tell = tell
SqliterDB(sys.argv[1], journal_mode=sys.argv[3], pragmas={"cache_size": 20}).restore(sys.argv[2])
"""
    done = run_python(program, db.filename, target, mode, check=False)
    assert done.returncode == 9
    assert len(await names(db)) == 2001
    assert await db.integrity_check() == []
    await db.restore(target)
    assert len(await names(db)) == 2000


@pytest.mark.only("async")
@pytest.mark.parametrize("when", ["_check", "_tell"])
async def test_a_cancelled_restore_changes_nothing(db, target, monkeypatch, when):
    await filled(db, 1000, 4000)
    await db.backup(target)
    await db.insert(User(name="kept"))
    running, wait = threading.Event(), threading.Event()
    really = getattr(copies._Copy, when)

    def pause(*args):
        running.set()
        wait.wait(5)
        return really(*args)

    monkeypatch.setattr(copies._Copy, when, pause)
    task = asyncio.create_task(db.restore(target))
    await asyncio.to_thread(running.wait, 5)
    task.cancel()
    asyncio.get_running_loop().call_later(0.01, wait.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await names(db))[-1] == "kept"
    await db.insert(User(name="goes on"))
    assert_no_transaction_left(db)


@pytest.mark.parametrize("page_size", [1024, 4096, 16384])
@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("ours", ["wal", "delete"])
async def test_files_of_other_programs(make_db, target, page_size, journal, ours):
    plain_file(
        target,
        f"PRAGMA page_size = {page_size}",
        f"PRAGMA journal_mode = {journal}",
        USERS,
        *[ADD] * 50,
    )
    db = await filled(make_db(journal_mode=ours), 200, 4000)
    await db.restore(target)
    assert await names(db) == ["other"] * 50
    assert await db.integrity_check() == []
    await db.insert(User(name="goes on"))
    expected = "memory" if db.is_memory else ours
    assert (await db.health()).journal_mode == expected
    if not db.is_memory:
        assert len(read(db.filename)) == 51
    assert left(target) == ["copy.db"]


@pytest.mark.only("file")
async def test_somebody_else_writing_makes_a_restore_busy(make_db, target):
    db = await filled(make_db(busy_timeout=0.1))
    await db.backup(target)
    await db.insert(User(name="kept"))
    with outside(db) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusyError) as caught:
            await db.restore(target)
        assert str(target) in str(caught.value)
        other.execute("ROLLBACK")
    assert len(await names(db)) == 4
    await db.restore(target)
    assert len(await names(db)) == 3


# --- keeping it in order -----------------------------------------------------------------


@pytest.mark.only("file")
async def test_a_checkpoint_empties_the_wal(db):
    await filled(db, 100, 4000)
    assert (await db.health()).wal_size > 0
    assert await db.checkpoint() is True
    assert (await db.health()).wal_size == 0
    assert os.path.getsize(f"{db.filename}-wal") == 0


@pytest.mark.only("file")
async def test_a_reader_may_keep_a_checkpoint_from_its_end(make_db):
    db = await filled(make_db(busy_timeout=0.05))
    with outside(db) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM users").fetchall()
        await db.insert(User(name="later"))
        assert await db.checkpoint() is False
    assert await db.checkpoint() is True


async def test_without_a_wal_a_checkpoint_has_nothing_to_do(make_db):
    db = await filled(make_db(journal_mode="delete"))
    assert await db.checkpoint() is True


async def test_vacuum_gives_room_back(db):
    await filled(db, 400, 4000)
    await db.select(User).filter(pk__gt=10).delete()
    assert (await db.health()).free_pages > 300
    assert await db.vacuum() is None
    health = await db.health()
    assert (health.free_pages, health.page_count < 30) == (0, True)
    assert len(await names(db)) == 10


@pytest.mark.parametrize("verb", ["vacuum", "checkpoint"])
async def test_some_verbs_need_a_block_to_be_left(db, verb):
    await filled(db)
    async with db:
        await db.insert(User(name="kept"))
        with pytest.raises(TransactionError, match=rf"{verb}\(\): .*leave the block"):
            await getattr(db, verb)()
        await db.insert(User(name="too"))
    assert len(await names(db)) == 5
    await getattr(db, verb)()


@pytest.mark.parametrize("verb", ["vacuum", "checkpoint"])
async def test_and_what_was_written_to_be_committed(make_db, verb):
    db = make_db(auto_commit=False)
    await getattr(db, verb)()
    await filled(db)
    with pytest.raises(TransactionError, match=r"commit\(\) first"):
        await getattr(db, verb)()
    await db.commit()
    await getattr(db, verb)()
    await db.insert(User(name="goes on"))
    await db.rollback()
    assert len(await names(db)) == 3


@pytest.mark.only("file")
async def test_vacuum_waits_for_others(make_db):
    db = await filled(make_db(busy_timeout=0.05))
    with outside(db) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusyError):
            await db.vacuum()
    await db.vacuum()


async def test_optimize_counts_rows(db):
    await filled(db, 100)
    await db.create_indexes(User, ["name"])
    assert await db.optimize() is None
    stats = await db.fetch("SELECT stat FROM sqlite_stat1 WHERE tbl = 'users'")
    assert "100 1" in [row["stat"] for row in stats]
    assert await db.get_table_names() == ["users"]
    async with db:
        await db.optimize()
    assert_no_transaction_left(db)


async def test_a_sound_database_has_no_problems(db):
    assert await db.integrity_check() == []
    await filled(db)
    assert await db.integrity_check() == []
    async with db:
        assert await db.integrity_check() == []


async def test_dangling_foreign_keys_are_a_problem(make_db):
    db = await filled(make_db(foreign_keys=False))
    await db.create_table(Note)
    await db.bulk_insert([Note(user_id=1), Note(user_id=99)])
    assert await db.integrity_check() == [
        "row 2 of 'notes' refers to a row that 'users' does not have"
    ]


@pytest.mark.only("file")
async def test_damage_is_a_problem_and_no_error(db):
    await filled(db, 400, 4000)
    await db.close()
    damage(Path(db.filename))
    problems = await db.integrity_check()
    assert problems
    assert all(isinstance(each, str) for each in problems)


# --- health ------------------------------------------------------------------------------


async def test_health_of_a_quiet_database(make_db, place):
    db = await filled(make_db(cache_enabled=True), 100, 4000)
    await db.get(User, 1)
    await db.get(User, 1)
    health = await db.health()
    assert health.page_size == 4096
    assert health.page_count >= 100
    assert health.free_pages == 0
    assert health.journal_mode == ("wal" if place == "file" else "memory")
    assert (health.wal_size > 0) is (place == "file")
    assert (health.writer, health.writer_age, health.waiting) == (None, 0.0, 0)
    assert health.in_transaction is False
    assert (health.cache["hits"], health.cache["misses"]) == (1, 1)
    with pytest.raises(AttributeError):
        health.page_size = 1
    assert health == await db.health()


async def test_health_in_a_block_names_its_owner(db, colour):
    await filled(db)
    async with db:
        await db.insert(User(name="more"))
        health = await db.health()
    me = (
        asyncio.current_task().get_name()
        if colour is Colour.ASYNC
        else threading.current_thread().name
    )
    assert me in health.writer
    assert health.in_transaction is True
    assert 0 < health.writer_age < 10


@pytest.mark.only("file")
async def test_health_counts_who_waits(db, together):
    await filled(db)
    inside, seen = Signal(), []

    async def hold():
        async with db:
            await db.insert(User(name="held"))
            inside.set()
            while not seen or seen[-1].waiting < 3:
                await asyncio.sleep(0.001)

    async def wait(n):
        await inside.wait()
        await db.insert(User(name=f"w{n}"))

    async def look():
        await inside.wait()
        while not seen or seen[-1].waiting < 3:
            seen.append(await db.health())
            await asyncio.sleep(0.001)

    await together(hold(), look(), *(wait(n) for n in range(3)))
    assert seen[-1].writer is not None
    assert (await db.health()).waiting == 0


@pytest.mark.only("file")
async def test_health_names_the_oldest_reader(db, target, colour):
    await filled(db, 400, 4000)
    loop, seen = asyncio.get_running_loop(), []

    def look(left, total):  # while a reader copies the database
        if colour is Colour.ASYNC:
            seen.append(asyncio.run_coroutine_threadsafe(db.health(), loop).result(5))
        else:
            seen.append(unwrap(db).health())

    await db.backup(target, progress=look)
    me = (
        asyncio.current_task().get_name()
        if colour is Colour.ASYNC
        else threading.current_thread().name
    )
    assert len(seen) > 1
    assert all(me in health.oldest_reader for health in seen)
    ages = [health.oldest_reader_age for health in seen]
    assert 0 < ages[0]
    assert ages == sorted(ages)
    health = await db.health()
    assert (health.oldest_reader, health.oldest_reader_age) == (None, 0.0)


@pytest.mark.only("file")
async def test_health_names_who_runs_a_long_query(db, together, colour):
    await filled(db)
    done, seen, names = Signal(), [], []

    async def read():
        names.append(
            f"task {asyncio.current_task().get_name()!r}"
            if colour is Colour.ASYNC
            else f"thread {threading.current_thread().name!r}"
        )
        await db.fetch(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1e6) "
            "SELECT max(n) AS n FROM c"
        )
        done.set()

    async def look():
        while not done.is_set():
            seen.append((await db.health()).oldest_reader)
            await asyncio.sleep(0.001)

    await together(read(), look())
    assert set(seen) <= {None, *names}
    assert names[0] in seen


@pytest.mark.only("file")
async def test_a_snapshot_is_a_reader_until_it_ends(db, together, colour):
    await filled(db)
    names, seen = [], []
    first, second = Signal(), Signal()

    def me():
        names.append(
            f"task {asyncio.current_task().get_name()!r}"
            if colour is Colour.ASYNC
            else f"thread {threading.current_thread().name!r}"
        )

    async def older():
        me()
        async with snapshot(db):
            first.set()
            await second.wait()
            seen.append(await db.health())

    async def younger():
        await first.wait()
        me()
        async with snapshot(db):
            second.set()
            while not seen:
                await asyncio.sleep(0.001)
            while (health := await db.health()).oldest_reader == names[0]:
                await asyncio.sleep(0.001)
            seen.append(health)

    await together(older(), younger())
    assert [health.oldest_reader for health in seen] == names
    assert all(health.oldest_reader_age > 0 for health in seen)
    assert (await db.health()).oldest_reader is None


@pytest.mark.only("file")
async def test_every_read_has_a_reader_while_it_runs(db):
    await filled(db)
    engine, seen = unwrap(db)._engine, []

    def look(event):  # before the reader is given back
        seen.append((event.task, name_of(engine.oldest_reader().asker)))

    db.on_statement(look)
    for _ in range(3):  # the first opens a reader, others find one
        await db.get(User, 1)
    assert len(seen) == 3
    assert all(task == reader for task, reader in seen)


@pytest.mark.only("memory")
async def test_in_memory_nobody_reads_beside_the_writer(db):
    await filled(db)
    assert (await db.health()).oldest_reader is None


async def test_health_of_writes_that_wait_for_commit(make_db):
    db = await filled(make_db(auto_commit=False))
    assert (await db.health()).in_transaction is True
    await db.commit()
    assert (await db.health()).in_transaction is False
