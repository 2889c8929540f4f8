"""Tables and queries as steps: requests in, answers out."""

from __future__ import annotations

from typing import Any

import pytest
from steps.driving import Conversation, File, context, rows, written

from sqliter.core.context import Context
from sqliter.core.faults import Fault, InTransactionFault
from sqliter.core.steps import Access
from sqliter.exceptions import (
    InvalidUpdateError,
    RecordFetchError,
    SqlExecutionError,
    TableCreationError,
    TableDeletionError,
)
from sqliter.model.table import table_of
from sqliter.operations import bulk, raw, select, tables
from sqliter.planning.spec import QuerySpec

FAMILY = File(tables=["parents", "children"], references=[("children", "parents")])
DROPS = ['DROP TABLE IF EXISTS "children"', 'DROP TABLE IF EXISTS "parents"']


def _spec(pet: Any) -> QuerySpec[Any]:
    return QuerySpec(table_of(pet))


# --- reset ------------------------------------------------------------------


def test_reset_drops_all_in_one_request_without_foreign_keys(fresh: Context) -> None:
    talk = Conversation(tables.reset(fresh), written() * 2, file=FAMILY)
    (request,) = talk.asked
    assert (request.atomic, request.foreign_keys) == (True, False)
    assert talk.sql == DROPS
    assert talk.effects.everything


def test_reset_falls_back_inside_a_transaction(fresh: Context) -> None:
    refused = InTransactionFault("not now")
    talk = Conversation(tables.reset(fresh), refused, written() * 2, file=FAMILY)
    assert [each.foreign_keys for each in talk.asked] == [False, True]
    assert all(each.atomic for each in talk.asked)
    assert talk.sql == DROPS * 2


def test_reset_that_fails_is_reported(fresh: Context) -> None:
    with pytest.raises(TableDeletionError, match="disk"):
        Conversation(tables.reset(fresh), Fault("disk is full"), file=FAMILY)


# --- create, drop, names ----------------------------------------------------


def test_create_sends_table_and_indexes_together(pet: Any, fresh: Context) -> None:
    talk = Conversation(tables.create(pet, fresh), written())
    (request,) = talk.asked
    assert request.atomic
    assert talk.sql[0].startswith('CREATE TABLE IF NOT EXISTS "pets"')


def test_create_of_a_table_with_other_columns(pet: Any, fresh: Context) -> None:
    with pytest.raises(TableCreationError, match="no column 'pk'"):
        Conversation(tables.create(pet, fresh), file=File(columns=["name"]))


def test_force_drops_first_in_the_same_request(pet: Any, fresh: Context) -> None:
    operation = tables.create(pet, fresh, force=True)
    talk = Conversation(operation, written() * 2, file=File(columns=["name"]))
    (request,) = talk.asked
    assert request.atomic
    assert [each.split('"')[0] for each in talk.sql] == [
        "DROP TABLE IF EXISTS ",
        "CREATE TABLE IF NOT EXISTS ",
    ]


def test_a_failing_statement_of_create_names_itself(pet: Any, fresh: Context) -> None:
    fault = Fault("no")
    fault.sql = "CREATE INDEX x"
    with pytest.raises(SqlExecutionError, match="CREATE INDEX x"):
        Conversation(tables.create(pet, fresh), fault)


def test_drop_of_a_failing_table(pet: Any, fresh: Context) -> None:
    with pytest.raises(TableDeletionError, match="pets"):
        Conversation(tables.drop(pet, fresh), Fault("no"))


def test_names(fresh: Context) -> None:
    talk = Conversation(tables.names(fresh), rows(("parents",), ("children",)))
    assert talk.value == ["parents", "children"]
    assert talk.access is Access.READ


def test_a_changed_schema_is_looked_at_again(pet: Any, known: Context) -> None:
    Conversation(tables.drop(pet, known), written())
    assert not known.known


# --- queries ----------------------------------------------------------------


@pytest.mark.parametrize(
    "verb", [select.fetch_one, select.fetch_first, select.fetch_last]
)
def test_no_row_is_none(pet: Any, known: Context, verb: Any) -> None:
    assert Conversation(verb(_spec(pet), known), rows()).value is None


def test_fetch_all_asks_once(pet: Any, known: Context) -> None:
    talk = Conversation(select.fetch_all(_spec(pet), known), rows())
    assert talk.value == []
    assert len(talk.requests) == 1


@pytest.mark.parametrize(("verb", "value"), [(select.count, 3), (select.exists, True)])
def test_scalars(pet: Any, known: Context, verb: Any, value: object) -> None:
    assert Conversation(verb(_spec(pet), known), rows((3,))).value == value


def test_a_query_names_a_table_of_another_spelling(pet: Any, fresh: Context) -> None:
    with pytest.raises(RecordFetchError, match="The file has 'pet'"):
        Conversation(select.fetch_all(_spec(pet), fresh), file=File(tables=["pet"]))


def test_bulk_update_of_nothing_asks_for_nothing(pet: Any, known: Context) -> None:
    assert Conversation(bulk.update(_spec(pet), {}, known)).value == 0


def test_bulk_update_checks_before_it_asks(pet: Any, known: Context) -> None:
    for values in ({"pk": 1}, {"colour": "red"}, {"age": "old"}):
        with pytest.raises(InvalidUpdateError):
            Conversation(bulk.update(_spec(pet), values, known))


def test_bulk_verbs_give_the_number_of_rows(pet: Any, known: Context) -> None:
    assert (
        Conversation(bulk.update(_spec(pet), {"age": 2}, known), written(5)).value == 5
    )
    assert Conversation(bulk.delete(_spec(pet), known), written(4)).value == 4


# --- SQL of the user --------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "access"),
    [
        ("SELECT 1", Access.READ),
        ("  -- note\n select 1", Access.READ),
        ("VALUES (1)", Access.READ),
        ("WITH a AS (SELECT 1) SELECT * FROM a", Access.READ),
        ("WITH a AS (SELECT 1) DELETE FROM pets", Access.WRITE),
        ("DELETE FROM pets RETURNING pk", Access.WRITE),
        ("PRAGMA user_version", Access.WRITE),
    ],
)
def test_what_might_write_gets_the_writer(
    fresh: Context, sql: str, access: Access
) -> None:
    talk = Conversation(raw.fetch_dicts(sql, (), fresh), rows((1,), columns=("a",)))
    assert talk.access is access
    assert talk.effects.everything is (access is Access.WRITE)
    assert talk.value == [{"a": 1}]


@pytest.mark.parametrize("sql", ["BEGIN", "commit", " /* x */ ROLLBACK", "SAVEPOINT a"])
def test_transaction_control_is_refused(fresh: Context, sql: str) -> None:
    with pytest.raises(SqlExecutionError, match="with db:"):
        Conversation(raw.execute(sql, (), fresh))


def test_execute_forgets_what_it_may_have_changed(pet: Any) -> None:
    shared = context()
    shared.known.add(table_of(pet))
    operation = raw.execute("INSERT INTO pets (name) VALUES (?)", ("Rex",), shared)
    talk = Conversation(operation, written(1, key=3))
    assert talk.value == (1, 3)
    assert not shared.known
    assert talk.effects.everything
