"""SQL written by the user."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault, reported_as
from sqliter.core.statement import Result, Statement, verb_of
from sqliter.core.steps import Access, Operation, Steps, ask, writes
from sqliter.exceptions import RecordFetchError, SqlExecutionError
from sqliter.model.codecs import natural_encode
from sqliter.model.loader import loader_of
from sqliter.model.model import BaseDBModel
from sqliter.model.table import Table, table_of

__all__ = ["ExecutionResult", "execute", "fetch_dicts", "fetch_models"]

M = TypeVar("M", bound=BaseDBModel)

_WRITING = r"(?i)\b(?:INSERT|UPDATE|DELETE|REPLACE)\b"
_CONTROL = {"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"}


class ExecutionResult(NamedTuple):
    """What a statement did: rows changed (-1: a query), key of the last insert."""

    rowcount: int
    lastrowid: int | None


@writes
def execute(
    effects: Effects, sql: str, params: Iterable[Any], context: Context
) -> Steps[ExecutionResult]:
    """Run one statement of any kind."""
    _refuse_control(sql)
    _may_change_anything(effects, context)
    result = yield from _ask(sql, params)
    # SQLite's last key is that of any earlier insert; say it for inserts only.
    inserts = verb_of(sql) in ("INSERT", "REPLACE", "WITH") and result.rowcount > 0
    return ExecutionResult(result.rowcount, result.lastrowid if inserts else None)


def fetch_dicts(
    sql: str, params: Iterable[Any], context: Context
) -> Operation[list[dict[str, Any]]]:
    """Return the rows of a query as dicts by column name."""
    effects = Effects()
    return Operation(_access(sql), _fetch_dicts(effects, sql, params, context), effects)


def fetch_models(
    sql: str, params: Iterable[Any], model: type[M], context: Context
) -> Operation[list[M]]:
    """Return the rows of a query as instances; columns are matched by name."""
    effects = Effects()
    steps = _fetch_models(effects, sql, params, table_of(model), context)
    access = _access(sql)
    return Operation(access, steps, effects, is_unit=access is Access.WRITE)


def _fetch_dicts(
    effects: Effects, sql: str, params: Iterable[Any], context: Context
) -> Steps[list[dict[str, Any]]]:
    result = yield from _query(effects, sql, params, context)
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def _fetch_models(
    effects: Effects, sql: str, params: Iterable[Any], table: Table, context: Context
) -> Steps[list[Any]]:
    result = yield from _query(effects, sql, params, context)
    positions = _positions(table, result.columns)
    if not positions:
        msg = (
            f"none of the columns {result.columns} is a field of {table.model.__name__}"
        )
        raise RecordFetchError(table.name, original=ValueError(msg))
    local = context.settings.return_local_time
    fields = None if tuple(positions) == table.fields else tuple(positions)
    with reported_as(RecordFetchError, table.name):
        rows = (tuple(row[i] for i in positions.values()) for row in result.rows)
        return loader_of(table, fields, local=local).load(rows, context.database)


def _positions(table: Table, columns: Sequence[str]) -> dict[str, int]:
    """Return the position of each field; columns are named like it or its column."""
    found = {}
    for column in table.columns:
        for name in (column.field, column.name):
            if name in columns and column.field not in found:
                found[column.field] = columns.index(name)
    return found


def _query(
    effects: Effects, sql: str, params: Iterable[Any], context: Context
) -> Steps[Result]:
    _refuse_control(sql)
    if _access(sql) is Access.WRITE:
        _may_change_anything(effects, context)
    return (yield from _ask(sql, params))


def _ask(sql: str, params: Iterable[Any]) -> Steps[Result]:
    with reported_as(SqlExecutionError, sql):
        try:
            values = _values(params)
        except ValueError as error:
            raise Fault(str(error), error) from error
        return (yield from ask(Statement(sql, values), named=True))


def _values(params: Iterable[Any]) -> tuple[Any, ...]:
    if isinstance(params, (str, bytes, dict)):
        msg = "params must be a sequence of values, one for each '?'"
        raise TypeError(msg)
    return tuple(None if value is None else natural_encode(value) for value in params)


def _may_change_anything(effects: Effects, context: Context) -> None:
    effects.touch_everything()
    context.forget_schema()
    effects.on_undo(context.forget_schema)


def _access(sql: str) -> Access:
    word = verb_of(sql)
    reads_only = word in ("SELECT", "VALUES", "EXPLAIN")
    reads_only = reads_only or (word == "WITH" and not re.search(_WRITING, sql))
    return Access.READ if reads_only else Access.WRITE


def _refuse_control(sql: str) -> None:
    if verb_of(sql) in _CONTROL:
        reason = ValueError("use 'with db:', db.commit() and db.rollback() instead")
        raise SqlExecutionError(sql, original=reason)
