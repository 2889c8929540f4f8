"""Changing or deleting every row that matches a query."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from sqliter.core.context import Context
from sqliter.core.effects import Effects
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
from sqliter.operations.failures import reported_of
from sqliter.operations.schema import all_known, touch
from sqliter.planning import write
from sqliter.planning.spec import QuerySpec

__all__ = ["delete", "update"]


@writes
def update(
    effects: Effects, spec: QuerySpec[Any], values: dict[str, Any], context: Context
) -> Steps[int]:
    """Write these values to every matching row; return how many there were."""
    if not values:
        return 0
    table = spec.table
    checked = _checked(table, values)
    with reported_of(spec, RecordUpdateError):
        stored = _stored(table, {"updated_at": context.now(), **checked})
        plan = write.update_where(spec, stored)
        yield from all_known(plan.reads, context)
        yield from touch(effects, table, context)
        result = yield from ask(plan.statement)
    return result.rowcount


@writes
def delete(effects: Effects, spec: QuerySpec[Any], context: Context) -> Steps[int]:
    """Delete every matching row; return how many there were."""
    with reported_of(spec, RecordDeletionError):
        plan = write.delete_where(spec)
        yield from all_known(plan.reads, context)
        yield from touch(effects, spec.table, context, deletes=True)
        result = yield from ask(plan.statement)
    return result.rowcount


def _checked(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as the model takes them, or raise ``InvalidUpdateError``."""
    if "pk" in values:
        msg = "Cannot update the primary key 'pk' via bulk update"
        raise InvalidUpdateError(msg)
    unknown = sorted(name for name in values if name not in table.by_field)
    if unknown:
        raise InvalidUpdateError(
            f"unknown fields: {', '.join(unknown)}", fields=unknown
        )
    return {name: _valid(table, name, value) for name, value in values.items()}


def _valid(table: Table, name: str, value: Any) -> Any:
    try:
        return validate(table.model, name, value)
    except ValidationError as error:
        reason = f"field '{name}' of {table.model.__name__} cannot take this value"
        raise InvalidUpdateError(reason, fields=[name], original=error) from error


def _stored(table: Table, values: dict[str, Any]) -> dict[str, Value]:
    row = encoder_of(table, tuple(values)).encode(values, {})
    return dict(zip(values, row, strict=True))
