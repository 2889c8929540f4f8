"""`execute` and `fetch`: the user's own SQL."""

import pytest
from support import assert_no_transaction_left, committed

from sqliter.exceptions import RecordFetchError, SqlExecutionError, SqliterError
from sqliter.model import BaseDBModel, ForeignKey


class User(BaseDBModel):
    name: str
    tags: list[str] = []


class Post(BaseDBModel):
    user_id: int = ForeignKey(User, db_column="writer_ref")


async def filled(db):
    await db.create_table(User)
    return await db.bulk_insert([User(name="a", tags=["x"]), User(name="b")])


async def test_execute_says_how_many_rows_changed(db):
    await filled(db)
    assert (await db.execute("UPDATE users SET name = 'c'")).rowcount == 2
    assert (await db.execute("DELETE FROM users WHERE name = ?", ("c",))).rowcount == 2


async def test_execute_gives_the_last_row_id(db):
    await db.execute("CREATE TABLE raw (a)")
    assert (await db.execute("INSERT INTO raw VALUES (1)")).lastrowid == 1
    assert (await db.execute("INSERT INTO raw VALUES (2)")).lastrowid == 2


async def test_fetch_gives_dicts_in_column_order(db):
    await filled(db)
    rows = await db.fetch("SELECT pk, name FROM users ORDER BY pk")
    assert rows == [{"pk": 1, "name": "a"}, {"pk": 2, "name": "b"}]
    assert list(rows[0]) == ["pk", "name"]


async def test_fetch_without_rows_is_empty(db):
    await filled(db)
    assert await db.fetch("SELECT * FROM users WHERE name = ?", ("nobody",)) == []


async def test_fetch_binds_parameters(db):
    value = "x'); DROP TABLE users; --"
    assert await db.fetch("SELECT ? AS v, ? AS w", (value, None)) == [
        {"v": value, "w": None}
    ]


async def test_fetch_as_a_model(db):
    users = await filled(db)
    loaded = await db.fetch(
        "SELECT * FROM users WHERE pk > ? ORDER BY pk", (0,), model=User
    )
    assert loaded == users
    assert type(loaded[0]) is User


async def test_fetch_as_a_model_takes_columns_in_any_order(db):
    users = await filled(db)
    sql = "SELECT tags, name, updated_at, created_at, pk FROM users ORDER BY pk"
    assert await db.fetch(sql, (), model=User) == users


async def test_fetch_as_a_model_maps_renamed_columns(db):
    (user, _) = await filled(db)
    await db.create_table(Post)
    post = await db.insert(Post(user_id=user.pk))
    assert await db.fetch("SELECT * FROM posts", (), model=Post) == [post]


async def test_fetch_of_some_columns_as_a_model_gives_partial_instances(db):
    await filled(db)
    rows = await db.fetch("SELECT pk, name FROM users ORDER BY pk", (), model=User)
    assert [row.name for row in rows] == ["a", "b"]
    with pytest.raises(AttributeError, match="not selected"):
        _ = rows[0].tags


async def test_fetch_that_writes_and_returns_rows_is_committed(db):
    await filled(db)
    try:
        rows = await db.fetch("UPDATE users SET name = 'z' WHERE pk = 1 RETURNING name")
    except SqliterError:
        assert (await db.get(User, 1)).name == "a"
    else:
        assert rows == [{"name": "z"}]
        assert (await db.get(User, 1)).name == "z"
    assert_no_transaction_left(db)


@pytest.mark.only("file")
async def test_execute_is_committed_at_once(db):
    await db.execute("CREATE TABLE raw (a)")
    await db.execute("INSERT INTO raw VALUES (?)", (5,))
    assert committed(db, "SELECT a FROM raw") == [5]


async def test_execute_joins_the_block(db):
    await db.execute("CREATE TABLE raw (a)")
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.execute("INSERT INTO raw VALUES (1)")
            assert await db.fetch("SELECT a FROM raw") == [{"a": 1}]
            raise ZeroDivisionError
    assert await db.fetch("SELECT a FROM raw") == []


@pytest.mark.only("file")
async def test_ddl_without_auto_commit_is_seen_by_its_own_database(make_db):
    db = make_db(auto_commit=False)
    await db.execute("CREATE TABLE raw (a)")
    assert await db.get_table_names() == ["raw"]


BROKEN = {
    "two statements": ("SELECT 1; SELECT 2", ()),
    "missing value": ("SELECT ?", ()),
    "surplus value": ("SELECT ?", (1, 2)),
    "no sql": ("SELEKT 1", ()),
    "no table": ("SELECT * FROM nowhere", ()),
    "unknown type": ("SELECT ?", (object(),)),
}


@pytest.mark.parametrize(("sql", "params"), BROKEN.values(), ids=BROKEN.keys())
async def test_broken_sql_is_an_execution_error(db, sql, params):
    await filled(db)
    with pytest.raises(SqlExecutionError) as caught:
        await db.execute(sql, params)
    assert caught.value.sql == sql
    with pytest.raises((SqlExecutionError, RecordFetchError)):
        await db.fetch(sql, params)
    assert_no_transaction_left(db)
    assert await db.select(User).count() == 2


async def test_two_statements_are_named_as_the_reason(db):
    with pytest.raises(
        SqlExecutionError, match="You can only execute one statement at a time."
    ):
        await db.execute("SELECT 1; SELECT 2")


async def test_violated_constraint_is_an_execution_error_with_its_text(db):
    await filled(db)
    with pytest.raises(SqlExecutionError, match="UNIQUE constraint failed: users.pk"):
        await db.execute("INSERT INTO users VALUES (1, 0, 0, 'c', '[]')")
    assert await db.select(User).count() == 2


async def test_pragmas_that_ask_are_answered(db):
    await filled(db)
    assert {row["name"] for row in await db.fetch("PRAGMA table_info(users)")} >= {
        "pk",
        "name",
    }


async def test_vacuum_and_other_maintenance_can_be_run(db):
    await filled(db)
    await db.execute("ANALYZE")
    await db.execute("REINDEX")
    assert await db.select(User).count() == 2
