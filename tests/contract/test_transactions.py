"""Commit modes, blocks, nested blocks, and what an error undoes."""

import asyncio

import pytest
from support import assert_no_transaction_left, committed, unwrap

from sqliter.exceptions import (
    InvalidUpdateError,
    RecordDeletionError,
    RecordFetchError,
    RecordInsertionError,
    RecordNotFoundError,
    RecordUpdateError,
    SqlExecutionError,
    SqliterError,
)
from sqliter.model import BaseDBModel, unique


class User(BaseDBModel):
    name: str = unique()


class Note(BaseDBModel):
    text: str


class Stop(BaseException):
    """Not an `Exception`: a block must be undone all the same."""


def users(*names):
    return [User(name=name) for name in names]


async def names(db):
    return [user.name for user in await db.select(User).order("pk").fetch_all()]


def committed_names(db):
    return committed(db, "SELECT name FROM users ORDER BY pk")


@pytest.fixture
def manual(make_db):
    """A database with `auto_commit=False`."""
    return make_db(auto_commit=False)


async def reopened(db):
    """Close without a commit, open again."""
    await db.close()
    return db


# --- auto-commit -------------------------------------------------------------------------


@pytest.mark.only("file")
async def test_each_write_is_committed_at_once(db):
    await db.create_table(User)
    user = await db.insert(User(name="a"))
    assert committed_names(db) == ["a"]
    user.name = "b"
    await db.update(user)
    assert committed_names(db) == ["b"]
    await db.delete(User, user.pk)
    assert committed_names(db) == []
    await db.bulk_insert(users("c", "d"))
    assert committed_names(db) == ["c", "d"]


@pytest.mark.only("file")
async def test_without_auto_commit_nothing_is_seen_before_commit(manual):
    await manual.create_table(User)
    await manual.commit()
    await manual.insert(User(name="a"))
    assert committed_names(manual) == []
    await manual.commit()
    assert committed_names(manual) == ["a"]


async def test_without_auto_commit_own_writes_are_seen(manual):
    await manual.create_table(User)
    await manual.insert(User(name="a"))
    assert await names(manual) == ["a"]


@pytest.mark.only("file")
async def test_close_discards_what_was_not_committed(manual):
    await manual.create_table(User)
    await manual.commit()
    await manual.insert(User(name="a"))
    assert await names(await reopened(manual)) == []


async def test_rollback_discards_what_was_not_committed(manual):
    await manual.create_table(User)
    await manual.insert(User(name="a"))
    await manual.commit()
    await manual.insert(User(name="b"))
    await manual.rollback()
    assert await names(manual) == ["a"]
    await manual.insert(User(name="c"))
    await manual.commit()
    assert await names(manual) == ["a", "c"]


async def test_commit_and_rollback_with_nothing_pending_do_nothing(db):
    await db.create_table(User)
    await db.insert(User(name="a"))
    await db.rollback()
    await db.commit()
    assert await names(db) == ["a"]


@pytest.mark.defect("D19")
@pytest.mark.only("file")
@pytest.mark.parametrize("pending", [True, False])
async def test_ddl_joins_the_pending_transaction_by_one_rule(manual, pending):
    await manual.create_table(User)
    await manual.commit()
    if pending:
        await manual.insert(User(name="a"))
    await manual.create_table(Note)
    await manual.drop_table(User)
    await reopened(manual)
    assert await manual.get_table_names() == ["users"]


@pytest.mark.defect("D19")
@pytest.mark.only("file")
async def test_ddl_is_committed_with_the_pending_transaction(manual):
    await manual.create_table(User)
    await manual.insert(User(name="a"))
    await manual.create_table(Note)
    await manual.commit()
    await reopened(manual)
    assert await manual.get_table_names() == ["users", "notes"]


@pytest.mark.defect("D20")
async def test_failed_statement_undoes_only_itself(manual):
    await manual.create_table(User)
    await manual.insert(User(name="a"))
    with pytest.raises(RecordInsertionError):
        await manual.insert(User(name="a"))
    with pytest.raises(SqlExecutionError):
        await manual.execute("INSERT INTO nowhere VALUES (1)")
    await manual.insert(User(name="b"))
    await manual.commit()
    assert await names(manual) == ["a", "b"]


@pytest.mark.defect("D20")
@pytest.mark.parametrize("verb", ["update", "delete"])
async def test_missing_row_undoes_nothing(manual, verb):
    await manual.create_table(User)
    await manual.insert(User(name="a"))
    with pytest.raises(RecordNotFoundError):
        if verb == "update":
            await manual.update(User(pk=99, name="x"))
        else:
            await manual.delete(User, 99)
    await manual.commit()
    assert await names(manual) == ["a"]


@pytest.mark.defect("D20")
async def test_failed_bulk_leaves_none_of_its_rows(manual):
    await manual.create_table(User)
    await manual.insert(User(name="a"))
    with pytest.raises(RecordInsertionError):
        await manual.bulk_insert(users("b", "c", "a"))
    await manual.commit()
    assert await names(manual) == ["a"]


@pytest.mark.only("file")
async def test_block_commits_whatever_auto_commit_says(manual):
    await manual.create_table(User)
    await manual.insert(User(name="pending"))
    async with manual:
        await manual.insert(User(name="a"))
    assert committed_names(manual) == ["pending", "a"]


async def test_failed_block_is_undone_without_auto_commit(manual):
    await manual.create_table(User)
    await manual.commit()
    with pytest.raises(ZeroDivisionError):
        async with manual:
            await manual.insert(User(name="a"))
            raise ZeroDivisionError
    await manual.insert(User(name="b"))
    await manual.commit()
    assert await names(manual) == ["b"]


# --- one block ---------------------------------------------------------------------------


async def test_block_gives_the_database_and_speaks_of_itself(db):
    assert db.in_transaction is False
    async with db as inside:
        assert unwrap(inside) is unwrap(db)
        assert db.is_connected
        assert db.in_transaction is True
    assert db.in_transaction is False
    assert db.is_connected


@pytest.mark.only("file")
async def test_block_commits_once_at_its_end(db):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="a"))
        await db.bulk_insert(users("b", "c"))
        assert committed_names(db) == []
    assert committed_names(db) == ["a", "b", "c"]


@pytest.mark.parametrize("error", [ZeroDivisionError, Stop, asyncio.CancelledError])
async def test_failed_block_is_undone_and_its_error_passes(db, error):
    await db.create_table(User)
    await db.insert(User(name="kept"))
    with pytest.raises(error) as caught:
        async with db:
            await db.insert(User(name="a"))
            await db.delete(User, 1)
            raise error
    assert type(caught.value) is error
    assert await names(db) == ["kept"]
    assert_no_transaction_left(db)


async def test_reads_in_a_block_see_its_writes(db):
    await db.create_table(User)
    async with db:
        user = await db.insert(User(name="a"))
        assert await db.get(User, user.pk) == user
        assert await names(db) == ["a"]
        assert await db.fetch("SELECT name FROM users") == [{"name": "a"}]


async def test_table_creation_is_undone_with_the_block(db):
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.create_table(User)
            await db.execute("CREATE TABLE raw (a)")
            raise ZeroDivisionError
    assert await db.get_table_names() == []


async def test_table_drop_is_undone_with_the_block(db):
    await db.create_table(User)
    await db.insert(User(name="a"))
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.drop_table(User)
            raise ZeroDivisionError
    assert await names(db) == ["a"]


async def test_force_is_undone_with_the_block(db):
    await db.create_table(User)
    await db.insert(User(name="a"))
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.create_table(User, force=True)
            raise ZeroDivisionError
    assert await names(db) == ["a"]


async def test_memory_and_data_stay_after_a_block(db):
    async with db:
        await db.create_table(User)
        await db.insert(User(name="a"))
    assert await names(db) == ["a"]


async def test_failed_statement_caught_in_a_block_is_undone_alone(db):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="a"))
        with pytest.raises(RecordInsertionError):
            await db.insert(User(name="a"))
        await db.insert(User(name="b"))
    assert await names(db) == ["a", "b"]


@pytest.mark.defect("D17")
async def test_failed_bulk_caught_in_a_block_leaves_none_of_its_rows(db):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="a"))
        with pytest.raises(RecordInsertionError):
            await db.bulk_insert(users("b", "c", "a", "d"))
    assert await names(db) == ["a"]


async def test_commit_in_a_block_keeps_what_is_there(db):
    await db.create_table(User)
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.insert(User(name="a"))
            await db.commit()
            assert db.in_transaction
            await db.insert(User(name="b"))
            raise ZeroDivisionError
    assert await names(db) == ["a"]


@pytest.mark.only("file")
async def test_writes_after_a_commit_in_a_block_are_one_unit(db):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="a"))
        await db.commit()
        await db.bulk_insert(users("b", "c"))
        assert committed_names(db) == ["a"]
    assert committed_names(db) == ["a", "b", "c"]


async def test_rollback_in_a_block_undoes_what_it_did_so_far(db):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="a"))
        await db.rollback()
        assert db.in_transaction
        await db.insert(User(name="b"))
    assert await names(db) == ["b"]


@pytest.mark.defect("D18")
async def test_close_in_a_block_is_refused_and_loses_nothing(db):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="a"))
        with pytest.raises(SqliterError, match="(?i)block|transaction"):
            await db.close()
        assert db.in_transaction
        await db.insert(User(name="b"))
    assert await names(db) == ["a", "b"]


@pytest.mark.defect("D18")
async def test_close_in_a_failing_block_leaves_a_clean_state(db):
    await db.create_table(User)
    with pytest.raises(SqliterError):
        async with db:
            await db.insert(User(name="a"))
            await db.close()
    assert_no_transaction_left(db)
    assert await names(db) == []
    await db.close()
    assert db.is_connected is False


@pytest.mark.parametrize(
    "sql",
    ["BEGIN", "begin immediate", "COMMIT", "END", "ROLLBACK", "SAVEPOINT a", "RELEASE a",
     "ROLLBACK TO a", " \n BEGIN", "/* x */ BEGIN", "-- x\nCOMMIT"],
)  # fmt: skip
async def test_transaction_control_through_execute_is_refused(db, sql):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="a"))
        with pytest.raises(SqlExecutionError, match="with db:"):
            await db.execute(sql)
        assert db.in_transaction
    with pytest.raises(SqlExecutionError, match="with db:"):
        await db.execute(sql)
    assert await names(db) == ["a"]
    assert_no_transaction_left(db)


# --- nested blocks -----------------------------------------------------------------------


async def test_nested_blocks_commit_together(db):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="a"))
        async with db:
            await db.insert(User(name="b"))
        assert db.in_transaction
        if not db.is_memory:
            assert committed_names(db) == []
        await db.insert(User(name="c"))
    assert await names(db) == ["a", "b", "c"]


async def test_outer_error_undoes_the_inner_block(db):
    await db.create_table(User)
    with pytest.raises(ZeroDivisionError):
        async with db:
            async with db:
                await db.insert(User(name="b"))
            raise ZeroDivisionError
    assert await names(db) == []


async def test_inner_error_that_passes_undoes_everything(db):
    await db.create_table(User)
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.insert(User(name="a"))
            async with db:
                raise ZeroDivisionError
    assert await names(db) == []
    assert_no_transaction_left(db)


@pytest.mark.defect("D16")
async def test_inner_error_that_is_handled_undoes_the_inner_block_only(db):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="a"))
        with pytest.raises(ZeroDivisionError):
            async with db:
                await db.insert(User(name="b"))
                raise ZeroDivisionError
        assert db.in_transaction
        await db.insert(User(name="c"))
    assert await names(db) == ["a", "c"]


@pytest.mark.defect("D16")
async def test_blocks_nest_to_any_depth(db):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="1"))
        with pytest.raises(ZeroDivisionError):
            async with db:
                await db.insert(User(name="2"))
                async with db:
                    await db.insert(User(name="3"))
                raise ZeroDivisionError
        async with db:
            async with db:
                await db.insert(User(name="4"))
            with pytest.raises(Stop):
                async with db:
                    await db.insert(User(name="5"))
                    raise Stop
    assert await names(db) == ["1", "4"]


async def test_rollback_undoes_the_innermost_block_only(db):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="a"))
        async with db:
            await db.insert(User(name="b"))
            await db.rollback()
            await db.insert(User(name="c"))
    assert await names(db) == ["a", "c"]


async def test_commit_in_a_nested_block_keeps_what_is_there(db):
    await db.create_table(User)
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.insert(User(name="a"))
            async with db:
                await db.insert(User(name="b"))
                await db.commit()
                await db.insert(User(name="c"))
            raise ZeroDivisionError
    assert await names(db) == ["a", "b"]
    assert_no_transaction_left(db)


@pytest.mark.defect("D16")
async def test_table_created_in_a_failed_inner_block_is_gone(db):
    async with db:
        await db.create_table(User)
        with pytest.raises(ZeroDivisionError):
            async with db:
                await db.create_table(Note)
                raise ZeroDivisionError
    assert await db.get_table_names() == ["users"]
    with pytest.raises(RecordFetchError):
        await db.get(Note, 1)


# --- a commit that fails -----------------------------------------------------------------


async def deferred(db):
    """A table whose rule is only checked at COMMIT."""
    await db.create_table(User)
    await db.execute(
        "CREATE TABLE late (user INTEGER REFERENCES users(pk) DEFERRABLE INITIALLY DEFERRED)"
    )


@pytest.mark.defect("D24")
async def test_failed_commit_undoes_the_block_and_is_a_library_error(db):
    await deferred(db)
    with pytest.raises(SqliterError, match="FOREIGN KEY constraint failed"):
        async with db:
            await db.insert(User(name="a"))
            await db.execute("INSERT INTO late VALUES (99)")
    assert_no_transaction_left(db)
    assert await names(db) == []


@pytest.mark.defect("D24")
async def test_next_write_does_not_commit_the_failed_block(db):
    await deferred(db)
    with pytest.raises(SqliterError):
        async with db:
            await db.insert(User(name="a"))
            await db.execute("INSERT INTO late VALUES (99)")
    await db.insert(User(name="b"))
    assert await names(db) == ["b"]
    assert await db.fetch("SELECT * FROM late") == []


@pytest.mark.defect("D24")
async def test_failed_explicit_commit_can_be_rolled_back(manual):
    await deferred(manual)
    await manual.commit()
    await manual.insert(User(name="a"))
    await manual.execute("INSERT INTO late VALUES (99)")
    with pytest.raises(SqliterError, match="FOREIGN KEY constraint failed"):
        await manual.commit()
    await manual.rollback()
    await manual.insert(User(name="b"))
    await manual.commit()
    assert await names(manual) == ["b"]


@pytest.mark.defect("D24")
async def test_single_statement_that_fails_at_its_commit_is_undone(db):
    await deferred(db)
    with pytest.raises(SqlExecutionError, match="FOREIGN KEY constraint failed"):
        await db.execute("INSERT INTO late VALUES (99)")
    await db.insert(User(name="b"))
    assert await db.fetch("SELECT * FROM late") == []
    assert_no_transaction_left(db)


# --- objects follow the transaction ------------------------------------------------------


def state(*objects):
    return [(o.pk, o.created_at, o.updated_at) for o in objects]


@pytest.mark.defect("D21")
async def test_failed_insert_leaves_the_object_as_it_was(db):
    await db.create_table(User)
    await db.insert(User(name="a"))
    double = User(name="a")
    with pytest.raises(RecordInsertionError):
        await db.insert(double)
    assert state(double) == [(0, 0, 0)]


@pytest.mark.defect("D21")
async def test_failed_bulk_leaves_its_objects_as_they_were_and_can_be_retried(db):
    await db.create_table(User)
    await db.insert(User(name="a"))
    batch = users("b", "c", "a")
    with pytest.raises(RecordInsertionError):
        await db.bulk_insert(batch)
    assert state(*batch) == [(0, 0, 0)] * 3
    await db.insert(User(name="d"))
    batch[2].name = "e"
    await db.bulk_insert(batch)
    assert await names(db) == ["a", "d", "b", "c", "e"]


@pytest.mark.defect("D21")
async def test_rolled_back_block_gives_objects_their_old_pk_back(db):
    await db.create_table(User)
    one, batch = User(name="a"), users("b", "c")
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.insert(one)
            await db.bulk_insert(batch)
            assert one.pk == 1
            raise ZeroDivisionError
    assert state(one, *batch) == [(0, 0, 0)] * 3
    await db.insert(one)
    assert await db.get(User, one.pk) == one


@pytest.mark.defect("D21")
async def test_rolled_back_inner_block_restores_its_objects_only(db):
    await db.create_table(User)
    outer, inner = users("a", "b")
    async with db:
        await db.insert(outer)
        with pytest.raises(ZeroDivisionError):
            async with db:
                await db.insert(inner)
                raise ZeroDivisionError
    assert outer.pk == 1
    assert state(inner) == [(0, 0, 0)]


@pytest.mark.defect("D21")
@pytest.mark.parametrize("reason", ["failed", "rolled back"])
async def test_update_that_did_not_happen_leaves_the_timestamp(db, monkeypatch, reason):
    await db.create_table(User)
    await db.insert(User(name="a"))
    monkeypatch.setattr("time.time", lambda: 1000.0)
    user = await db.insert(User(name="b"))
    monkeypatch.setattr("time.time", lambda: 2000.0)
    with pytest.raises((SqliterError, ZeroDivisionError)):
        async with db:
            user.name = "a" if reason == "failed" else "c"
            await db.update(user)
            raise ZeroDivisionError
    assert user.updated_at == 1000


# --- values that cannot be bound ---------------------------------------------------------


class Reading(BaseDBModel):
    number: int = 0
    text: str = ""


UNBINDABLE = [{"number": 2**63}, {"text": "\ud800"}]


def unbindable(values):
    """A row that Pydantic accepts or was not asked about, and SQLite cannot take."""
    reading = Reading()
    reading.__dict__.update(values)
    return reading


@pytest.mark.defect("D12")
@pytest.mark.parametrize("bad", UNBINDABLE, ids=["64 bit", "surrogate"])
async def test_value_that_cannot_be_bound_is_an_error_of_the_operation(db, bad):
    await db.create_table(Reading)
    row = await db.insert(Reading())
    (value,) = bad.values()
    with pytest.raises(RecordInsertionError):
        await db.insert(unbindable(bad))
    with pytest.raises(RecordInsertionError):
        await db.bulk_insert([Reading(), unbindable(bad)])
    with pytest.raises(RecordUpdateError):
        await db.update(unbindable(bad | {"pk": row.pk}))
    with pytest.raises((RecordUpdateError, InvalidUpdateError)):
        await db.update_where(Reading, {}, bad)
    with pytest.raises((RecordDeletionError, RecordNotFoundError)):
        await db.delete(Reading, value)
    with pytest.raises(SqlExecutionError):
        await db.execute("DELETE FROM readings WHERE pk = ?", (value,))
    assert_no_transaction_left(db)
    assert await db.select(Reading).fetch_all() == [row]


@pytest.mark.defect("D12")
@pytest.mark.parametrize("bad", UNBINDABLE, ids=["64 bit", "surrogate"])
async def test_value_that_cannot_be_bound_in_a_block_loses_nothing_else(db, bad):
    await db.create_table(Reading)
    async with db:
        await db.insert(Reading(number=1))
        with pytest.raises(RecordInsertionError):
            await db.bulk_insert([Reading(number=2), unbindable(bad)])
        await db.insert(Reading(number=3))
    assert [row.number for row in await db.select(Reading).order("pk").fetch_all()] == [
        1,
        3,
    ]


@pytest.mark.defect("D12")
@pytest.mark.parametrize("bad", UNBINDABLE, ids=["64 bit", "surrogate"])
async def test_value_that_cannot_be_bound_in_a_read_is_a_library_error(db, bad):
    await db.create_table(Reading)
    (value,) = bad.values()
    with pytest.raises(SqliterError):
        await db.select(Reading).filter(**bad).fetch_all()
    with pytest.raises(SqliterError):
        await db.fetch("SELECT ?", (value,))
    try:
        assert await db.get(Reading, value) is None
    except RecordFetchError as error:
        assert "readings" in str(error)
