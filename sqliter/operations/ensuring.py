"""Rows that are looked up, and made if there are none: one atomic operation each."""

from __future__ import annotations

import functools
from typing import Any, TypeVar

from sqliter.core.asked import Asked, Question, Work
from sqliter.core.context import Context
from sqliter.core.courses import Course, Parts, carry_out
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault, reported_as
from sqliter.core.hooks import Hooks, ModelHooks
from sqliter.core.statement import Row
from sqliter.core.steps import Steps, ask, reads, writes
from sqliter.exceptions import (
    InvalidFilterError,
    InvalidUpdateError,
    RecordFetchError,
)
from sqliter.model.keys import is_object
from sqliter.model.model import BaseDBModel
from sqliter.model.table import Table, table_of
from sqliter.operations.assigning import put
from sqliter.operations.bulk import checked_values, valid_value
from sqliter.operations.preparing import STAMPED
from sqliter.operations.records import inserting, updating
from sqliter.operations.schema import all_known
from sqliter.planning.named import named_field, named_values
from sqliter.planning.plain import plain_question
from sqliter.planning.scope import Rows
from sqliter.planning.select import plan_select
from sqliter.planning.spec import QuerySpec

__all__ = ["get_or_create", "update_or_create"]

M = TypeVar("M", bound=BaseDBModel)

Values = dict[str, Any]


def get_or_create(
    model: type[M], lookup: Values, defaults: Values | None, context: Context
) -> Asked[tuple[M, bool]]:
    """Return the row that has these values, or a new one; and whether it is new.

    What is there already is read by an idle reader, so that nobody has to wait.
    """
    values = defaults or {}
    _check_defaults(table_of(model), values)
    question = plain_question(_wanted(model, lookup, context), context, 2)
    again = functools.partial(_or_create, model, lookup, values, context)
    if question is None:
        return again()
    load = question.load

    def loaded(rows: list[Row]) -> tuple[M, bool]:
        if len(rows) != 1:
            raise Fault("there is not exactly one: to be looked up again")
        return load(rows)[0], False

    return Question(question.statement, loaded, question.failure, again)


def _or_create(
    model: type[M], lookup: Values, defaults: Values, context: Context
) -> Work[tuple[M, bool]]:
    if hooks := context.hooks.of[model].insert:
        return Course(_getting_or_creating(hooks, model, lookup, defaults, context))
    return _get_or_create(model, lookup, defaults, context)._replace(is_unit=True)


def update_or_create(
    model: type[M], lookup: Values, defaults: Values | None, context: Context
) -> Work[tuple[M, bool]]:
    """Write ``defaults`` to the row that has these values, or to a new one."""
    values = defaults or {}
    hooks = context.hooks.of[model]
    if hooks.insert or hooks.update:
        return Course(_updating_or_creating(hooks, model, lookup, values, context))
    operation = _update_or_create(model, lookup, values, context)
    return operation._replace(is_unit=True)


def _getting_or_creating(
    hooks: Hooks, model: type[M], lookup: Values, defaults: Values, context: Context
) -> Parts[tuple[M, bool]]:
    found = yield from carry_out(_look_up(model, lookup, context))
    if found is not None:
        return found, False
    return (yield from _creating(hooks, model(**{**lookup, **defaults}), context)), True


def _updating_or_creating(
    hooks: ModelHooks,
    model: type[M],
    lookup: Values,
    defaults: Values,
    context: Context,
) -> Parts[tuple[M, bool]]:
    table = table_of(model)
    _check_defaults(table, defaults)
    found = yield from carry_out(_look_up(model, lookup, context))
    if found is None:
        new = model(**{**lookup, **defaults})
        return (yield from _creating(hooks.of("insert"), new, context)), True
    put(found, _written(table, defaults))
    update = functools.partial(_update, found, context)
    yield from hooks.of("update").surrounding([found], update)
    return found, False


def _creating(hooks: Hooks, new: M, context: Context) -> Parts[M]:
    insert = functools.partial(_insert, new, context)
    return (yield from hooks.surrounding([new], insert))


@writes
def _get_or_create(
    effects: Effects, model: type[M], lookup: Values, defaults: Values, context: Context
) -> Steps[tuple[M, bool]]:
    found = yield from _find(model, lookup, context)
    if found is not None:
        return found, False
    created = model(**{**lookup, **defaults})
    return (yield from inserting(effects, created, context)), True


@writes
def _update_or_create(
    effects: Effects, model: type[M], lookup: Values, defaults: Values, context: Context
) -> Steps[tuple[M, bool]]:
    table = table_of(model)
    _check_defaults(table, defaults)
    found = yield from _find(model, lookup, context)
    if found is None:
        created = model(**{**lookup, **defaults})
        return (yield from inserting(effects, created, context)), True
    put(found, _written(table, defaults))  # nobody else has it yet
    yield from updating(effects, found, context)
    return found, False


def _find(model: type[M], lookup: Values, context: Context) -> Steps[M | None]:
    """Return the one row; several are an error: any of them would be a guess."""
    table = table_of(model)
    plan = plan_select(_wanted(model, lookup, context).but(limit=2), context)
    with reported_as(RecordFetchError, table.name):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement)
        found = plan.load(result.rows, context)
    if len(found) > 1:
        shown = ", ".join(f"{name}={value!r}" for name, value in lookup.items())
        msg = (
            f"several rows of table '{table.name}' have {shown}: look up by what is "
            "unique"
        )
        raise RecordFetchError(table.name, message=msg)
    return found[0] if found else None


_insert, _update, _look_up = writes(inserting), writes(updating), reads(_find)


def _wanted(model: type[M], lookup: Values, context: Context) -> QuerySpec[M]:
    """Return the query for the rows with these values, past the cache."""
    table = table_of(model)
    spec: QuerySpec[M] = table.prepare(QuerySpec)
    wanted = Rows(spec, context).keywords(_looked_up(table, lookup))
    return spec.but(conditions=wanted, cached=False)


def _looked_up(table: Table, lookup: Values) -> Values:
    """Return the values as the model would take them, so that they equal stored ones.

    Raises ``InvalidFilterError``.
    """
    if not lookup:
        msg = f"which row of {table.model.__name__}? Give at least one field to look up"
        raise InvalidFilterError(message=msg)
    return {name: _sought(table, name, value) for name, value in lookup.items()}


def _sought(table: Table, name: str, value: Any) -> Any:
    field = named_field(table, name)
    if field is None or field in STAMPED:
        msg = (
            f"Failed to apply filter: '{name}' is no field of "
            f"{table.model.__name__} that a row can be looked up by"
        )
        raise InvalidFilterError(name, message=msg)
    if is_object(value) and field != name:
        return value
    try:
        return valid_value(table, field, value)
    except InvalidUpdateError as error:
        msg = f"Failed to apply filter: {error.args[0]}"
        raise InvalidFilterError(name, message=msg, original=error.__cause__) from error


def _written(table: Table, defaults: Values) -> Values:
    """Return what is written to a row that exists."""
    values = checked_values(table, named_values(table, defaults))
    if table.version is not None and table.version.field in values:
        name = table.version.field
        msg = f"'{name}' counts the updates of a row by itself: leave it out"
        raise InvalidUpdateError(msg, fields=[name])
    return values


def _check_defaults(table: Table, defaults: Values) -> None:
    """Raise ``InvalidUpdateError`` for what is no field: a model would drop it."""
    unknown = [name for name in defaults if named_field(table, name) is None]
    if unknown:
        names = ", ".join(map(str, unknown))
        raise InvalidUpdateError(f"unknown fields: {names}", fields=unknown)
