"""Many records of one model: inserted, each written with its values, deleted."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqliter.core.asked import Asked
from sqliter.core.context import Context
from sqliter.core.courses import Course, Parts, carry_out
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault, reported_as
from sqliter.core.hooks import Hooks
from sqliter.core.statement import Result, Statement, Value
from sqliter.core.steps import (
    Access,
    Operation,
    Steps,
    ask,
    ask_all,
    breathe,
    reads,
    writes,
)
from sqliter.exceptions import (
    RecordFetchError,
    RecordInsertionError,
    RecordUpdateError,
)
from sqliter.model.keys import actual, is_object, key_of, misfit
from sqliter.model.loaded import bind_all, remember_values
from sqliter.model.model import BaseDBModel
from sqliter.model.row import encoder_of
from sqliter.model.table import Table, table_of
from sqliter.operations import bulk
from sqliter.operations.assigning import assign_all
from sqliter.operations.change import counted, stamped, written_fields
from sqliter.operations.generating import read_back
from sqliter.operations.preparing import (
    AT_ONCE,
    FEW,
    Stamps,
    common_model,
    in_batches,
    settle_all,
)
from sqliter.operations.schema import known, touch
from sqliter.operations.unwritten import explain_unwritten
from sqliter.planning import write
from sqliter.planning.keys import stored_key
from sqliter.planning.scope import Rows
from sqliter.planning.select import plan_select
from sqliter.planning.spec import QuerySpec

__all__ = ["bulk_delete", "bulk_insert", "bulk_update"]

M = TypeVar("M", bound=BaseDBModel)


def bulk_insert(
    instances: Sequence[M], context: Context, *, timestamp_override: bool = False
) -> Asked[list[M]]:
    """Insert records of one model, all or none."""
    records = list(instances)
    effects, keep = Effects(), timestamp_override
    table = table_of(common_model(records)) if records else None
    operation = Operation(
        Access.WRITE,
        _inserting_all(effects, table, records, context, keep=keep),
        effects,
    )
    if table is None:
        return operation
    if table.generated:
        operation = operation._replace(is_unit=True)
    if hooks := context.hooks.of[table.model].insert:
        return hooks.around(records, lambda: operation)
    return operation


def _inserting_all(
    effects: Effects,
    table: Table | None,
    records: list[M],
    context: Context,
    *,
    keep: bool,
) -> Steps[list[M]]:
    if table is None:
        return []
    with reported_as(RecordInsertionError, table.name):
        yield from known(table, context)
        yield from touch(effects, table, context)
        yield from settle_all(effects, records)
        stamps = Stamps(context.now(), keep=keep)
        keys = yield from _insert_rows(table, records, stamps)
        pairs = zip(records, keys, strict=True)
        new = ({"pk": each.pk or key, **stamps.of(each)} for each, key in pairs)
        assign_all(effects, records, new)
        if table.generated:
            yield from read_back(effects, table, records, context)
    bind_all(records, context.database)
    return records


def bulk_update(
    instances: Iterable[BaseDBModel], fields: Iterable[str], context: Context
) -> Asked[int]:
    """Write these fields of records of one model, all or none; return how many."""
    records = [actual(each) for each in instances]
    operation = _bulk_update(records, fields, context)._replace(is_unit=True)
    if records and (hooks := context.hooks.of[type(records[0])].update):
        common_model(records)  # before anything is called
        latest = {each.pk: each for each in records}
        return hooks.around(list(latest.values()), lambda: operation)
    return operation


@writes
def _bulk_update(
    effects: Effects,
    records: Sequence[BaseDBModel],
    fields: Iterable[str],
    context: Context,
) -> Steps[int]:
    if not records:
        return 0
    table = table_of(common_model(records))
    written = written_fields(table, fields)
    now = context.now()
    with reported_as(RecordUpdateError, table.name):
        yield from known(table, context)
        yield from touch(effects, table, context)
        yield from settle_all(effects, records)
        latest = list({each.pk: each for each in records}.values())
        stamps = yield from _write(table, latest, written, now)
        assign_all(effects, latest, stamps, stamped(table))
        yield from read_back(effects, table, latest, context)
    return len(latest)


def bulk_delete(model: type[M], keys: Iterable[Any], context: Context) -> Asked[int]:
    """Delete the rows with these keys, or of these instances; return how many."""
    table, effects = table_of(model), Effects()
    given = list(keys)
    if hooks := context.hooks.of[model].delete:
        return Course(_deletion(hooks, table, given, context))
    return Operation(Access.WRITE, _deleting(effects, table, given, context), effects)


def _deletion(
    hooks: Hooks, table: Table, given: Sequence[Any], context: Context
) -> Parts[int]:
    """Fetch what the hooks are told, where no instances were given, and delete it."""
    found = yield from carry_out(_present(table, given, context))
    delete_them = functools.partial(_delete_found, table, found, context)
    return (yield from hooks.surrounding(found, delete_them))


@reads
def _present(
    table: Table, given: Sequence[Any], context: Context
) -> Steps[list[BaseDBModel]]:
    """Return those whose rows are there, each once; instances stay the same ones."""
    own = {_key(table, each): actual(each) for each in given if is_object(each)}
    wanted = [_key(table, each) for each in given]
    spec: QuerySpec[Any] = table.prepare(QuerySpec)
    these = Rows(spec, context).keywords({"pk__in": wanted})
    plan = plan_select(spec.but(conditions=these, cached=False), context)
    with reported_as(RecordFetchError, table.name):
        yield from known(table, context)
        result = yield from ask(plan.statement)
        found = plan.load(result.rows, context)
    there: dict[Any, BaseDBModel] = {
        stored_key(table, each.pk): own.get(each.pk, each) for each in found
    }
    return [there[key] for key in sorted(there)]


def _deleting(
    effects: Effects, table: Table, given: Sequence[Any], context: Context
) -> Steps[int]:
    if not given:
        return 0
    if len(given) > FEW:
        yield from breathe()
    wanted = [_key(table, each) for each in given]
    spec: QuerySpec[Any] = table.prepare(QuerySpec)
    these = spec.but(conditions=Rows(spec, context).keywords({"pk__in": wanted}))
    result = yield from bulk.deleting(effects, these, context)
    return result.rowcount


_delete_found = writes(_deleting)


def _write(
    table: Table, records: Sequence[BaseDBModel], written: tuple[str, ...], now: int
) -> Steps[list[dict[str, int]]]:
    """Write the records; return what each of them gets."""
    fields = ("pk", *written)
    rows = _Rows(table, fields, now)
    batches = list(write.batches(records, fields))
    statements: list[Statement] = []
    for batch in batches:
        if len(records) > FEW and len(statements) % AT_ONCE == 0:
            yield from breathe()
        encoded = [rows.encoded(each) for each in batch]
        statements.append(write.update_each(table, written, encoded))
    results = yield from ask_all(statements)
    for batch, result in zip(batches, results, strict=True):
        if len(result.rows) < len(batch):
            yield from _explain(table, batch, {key for (key,) in result.rows})
    places = [table.fields.index(field) for field in fields]
    for each, row in zip(records, rows.all, strict=True):
        remember_values(each, places, row[: len(places)])
    return rows.stamps


class _Rows:
    """What is stored of each record, and what the library sets in it."""

    def __init__(self, table: Table, fields: tuple[str, ...], now: int) -> None:
        self.all: list[list[Value]] = []
        self.stamps: list[dict[str, int]] = []
        self._encode = encoder_of(table, fields, stamped(table)).encode
        self._version = table.version
        self._now = now

    def encoded(self, record: BaseDBModel) -> list[Value]:
        """Return the row, and the version that must still be there behind it."""
        values, stamp = vars(record), {"updated_at": self._now}
        read = [] if self._version is None else [counted(self._version, values, stamp)]
        row = [*self._encode(values, stamp), *read]
        self.all.append(row)
        self.stamps.append(stamp)
        return row


def _explain(
    table: Table, batch: Sequence[BaseDBModel], written: set[Value]
) -> Steps[None]:
    """Raise for the first row that is missing; something else may be in the way."""
    version = "" if table.version is None else table.version.field
    left = {
        each.pk: vars(each).get(version)
        for each in batch
        if stored_key(table, each.pk) not in written
    }
    yield from explain_unwritten(table, left)
    msg = f"{len(written)} of {len(batch)} rows were written: a trigger?"
    raise Fault(msg)


def _key(table: Table, each: Any) -> Any:
    """Return the key of an instance; keys stay."""
    if not is_object(each):
        return each
    reason = misfit(each, table.model)
    if reason is not None:
        raise TypeError(reason)
    key = key_of(each)
    if key is None:
        msg = f"this {type(each).__name__} is not saved: there is nothing to delete"
        raise ValueError(msg)
    return key


def _insert_rows(
    table: Table, records: Sequence[BaseDBModel], stamps: Stamps
) -> Steps[list[int]]:
    """Insert all; return the key that SQLite gave to each."""
    statements = yield from in_batches(
        table,
        records,
        stamps,
        lambda _, fields, rows: write.insert_statement(table, fields, rows),
    )
    results = yield from ask_all(statements)
    return _keys(statements, results)


def _keys(statements: Sequence[Statement], results: Sequence[Result]) -> list[int]:
    """Return the key of each row: AUTOINCREMENT counts up within a statement."""
    keys: list[int] = []
    for statement, result in zip(statements, results, strict=True):
        last = result.lastrowid or 0
        keys += range(last - (statement.rows or 0) + 1, last + 1)
    return keys
