"""``save``: whichever of insert and update is meant."""

from __future__ import annotations

import functools
from typing import Any, TypeVar

from sqliter.core.asked import UNANSWERED, Asked, Order, Unanswered
from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.statement import Result
from sqliter.core.steps import Steps, writes_shortly
from sqliter.model.model import BaseDBModel
from sqliter.operations import records
from sqliter.operations.generating import reading_back

__all__ = ["save"]

M = TypeVar("M", bound=BaseDBModel)


def save(instance: M, context: Context) -> Asked[M]:
    """Insert a record that has no key yet; write it to its row if it has one."""
    again = functools.partial(_save, instance, context)
    verb: Any = records.update if instance.pk else records.insert
    order = verb(instance, context)
    if not isinstance(order, Order):
        return again()

    def done(result: Result) -> M | Unanswered:
        answer = order.done(result)
        return UNANSWERED if answer is UNANSWERED else instance

    return Order(order.statement, done, order.failure, again)


@reading_back
@writes_shortly
def _save(effects: Effects, instance: M, context: Context) -> Steps[M]:
    if instance.pk:
        yield from records.updating(effects, instance, context)
    else:
        yield from records.inserting(effects, instance, context)
    return instance
