"""Many records of one model: each written with its own values, or deleted by key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault, reported_as
from sqliter.core.statement import Statement, Value
from sqliter.core.steps import Operation, Steps, ask, ask_all, breathe, writes
from sqliter.exceptions import RecordNotFoundError, RecordUpdateError
from sqliter.model.keys import is_object, key_of, misfit
from sqliter.model.loaded import remember_values
from sqliter.model.model import BaseDBModel
from sqliter.model.row import encoder_of
from sqliter.model.table import Table, table_of
from sqliter.operations import bulk
from sqliter.operations.assigning import assign_all
from sqliter.operations.preparing import AT_ONCE, FEW, common_model, settle_all
from sqliter.operations.schema import known, touch
from sqliter.planning import write
from sqliter.planning.filters import conditions
from sqliter.planning.named import named_fields
from sqliter.planning.spec import QuerySpec

__all__ = ["bulk_delete", "bulk_update"]

M = TypeVar("M", bound=BaseDBModel)

STAMPED = ("updated_at",)


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
    records = list(instances)
    if not records:
        return 0
    table = table_of(common_model(records))
    written = _written(table, fields)
    stamp = {"updated_at": context.now()}
    with reported_as(RecordUpdateError, table.name):
        yield from known(table, context)
        yield from touch(effects, table, context)
        yield from settle_all(effects, records)
        latest = list({each.pk: each for each in records}.values())
        yield from _write(table, latest, written, stamp)
    assign_all(effects, records, [stamp] * len(records), STAMPED)
    return len(latest)


@writes
def bulk_delete(
    effects: Effects, model: type[M], keys: Iterable[int | M], context: Context
) -> Steps[int]:
    """Delete the rows with these keys, or of these instances; return how many."""
    table = table_of(model)
    wanted = [_key(table, each) for each in keys]
    if not wanted:
        return 0
    if len(wanted) > FEW:
        yield from breathe()
    spec: QuerySpec[M] = table.prepare(QuerySpec)
    these = spec.but(conditions=conditions(table, {"pk__in": wanted}))
    return (yield from bulk.deleting(effects, these, context))


def _written(table: Table, fields: Iterable[str]) -> tuple[str, ...]:
    written = tuple(f for f in named_fields(table, fields) if f != "updated_at")
    if "pk" in written:
        msg = "the primary key 'pk' says which row is meant: it cannot be updated"
        raise ValueError(msg)
    if not written:
        msg = "bulk_update() needs the names of the fields to write"
        raise ValueError(msg)
    return (*written, "updated_at")


def _write(
    table: Table,
    records: Sequence[BaseDBModel],
    written: tuple[str, ...],
    stamp: dict[str, int],
) -> Steps[None]:
    fields = ("pk", *written)
    encode = encoder_of(table, fields, STAMPED).encode
    rows: list[list[Value]] = []
    batches = list(write.batches(records, fields))
    statements: list[Statement] = []
    for batch in batches:
        if len(records) > FEW and len(statements) % AT_ONCE == 0:
            yield from breathe()
        encoded = [encode(vars(each), stamp) for each in batch]
        statements.append(write.update_each(table, written, encoded))
        rows += encoded
    results = yield from ask_all(statements)
    for batch, result in zip(batches, results, strict=True):
        if result.rowcount < len(batch):
            yield from _explain(table, batch, result.rowcount)
    places = [table.fields.index(field) for field in fields]
    for each, row in zip(records, rows, strict=True):
        remember_values(each, places, row)


def _explain(table: Table, batch: Sequence[BaseDBModel], count: int) -> Steps[None]:
    """Raise for the first row that is missing; something else may be in the way."""
    keys = [each.pk for each in batch]
    result = yield from ask(write.existing(table, keys))
    present = {key for (key,) in result.rows}
    for key in keys:
        if key not in present:
            raise RecordNotFoundError(key, table=table.name)
    msg = f"{count} of {len(batch)} rows were written: a trigger?"
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
