"""Queries whose answers are plain values instead of instances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from sqliter.core.context import Context
from sqliter.core.faults import Fault
from sqliter.core.statement import Memo, Row, Statement
from sqliter.core.steps import Steps, ask, reads
from sqliter.exceptions import RecordFetchError
from sqliter.operations.failures import reported_of
from sqliter.operations.schema import all_known
from sqliter.planning.aggregates import AggregateFunction
from sqliter.planning.columns import plan_aggregate, plan_columns
from sqliter.planning.frame import Reads
from sqliter.planning.groups import plan_groups
from sqliter.planning.spec import QuerySpec

__all__ = ["aggregate", "dicts", "groups", "scalars", "tuples"]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class _Plan(Protocol[R_co]):
    """A statement whose rows are no instances."""

    @property
    def statement(self) -> Statement: ...
    @property
    def reads(self) -> Reads: ...
    @property
    def memo(self) -> Memo | None: ...

    def load(self, rows: Iterable[Row]) -> R_co: ...


@reads
def groups(spec: QuerySpec[Any], context: Context) -> Steps[list[dict[str, Any]]]:
    """Return groups and aggregates as dicts."""
    return (yield from _ask(plan_groups(spec, context), spec, context))


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
    """Return these fields of every matching row."""
    plan = plan_columns(spec, names, context, distinct=distinct)
    return (yield from _ask(plan, spec, context))


tuples = reads(_rows)


def _ask(plan: _Plan[R], spec: QuerySpec[Any], context: Context) -> Steps[R]:
    with reported_of(spec, RecordFetchError):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement, memo=plan.memo)
        try:
            return plan.load(result.rows)
        except ValueError as error:
            raise Fault(str(error), error) from error
