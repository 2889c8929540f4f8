"""The error classes, and which operation raises which one."""

import os
import pickle

import pytest
from support import assert_no_transaction_left, outside

from sqliter import exceptions
from sqliter.exceptions import (
    DatabaseBusyError,
    ForeignKeyConstraintError,
    ForeignKeyError,
    InvalidFilterError,
    InvalidForeignKeyError,
    InvalidIndexError,
    InvalidUpdateError,
    ManyToManyError,
    ManyToManyIntegrityError,
    RecordDeletionError,
    RecordFetchError,
    RecordInsertionError,
    RecordNotFoundError,
    RecordUpdateError,
    SqlExecutionError,
    SqliterError,
    TableCreationError,
    TableDeletionError,
)
from sqliter.model import BaseDBModel, ForeignKey, unique

TEMPLATES = {
    "DatabaseConnectionError": (("x.db",), "Failed to connect to the database: 'x.db'"),
    "BackupError": (("b.db",), "Failed to back up the database to: 'b.db'"),
    "RestoreError": (("b.db",), "Failed to restore the database from: 'b.db'"),
    "TableCreationError": (("users",), "Failed to create the table: 'users'"),
    "TableDeletionError": (("users",), "Failed to delete the table: 'users'"),
    "SqlExecutionError": (("SELECT",), "Failed to execute SQL: 'SELECT'"),
    "RecordInsertionError": (("users",), "Failed to insert record into table: 'users'"),
    "RecordUpdateError": (("users",), "Failed to update record in table: 'users'"),
    "RecordFetchError": (("users",), "Failed to fetch record from table: 'users'"),
    "RecordDeletionError": (("users",), "Failed to delete record from table: 'users'"),
    "RecordNotFoundError": ((7,), "Failed to find that record in the table (key '7') "),
    "InvalidFilterError": (("age",), "Failed to apply filter: invalid field 'age'"),
    "InvalidOffsetError": (
        (-1,),
        "Invalid offset value: '-1'. Offset must be a positive integer.",
    ),
    "InvalidOrderError": (("x",), "Invalid order value - x"),
    "InvalidProjectionError": (("x",), "Invalid projection query operation: x"),
    "InvalidUpdateError": (("x",), "Invalid update operation: x"),
    "InvalidIndexError": (
        (["a", "b"], "User"),
        "Invalid fields for indexing in model 'User': a, b",
    ),
    "InvalidRelationshipError": (
        ("a__b", "b", "User"),
        "Invalid relationship path 'a__b': field 'b' is not a valid foreign key relationship on"
        " model User",
    ),
    "InvalidPrefetchError": (
        ("a__b", "b", "User"),
        "Invalid prefetch path 'a__b': 'b' is not a reverse foreign key or many-to-many"
        " relationship on model User",
    ),
    "ForeignKeyError": (("x",), "Foreign key error: x"),
    "ForeignKeyConstraintError": (
        ("insert", "does not exist"),
        "Foreign key constraint violation: Cannot insert record - referenced record"
        " does not exist",
    ),
    "InvalidForeignKeyError": (("x",), "Invalid foreign key configuration: x"),
    "ManyToManyError": (("x",), "Many-to-many error: x"),
    "ManyToManyIntegrityError": (("x",), "Many-to-many integrity error: x"),
}


class User(BaseDBModel):
    name: str
    email: str | None = unique(default=None)


class Pet(BaseDBModel):
    owner_id: int = ForeignKey(User)


# --- classes -----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "case"), TEMPLATES.items(), ids=TEMPLATES.keys())
def test_text(name, case):
    arguments, text = case
    error = getattr(exceptions, name)(*arguments)
    assert str(error) == text
    assert isinstance(error, SqliterError)
    assert error.args == (text,)
    assert error.original_exception is None


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (ForeignKeyConstraintError, ForeignKeyError),
        (InvalidForeignKeyError, ForeignKeyError),
        (InvalidForeignKeyError, ValueError),
        (ManyToManyIntegrityError, ManyToManyError),
        (DatabaseBusyError, SqliterError),
    ],
)
def test_family(child, parent):
    assert issubclass(child, parent)


def test_base_text():
    assert str(SqliterError()) == "An error occurred in the SQLiter package."


@pytest.mark.defect("D35")
def test_text_without_arguments_is_the_template_without_its_gaps():
    assert str(RecordFetchError()) == "Failed to fetch record from table"


def test_surplus_arguments_are_ignored_and_missing_ones_are_not():
    assert (
        str(RecordFetchError("users", 2))
        == "Failed to fetch record from table: 'users'"
    )
    with pytest.raises(IndexError):
        ForeignKeyConstraintError("insert")


def test_braces_in_an_argument_are_safe():
    assert "{0} {x}" in str(SqlExecutionError("{0} {x}"))


def test_users_may_derive_their_own():
    class ShopError(SqliterError):
        message_template = "Shop {} is closed on {}."

    assert str(ShopError("A", "Monday")) == "Shop A is closed on Monday."


def test_index_error_needs_both_arguments():
    with pytest.raises(TypeError):
        InvalidIndexError(["a"])


@pytest.mark.defect("D35")
@pytest.mark.parametrize(
    ("error", "attribute", "value"),
    [
        (RecordInsertionError("users"), "table", "users"),
        (RecordUpdateError("users"), "table", "users"),
        (RecordFetchError("users"), "table", "users"),
        (RecordDeletionError("users"), "table", "users"),
        (TableCreationError("users"), "table", "users"),
        (TableDeletionError("users"), "table", "users"),
        (RecordNotFoundError(7), "key", 7),
        (SqlExecutionError("SELECT"), "sql", "SELECT"),
        (InvalidIndexError(["a"], "User"), "invalid_fields", ["a"]),
        (InvalidIndexError(["a"], "User"), "model_class", "User"),
    ],
)
def test_attributes(error, attribute, value):
    assert getattr(error, attribute) == value


@pytest.mark.defect("D35")
@pytest.mark.parametrize(("name", "case"), TEMPLATES.items(), ids=TEMPLATES.keys())
def test_pickling_keeps_text_type_and_attributes(name, case):
    error = getattr(exceptions, name)(*case[0])
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is type(error)
    assert (str(again), again.args) == (str(error), error.args)
    for attribute in ("table", "key", "sql", "invalid_fields", "model_class"):
        assert getattr(again, attribute, None) == getattr(error, attribute, None)


@pytest.mark.defect("D35")
def test_errors_can_be_made_in_a_deleted_folder(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    os.rmdir(gone)
    try:
        raise KeyError("cause")
    except KeyError as cause:
        error = RecordFetchError("users")
        error.__cause__ = cause
    assert "users" in str(error)


# --- wrapped errors ----------------------------------------------------------------------


async def populated(db):
    await db.create_table(User)
    await db.create_table(Pet)
    ada = await db.insert(User(name="Ada", email="a@x"))
    bob = await db.insert(User(name="Bob", email="b@x"))
    await db.insert(Pet(owner_id=ada.pk))
    return ada, bob


async def unique_violation(db):
    await populated(db)
    with pytest.raises(RecordInsertionError) as caught:
        await db.insert(User(name="x", email="a@x"))
    return caught.value


async def test_wrapped_error_is_named_in_the_second_line(db):
    error = await unique_violation(db)
    assert str(error) == (
        "Failed to insert record into table: 'users'\n"
        "  --> sqlite3.IntegrityError: UNIQUE constraint failed: users.email"
    )


async def test_wrapped_error_is_the_cause(db):
    error = await unique_violation(db)
    assert type(error.original_exception).__name__ == "IntegrityError"
    assert error.__cause__ is error.original_exception
    assert error.table == "users"


@pytest.mark.defect("D35")
async def test_wrapped_error_pickles_with_its_whole_text(db):
    error = await unique_violation(db)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert str(again) == str(error)
    assert (type(again), again.table, again.kind) == (type(error), "users", "unique")


async def violation(db, sql_or_verb):
    with pytest.raises(SqliterError) as caught:
        await sql_or_verb
    return caught.value.kind


async def test_constraint_violations_tell_their_kind(db):
    await populated(db)
    broken = User(name="x")
    broken.__dict__["name"] = None
    assert await violation(db, db.insert(User(name="x", email="a@x"))) == "unique"
    assert await violation(db, db.insert(User(pk=1, name="x"))) == "primary_key"
    assert await violation(db, db.insert(broken)) == "not_null"
    assert await violation(db, db.insert(Pet(owner_id=99))) == "foreign_key"
    assert await violation(db, db.delete(User, 1)) == "foreign_key"


@pytest.mark.defect("D35")
async def test_unrelated_error_being_handled_is_not_called_the_cause(db):
    await populated(db)
    try:
        raise KeyError("unrelated")
    except KeyError:
        with pytest.raises(RecordNotFoundError) as caught:
            await db.update(User(pk=99, name="x"))
    assert caught.value.original_exception is None
    assert "unrelated" not in str(caught.value)


# --- operation by operation --------------------------------------------------------------


class NoTable(BaseDBModel):
    name: str = ""


class Twice(BaseDBModel):
    name: str

    class Meta:
        table_name = "users"
        unique_indexes = ("created_at",)


class BadName(BaseDBModel):
    class Meta:
        table_name = "no name"


class BadIndex(BaseDBModel):
    class Meta:
        indexes = ("nowhere",)


def changed(user, **values):
    return user.model_copy(update=values)


def foreign(pk=1, owner=99):
    return Pet(pk=pk, owner_id=owner)


BOTH_INSERT = (ForeignKeyConstraintError, RecordInsertionError)
BOTH_UPDATE = (ForeignKeyConstraintError, RecordUpdateError)
BOTH_DELETE = (ForeignKeyConstraintError, RecordDeletionError)

# operation: what is done, which classes the error has all at once, a word of its text
MATRIX = {
    "create_table bad name": (lambda db: db.create_table(BadName), ValueError, "Invalid table name"),
    "create_table bad index": (lambda db: db.create_table(BadIndex), InvalidIndexError, "nowhere"),
    "create_table exists": (
        lambda db: db.create_table(User, exists_ok=False), TableCreationError, "users",
    ),
    "create_table index": (
        lambda db: db.create_table(Twice), SqlExecutionError, "UNIQUE constraint failed",
    ),
    "create_indexes bad field": (
        lambda db: db.create_indexes(User, ["nowhere"]), InvalidIndexError, "nowhere",
    ),
    "create_indexes no table": (
        lambda db: db.create_indexes(NoTable, ["name"]), SqlExecutionError, "no such table",
    ),
    "create_indexes unique": (
        lambda db: db.create_indexes(User, ["created_at"], unique=True),
        SqlExecutionError, "UNIQUE constraint failed",
    ),
    "drop_table bad name": (lambda db: db.drop_table(BadName), ValueError, "Invalid table name"),
    "drop_table referenced": (
        lambda db: db.drop_table(User), TableDeletionError, "FOREIGN KEY constraint failed",
    ),
    "insert no table": (lambda db: db.insert(NoTable()), RecordInsertionError, "no such table"),
    "insert unique": (
        lambda db: db.insert(User(name="x", email="a@x")), RecordInsertionError, "users.email",
    ),
    "insert existing pk": (
        lambda db: db.insert(User(pk=1, name="x")), RecordInsertionError, "users.pk",
    ),
    "insert foreign key": (
        lambda db: db.insert(Pet(owner_id=99)), BOTH_INSERT, "Cannot insert record.*does not exist",
    ),
    "bulk_insert mixed": (
        lambda db: db.bulk_insert([User(name="x"), Pet(owner_id=1)]), TypeError, "same model type",
    ),
    "bulk_insert no table": (
        lambda db: db.bulk_insert([NoTable()]), RecordInsertionError, "no such table",
    ),
    "bulk_insert unique": (
        lambda db: db.bulk_insert([User(name="x"), User(name="y", email="a@x")]),
        RecordInsertionError, "users.email",
    ),
    "bulk_insert foreign key": (
        lambda db: db.bulk_insert([Pet(owner_id=1), Pet(owner_id=99)]),
        BOTH_INSERT, "Cannot insert record.*does not exist",
    ),
    "get ttl": (lambda db: db.get(User, 1, cache_ttl=-1), ValueError, "cache_ttl"),
    "get no table": (lambda db: db.get(NoTable, 1), RecordFetchError, "no such table"),
    "update no table": (
        lambda db: db.update(NoTable(pk=1)), RecordUpdateError, "no such table",
    ),
    "update unique": (
        lambda db: db.update(User(pk=2, name="x", email="a@x")), RecordUpdateError, "users.email",
    ),
    "update foreign key": (
        lambda db: db.update(foreign()), BOTH_UPDATE, "Cannot update record",
    ),
    "update no row": (
        lambda db: db.update(User(pk=99, name="x")), RecordNotFoundError, "key '99'",
    ),
    "delete no table": (
        lambda db: db.delete(NoTable, 1), RecordDeletionError, "no such table",
    ),
    "delete foreign key": (
        lambda db: db.delete(User, 1), ForeignKeyConstraintError,
        "Cannot delete record.*is still referenced by other records",
    ),
    "delete no row": (lambda db: db.delete(User, 99), RecordNotFoundError, "key '99'"),
    "update_where filter": (
        lambda db: db.update_where(User, {"nowhere": 1}, {"name": "x"}), InvalidFilterError, "nowhere",
    ),
    "update_where values": (
        lambda db: db.update_where(User, {}, {"nowhere": 1}), InvalidUpdateError, "nowhere",
    ),
    "update_where no table": (
        lambda db: db.update_where(NoTable, {}, {"name": "x"}), RecordUpdateError, "no such table",
    ),
    "update_where unique": (
        lambda db: db.update_where(User, {}, {"email": "same"}), RecordUpdateError, "users.email",
    ),
    "update_where foreign key": (
        lambda db: db.update_where(Pet, {}, {"owner_id": 99}), BOTH_UPDATE, "Cannot update record",
    ),
    "query update foreign key": (
        lambda db: db.select(Pet).update({"owner_id": 99}), BOTH_UPDATE, "Cannot update record",
    ),
    "query update unique": (
        lambda db: db.select(User).update({"email": "same"}), RecordUpdateError, "users.email",
    ),
    "query delete no table": (
        lambda db: db.select(NoTable).delete(), RecordDeletionError, "no such table",
    ),
    "query delete foreign key": (
        lambda db: db.select(User).delete(), BOTH_DELETE, "still referenced",
    ),
    "query fetch no table": (
        lambda db: db.select(NoTable).fetch_all(), RecordFetchError, "no such table",
    ),
    "query count no table": (
        lambda db: db.select(NoTable).count(), RecordFetchError, "no such table",
    ),
    "execute": (lambda db: db.execute("NONSENSE"), SqlExecutionError, "NONSENSE"),
}  # fmt: skip


async def everything(db):
    return (
        await db.select(User).order("pk").fetch_all(),
        await db.select(Pet).order("pk").fetch_all(),
        await db.fetch("SELECT name, sql FROM sqlite_master ORDER BY name"),
    )


@pytest.mark.defect("D46")
@pytest.mark.parametrize(("run", "classes", "text"), MATRIX.values(), ids=MATRIX.keys())
async def test_error_of_an_operation_changes_nothing(db, run, classes, text):
    await populated(db)
    before = await everything(db)
    with pytest.raises(Exception, match=f"(?s){text}") as caught:  # noqa: B017 - see below
        await run(db)
    for kind in classes if isinstance(classes, tuple) else (classes,):
        assert isinstance(caught.value, kind)
    assert_no_transaction_left(db)
    assert await everything(db) == before
    assert (await db.insert(User(name="works"))).pk > 2


@pytest.mark.parametrize(("run", "classes", "text"), MATRIX.values(), ids=MATRIX.keys())
async def test_error_caught_in_a_block_loses_nothing_else(db, run, classes, text):
    await populated(db)
    async with db:
        first = await db.insert(User(name="first"))
        with pytest.raises(Exception, match=f"(?s){text}"):  # noqa: B017
            await run(db)
        second = await db.insert(User(name="second"))
    assert_no_transaction_left(db)
    rows, pets, _ = await everything(db)
    assert [row.name for row in rows] == ["Ada", "Bob", "first", "second"]
    assert len(pets) == 1
    assert await db.get(User, first.pk) == first
    assert await db.get(User, second.pk) == second


NO_ROW = {
    "get": (lambda db: db.get(User, 99), None),
    "update_where": (lambda db: db.update_where(User, {"pk": 99}, {"name": "x"}), 0),
    "query update": (lambda db: db.select(User).filter(pk=99).update({"name": "x"}), 0),
    "query delete": (lambda db: db.select(User).filter(pk=99).delete(), 0),
    "fetch_one": (lambda db: db.select(User).filter(pk=99).fetch_one(), None),
    "fetch_all": (lambda db: db.select(User).filter(pk=99).fetch_all(), []),
    "drop_table": (lambda db: db.drop_table(NoTable), None),
}


@pytest.mark.parametrize(("run", "answer"), NO_ROW.values(), ids=NO_ROW.keys())
async def test_no_row_is_an_answer(db, run, answer):
    await populated(db)
    assert await run(db) == answer


# --- somebody else holds the file --------------------------------------------------------

BUSY = {
    "insert": lambda db: db.insert(User(name="x")),
    "bulk_insert": lambda db: db.bulk_insert([User(name="x")]),
    "update": lambda db: db.update(User(pk=1, name="x")),
    "delete": lambda db: db.delete(User, 2),
    "update_where": lambda db: db.update_where(User, {}, {"name": "x"}),
    "create_table": lambda db: db.create_table(NoTable),
    "execute": lambda db: db.execute("DELETE FROM pets"),
    "block": lambda db: db.__aenter__(),
}


@pytest.mark.only("file")
@pytest.mark.parametrize("run", BUSY.values(), ids=BUSY.keys())
async def test_locked_file_is_a_busy_error_and_nothing_stays_open(db, make_db, run):
    await populated(db)
    impatient = make_db(filename=db.filename, busy_timeout=0.01)
    before = await everything(db)
    with outside(db) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusyError):
            await run(impatient)
        assert not impatient.in_transaction
        assert len(await impatient.select(User).fetch_all()) == 2
        other.execute("ROLLBACK")
    assert_no_transaction_left(impatient)
    assert await everything(db) == before
    assert (await impatient.insert(User(name="works"))).pk == 3
