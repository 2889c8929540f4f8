"""Some columns of the matching rows, and aggregates of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqliter.core.context import Context
from sqliter.core.statement import Memo, Row, Statement, Value
from sqliter.model.loader import read
from sqliter.model.table import Column, Table
from sqliter.planning.aggregates import (
    AggregateFunction,
    AggregateSpec,
    aggregate_sql,
    is_decoded,
)
from sqliter.planning.frame import Path, Reads
from sqliter.planning.paths import forward_column
from sqliter.planning.select import memo_of, rows_of
from sqliter.planning.spec import QuerySpec

__all__ = ["ColumnPlan", "plan_aggregate", "plan_columns"]


class ColumnPlan(NamedTuple):
    """A statement that gives values of these columns (``None``: as SQLite has it)."""

    statement: Statement
    columns: tuple[Column | None, ...]
    reads: Reads
    memo: Memo | None
    local: bool

    def load(self, rows: Iterable[Row]) -> list[tuple[Any, ...]]:
        """Return the rows, with values in the types of their fields."""
        return [tuple(map(self._value, self.columns, row)) for row in rows]

    def _value(self, column: Column | None, value: Value) -> Any:
        return value if column is None else read(column, value, local=self.local)


def plan_columns(
    spec: QuerySpec[Any], names: Sequence[str], context: Context, *, distinct: bool
) -> ColumnPlan:
    """Plan fetching these fields of the rows; names may go along foreign keys.

    Raises ``ValueError`` for names that are none, and for no names.
    """
    found = [_column(spec.table, name) for name in names]
    if not found:
        msg = "name at least one field"
        raise ValueError(msg)
    spec = spec.ranked()
    frame = spec.frame(tuple(path for path, _ in found if path))
    selected = ", ".join(f"{frame.prefix(path)}{column.sql}" for path, column in found)
    rows = rows_of(spec, frame, f"DISTINCT {selected}" if distinct else selected)
    memo = memo_of(spec, ("columns", *names, distinct), frame.reads, context)
    columns = tuple(column for _, column in found)
    local = context.settings.return_local_time
    return ColumnPlan(Statement(*rows), columns, frame.reads, memo, local)


def plan_aggregate(
    spec: QuerySpec[Any], function: AggregateFunction, name: str, context: Context
) -> ColumnPlan:
    """Plan one aggregate of a field over the rows; raises ``ValueError``."""
    path, column = _column(spec.table, name)
    aggregate = AggregateSpec(function, name)
    rows = spec if spec.is_windowed else spec.but(order=())
    frame = rows.frame((path,) if path else ())
    inner = rows_of(rows, frame, f"{frame.prefix(path)}{column.sql}")
    sql = f"SELECT {aggregate_sql(aggregate, column)} FROM ({inner.sql})"
    memo = memo_of(spec, ("aggregate", function, name), frame.reads, context)
    decoding = column if is_decoded(aggregate, column) else None
    local = context.settings.return_local_time
    statement = Statement(sql, inner.params)
    return ColumnPlan(statement, (decoding,), frame.reads, memo, local)


def _column(table: Table, name: object) -> tuple[Path, Column]:
    found = forward_column(table, name) if isinstance(name, str) else None
    if found is None:
        msg = f"{name!r} is no field of {table.model.__name__}"
        raise ValueError(msg)
    return found
