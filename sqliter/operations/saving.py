"""``save``: whichever of insert and update is meant."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, TypeVar

from sqliter.core.asked import UNANSWERED, Asked, Order, Unanswered
from sqliter.core.context import Context
from sqliter.core.courses import Course, Parts, carry_out
from sqliter.core.effects import Effects
from sqliter.core.faults import reported_as
from sqliter.core.hooks import ModelHooks
from sqliter.core.statement import Result
from sqliter.core.steps import Operation, Steps, ask, writes, writes_shortly
from sqliter.exceptions import RecordUpdateError
from sqliter.model.model import BaseDBModel
from sqliter.model.table import table_of
from sqliter.operations import records
from sqliter.operations.assigning import assign
from sqliter.operations.change import written_fields
from sqliter.operations.generating import reading_back
from sqliter.operations.schema import known
from sqliter.planning.select import get_statement

__all__ = ["save"]

M = TypeVar("M", bound=BaseDBModel)


def save(
    instance: M, context: Context, fields: Iterable[str] | None = None
) -> Asked[M]:
    """Insert a record that has no key yet; write it to its row if it has one.

    Or write only these ``fields``; raises ``ValueError`` if there is no row. Of a key
    that the program gives nobody knows whether it has a row: that is looked up.
    """
    only = None if fields is None else _some_fields(instance, fields)
    if only is None and table_of(type(instance)).is_keyed:
        return _saving_keyed(instance, context)
    again = functools.partial(_save, instance, context, only)
    order: Asked[Any]
    if instance.pk:
        order = records.update(instance, context, only)
    else:
        order = records.insert(instance, context)
    if isinstance(order, Course):
        return order.giving(instance)
    if not isinstance(order, Order):
        return again()

    def done(result: Result) -> M | Unanswered:
        answer = order.done(result)
        return UNANSWERED if answer is UNANSWERED else instance

    return Order(order.statement, done, order.failure, again)


@reading_back
@writes_shortly
def _save(
    effects: Effects,
    instance: M,
    context: Context,
    only: tuple[str, ...] | None = None,
) -> Steps[M]:
    if instance.pk:
        yield from records.updating(effects, instance, context, only)
    else:
        yield from records.inserting(effects, instance, context)
    return instance


def _saving_keyed(instance: M, context: Context) -> Asked[M]:
    hooks = context.hooks.of[type(instance)]
    if hooks.insert or hooks.update:
        return Course(_foreseen(instance, hooks, context)).giving(instance)
    return _in_one(instance, context)


def _in_one(instance: M, context: Context) -> Operation[M]:
    """Look for the row and write it, with nobody else in between."""
    again = functools.partial(_in_one, instance, context)
    return _save_keyed(instance, context)._replace(is_unit=True, again=again)


def _foreseen(
    instance: BaseDBModel, hooks: ModelHooks, context: Context
) -> Parts[None]:
    """Look for the row, and call what belongs to that."""
    if (yield from carry_out(_look_up(instance, context))):
        update = functools.partial(_update, instance, context)
        yield from hooks.of("update").surrounding([instance], update)
    else:
        insert = functools.partial(_insert, instance, context)
        yield from hooks.of("insert").surrounding([instance], insert)


@writes
def _save_keyed(effects: Effects, instance: M, context: Context) -> Steps[M]:
    if (yield from _has_row(effects, instance, context)):
        yield from records.updating(effects, instance, context)
    else:
        yield from records.inserting(effects, instance, context)
    return instance


def _has_row(effects: Effects, instance: BaseDBModel, context: Context) -> Steps[bool]:
    """Say whether there is a row; a record made for it gets the time of its insert."""
    table = table_of(type(instance))
    with reported_as(RecordUpdateError, table.name):
        yield from known(table, context)
        statement = get_statement(table, instance.pk, ("pk", "created_at"))
        result = yield from ask(statement)
    for _, created_at in result.rows:
        if vars(instance).get("created_at") == 0:
            assign(effects, instance, {"created_at": created_at})
    return bool(result.rows)


_look_up = writes(_has_row)
_insert, _update = writes(records.inserting), writes(records.updating)


def _some_fields(instance: BaseDBModel, names: Iterable[str]) -> tuple[str, ...]:
    if not instance.pk:
        msg = (
            f"this {type(instance).__name__} has no row yet, in which some fields "
            "could be written: save it without fields"
        )
        raise ValueError(msg)
    return written_fields(table_of(type(instance)), names)
