"""Records that are inserted, or written to the rows that are the same already."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from sqliter.core.asked import Work
from sqliter.core.context import Context
from sqliter.core.courses import Course, Parts, carry_out
from sqliter.core.effects import Effects
from sqliter.core.faults import reported_as
from sqliter.core.hooks import Change, ModelHooks
from sqliter.core.statement import Result, Value
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
    STAMPED,
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


def upsert(instance: M, choice: Choice, context: Context) -> Work[M]:
    """Insert one record, or write it to the row that is the same."""
    hooks = context.hooks.of[type(instance)]
    if hooks.insert or hooks.update:
        course = Course(_foreseen([instance], choice, hooks, context))
        return course.giving(instance)
    again = functools.partial(_again, instance, choice, context)
    operation = _upsert_one(instance, choice, context)
    return operation._replace(is_unit=True, again=again)


def bulk_upsert(
    instances: Iterable[M], choice: Choice, context: Context
) -> Work[list[M]]:
    """Do so with records of one model, all or none; of equal ones the last wins."""
    records = list(instances)
    if records:
        hooks = context.hooks.of[type(records[0])]
        if hooks.insert or hooks.update:
            return Course(_foreseen(records, choice, hooks, context))
    return _upsert_many(records, choice, context)._replace(is_unit=True)


def _again(instance: M, choice: Choice, context: Context) -> Operation[M]:
    again = functools.partial(_again, instance, choice, context)
    operation = _upsert_one(instance, choice, context)
    return operation._replace(is_unit=True, again=again)


def _foreseen(
    records: list[M], choice: Choice, hooks: ModelHooks, context: Context
) -> Parts[list[M]]:
    """Look up what becomes of each record, and call what belongs to that."""
    fates = yield from carry_out(_foresee(records, choice, context))
    pairs = [
        (each, fate)
        for each, fate in zip(records, fates, strict=True)
        if fate.is_written
    ]
    for each, fate in pairs:
        yield from hooks.of(fate.change).before([each])
    for each, fate in pairs:
        fate.check(each)
    operation = _upsert_many(records, choice, context)
    yield from carry_out(operation._replace(is_unit=True))
    for each, fate in pairs:
        yield from hooks.of(fate.change).after([each])
    return records


class _Fate(NamedTuple):
    """What becomes of a record, and by which fields its row is looked up."""

    conflict: Conflict
    stored: tuple[Value, ...]
    values: dict[str, Any]
    change: Change = "insert"

    @classmethod
    def of(cls, record: BaseDBModel, table: Table, conflict: Conflict) -> _Fate:
        """Return it for a record; raises a ``Fault``."""
        stored = encoder_of(table, conflict.target).encode(vars(record), {})
        values = {name: vars(record)[name] for name in ("pk", *conflict.target)}
        return cls(conflict, (*stored,), values)

    @property
    def is_written(self) -> bool:
        """Whether anything is written: a row that exists may be left as it is."""
        return self.change == "insert" or bool(self.conflict.written)

    def check(self, record: BaseDBModel) -> None:
        """Raise ``ValueError`` if a hook made it mean another row."""
        for name, value in self.values.items():
            if vars(record)[name] != value:
                msg = (
                    f"a hook changed '{name}' of {type(record).__name__}, by which "
                    "the row had been looked up: set it before the record is upserted"
                )
                raise ValueError(msg)


@writes
def _foresee(
    effects: Effects, records: Sequence[BaseDBModel], choice: Choice, context: Context
) -> Steps[list[_Fate]]:
    table = table_of(common_model(records))
    with reported_as(RecordInsertionError, table.name):
        yield from known(table, context)
        conflicts = yield from _conflicts(table, records, choice)
        yield from settle_all(effects, records)
        fates = [_Fate.of(each, table, conflicts[has_key(each)]) for each in records]
        results = yield from ask_all(
            planning.select_statement(table, each.conflict.target, [each.stored])
            for each in fates
        )
    return _told(fates, results)


def _told(fates: Iterable[_Fate], results: Iterable[Result]) -> list[_Fate]:
    """Say of each whether there is a row, or will be: of a record before it."""
    told: list[_Fate] = []
    before: set[tuple[object, ...]] = set()
    for each, result in zip(fates, results, strict=True):
        same = (each.conflict.target, each.stored)
        is_new = not each.values["pk"] and each.conflict.target == ("pk",)
        exists = not is_new and (result.rows or same in before)
        told.append(each._replace(change="update" if exists else "insert"))
        if None not in each.stored:  # those with NULLs equal no other
            before.add(same)
    return told


@writes_shortly
def _upsert_one(
    effects: Effects, instance: M, choice: Choice, context: Context
) -> Steps[M]:
    yield from _upsert(effects, [instance], choice, context)
    return instance


@writes
def _upsert_many(
    effects: Effects, records: list[M], choice: Choice, context: Context
) -> Steps[list[M]]:
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
    # A key that is stored as something else is what the record has already.
    usual_names = STAMPED if table.is_keyed else BUILT_IN
    usual: list[BaseDBModel] = []
    values: list[dict[str, Any]] = []
    for instance, stored in pairs:
        row = tuple(stored[field] for field in table.fields)
        others = _others(table, instance, stored, usual_names)
        if others:
            found = vars(loader.load([row])[0])
            names = (*usual_names, *others)
            take_over(effects, instance, {name: found[name] for name in names})
        else:
            usual.append(instance)
            values.append({name: stored[name] for name in usual_names})
        remember_row(instance, row)
    assign_all(effects, usual, values, usual_names)


def _others(
    table: Table, instance: BaseDBModel, stored: Stored, usual: tuple[str, ...]
) -> list[str]:
    """Return the fields, but the usual ones, in which the row differs."""
    own = encoder_of(table, table.fields, usual).encode(vars(instance), stored)
    return [
        field
        for field, value in zip(table.fields, own, strict=True)
        if type(value) is not type(stored[field]) or value != stored[field]
    ]
