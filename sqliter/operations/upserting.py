"""Records that are inserted, or written to the rows that are the same already."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import reported_as
from sqliter.core.statement import Result
from sqliter.core.steps import (
    Operation,
    Steps,
    ask_all,
    look_up,
    writes,
    writes_shortly,
)
from sqliter.exceptions import RecordInsertionError
from sqliter.model.loaded import bind_all, remember_row
from sqliter.model.loader import loader_of
from sqliter.model.model import BaseDBModel
from sqliter.model.row import encoder_of
from sqliter.model.table import BUILT_IN, Table, table_of
from sqliter.operations.assigning import assign_all, take_over
from sqliter.operations.preparing import (
    Stamps,
    common_model,
    has_key,
    in_batches,
    settle_all,
)
from sqliter.operations.schema import known, touch
from sqliter.planning import upsert as planning
from sqliter.planning.named import named_fields
from sqliter.planning.upsert import Batch, Conflict, Stored
from sqliter.schema import inspection

__all__ = ["Choice", "bulk_upsert", "upsert"]

M = TypeVar("M", bound=BaseDBModel)


class Choice(NamedTuple):
    """What the caller says about conflicts: fields, or ``None`` for the usual."""

    conflict: Iterable[str] | None
    update: Iterable[str] | None

    @classmethod
    def of(cls, conflict: Iterable[str] | None, update: Iterable[str] | None) -> Choice:
        """Return the choice; what can be iterated only once is kept."""
        return cls(_kept(conflict), _kept(update))


def _kept(names: Iterable[str] | None) -> Iterable[str] | None:
    # A text is no list of names, which is to be said when they are looked at.
    return names if names is None or isinstance(names, str) else tuple(names)


def upsert(instance: M, choice: Choice, context: Context) -> Operation[M]:
    """Insert one record, or write it to the row that is the same."""
    again = functools.partial(upsert, instance, choice, context)
    operation = _upsert_one(instance, choice, context)
    return operation._replace(is_unit=True, again=again)


def bulk_upsert(
    instances: Iterable[M], choice: Choice, context: Context
) -> Operation[list[M]]:
    """Do so with records of one model, all or none; of equal ones the last wins."""
    return _upsert_many(instances, choice, context)._replace(is_unit=True)


@writes_shortly
def _upsert_one(
    effects: Effects, instance: M, choice: Choice, context: Context
) -> Steps[M]:
    yield from _upsert(effects, [instance], choice, context)
    return instance


@writes
def _upsert_many(
    effects: Effects, instances: Iterable[M], choice: Choice, context: Context
) -> Steps[list[M]]:
    records = list(instances)
    if records:
        yield from _upsert(effects, records, choice, context)
    return records


def _upsert(
    effects: Effects, records: Sequence[BaseDBModel], choice: Choice, context: Context
) -> Steps[None]:
    table = table_of(common_model(records))
    with reported_as(RecordInsertionError, table.name):
        yield from known(table, context)
        conflicts = yield from _conflicts(table, records, choice)
        yield from touch(effects, table, context)
        yield from settle_all(effects, records)
        batches = yield from _batches(table, records, conflicts, context.now())
        statements = [each for batch in batches for each in batch.statements()]
        stored = _stored(batches, (yield from ask_all(statements)))
        _take_over(effects, table, zip(records, stored, strict=True), context)
    bind_all(records, context.database)


def _conflicts(
    table: Table, records: Sequence[BaseDBModel], choice: Choice
) -> Steps[dict[bool, Conflict]]:
    """Return what is a conflict for records without a key, and for those with one."""
    update = None if choice.update is None else named_fields(table, choice.update)
    target = yield from _target(table, choice.conflict)
    found: dict[bool, Conflict] = {}
    for with_pk in sorted({has_key(each) for each in records}):
        fields = target or (("pk",) if with_pk else planning.own_target(table))
        # Without its key, a record cannot be the same as a row by that.
        is_new = fields == ("pk",) and not with_pk
        chosen = None if is_new else update
        found[with_pk] = Conflict(
            fields, planning.written_fields(table, fields, chosen)
        )
    return found


def _target(table: Table, conflict: Iterable[str] | None) -> Steps[tuple[str, ...]]:
    """Return the fields the caller names, if any; an index must make them unique."""
    if conflict is None:
        return ()
    target = named_fields(table, conflict)
    if target == ("pk",) or {*target} in map(set, planning.targets_of(table)):
        return target
    planning.refuse_narrow(table, target)
    columns = {table.by_field[field].name.lower() for field in target}
    result = yield from look_up(inspection.unique_indexes(table.name))
    for _, rows in groupby(result.rows, key=lambda row: row[0]):
        if {name and str(name).lower() for _, name in rows} == columns:
            return target
    model = table.model.__name__
    msg = (
        f"no unique index of {model} covers exactly {', '.join(target) or 'nothing'}: "
        "mark a field with unique(), or name them in Meta.unique_indexes"
    )
    raise ValueError(msg)


def _batches(
    table: Table,
    records: Sequence[BaseDBModel],
    conflicts: dict[bool, Conflict],
    now: int,
) -> Steps[list[Batch]]:
    return (
        yield from in_batches(
            table,
            records,
            Stamps(now),
            lambda with_pk, fields, rows: Batch(
                table, fields, rows, conflicts[with_pk]
            ),
        )
    )


def _stored(batches: Sequence[Batch], results: Sequence[Result]) -> list[Stored]:
    """Return the row of each record; equal ones have the same row, as it is at last."""
    answers = iter(results)
    rows = [row for batch in batches for row in batch.stored(answers)]
    last = {row["pk"]: row for row in rows}
    return [last[row["pk"]] for row in rows]


def _take_over(
    effects: Effects,
    table: Table,
    pairs: Iterable[tuple[BaseDBModel, Stored]],
    context: Context,
) -> None:
    """Give instances what their rows hold; their own objects stay where they can."""
    loader = loader_of(table, None, local=context.settings.return_local_time)
    usual: list[BaseDBModel] = []
    values: list[dict[str, Any]] = []
    for instance, stored in pairs:
        row = tuple(stored[field] for field in table.fields)
        others = _others(table, instance, stored)
        if others:
            found = vars(loader.load([row])[0])
            names = (*BUILT_IN, *others)
            take_over(effects, instance, {name: found[name] for name in names})
        else:
            usual.append(instance)
            values.append({name: stored[name] for name in BUILT_IN})
        remember_row(instance, row)
    assign_all(effects, usual, values)


def _others(table: Table, instance: BaseDBModel, stored: Stored) -> list[str]:
    """Return the fields, but the usual ones, in which the row differs."""
    own = encoder_of(table, table.fields, BUILT_IN).encode(vars(instance), stored)
    return [
        field
        for field, value in zip(table.fields, own, strict=True)
        if type(value) is not type(stored[field]) or value != stored[field]
    ]
