"""Queries whose answers are plain values instead of instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqliter.core.context import Context
from sqliter.core.faults import Fault, reported_as
from sqliter.core.steps import Steps, ask, reads
from sqliter.exceptions import RecordFetchError
from sqliter.operations.schema import all_known
from sqliter.planning.aggregates import AggregateFunction
from sqliter.planning.columns import ColumnPlan, plan_aggregate, plan_columns
from sqliter.planning.spec import QuerySpec

__all__ = ["aggregate", "dicts", "scalars", "tuples"]


@reads
def tuples(
    spec: QuerySpec[Any], names: Sequence[str], context: Context, *, distinct: bool
) -> Steps[list[tuple[Any, ...]]]:
    """Return these fields of every matching row."""
    return (yield from _rows(spec, names, context, distinct=distinct))


@reads
def dicts(
    spec: QuerySpec[Any], names: Sequence[str], context: Context, *, distinct: bool
) -> Steps[list[dict[str, Any]]]:
    """Return these fields of every matching row by name; all if none is named."""
    wanted = names or spec.table.fields
    rows = yield from _rows(spec, wanted, context, distinct=distinct)
    return [dict(zip(wanted, row, strict=True)) for row in rows]


@reads
def scalars(
    spec: QuerySpec[Any], name: str, context: Context, *, distinct: bool
) -> Steps[list[Any]]:
    """Return one field of every matching row."""
    rows = yield from _rows(spec, (name,), context, distinct=distinct)
    return [value for (value,) in rows]


@reads
def aggregate(
    spec: QuerySpec[Any], function: AggregateFunction, name: str, context: Context
) -> Steps[Any]:
    """Return an aggregate of one field over all matching rows."""
    plan = plan_aggregate(spec, function, name, context)
    ((value,),) = yield from _ask(plan, spec, context)
    return value


def _rows(
    spec: QuerySpec[Any], names: Sequence[str], context: Context, *, distinct: bool
) -> Steps[list[tuple[Any, ...]]]:
    plan = plan_columns(spec, names, context, distinct=distinct)
    return (yield from _ask(plan, spec, context))


def _ask(
    plan: ColumnPlan, spec: QuerySpec[Any], context: Context
) -> Steps[list[tuple[Any, ...]]]:
    with reported_as(RecordFetchError, spec.table.name):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement, memo=plan.memo)
        try:
            return plan.load(result.rows)
        except ValueError as error:
            raise Fault(str(error), error) from error
