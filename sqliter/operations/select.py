"""Queries: rows as instances, groups as dicts, counts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqliter.core.asked import Asked, Load, Question, operation_of
from sqliter.core.context import Context
from sqliter.core.faults import reported_as
from sqliter.core.page import KeysetPage, Page
from sqliter.core.statement import Row, Statement
from sqliter.core.steps import Steps, ask, breathe, reads
from sqliter.exceptions import RecordFetchError
from sqliter.model.loaded import make_siblings
from sqliter.model.model import BaseDBModel
from sqliter.model.table import Table
from sqliter.operations.failures import reported_of
from sqliter.operations.prefetch import prefetch
from sqliter.operations.schema import all_known, known
from sqliter.planning import select as planning
from sqliter.planning.keyset import KeysetPlan, plan_page
from sqliter.planning.plain import plain_count, plain_question
from sqliter.planning.select import ScalarPlan, SelectPlan
from sqliter.planning.spec import QuerySpec

__all__ = [
    "complete",
    "count",
    "exists",
    "explain",
    "fetch_all",
    "fetch_first",
    "fetch_last",
    "fetch_one",
    "page",
    "page_after",
    "part_of",
    "streamed",
]

M = TypeVar("M", bound=BaseDBModel)
P = ParamSpec("P")
R = TypeVar("R")


PART = 64
"""Instances of a batch that exist at a time."""


def _unhurried(
    ask_now: Callable[Concatenate[QuerySpec[Any], P], Asked[R]],
) -> Callable[Concatenate[QuerySpec[Any], P], Asked[R]]:
    """Have what takes long to be planned planned where nobody waits."""

    def asked(spec: QuerySpec[Any], /, *args: P.args, **kwargs: P.kwargs) -> Asked[R]:
        for condition in spec.conditions:
            if condition.is_long:
                return _ask_later(functools.partial(ask_now, spec, *args, **kwargs))
        return ask_now(spec, *args, **kwargs)

    functools.update_wrapper(asked, ask_now)
    return asked


@reads
def _ask_later(ask_now: Callable[[], Asked[R]]) -> Steps[R]:
    yield from breathe()
    return (yield from operation_of(ask_now()).steps)


def fetch_all(spec: QuerySpec[M], context: Context) -> Asked[list[M]]:
    """Return every matching row as an instance."""
    question = plain_question(spec, context, spec.limit)
    return _fetch_rows(spec, context) if question is None else question


@reads
def streamed(spec: QuerySpec[M], context: Context) -> Steps[Question[list[M]]]:
    """Return the question for every matching row, which may be asked in batches."""
    plan = planning.plan_select(spec, context)
    load = plan.loading(context)

    def load_batch(rows: list[Row]) -> list[M]:
        found = load(rows)
        if spec.shares_lazy:
            make_siblings(found)
        return found

    with _failure(spec):
        yield from all_known(plan.reads, context)
    return Question(plan.statement, load_batch, _failure(spec))


def part_of(spec: QuerySpec[Any], size: int) -> int:
    """Return how many of the rows of a batch should be made instances at a time.

    Where many of them come and go, Python looks through all objects of the program
    for garbage. Prefetches are worth more rows.
    """
    return size if spec.prefetch or spec.shares_lazy else min(size, PART)


@reads
def complete(found: list[M], spec: QuerySpec[M], context: Context) -> Steps[None]:
    """Fetch what a query wants beside these of its rows."""
    yield from prefetch(found, spec.prefetch, spec, context)


def fetch_one(spec: QuerySpec[M], context: Context) -> Asked[M | None]:
    """Return the first row the query gives, or ``None``."""
    return _fetch_first(spec, context, "one")


def fetch_first(spec: QuerySpec[M], context: Context) -> Asked[M | None]:
    """Return the first row in the query's order (by key if it has none)."""
    return _fetch_first(planning.ordered(spec), context, "first")


def fetch_last(spec: QuerySpec[M], context: Context) -> Asked[M | None]:
    """Return the last row in the query's order (by key if it has none)."""
    if spec.is_windowed:
        return _fetch_last_of_window(spec, context)
    return _fetch_first(planning.backwards(spec), context, "last")


def count(spec: QuerySpec[Any], context: Context) -> Asked[int]:
    """Return how many rows the query gives."""
    question = plain_count(spec, context)
    return _count(spec, context) if question is None else question


@_unhurried
def _count(spec: QuerySpec[Any], context: Context) -> Asked[int]:
    return _scalar(planning.count_plan(spec), spec, context, planning.number_of)


@reads
def page(
    spec: QuerySpec[M], number: int, size: int, context: Context
) -> Steps[Page[M]]:
    """Return the rows of one page, and how many there are in all."""
    total = yield from operation_of(count(spec, context)).steps
    window = planning.ordered(spec).but(limit=size, offset=(number - 1) * size)
    items = yield from operation_of(fetch_all(window, context)).steps
    return Page(items, total, number, size)


@_unhurried
def page_after(
    spec: QuerySpec[M], cursor: str | None, size: int, context: Context
) -> Asked[KeysetPage[M]]:
    """Return the rows behind a cursor, and the cursor of what comes next."""
    plan = plan_page(spec, cursor, size, context)
    if not _is_simple(spec, plan, context):
        return _ask_page(spec, plan, context)
    load = functools.partial(plan.load, context=context)
    return Question(plan.statement, load, _failure(spec))


@reads
def _ask_page(
    spec: QuerySpec[M], plan: KeysetPlan[M], context: Context
) -> Steps[KeysetPage[M]]:
    with _failure(spec):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement, memo=plan.memo)
        page = plan.load(result.rows, context)
    yield from prefetch(page.items, spec.prefetch, spec, context)
    if spec.shares_lazy:
        make_siblings(page.items)
    return page


@_unhurried
def exists(spec: QuerySpec[Any], context: Context) -> Asked[bool]:
    """Return whether the query gives any row."""
    return _scalar(planning.exists_plan(spec), spec, context, _truth)


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


def _is_simple(
    spec: QuerySpec[Any], plan: SelectPlan[Any] | KeysetPlan[Any], context: Context
) -> bool:
    """Whether there is nothing to be done but to ask once."""
    if plan.memo is not None or spec.prefetch or spec.shares_lazy:
        return False
    return context.knows(plan.reads.everything)


@_unhurried
def _fetch_rows(spec: QuerySpec[M], context: Context) -> Asked[list[M]]:
    plan = planning.plan_select(spec, context)
    if not _is_simple(spec, plan, context):
        return _ask_rows(spec, plan, context)
    return Question(plan.statement, plan.loading(context), _failure(spec))


def _fetch_first(spec: QuerySpec[M], context: Context, kind: str) -> Asked[M | None]:
    limit = 0 if spec.limit == 0 else 1
    question = plain_question(spec, context, limit, first=True)
    if question is not None:
        return question
    return _fetch_row(spec.but(limit=limit), context, kind)


@_unhurried
def _fetch_row(spec: QuerySpec[M], context: Context, kind: str) -> Asked[M | None]:
    return _row_of(spec, planning.plan_select(spec, context, kind), context)


@_unhurried
def _fetch_last_of_window(spec: QuerySpec[M], context: Context) -> Asked[M | None]:
    return _row_of(spec, planning.plan_last_of_window(spec, context), context)


def _fetch(spec: QuerySpec[M], plan: SelectPlan[M], context: Context) -> Steps[list[M]]:
    with _failure(spec):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement, memo=plan.memo)
        found = plan.load(result.rows, context)
    if spec.prefetch:
        yield from prefetch(found, spec.prefetch, spec, context)
    if spec.shares_lazy:
        make_siblings(found)
    return found


_ask_rows = reads(_fetch)


def _row_of(
    spec: QuerySpec[M], plan: SelectPlan[M], context: Context
) -> Asked[M | None]:
    if not _is_simple(spec, plan, context):
        return _ask_row(spec, plan, context)
    return Question(plan.statement, plan.loading_first(context), _failure(spec))


@reads
def _ask_row(
    spec: QuerySpec[M], plan: SelectPlan[M], context: Context
) -> Steps[M | None]:
    found = yield from _fetch(spec, plan, context)
    return found[0] if found else None


def _scalar(
    plan: ScalarPlan, spec: QuerySpec[Any], context: Context, load: Load[R]
) -> Asked[R]:
    if context.knows(plan.reads.everything):
        return Question(plan.statement, load, _failure(spec))
    return _ask_scalar(plan, spec, context, load)


@reads
def _ask_scalar(
    plan: ScalarPlan, spec: QuerySpec[Any], context: Context, load: Load[R]
) -> Steps[R]:
    with _failure(spec):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement)
    return load(result.rows)


def _truth(rows: list[Row]) -> bool:
    return bool(rows[0][0])


def _failure(spec: QuerySpec[Any]) -> reported_as:
    if spec.search is not None:
        return reported_of(spec, RecordFetchError)
    return spec.table.prepare(_reported)


def _reported(table: Table) -> reported_as:
    return reported_as(RecordFetchError, table.name)
