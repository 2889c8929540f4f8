"""The search index of a table: made, dropped, rebuilt; and what is found with it."""

from __future__ import annotations

from typing import TypeVar

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault, reported_as
from sqliter.core.statement import Statement
from sqliter.core.steps import Steps, ask, ask_all, look_up, reads, writes
from sqliter.exceptions import RecordFetchError, SqlExecutionError, TableCreationError
from sqliter.model.loaded import make_siblings
from sqliter.model.model import BaseDBModel
from sqliter.model.search import SearchIndex, needed_index_of, search_index_of
from sqliter.model.table import Table, table_of
from sqliter.operations.failures import reported_of
from sqliter.operations.prefetch import prefetch
from sqliter.operations.schema import all_known, known, known_index
from sqliter.planning.hits import Hit, Marks, plan_hits
from sqliter.planning.spec import QuerySpec
from sqliter.schema import search as ddl

__all__ = ["create", "drops", "fetch_hits", "rebuild"]

M = TypeVar("M", bound=BaseDBModel)


def create(table: Table) -> Steps[None]:
    """Make the index that a model asks for, and fill it, unless it is there already."""
    index = search_index_of(table)
    if index is None:
        return
    wanted = ddl.create_index(index)
    with reported_as(TableCreationError, table.name):
        parts = yield from _parts(table.name)
        if sorted(parts.values()) == sorted(each.sql for each in wanted):
            return
        yield from _check(index, parts)
        drop = ddl.drop_index(table.name) if parts else ()
        yield from ask_all([*drop, *wanted, ddl.fill(index)])


def drops(table: str) -> Steps[list[Statement]]:
    """Return what drops a table's index, after the table, whatever the model says."""
    result = yield from look_up(ddl.parts_of(table))
    owners = {str(name).lower(): str(owner).lower() for name, owner, _ in result.rows}
    mark = ddl.trigger_names(table)[0].lower()
    return ddl.drop_index(table) if owners.get(mark) == table.lower() else []


@writes
def rebuild(
    effects: Effects, model: type[BaseDBModel], context: Context
) -> Steps[None]:
    """Fill the index anew from the rows of the table."""
    table = table_of(model)
    index = needed_index_of(table)
    statements = ddl.rebuild(index)
    with reported_as(SqlExecutionError, statements[0].sql):
        yield from known(table, context)
        yield from known_index(index, context)
        effects.touch((table.name,))
        yield from ask_all(statements)


@reads
def fetch_hits(
    spec: QuerySpec[M], marks: Marks, context: Context
) -> Steps[list[Hit[M]]]:
    """Return what a search found: instances, ranks, and texts with marks."""
    plan = plan_hits(spec, marks, context)
    with reported_of(spec, RecordFetchError):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement, memo=plan.memo)
        hits = plan.load(result.rows, context)
    found = [hit.instance for hit in hits]
    yield from prefetch(found, spec.prefetch, spec, context)
    if spec.shares_lazy:
        make_siblings(found)
    return hits


def _parts(table: str) -> Steps[dict[str, str]]:
    result = yield from look_up(ddl.parts_of(table))
    return {str(name).lower(): str(sql) for name, _, sql in result.rows}


def _check(index: SearchIndex, parts: dict[str, str]) -> Steps[None]:
    """Raise if the index cannot be made, or something else has its name."""
    modules = yield from look_up(ddl.has_fts5())
    if not modules.rows:
        raise Fault(
            "this SQLite was built without FTS5, which the search index needs: take a "
            f"full one, or take fts out of the Meta of {index.table.model.__name__}"
        )
    name = index.name.lower()
    is_ours = ddl.trigger_names(index.table.name)[0].lower() in parts
    if name in parts and not is_ours and parts[name] != ddl.create_index(index)[0].sql:
        raise Fault(
            f"'{index.name}' exists, and is not the search index of "
            f"'{index.table.name}' as it is made here; rename or drop it"
        )
