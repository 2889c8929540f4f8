"""Single records and batches: what is asked for, and what is made of the answers."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from steps.driving import Conversation, File, context, rows, written

from sqliter.core.context import Context
from sqliter.core.faults import BusyFault, ConstraintFault, Fault
from sqliter.core.steps import Access
from sqliter.exceptions import (
    DatabaseBusyError,
    ForeignKeyDeletionError,
    ForeignKeyInsertionError,
    ForeignKeyUpdateError,
    RecordDeletionError,
    RecordFetchError,
    RecordInsertionError,
    RecordNotFoundError,
    RecordUpdateError,
)
from sqliter.operations import many, records

BROKEN = sqlite3.IntegrityError("it is broken")


ALL = ("pk", "created_at", "updated_at", "name", "age")
FILE = File(columns=ALL)


# --- insert -----------------------------------------------------------------


def test_insert_asks_for_one_statement(pet: Any, known: Context) -> None:
    talk = Conversation(records.insert(pet(name="Rex"), known), written(key=7))
    (request,) = talk.requests
    (statement,) = request.statements
    assert statement.sql.startswith('INSERT INTO "pets"')
    assert "Rex" in statement.params
    assert talk.access is Access.WRITE


def test_insert_gives_key_and_timestamps_to_the_same_instance(
    pet: Any, known: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Context, "now", staticmethod(lambda: 1234))
    rex = pet(name="Rex")
    talk = Conversation(records.insert(rex, known), written(key=7))
    assert talk.value is rex
    assert (rex.pk, rex.created_at, rex.updated_at) == (7, 1234, 1234)


def test_insert_assigns_nothing_before_the_answer(pet: Any, known: Context) -> None:
    rex = pet(name="Rex")
    with pytest.raises(RecordInsertionError):
        Conversation(records.insert(rex, known), Fault("no"))
    assert (rex.pk, rex.created_at, rex.updated_at) == (0, 0, 0)


def test_insert_is_taken_back_by_its_effects(pet: Any, known: Context) -> None:
    rex = pet(name="Rex")
    talk = Conversation(records.insert(rex, known), written(key=7))
    talk.effects.undo()
    assert (rex.pk, rex.created_at) == (0, 0)
    assert talk.effects.tables == {"pets"}


def test_insert_keeps_a_key_that_is_given(pet: Any, known: Context) -> None:
    rex = pet(name="Rex", pk=42)
    talk = Conversation(records.insert(rex, known), written(key=42))
    assert '"pk"' in talk.sql[0]
    assert rex.pk == 42


def test_timestamps_that_are_not_zero_may_be_kept(pet: Any, known: Context) -> None:
    rex = pet(name="Rex", created_at=5)
    operation = records.insert(rex, known, timestamp_override=True)
    Conversation(operation, written(key=1))
    assert rex.created_at == 5
    assert rex.updated_at > 5


def test_the_table_is_compared_once(pet: Any, fresh: Context) -> None:
    first = Conversation(
        records.insert(pet(name="a"), fresh), written(key=1), file=FILE
    )
    second = Conversation(records.insert(pet(name="b"), fresh), written(key=2))
    assert [each.internal for each in first.requests] == [True, False]
    assert len(second.requests) == 1


def test_a_missing_column_is_named(pet: Any, fresh: Context) -> None:
    with pytest.raises(RecordInsertionError, match="no column 'age'"):
        Conversation(records.insert(pet(name="a"), fresh), file=File(columns=ALL[:-1]))


def test_the_reach_of_a_table_is_asked_for_with_a_cache_only(pet: Any) -> None:
    cached = context(cached=True)
    operation = records.delete(pet, 1, cached)
    file = File(columns=ALL, reach=["pets", "toys"])
    talk = Conversation(operation, written(), file=file)
    assert talk.effects.tables == {"pets", "toys"}
    again = Conversation(records.delete(pet, 1, cached), written())
    assert again.effects.tables == {"pets", "toys"}


def test_triggers_may_change_anything(pet: Any) -> None:
    operation = records.delete(pet, 1, context(cached=True))
    file = File(columns=ALL, reach=["pets", None])
    talk = Conversation(operation, written(), file=file)
    assert talk.effects.everything


# --- many -------------------------------------------------------------------


def test_bulk_insert_asks_for_one_atomic_request(pet: Any, known: Context) -> None:
    pets = [pet(name=f"n{number}") for number in range(3)]
    talk = Conversation(many.bulk_insert(pets, known), written(3, key=12))
    (request,) = talk.requests
    assert request.atomic
    assert [each.pk for each in pets] == [10, 11, 12]
    assert all(one is other for one, other in zip(talk.value, pets, strict=True))


def test_bulk_insert_of_many_is_still_one_request(pet: Any, known: Context) -> None:
    pets = [pet(name=f"n{number}") for number in range(250)]
    steps = many.bulk_insert(pets, known).steps
    request = steps.send(None)
    assert request.atomic
    assert len(request.statements) > 1
    sizes = [each.sql.count("?, ?, ?, ?") for each in request.statements]
    assert sum(sizes) == 250
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    with pytest.raises(StopIteration):
        steps.send([result for end in ends for result in written(0, key=end)])
    assert [each.pk for each in pets] == list(range(1, 251))


def test_bulk_insert_of_nothing_asks_for_nothing(known: Context) -> None:
    assert Conversation(many.bulk_insert([], known)).value == []


def test_bulk_insert_that_fails_changes_no_instance(pet: Any, known: Context) -> None:
    pets = [pet(name="a"), pet(name="b")]
    with pytest.raises(RecordInsertionError):
        Conversation(many.bulk_insert(pets, known), Fault("no"))
    assert [each.pk for each in pets] == [0, 0]


# --- get, update, delete ----------------------------------------------------


def test_get_builds_the_instance(pet: Any, known: Context) -> None:
    names = tuple(pet.model_fields)
    values = {"pk": 3, "created_at": 1, "updated_at": 2, "name": "Rex", "age": None}
    row = tuple(values[name] for name in names)
    talk = Conversation(records.get(pet, 3, known), rows(row))
    assert talk.value == pet(**values)
    assert talk.access is Access.READ
    assert talk.requests[0].statements[0].params == (3,)


def test_get_of_a_missing_row_is_none(pet: Any, known: Context) -> None:
    assert Conversation(records.get(pet, 3, known), rows()).value is None


def test_get_may_be_remembered(pet: Any) -> None:
    cached = context(cached=True)
    talk = Conversation(records.get(pet, 3, cached), rows(), file=FILE)
    memo = talk.asked[0].memo
    assert memo is not None
    assert (memo.table, memo.tables, memo.keep_empty) == ("pets", ("pets",), False)
    bypassing = Conversation(records.get(pet, 3, cached, bypass_cache=True), rows())
    assert bypassing.asked[0].memo is None


@pytest.mark.parametrize("ttl", [-1, -0.5])
def test_a_negative_ttl_is_refused(pet: Any, known: Context, ttl: float) -> None:
    with pytest.raises(ValueError, match="non-negative"):
        Conversation(records.get(pet, 3, known, cache_ttl=ttl))


def test_a_row_that_does_not_fit_is_an_error(pet: Any, known: Context) -> None:
    texts = {"name": "Rex", "age": "old"}
    row = tuple(texts.get(name, 1) for name in pet.model_fields)
    with pytest.raises(RecordFetchError, match="age"):
        Conversation(records.get(pet, 3, known), rows(row))


def test_update_writes_all_but_the_key(pet: Any, known: Context) -> None:
    rex = pet(pk=3, name="Rex")
    talk = Conversation(records.update(rex, known), written())
    assert talk.value is None
    assert talk.sql[0].startswith('UPDATE "pets" SET')
    assert '"pk" = ?' not in talk.sql[0].partition("WHERE")[0]
    assert talk.requests[0].statements[0].params[-1] == 3


def test_update_of_a_missing_row(pet: Any, known: Context) -> None:
    rex = pet(pk=3, name="Rex")
    with pytest.raises(RecordNotFoundError) as caught:
        Conversation(records.update(rex, known), written(0))
    assert vars(caught.value)["key"] == 3
    assert rex.updated_at == 0


def test_delete_of_a_missing_row(pet: Any, known: Context) -> None:
    with pytest.raises(RecordNotFoundError):
        Conversation(records.delete(pet, 3, known), written(0))


# --- faults -----------------------------------------------------------------

VERBS = [
    pytest.param(
        lambda pet, ctx: records.insert(pet(name="a"), ctx),
        RecordInsertionError,
        ForeignKeyInsertionError,
        id="insert",
    ),
    pytest.param(
        lambda pet, ctx: many.bulk_insert([pet(name="a")], ctx),
        RecordInsertionError,
        ForeignKeyInsertionError,
        id="bulk_insert",
    ),
    pytest.param(
        lambda pet, ctx: records.update(pet(pk=1, name="a"), ctx),
        RecordUpdateError,
        ForeignKeyUpdateError,
        id="update",
    ),
    pytest.param(
        lambda pet, ctx: records.delete(pet, 1, ctx),
        RecordDeletionError,
        ForeignKeyDeletionError,
        id="delete",
    ),
]


@pytest.mark.parametrize(("verb", "error", "leaf"), VERBS)
def test_a_fault_becomes_the_public_error(
    pet: Any, known: Context, verb: Any, error: type[Exception], leaf: type[Exception]
) -> None:
    with pytest.raises(error, match="it is broken") as caught:
        Conversation(verb(pet, known), Fault("it is broken", BROKEN))
    assert type(caught.value) is error
    assert caught.value.__cause__ is BROKEN


@pytest.mark.parametrize(("verb", "error", "leaf"), VERBS)
def test_a_constraint_is_told_by_its_kind(
    pet: Any, known: Context, verb: Any, error: type[Exception], leaf: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        Conversation(verb(pet, known), ConstraintFault("unique", "no", BROKEN))
    assert type(caught.value) is error
    assert vars(caught.value)["kind"] == "unique"
    with pytest.raises(leaf) as caught:
        Conversation(verb(pet, known), ConstraintFault("foreign_key", "no", BROKEN))
    assert isinstance(caught.value, error)
    assert vars(caught.value)["table"] == "pets"


@pytest.mark.parametrize(("verb", "error", "leaf"), VERBS)
def test_a_busy_database_is_no_failed_record(
    pet: Any, known: Context, verb: Any, error: type[Exception], leaf: type[Exception]
) -> None:
    with pytest.raises(DatabaseBusyError) as caught:
        Conversation(verb(pet, known), BusyFault("somebody works", BROKEN))
    assert not isinstance(caught.value, (error, leaf))


@pytest.mark.parametrize(("verb", "error", "leaf"), VERBS)
def test_other_exceptions_pass_unchanged(
    pet: Any, known: Context, verb: Any, error: type[Exception], leaf: type[Exception]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        Conversation(verb(pet, known), KeyboardInterrupt())
