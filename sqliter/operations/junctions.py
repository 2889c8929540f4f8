"""The tables of many-to-many relations: created with the tables they join."""

from __future__ import annotations

from sqliter.core.context import Context
from sqliter.core.faults import reported_as
from sqliter.core.statement import Statement
from sqliter.core.steps import Steps, look_up
from sqliter.exceptions import SqlExecutionError, TableCreationError
from sqliter.helpers import quote_identifier
from sqliter.model.model import BaseDBModel
from sqliter.model.relations import ManyLink, links_of
from sqliter.model.table import table_name_of
from sqliter.operations.schema import known_junction, run_ddl
from sqliter.schema import ddl, inspection

__all__ = ["create_all", "orphans"]


def create_all(
    model: type[BaseDBModel], context: Context, *, unlink: bool = False
) -> Steps[None]:
    """Create the junction tables that a model has part in.

    Those it declares, and those of other models whose table is there. ``unlink``
    removes the links: the rows they lead to are gone.
    """
    for link in links_of(model):
        if not link.is_defined:
            continue
        if link.owner is not model and not (yield from _exists(link.owner)):
            continue
        with reported_as(TableCreationError, link.junction_name):
            yield from known_junction(link.junction, context)
        yield from _created(link, context)
        if unlink:
            name = quote_identifier(link.junction_name)
            yield from run_ddl(link.junction_name, [Statement(f"DELETE FROM {name}")])


def orphans(model: type[BaseDBModel]) -> Steps[list[str]]:
    """Return the junction tables whose other side is gone already.

    SQLite cannot delete rows that a table refers to whose other parent is missing.
    """
    found = []
    for link in links_of(model):
        if not link.is_defined or link.is_to_itself:
            continue
        other = link.target if link.owner is model else link.owner
        if not (yield from _exists(other)):
            found.append(link.junction_name)
    return found


def _exists(model: type[BaseDBModel]) -> Steps[bool]:
    result = yield from look_up(inspection.columns_of(table_name_of(model)))
    return bool(result.rows)


def _created(link: ManyLink, context: Context) -> Steps[None]:
    try:
        yield from run_ddl(link.junction_name, ddl.create_junction(link))
    except SqlExecutionError as error:
        context.log.failure(
            "Failed to create M2M junction index with SQL: %s", error.arguments[0]
        )
        raise
