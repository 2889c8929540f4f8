"""Queries whose answers are plain values instead of instances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

from sqliter.core.context import Context
from sqliter.core.faults import Fault
from sqliter.core.statement import Memo, Row, Statement
from sqliter.core.steps import Steps, ask, reads
from sqliter.exceptions import RecordFetchError
from sqliter.operations.failures import reported_of
from sqliter.operations.schema import all_known
from sqliter.planning.columns import plan_aggregate, plan_columns
from sqliter.planning.frame import Reads
from sqliter.planning.groups import plan_groups
from sqliter.planning.spec import QuerySpec

__all__ = ["aggregate", "dicts", "groups", "scalars", "tuples"]

Named: TypeAlias = Mapping[str, object]
"""Fields and terms by the names under which they are wanted."""

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
    spec: QuerySpec[Any], wanted: Named, context: Context, *, distinct: bool
) -> Steps[list[dict[str, Any]]]:
    """Return these fields and terms of every matching row by name; else all fields."""
    wanted = wanted or {field: field for field in spec.table.fields}
    terms = tuple(wanted.values())
    rows = yield from _rows(spec, terms, context, distinct=distinct)
    return [dict(zip(wanted, row, strict=True)) for row in rows]


@reads
def scalars(
    spec: QuerySpec[Any], wanted: object, context: Context, *, distinct: bool
) -> Steps[list[Any]]:
    """Return one field, or term, of every matching row."""
    rows = yield from _rows(spec, (wanted,), context, distinct=distinct)
    return [value for (value,) in rows]


@reads
def aggregate(
    spec: QuerySpec[Any], function: str, wanted: object, context: Context
) -> Steps[Any]:
    """Return an aggregate of one field, or term, over all matching rows."""
    plan = plan_aggregate(spec, function, wanted, context)
    ((value,),) = yield from _ask(plan, spec, context)
    return value


def _rows(
    spec: QuerySpec[Any], wanted: Sequence[object], context: Context, *, distinct: bool
) -> Steps[list[tuple[Any, ...]]]:
    """Return these fields and terms of every matching row."""
    plan = plan_columns(spec, wanted, context, distinct=distinct)
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
