"""Many records of one model: each written with its own values, or deleted by key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault, reported_as
from sqliter.core.statement import Statement, Value
from sqliter.core.steps import Operation, Steps, ask_all, breathe, writes
from sqliter.exceptions import RecordUpdateError
from sqliter.model.keys import actual, is_object, key_of, misfit
from sqliter.model.loaded import remember_values
from sqliter.model.model import BaseDBModel
from sqliter.model.row import encoder_of
from sqliter.model.table import Table, table_of
from sqliter.operations import bulk
from sqliter.operations.assigning import assign_all
from sqliter.operations.change import counted, stamped
from sqliter.operations.generating import read_back, refuse_generated
from sqliter.operations.preparing import AT_ONCE, FEW, common_model, settle_all
from sqliter.operations.schema import known, touch
from sqliter.operations.unwritten import explain_unwritten
from sqliter.planning import write
from sqliter.planning.filters import conditions
from sqliter.planning.named import named_fields
from sqliter.planning.spec import QuerySpec

__all__ = ["bulk_delete", "bulk_update"]

M = TypeVar("M", bound=BaseDBModel)


def bulk_update(
    instances: Iterable[BaseDBModel], fields: Iterable[str], context: Context
) -> Operation[int]:
    """Write these fields of records of one model, all or none; return how many."""
    return _bulk_update(instances, fields, context)._replace(is_unit=True)


@writes
def _bulk_update(
    effects: Effects,
    instances: Iterable[BaseDBModel],
    fields: Iterable[str],
    context: Context,
) -> Steps[int]:
    records = [actual(each) for each in instances]
    if not records:
        return 0
    table = table_of(common_model(records))
    written = _written(table, fields)
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


@writes
def bulk_delete(
    effects: Effects, model: type[M], keys: Iterable[int | M], context: Context
) -> Steps[int]:
    """Delete the rows with these keys, or of these instances; return how many."""
    table = table_of(model)
    given = list(keys)
    if not given:
        return 0
    if len(given) > FEW:
        yield from breathe()
    wanted = [_key(table, each) for each in given]
    spec: QuerySpec[M] = table.prepare(QuerySpec)
    these = spec.but(conditions=conditions(table, {"pk__in": wanted}, None))
    return (yield from bulk.deleting(effects, these, context))


def _written(table: Table, fields: Iterable[str]) -> tuple[str, ...]:
    always = stamped(table)
    written = tuple(f for f in named_fields(table, fields) if f not in always)
    if "pk" in written:
        msg = "the primary key 'pk' says which row is meant: it cannot be updated"
        raise ValueError(msg)
    refuse_generated(table, written)
    if not written:
        msg = "bulk_update() needs the names of the fields to write"
        raise ValueError(msg)
    return (*written, *always)


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
    left = {e.pk: vars(e).get(version) for e in batch if e.pk not in written}
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
