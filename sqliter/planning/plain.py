"""What most queries are: whole rows of one table, by its own columns.

Everything about them that is not in the query itself is prepared once per table.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from sqliter.core.asked import Question
from sqliter.core.context import Context
from sqliter.core.faults import reported_as
from sqliter.core.statement import Statement, Value
from sqliter.exceptions import RecordFetchError
from sqliter.model.loader import Loader, loader_of
from sqliter.model.table import Table
from sqliter.planning.conditions import DEEPEST, Comparison
from sqliter.planning.frame import Frame
from sqliter.planning.select import limit_clause, number_of, order_clause
from sqliter.planning.spec import QuerySpec

__all__ = ["plain_count", "plain_question"]


def plain_question(
    spec: QuerySpec[Any], context: Context, limit: int | None, *, first: bool = False
) -> Question[Any] | None:
    """Return the question for so many rows of a query, if it is as plain as that.

    Its answer is all instances, or the ``first`` one. Returns ``None`` if anything
    else is asked for, or has to be done before, or takes long to be planned.
    """
    is_remembered = spec.cached and context.cache.enabled
    if is_remembered or not spec.is_plain or spec.table not in context.known:
        return None
    prepared = spec.table.prepare(_prepared, context.settings.return_local_time)
    statement = _statement(spec, limit, prepared.head, prepared.frame)
    if statement is None:
        return None
    load = prepared.loader.first if first else prepared.loader.load
    if prepared.loader.binds:
        load = functools.partial(load, database=context.owner())
    return Question(statement, load, prepared.failure)


def plain_count(spec: QuerySpec[Any], context: Context) -> Question[int] | None:
    """Return the question for the number of rows, if the query is as plain as that."""
    if not spec.is_plain or spec.table not in context.known or spec.is_windowed:
        return None
    prepared = spec.table.prepare(_prepared, context.settings.return_local_time)
    unordered = spec.but(order=()) if spec.order else spec
    statement = _statement(unordered, None, prepared.counting, prepared.frame)
    return statement and Question(statement, number_of, prepared.failure)


class _Prepared(NamedTuple):
    """What is the same for all such queries of a table."""

    head: str
    counting: str
    frame: Frame
    loader: Loader[Any]
    failure: reported_as


def _prepared(
    table: Table,
    local: bool,  # noqa: FBT001 - part of a key
) -> _Prepared:
    return _Prepared(
        f"SELECT {table.select_list} FROM {table.sql}",
        f"SELECT COUNT(*) FROM {table.sql}",
        Frame(table),
        loader_of(table, None, local=local),
        reported_as(RecordFetchError, table.name),
    )


def _statement(
    spec: QuerySpec[Any], limit: int | None, head: str, frame: Frame
) -> Statement | None:
    sql, params = head, list[Value]()
    word = " WHERE "
    if len(spec.conditions) > DEEPEST:
        return None
    for condition in spec.conditions:
        if type(condition) is Comparison and condition.plain and not condition.path:
            sql += word + condition.plain
            params.append(condition.prepared)
        elif condition.is_long or not condition.is_own:
            return None
        else:
            test = condition.render(frame)
            sql += word + test.sql
            params += test.params
        word = " AND "
    if spec.order or limit is not None or spec.offset:
        if any(term.path or term.computed for term in spec.order):
            return None
        window = limit_clause(limit, spec.offset)
        sql += order_clause(spec, frame).sql + window.sql
        params += window.params
    return Statement(sql, params)
