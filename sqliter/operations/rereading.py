"""Instances that are brought up to date with their rows."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from sqliter.core.asked import Asked, Question
from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault, reported_as
from sqliter.core.statement import Row
from sqliter.core.steps import Access, Operation, Steps, ask
from sqliter.exceptions import RecordFetchError, RecordNotFoundError
from sqliter.model.loaded import bind, remember_row, remember_values
from sqliter.model.loader import loader_of
from sqliter.model.model import BaseDBModel
from sqliter.model.table import Table, table_of
from sqliter.operations.assigning import take_over
from sqliter.operations.schema import known
from sqliter.planning.named import named_fields
from sqliter.planning.select import get_statement

__all__ = ["refresh", "reread", "wanted_fields"]


def refresh(
    instance: BaseDBModel, fields: Iterable[str] | None, context: Context
) -> Asked[None]:
    """Read the row again into the same instance; those fields that it has, or these."""
    table = table_of(type(instance))
    wanted = wanted_fields(table, instance, fields)
    again = functools.partial(_rereading, instance, wanted, context)
    if table not in context.known:
        return again()

    def load(rows: list[Row]) -> None:
        _take(Effects(), instance, wanted, rows, context)

    try:
        statement = get_statement(table, instance.pk, wanted)
    except Fault:
        return again()  # it will be reported
    return Question(statement, load, reported_as(RecordFetchError, table.name), again)


def _rereading(
    instance: BaseDBModel, wanted: tuple[str, ...], context: Context
) -> Operation[None]:
    effects = Effects()
    steps = reread(effects, instance, wanted, context)
    return Operation(Access.READ, steps, effects)


def reread(
    effects: Effects, instance: BaseDBModel, wanted: tuple[str, ...], context: Context
) -> Steps[None]:
    """Read these fields again into an instance, as a part of an operation."""
    table = table_of(type(instance))
    with reported_as(RecordFetchError, table.name):
        yield from known(table, context)
        result = yield from ask(get_statement(table, instance.pk, wanted))
        _take(effects, instance, wanted, result.rows, context)


def _take(
    effects: Effects,
    instance: BaseDBModel,
    wanted: tuple[str, ...],
    rows: Sequence[Row],
    context: Context,
) -> None:
    """Give an instance what its row holds; a ``Fault`` names what does not fit."""
    table = table_of(type(instance))
    loader = loader_of(table, wanted, local=context.settings.return_local_time)
    found = loader.first(rows)
    if found is None:
        raise RecordNotFoundError(instance.pk, table=table.name)
    take_over(effects, instance, {name: vars(found)[name] for name in wanted})
    if wanted == table.fields:
        remember_row(instance, rows[0])
    else:
        places = [table.fields.index(field) for field in wanted]
        remember_values(instance, places, rows[0])
    bind(instance, context.database)


def wanted_fields(
    table: Table, instance: BaseDBModel, fields: Iterable[str] | None
) -> tuple[str, ...]:
    """Return these fields, or those it has, in the order of the table, with the key."""
    if fields is not None:
        chosen = {"pk", *named_fields(table, fields)}
    else:
        chosen = {"pk", *vars(instance)}
    return tuple(field for field in table.fields if field in chosen)
