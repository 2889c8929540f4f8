"""Pages behind a cursor."""

from __future__ import annotations

from typing import TypeVar

from sqliter.core.context import Context
from sqliter.core.page import KeysetPage
from sqliter.core.steps import Steps, ask, reads
from sqliter.exceptions import RecordFetchError
from sqliter.model.loaded import make_siblings
from sqliter.model.model import BaseDBModel
from sqliter.operations.failures import reported_of
from sqliter.operations.prefetch import prefetch
from sqliter.operations.schema import all_known
from sqliter.planning.keyset import plan_page
from sqliter.planning.spec import QuerySpec

__all__ = ["page_after"]

M = TypeVar("M", bound=BaseDBModel)


@reads
def page_after(
    spec: QuerySpec[M], cursor: str | None, size: int, context: Context
) -> Steps[KeysetPage[M]]:
    """Return the rows behind a cursor, and the cursor of what comes next."""
    plan = plan_page(spec, cursor, size, context)
    with reported_of(spec, RecordFetchError):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement, memo=plan.memo)
        page = plan.load(result.rows, context)
    yield from prefetch(page.items, spec.prefetch, spec, context)
    if spec.shares_lazy:
        make_siblings(page.items)
    return page
