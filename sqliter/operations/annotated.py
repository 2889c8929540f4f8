"""Rows with the aggregates of a query beside them."""

from __future__ import annotations

from typing import TypeVar

from sqliter.core.context import Context
from sqliter.core.faults import Fault
from sqliter.core.steps import Steps, ask, reads
from sqliter.exceptions import RecordFetchError
from sqliter.model.loaded import make_siblings
from sqliter.model.model import BaseDBModel
from sqliter.operations.failures import reported_of
from sqliter.operations.prefetch import prefetch
from sqliter.operations.schema import all_known
from sqliter.planning.annotated import AnnotatedRow, plan_annotated
from sqliter.planning.spec import QuerySpec

__all__ = ["fetch_annotated"]

M = TypeVar("M", bound=BaseDBModel)


@reads
def fetch_annotated(
    spec: QuerySpec[M], context: Context
) -> Steps[list[AnnotatedRow[M]]]:
    """Return every matching row as an instance, with its aggregates."""
    plan = plan_annotated(spec, context)
    with reported_of(spec, RecordFetchError):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement, memo=plan.memo)
        try:
            rows = plan.load(result.rows, context)
        except ValueError as error:
            raise Fault(str(error), error) from error
    found = [row.instance for row in rows]
    yield from prefetch(found, spec.prefetch, spec, context)
    if spec.shares_lazy:
        make_siblings(found)
    return rows
