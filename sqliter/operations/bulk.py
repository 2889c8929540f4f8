"""Changing or deleting every row that matches a query."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import reported_as
from sqliter.core.statement import Value
from sqliter.core.steps import Steps, ask, writes
from sqliter.exceptions import (
    InvalidUpdateError,
    RecordDeletionError,
    RecordUpdateError,
)
from sqliter.model.fields import validate
from sqliter.model.row import encoder_of
from sqliter.model.table import Table
from sqliter.operations.schema import all_known, touch
from sqliter.planning import write
from sqliter.planning.spec import QuerySpec

__all__ = ["checked_values", "delete", "deleting", "update", "valid_value"]


@writes
def update(
    effects: Effects, spec: QuerySpec[Any], values: dict[str, Any], context: Context
) -> Steps[int]:
    """Write these values to every matching row; return how many there were."""
    if not values:
        return 0
    table = spec.table
    checked = checked_values(table, values)
    with reported_as(RecordUpdateError, table.name):
        stored = _stored(table, {"updated_at": context.now(), **checked})
        plan = write.update_where(spec, stored)
        yield from all_known(plan.reads, context)
        yield from touch(effects, table, context)
        result = yield from ask(plan.statement)
    return result.rowcount


def deleting(effects: Effects, spec: QuerySpec[Any], context: Context) -> Steps[int]:
    """Delete every matching row; return how many there were."""
    with reported_as(RecordDeletionError, spec.table.name):
        plan = write.delete_where(spec)
        yield from all_known(plan.reads, context)
        yield from touch(effects, spec.table, context, deletes=True)
        result = yield from ask(plan.statement)
    return result.rowcount


delete = writes(deleting)


def checked_values(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as the model takes them, or raise ``InvalidUpdateError``."""
    if "pk" in values:
        msg = "Cannot update the primary key 'pk' via bulk update"
        raise InvalidUpdateError(msg)
    unknown = sorted(name for name in values if name not in table.by_field)
    if unknown:
        raise InvalidUpdateError(
            f"unknown fields: {', '.join(unknown)}", fields=unknown
        )
    return {name: valid_value(table, name, value) for name, value in values.items()}


def valid_value(table: Table, name: str, value: Any) -> Any:
    """Return one value as the model takes it, or raise ``InvalidUpdateError``."""
    try:
        return validate(table.model, name, value)
    except ValidationError as error:
        reason = f"field '{name}' of {table.model.__name__} cannot take this value"
        raise InvalidUpdateError(reason, fields=[name], original=error) from error


def _stored(table: Table, values: dict[str, Any]) -> dict[str, Value]:
    row = encoder_of(table, tuple(values)).encode(values, {})
    return dict(zip(values, row, strict=True))
