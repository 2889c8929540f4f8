"""Schemas and values that others made: views for tables, names like SQL, pickles made to harm."""

import pickle
import struct
from typing import Any

import pytest
from support import assert_no_transaction_left

from sqliter.exceptions import RecordFetchError, RecordInsertionError, SqliterError
from sqliter.model import BaseDBModel


class User(BaseDBModel):
    name: str

    class Meta:
        table_name = "users"


class Holder(BaseDBModel):
    value: list[Any] | None = None
    anything: Any = None

    class Meta:
        table_name = "holders"


# --- a view in place of a table ----------------------------------------------------------

WRITES = {
    "insert": lambda db: db.insert(User(name="lost")),
    "bulk_insert": lambda db: db.bulk_insert([User(name="lost")]),
    "update": lambda db: db.update(User(pk=1, name="lost")),
    "update_where": lambda db: db.update_where(User, {}, {"name": "lost"}),
    "delete": lambda db: db.delete(User, 1),
    "query delete": lambda db: db.select(User).delete(),
    "drop_table": lambda db: db.drop_table(User),
    "create_table": lambda db: db.create_table(User, force=True),
    "create_indexes": lambda db: db.create_indexes(User, ["name"]),
}


async def with_view(db):
    await db.execute(
        "CREATE TABLE people (pk INTEGER PRIMARY KEY, created_at, updated_at, name)"
    )
    await db.execute("INSERT INTO people VALUES (1, 0, 0, 'Ada')")
    await db.execute("CREATE VIEW users AS SELECT * FROM people")


async def test_a_view_can_be_read(db):
    await with_view(db)
    await db.create_table(User)
    assert (await db.get(User, 1)).name == "Ada"
    assert await db.select(User).filter(name="Ada").count() == 1


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_a_view_is_not_written(db, write):
    await with_view(db)
    with pytest.raises(SqliterError) as caught:
        await write(db)
    assert "users" in str(caught.value)
    assert "view" in str(caught.value)
    assert_no_transaction_left(db)
    assert [user.name for user in await db.select(User).fetch_all()] == ["Ada"]


async def test_a_column_that_only_others_know_is_named(db):
    await db.execute(
        "CREATE TABLE users (pk INTEGER PRIMARY KEY, created_at, updated_at, name, secret NOT NULL)"
    )
    with pytest.raises(RecordInsertionError, match=r"users\.secret") as caught:
        await db.insert(User(name="lost"))
    assert (caught.value.table, caught.value.kind) == ("users", "not_null")


# --- names like SQL ----------------------------------------------------------------------

NAMES = [
    'a"b', "a'b", "a]b", "a`b", '"', "''", "[", "x; DROP TABLE users; --", "--", "/*", "a\nb", "white space",
    "%s", "{0}", "?", ":x", "select", "sqlite", "ünï", "\u202e", "",
]  # fmt: skip


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


async def with_names(db):
    await db.create_table(User)
    await db.insert(User(name="Ada"))
    await db.insert(User(name="Bob"))
    for name in NAMES:
        table, index, trigger, view = (
            quoted(f"{kind}{name}") for kind in ("", "i ", "t ", "v ")
        )
        for sql in (
            f"CREATE TABLE {table} (user REFERENCES users ON DELETE CASCADE, {quoted(name + 'x')})",
            f"CREATE INDEX {index} ON {table} ({quoted(name + 'x')})",
            f"CREATE TRIGGER {trigger} AFTER DELETE ON {table} BEGIN SELECT 1; END",
            f"CREATE VIEW {view} AS SELECT * FROM {table}",
            f"INSERT INTO {table} VALUES (1, 1), (2, 2)",
        ):
            await db.execute(sql)


async def counts(db):
    return {
        (await db.fetch(f"SELECT count(*) AS number FROM {quoted(name)}"))[0]["number"]
        for name in NAMES
    }


@pytest.mark.parametrize("cache_enabled", [False, True])
async def test_names_like_sql_are_only_names(make_db, tmp_path, cache_enabled):
    db = make_db(cache_enabled=cache_enabled)
    await with_names(db)
    assert await db.get_table_names() == ["users", *NAMES]
    assert await db.integrity_check() == []
    assert await counts(db) == {2}
    await db.delete(User, 1)
    assert await counts(db) == {1}
    await db.optimize()
    await db.vacuum()
    await db.backup(tmp_path / "copy.db")
    await db.create_table(User, force=True)
    assert await counts(db) == {1}
    await db.reset_database()
    assert await db.get_table_names() == []
    await db.restore(tmp_path / "copy.db")
    assert await counts(db) == {1}


async def test_a_problem_under_such_a_name_is_told(make_db):
    db = make_db(foreign_keys=False)
    await with_names(db)
    for name in NAMES:
        await db.execute(f"INSERT INTO {quoted(name)} VALUES (99, 99)")
    problems = await db.integrity_check()
    assert len(problems) == len(NAMES)
    assert all(
        any(repr(name)[1:-1] in each or name in each for each in problems)
        for name in NAMES
    )


# --- pickles made to harm ----------------------------------------------------------------

BOMBS = {
    "a number that is made up": b"\x80\x02]r\xff\xff\xff\x00.",
    "the greatest number": b"\x80\x02]r\xff\xff\xff\x7f.",
    "the same as text": b"]p99999999\n.",
    "a length that is made up": b"\x80\x05\x96" + struct.pack("<Q", 2**34) + b".",
    "a frame that is made up": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"].",
    "a text that is made up": b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b"a.",
    "an extension": b"\x80\x02\x82\x01.",
    "something kept elsewhere": b"\x80\x04\x8c\x01aQ.",
    "no end": pickle.dumps([1, 2, 3])[:-1],
    "nothing on the stack": b"\x80\x04a.",
}  # fmt: skip


@pytest.mark.parametrize("column", ["value", "anything"])
@pytest.mark.parametrize("blob", BOMBS.values(), ids=BOMBS.keys())
async def test_a_few_bytes_do_not_become_gigabytes(db, blob, column):
    await db.create_table(Holder)
    await db.insert(Holder(value=[1], anything=2))
    await db.execute(f"UPDATE holders SET {column} = ?", (blob,))
    with pytest.raises(RecordFetchError) as caught:
        await db.get(Holder, 1)
    assert (caught.value.table, caught.value.column, caught.value.key) == (
        "holders",
        column,
        1,
    )
    assert "not a plain pickled container" in str(caught.value)
    await db.execute("UPDATE holders SET value = NULL, anything = 2")
    assert (await db.get(Holder, 1)).value is None


async def test_references_inside_a_pickle_are_no_bomb(db):
    shared = ["x"] * 10
    value = [shared, shared, {"a": shared}]
    await db.create_table(Holder)
    await db.insert(Holder())
    for protocol in range(3, pickle.HIGHEST_PROTOCOL + 1):
        await db.execute(
            "UPDATE holders SET value = ?", (pickle.dumps(value, protocol),)
        )
        assert (await db.get(Holder, 1)).value == value
