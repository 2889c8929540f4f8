"""Generated columns: what SQLite computed of a row, told to its instance."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, ParamSpec, TypeVar

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.steps import Operation, Steps, ask
from sqliter.exceptions import InvalidUpdateError
from sqliter.model.loader import Loader, loader_of
from sqliter.model.model import BaseDBModel
from sqliter.model.table import Table, table_of
from sqliter.operations.assigning import assign_all
from sqliter.planning import write

__all__ = ["read_back", "reading_back", "refuse_generated"]

P = ParamSpec("P")
R = TypeVar("R")

AT_ONCE = 500
"""Rows that are read by one statement."""


def reading_back(
    short: Callable[P, Operation[R]],
) -> Callable[P, Operation[R]]:
    """Make a short write of an instance one transaction, if more is read afterwards."""

    @functools.wraps(short)
    def operation(*args: P.args, **kwargs: P.kwargs) -> Operation[R]:
        made = short(*args, **kwargs)
        if not table_of(type(args[0])).generated:
            return made
        again = functools.partial(operation, *args, **kwargs)
        return made._replace(is_unit=True, again=again)

    return operation


def refuse_generated(table: Table, names: Iterable[str]) -> None:
    """Raise ``InvalidUpdateError`` if any of these fields is computed by SQLite."""
    refused = [name for name in names if name in table.generated]
    if refused:
        model = table.model.__name__
        reason = f"SQLite computes '{refused[0]}' of {model} by itself: leave it out"
        raise InvalidUpdateError(reason, fields=refused)


def read_back(
    effects: Effects,
    table: Table,
    instances: Sequence[BaseDBModel],
    context: Context,
) -> Steps[None]:
    """Give instances that were written what SQLite computed; undone on rollback.

    Partial ones get what they have of it.
    """
    if not table.generated:
        return
    local = context.settings.return_local_time
    loader: Loader[Any] = loader_of(table, ("pk", *table.generated), local=local)
    for start in range(0, len(instances), AT_ONCE):
        batch = instances[start : start + AT_ONCE]
        keys = [each.pk for each in batch]
        result = yield from ask(write.generated_values(table, keys))
        found = {each.pk: vars(each) for each in loader.load(result.rows)}
        there = [each for each in batch if each.pk in found]
        for names, run in groupby(there, key=functools.partial(_present, table)):
            some = list(run)
            values = [{name: found[each.pk][name] for name in names} for each in some]
            assign_all(effects, some, values, names)


def _present(table: Table, instance: BaseDBModel) -> tuple[str, ...]:
    return tuple(name for name in table.generated if name in vars(instance))
