"""Constructing a database, its properties, and the life of its connection."""

import gc
import sqlite3
from pathlib import Path

import pytest
from support import Colour, StatementLog, committed, outside, run_python, unwrap

from sqliter.exceptions import DatabaseConnectionError, RecordFetchError, SqliterError
from sqliter.model import BaseDBModel, ForeignKey


class User(BaseDBModel):
    name: str


class Item(BaseDBModel):
    user_id: int = ForeignKey(User)


DEFAULTS = {
    "db_filename": None, "memory": False, "auto_commit": True, "debug": False, "logger": None,
    "reset": False, "return_local_time": True, "cache_enabled": False, "cache_max_size": 1000,
    "cache_ttl": None, "cache_max_memory_mb": None, "durability": "normal", "busy_timeout": 5.0,
    "journal_mode": "wal", "foreign_keys": True, "begin": "immediate", "pragmas": None,
}  # fmt: skip


@pytest.fixture(params=list(Colour))
def database(request):
    """The database class of each colour, where the place does not matter."""
    return request.param.database


async def pragma(db, name):
    connection = await db.connect()
    cursor = await connection.execute(f"PRAGMA {name}")
    return (await cursor.fetchone())[0]


# --- constructor -------------------------------------------------------------------------


def test_every_option_may_be_given_by_keyword(database):
    options = DEFAULTS | {"memory": True}
    assert database(**options).is_memory


@pytest.mark.parametrize(
    "name", ["auto_commit", "debug", "logger", "return_local_time"]
)
def test_default_of_an_option(database, name):
    assert getattr(database(memory=True), name) == DEFAULTS[name]


def test_options_are_keyword_only_and_known(database):
    with pytest.raises(TypeError):
        database("x.db", True)
    with pytest.raises(TypeError):
        database("x.db", auto_comit=True)


@pytest.mark.parametrize("filename", [None, ""])
def test_filename_is_needed_without_memory(database, filename):
    with pytest.raises(
        ValueError, match="Database name must be provided if not using an in-memory"
    ):
        database(filename)


def test_memory_wins_over_a_filename(database, tmp_path):
    db = database(str(tmp_path / "x.db"), memory=True)
    assert (db.is_memory, db.filename, db.db_filename) == (True, None, ":memory:")


def test_memory_can_be_asked_for_by_name(database):
    assert database(":memory:").is_memory is True


def test_memory_constant():
    assert Colour.SYNC.database.MEMORY_DB == ":memory:"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cache_max_size": 0}, "cache_max_size must be greater than 0"),
        ({"cache_ttl": -1}, "cache_ttl must be non-negative"),
        ({"cache_max_memory_mb": 0}, "cache_max_memory_mb must be greater than 0"),
        (
            {"cache_max_size": 0, "cache_ttl": -1, "cache_max_memory_mb": 0},
            "cache_max_size",
        ),
        ({"cache_ttl": -1, "cache_max_memory_mb": 0}, "cache_ttl"),
        ({"durability": "extreme"}, "durability"),
        ({"begin": "sometimes"}, "begin"),
        ({"busy_timeout": -1}, "busy_timeout"),
    ],
)
def test_bad_numbers_and_choices_are_refused(database, options, message):
    with pytest.raises(ValueError, match=message):
        database(memory=True, **options)


def test_zero_ttl_is_allowed(database):
    database(memory=True, cache_ttl=0)


def test_constructor_opens_nothing(database, tmp_path):
    db = database(str(tmp_path / "x.db"))
    assert db.is_connected is False
    assert list(tmp_path.iterdir()) == []


def test_path_is_kept_as_given(database, tmp_path):
    path = tmp_path / "x.db"
    assert database(path).db_filename is path


def test_attributes_are_as_passed(database):
    logger = StatementLog().logger
    db = database(
        memory=True,
        auto_commit=False,
        debug=True,
        logger=logger,
        return_local_time=False,
    )
    assert (db.auto_commit, db.is_autocommit, db.debug) == (False, False, True)
    assert (db.logger, db.return_local_time) == (logger, False)


def test_reset_in_the_awaited_constructor_points_at_create():
    message = r"reset=True is not supported in AsyncSqliterDB.__init__\(\)\..*create\("
    with pytest.raises(ValueError, match=message):
        Colour.ASYNC.database(memory=True, reset=True)


@pytest.mark.parametrize(
    "name", ["filename", "is_memory", "is_autocommit", "is_connected", "in_transaction"]
)
def test_properties_are_read_only(database, name):
    with pytest.raises(AttributeError):
        setattr(database(memory=True), name, 1)


@pytest.mark.parametrize(
    "name", ["db_filename", "auto_commit", "debug", "logger", "return_local_time"]
)
def test_awaited_database_has_read_only_settings(name):
    with pytest.raises(AttributeError):
        setattr(Colour.ASYNC.database(memory=True), name, 1)


@pytest.mark.only("sync")
async def test_auto_commit_may_be_changed_later(db):
    db.auto_commit = False
    assert db.is_autocommit is False


def test_table_names_property_is_sync_only():
    assert isinstance(Colour.SYNC.database.table_names, property)
    assert not hasattr(Colour.ASYNC.database, "table_names")


# --- reset and create --------------------------------------------------------------------


async def test_create_gives_a_working_database(make_db, place):
    db = await make_db.create()
    assert db.is_memory is (place == "memory")
    await db.create_table(User)
    assert (await db.insert(User(name="Ada"))).pk == 1


@pytest.mark.only("file")
async def test_create_with_reset_drops_every_table(make_db, db):
    await db.create_table(User)
    await db.insert(User(name="Ada"))
    await db.close()
    again = await make_db.create(filename=db.filename, reset=True)
    assert await again.get_table_names() == []


@pytest.mark.only("sync")
@pytest.mark.only("file")
async def test_reset_in_the_blocking_constructor(make_db, db):
    await db.create_table(User)
    await db.close()
    again = make_db(filename=db.filename, reset=True)
    assert again.is_connected
    assert again.table_names == []


async def test_reset_keeps_views_and_says_how_many_tables_went(logged_db, statements):
    await logged_db.create_table(User)
    await logged_db.create_table(Item)
    await logged_db.execute("CREATE VIEW names AS SELECT 1 AS one")
    await logged_db.reset_database()
    assert await logged_db.get_table_names() == []
    assert await logged_db.fetch("SELECT one FROM names") == [{"one": 1}]
    assert "Database reset: 2 user-created tables dropped." in statements.messages


@pytest.mark.defect("D31")
@pytest.mark.parametrize(
    "order", [(User, Item), (Item, User)], ids=["parent-first", "child-first"]
)
async def test_reset_works_with_referencing_rows(db, order):
    for model in order:
        await db.create_table(model)
    user = await db.insert(User(name="Ada"))
    await db.insert(Item(user_id=user.pk))
    await db.reset_database()
    assert await db.get_table_names() == []
    assert await pragma(db, "foreign_keys") == 1


@pytest.mark.defect("D31")
async def test_reset_is_rolled_back_with_its_block(db):
    await db.create_table(User)
    await db.insert(User(name="Ada"))
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.reset_database()
            raise ZeroDivisionError
    assert (await db.get(User, 1)).name == "Ada"


@pytest.mark.defect("D42")
async def test_table_whose_name_only_looks_reserved_is_listed_and_reset(db):
    await db.execute('CREATE TABLE "sqliteX" (a)')
    await db.create_table(User)  # AUTOINCREMENT brings sqlite_sequence
    await db.execute("CREATE VIEW v AS SELECT 1")
    assert sorted(await db.get_table_names()) == ["sqliteX", "users"]
    await db.reset_database()
    assert await db.get_table_names() == []


# --- connection --------------------------------------------------------------------------


async def test_connect_gives_one_connection(db):
    first = await db.connect()
    assert unwrap(await db.connect()) is unwrap(first)
    assert db.is_connected
    assert unwrap(db.conn) is unwrap(first)


async def test_operations_connect_on_demand(db):
    assert db.is_connected is False
    await db.create_table(User)
    assert db.is_connected is True


async def test_raw_connection_runs_sql(db):
    connection = await db.connect()
    await connection.execute("CREATE TABLE raw (a)")
    await connection.executemany("INSERT INTO raw VALUES (?)", [(1,), (2,)])
    await connection.commit()
    cursor = await connection.execute("SELECT a FROM raw ORDER BY a")
    assert await cursor.fetchall() == [(1,), (2,)]


async def test_close_can_be_repeated_and_come_first(db):
    await db.close()
    await db.connect()
    await db.close()
    await db.close()
    assert db.is_connected is False
    assert db.conn is None


async def test_database_opens_again_after_close(db, place):
    await db.create_table(User)
    await db.insert(User(name="Ada"))
    await db.close()
    assert await db.get_table_names() == ([] if place == "memory" else ["users"])


@pytest.mark.only("file")
async def test_database_opens_and_closes_any_number_of_times(db):
    await db.create_table(User)
    for number in range(1, 6):
        await db.insert(User(name="Ada"))
        assert len(await db.select(User).fetch_all()) == number
        assert (await db.get(User, number)).pk == number
        await db.close()


@pytest.mark.parametrize("verb", ["commit", "rollback"])
async def test_commit_and_rollback_do_not_connect(db, verb):
    await getattr(db, verb)()
    assert db.is_connected is False


@pytest.mark.only("file")
async def test_listing_tables_leaves_the_file_closed(db):
    with outside(db) as other:
        other.execute("CREATE TABLE apples (a)")
    assert await db.get_table_names() == ["apples"]
    assert db.is_connected is False


@pytest.mark.only("sync")
@pytest.mark.only("file")
async def test_table_names_leaves_the_file_closed(db):
    assert db.table_names == []
    assert db.is_connected is False


async def test_table_names_are_in_order_of_creation(db):
    for name in ("b", "a", "c"):
        await db.execute(f"CREATE TABLE {name} (x)")
    assert await db.get_table_names() == ["b", "a", "c"]


@pytest.mark.only("memory")
async def test_listing_tables_keeps_memory_open(db):
    await db.get_table_names()
    await db.create_table(User)
    assert await db.get_table_names() == ["users"]


UNOPENABLE = {
    "connect": lambda db: db.connect(),
    "get_table_names": lambda db: db.get_table_names(),
    "create_table": lambda db: db.create_table(User),
    "drop_table": lambda db: db.drop_table(User),
    "insert": lambda db: db.insert(User(name="x")),
    "bulk_insert": lambda db: db.bulk_insert([User(name="x")]),
    "get": lambda db: db.get(User, 1),
    "update": lambda db: db.update(User(name="x", pk=1)),
    "update_where": lambda db: db.update_where(User, {}, {"name": "y"}),
    "delete": lambda db: db.delete(User, 1),
    "execute": lambda db: db.execute("DELETE FROM users"),
    "fetch": lambda db: db.fetch("SELECT 1"),
    "fetch_all": lambda db: db.select(User).fetch_all(),
    "count": lambda db: db.select(User).count(),
    "reset_database": lambda db: db.reset_database(),
    "block": lambda db: db.__aenter__(),
}


@pytest.mark.only("file")
@pytest.mark.parametrize("operation", UNOPENABLE.values(), ids=UNOPENABLE.keys())
async def test_unopenable_file_is_a_connection_error_everywhere(
    make_db, tmp_path, operation
):
    filename = str(tmp_path / "missing" / "x.db")
    db = make_db(filename=filename)
    with pytest.raises(
        DatabaseConnectionError, match="Failed to connect to the database"
    ) as caught:
        await operation(db)
    assert filename in str(caught.value)
    assert db.is_connected is False
    assert db.in_transaction is False


@pytest.mark.only("file")
async def test_file_can_be_opened_after_a_failed_attempt(make_db, tmp_path):
    db = make_db(filename=str(tmp_path / "later" / "x.db"))
    with pytest.raises(DatabaseConnectionError):
        await db.connect()
    (tmp_path / "later").mkdir()
    await db.create_table(User)
    assert await db.get_table_names() == ["users"]


@pytest.mark.defect("D22")
@pytest.mark.only("file")
@pytest.mark.parametrize(
    "verb", ["get_table_names", "reset_database", "connect", "__aenter__"]
)
async def test_file_that_is_no_database_is_a_library_error(make_db, tmp_path, verb):
    path = tmp_path / "notes.txt"
    path.write_text("This is no database. " * 100)
    with pytest.raises(SqliterError, match="file is not a database"):
        await getattr(make_db(filename=str(path)), verb)()
    assert path.read_text().startswith("This is no database.")


@pytest.mark.defect("D22")
@pytest.mark.only("file")
async def test_reset_of_a_file_that_is_no_database_is_a_library_error(
    make_db, tmp_path
):
    path = tmp_path / "notes.txt"
    path.write_text("This is no database. " * 100)
    with pytest.raises(SqliterError):
        await make_db.create(filename=str(path), reset=True)


# --- settings of the connection ----------------------------------------------------------


async def test_default_settings(db, place):
    assert await pragma(db, "journal_mode") == ("wal" if place == "file" else "memory")
    assert await pragma(db, "foreign_keys") == 1
    assert await pragma(db, "synchronous") == 1


@pytest.mark.defect("D41")
@pytest.mark.only("file")
async def test_chosen_settings(make_db):
    db = make_db(
        durability="full",
        journal_mode="delete",
        foreign_keys=False,
        pragmas={"cache_size": -4321},
    )
    assert await pragma(db, "synchronous") == 2
    assert await pragma(db, "journal_mode") == "delete"
    assert await pragma(db, "foreign_keys") == 0
    assert await pragma(db, "cache_size") == -4321


async def test_foreign_keys_are_enforced_only_when_wanted(make_db):
    db = make_db(foreign_keys=False)
    await db.create_table(User)
    await db.create_table(Item)
    assert (await db.insert(Item(user_id=99))).pk == 1


@pytest.mark.only("file")
async def test_other_handle_sees_committed_rows_only(db, make_db):
    other = make_db(filename=db.filename)
    await db.create_table(User)
    async with db:
        await db.insert(User(name="Ada"))
        assert await other.select(User).count() == 0
    assert await other.select(User).count() == 1


@pytest.mark.only("memory")
async def test_memory_databases_are_separate(db, make_db):
    await db.create_table(User)
    with pytest.raises(RecordFetchError):
        await make_db().get(User, 1)


# --- being forgotten ---------------------------------------------------------------------


@pytest.mark.only("sync")
async def test_dropping_the_last_reference_is_quiet(tmp_path, colour):
    db = colour.database(str(tmp_path / "x.db"))
    db.create_table(User)
    db.insert(User(name="Ada"))
    del db
    gc.collect()  # a ResourceWarning would be an error here
    with sqlite3.connect(tmp_path / "x.db") as other:
        assert other.execute("SELECT name FROM users").fetchall() == [("Ada",)]
    other.close()


PROGRAM = {
    Colour.SYNC: """
import sys
from sqliter import SqliterDB
from sqliter.model import BaseDBModel
class User(BaseDBModel):
    name: str
db = SqliterDB(sys.argv[1])
db.create_table(User)
db.insert(User(name="Ada"))
{extra}
""",
    Colour.ASYNC: """
import asyncio, sys
from sqliter.asyncio import AsyncSqliterDB
from sqliter.model import BaseDBModel
class User(BaseDBModel):
    name: str
db = None
async def main():
    global db
    db = AsyncSqliterDB(sys.argv[1])
    await db.create_table(User)
    await db.insert(User(name="Ada"))
    await asyncio.gather(*(db.get(User, 1) for _ in range(5)))
    {extra}
asyncio.run(main())
""",
}


@pytest.mark.defect("D29")
@pytest.mark.only("file")
@pytest.mark.parametrize(
    "extra", ["", "del db; import gc; gc.collect()", "keep = db.select(User)"],
    ids=["module global", "collected", "kept by a query"],
)  # fmt: skip
async def test_program_that_never_closes_ends_at_once_and_quietly(db, colour, extra):
    completed = run_python(PROGRAM[colour].replace("{extra}", extra), db.filename)
    assert (completed.stdout, completed.stderr) == ("", "")
    assert committed(db, "SELECT name FROM users") == ["Ada"]


@pytest.mark.defect("D29")
@pytest.mark.only("file")
@pytest.mark.parametrize("ending", ["raise SystemExit(3)", "import os; os._exit(3)"])
async def test_program_that_ends_abruptly_loses_nothing_committed(db, colour, ending):
    code = PROGRAM[colour].replace("{extra}", ending)
    completed = run_python(code, db.filename, check=False)
    assert (completed.returncode, completed.stderr) == (3, "")
    assert committed(db, "SELECT name FROM users") == ["Ada"]


@pytest.mark.only("async")
async def test_one_database_object_serves_one_loop_after_the_other(make_db, tmp_path):
    code = PROGRAM[Colour.ASYNC].replace("{extra}", "pass") + (
        "async def again():\n"
        "    assert (await db.get(User, 1)).name == 'Ada'\n"
        "    await db.insert(User(name='Bob'))\n"
        "    await db.close()\n"
        "asyncio.run(again())\n"
    )
    path = Path(tmp_path / "loops.db")
    assert run_python(code, path).stderr == ""
    assert committed(make_db(filename=str(path)), "SELECT count(*) FROM users") == [2]
