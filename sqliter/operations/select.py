"""Queries: rows as instances, groups as dicts, counts."""

from __future__ import annotations

from typing import Any, TypeVar

from sqliter.core.context import Context
from sqliter.core.faults import Fault, reported_as
from sqliter.core.statement import Statement
from sqliter.core.steps import Steps, ask, reads
from sqliter.exceptions import RecordFetchError
from sqliter.model.loaded import make_siblings
from sqliter.model.model import BaseDBModel
from sqliter.operations.prefetch import prefetch
from sqliter.operations.schema import all_known, known
from sqliter.planning import select as planning
from sqliter.planning.groups import plan_groups
from sqliter.planning.select import ScalarPlan, SelectPlan
from sqliter.planning.spec import QuerySpec

__all__ = [
    "count",
    "exists",
    "explain",
    "fetch_all",
    "fetch_dicts",
    "fetch_first",
    "fetch_last",
    "fetch_one",
]

M = TypeVar("M", bound=BaseDBModel)


@reads
def fetch_all(spec: QuerySpec[M], context: Context) -> Steps[list[M]]:
    """Return every matching row as an instance."""
    return (yield from _fetch(spec, planning.plan_select(spec, context), context))


@reads
def fetch_one(spec: QuerySpec[M], context: Context) -> Steps[M | None]:
    """Return the first row the query gives, or ``None``."""
    narrow = planning.narrowed(spec)
    plan = planning.plan_select(narrow, context, "one")
    return (yield from _fetch_row(narrow, plan, context))


@reads
def fetch_first(spec: QuerySpec[M], context: Context) -> Steps[M | None]:
    """Return the first row in the query's order (by key if it has none)."""
    narrow = planning.first(spec)
    plan = planning.plan_select(narrow, context, "first")
    return (yield from _fetch_row(narrow, plan, context))


@reads
def fetch_last(spec: QuerySpec[M], context: Context) -> Steps[M | None]:
    """Return the last row in the query's order (by key if it has none)."""
    return (yield from _fetch_row(spec, planning.plan_last(spec, context), context))


@reads
def fetch_dicts(spec: QuerySpec[Any], context: Context) -> Steps[list[dict[str, Any]]]:
    """Return groups and aggregates as dicts."""
    plan = plan_groups(spec, context)
    with reported_as(RecordFetchError, spec.table.name):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement, memo=plan.memo)
        try:
            return plan.load(result.rows)
        except ValueError as error:
            raise Fault(str(error), error) from error


@reads
def count(spec: QuerySpec[Any], context: Context) -> Steps[int]:
    """Return how many rows the query gives."""
    return (yield from _scalar(planning.count_plan(spec), spec, context))


@reads
def exists(spec: QuerySpec[Any], context: Context) -> Steps[bool]:
    """Return whether the query gives any row."""
    return bool((yield from _scalar(planning.exists_plan(spec), spec, context)))


@reads
def explain(
    statement: Statement, spec: QuerySpec[Any], context: Context
) -> Steps[list[str]]:
    """Return SQLite's plan for a statement, a line per step."""
    with reported_as(RecordFetchError, spec.table.name):
        yield from known(spec.table, context)
        explained = Statement(f"EXPLAIN QUERY PLAN {statement.sql}", statement.params)
        result = yield from ask(explained)
    return [str(row[-1]) for row in result.rows]


def _fetch(spec: QuerySpec[M], plan: SelectPlan[M], context: Context) -> Steps[list[M]]:
    with reported_as(RecordFetchError, spec.table.name):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement, memo=plan.memo)
        found = plan.load(result.rows, context)
    if spec.prefetch:
        yield from prefetch(found, spec.prefetch, spec, context)
    if spec.shares_lazy:
        make_siblings(found)
    return found


def _fetch_row(
    spec: QuerySpec[M], plan: SelectPlan[M], context: Context
) -> Steps[M | None]:
    found = yield from _fetch(spec, plan, context)
    return found[0] if found else None


def _scalar(plan: ScalarPlan, spec: QuerySpec[Any], context: Context) -> Steps[int]:
    with reported_as(RecordFetchError, spec.table.name):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement)
    return int(result.rows[0][0] or 0)
