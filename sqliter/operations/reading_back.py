"""A record that is inserted, and takes over what its row holds then."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TypeVar

from sqliter.core.asked import Asked
from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.steps import Operation, Steps, writes_shortly
from sqliter.model.model import BaseDBModel
from sqliter.model.table import table_of
from sqliter.operations.records import inserting
from sqliter.operations.rereading import reread, wanted_fields

__all__ = ["insert"]

M = TypeVar("M", bound=BaseDBModel)


def insert(
    instance: M,
    returning: bool | Iterable[str],  # noqa: FBT001 - as users give it
    context: Context,
    *,
    timestamp_override: bool,
) -> Asked[M]:
    """Insert one record; it gets what its row has in all fields, or in these."""
    names = None if isinstance(returning, bool) else returning
    wanted = wanted_fields(table_of(type(instance)), instance, names)
    again = functools.partial(
        _insert, instance, wanted, context, keep=timestamp_override
    )
    if hooks := context.hooks.of[type(instance)].insert:
        return hooks.around([instance], again)
    return again()


def _insert(
    instance: M, wanted: tuple[str, ...], context: Context, *, keep: bool
) -> Operation[M]:
    again = functools.partial(_insert, instance, wanted, context, keep=keep)
    operation = _inserting(instance, wanted, context, keep=keep)
    return operation._replace(is_unit=True, again=again)


@writes_shortly
def _inserting(
    effects: Effects,
    instance: M,
    wanted: tuple[str, ...],
    context: Context,
    *,
    keep: bool,
) -> Steps[M]:
    yield from inserting(effects, instance, context, keep=keep)
    # RETURNING would not see what AFTER triggers do.
    yield from reread(effects, instance, wanted, context)
    return instance
