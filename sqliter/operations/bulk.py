"""Changing or deleting every row that matches a query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault
from sqliter.core.statement import Result, Statement
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
from sqliter.operations.generating import refuse_generated
from sqliter.operations.schema import all_known, touch
from sqliter.planning import write
from sqliter.planning.assigned import assignment
from sqliter.planning.parts import Parts, gathered
from sqliter.planning.scope import Rows
from sqliter.planning.spec import QuerySpec
from sqliter.sql.fragment import Fragment
from sqliter.terms.q import Q
from sqliter.terms.term import Term, term_of

__all__ = [
    "checked_values",
    "delete",
    "deleting",
    "update",
    "updating",
    "valid_value",
]


_REFUSED = (
    "an expression gives NULL, or an integer beyond 64 bits, for a row whose field "
    "cannot hold that, or a row has no place in its JSON for a part that is to be set: "
    "filter for those that do; nothing was changed"
)


@writes
def update(
    effects: Effects, spec: QuerySpec[Any], values: dict[str, Any], context: Context
) -> Steps[int]:
    """Write these values to every matching row; return how many there were."""
    if not values:
        return 0
    result = yield from updating(effects, spec, values, context)
    return result.rowcount


def updating(
    effects: Effects,
    spec: QuerySpec[Any],
    values: dict[str, Any],
    context: Context,
    *,
    returning: str = "",
) -> Steps[Result]:
    """Do so as a part of an operation; it may return these columns of the rows."""
    table = spec.table
    values = _gathered(table, values)
    _check_names(table, values)
    terms = {n for n, value in values.items() if isinstance(value, (Term, Q))}
    computed = {n: _computed(spec, n, values[n], context) for n in terms}
    plain = {n: valid_value(table, n, values[n]) for n in values if n not in terms}
    with reported_of(spec, RecordUpdateError):
        stored = _stored(table, {"updated_at": context.now(), **plain})
        names = dict.fromkeys(("updated_at", *values))
        changes = {name: computed.get(name) or stored[name] for name in names}
        plan = write.update_where(spec, changes, returning=returning)
        yield from all_known(plan.reads, context)
        yield from touch(effects, table, context)
        return (yield from _ask(plan.statement, computes=bool(computed)))


@writes
def delete(effects: Effects, spec: QuerySpec[Any], context: Context) -> Steps[int]:
    """Delete every matching row; return how many there were."""
    result = yield from deleting(effects, spec, context)
    return result.rowcount


def deleting(
    effects: Effects, spec: QuerySpec[Any], context: Context, *, returning: str = ""
) -> Steps[Result]:
    """Do so as a part of an operation; it may return these columns of the rows."""
    with reported_of(spec, RecordDeletionError):
        plan = write.delete_where(spec, returning=returning)
        yield from all_known(plan.reads, context)
        yield from touch(effects, spec.table, context, deletes=True)
        return (yield from ask(plan.statement))


def _ask(statement: Statement, *, computes: bool) -> Steps[Result]:
    try:
        return (yield from ask(statement))
    except Fault as fault:
        if computes and "user-defined function" in str(fault):
            raise Fault(_REFUSED) from fault
        raise


def _check_names(table: Table, names: Iterable[str]) -> None:
    if "pk" in names:
        msg = "Cannot update the primary key 'pk' via bulk update"
        raise InvalidUpdateError(msg)
    unknown = sorted(name for name in names if name not in table.by_field)
    if unknown:
        raise InvalidUpdateError(
            f"unknown fields: {', '.join(unknown)}", fields=unknown
        )
    refuse_generated(table, names)


def checked_values(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as the model takes them, or raise ``InvalidUpdateError``."""
    _check_names(table, values)
    return {name: valid_value(table, name, value) for name, value in values.items()}


def _gathered(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    try:
        return gathered(table, values)
    except ValueError as error:
        raise InvalidUpdateError(str(error), fields=[*values]) from error


def _computed(
    spec: QuerySpec[Any], name: str, given: Any, context: Context
) -> Fragment:
    table = spec.table
    try:
        if isinstance(given, Parts):
            return given.assigned()
        value = Rows(spec, context).computed(term_of(given))
        return assignment(table, table.by_field[name], value, given)
    except ValueError as error:
        reason = f"field '{name}' of {table.model.__name__} cannot become that: {error}"
        raise InvalidUpdateError(reason, fields=[name], original=error) from error


def valid_value(table: Table, name: str, value: Any) -> Any:
    """Return one value as the model takes it, or raise ``InvalidUpdateError``."""
    try:
        return validate(table.model, name, value)
    except ValidationError as error:
        reason = f"field '{name}' of {table.model.__name__} cannot take this value"
        raise InvalidUpdateError(reason, fields=[name], original=error) from error


def _stored(table: Table, values: dict[str, Any]) -> dict[str, Fragment]:
    row = encoder_of(table, tuple(values)).encode(values, {})
    return {n: Fragment("?", (v,)) for n, v in zip(values, row, strict=True)}
