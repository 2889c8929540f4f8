"""``save``: whichever of insert and update is meant."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, TypeVar

from sqliter.core.asked import UNANSWERED, Asked, Order, Unanswered
from sqliter.core.context import Context
from sqliter.core.courses import Course
from sqliter.core.effects import Effects
from sqliter.core.statement import Result
from sqliter.core.steps import Steps, writes_shortly
from sqliter.model.model import BaseDBModel
from sqliter.model.table import table_of
from sqliter.operations import records
from sqliter.operations.change import written_fields
from sqliter.operations.generating import reading_back

__all__ = ["save"]

M = TypeVar("M", bound=BaseDBModel)


def save(
    instance: M, context: Context, fields: Iterable[str] | None = None
) -> Asked[M]:
    """Insert a record that has no key yet; write it to its row if it has one.

    Or write only these ``fields``; raises ``ValueError`` if there is no row.
    """
    only = None if fields is None else _some_fields(instance, fields)
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


def _some_fields(instance: BaseDBModel, names: Iterable[str]) -> tuple[str, ...]:
    if not instance.pk:
        msg = (
            f"this {type(instance).__name__} has no row yet, in which some fields "
            "could be written: save it without fields"
        )
        raise ValueError(msg)
    return written_fields(table_of(type(instance)), names)
