"""The statements that insert, update and delete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqliter.core.statement import Statement, Value
from sqliter.model.table import Table
from sqliter.planning.select import where
from sqliter.planning.spec import QuerySpec

__all__ = [
    "bulk_update_statement",
    "delete_statement",
    "delete_where_statement",
    "insert_fields",
    "insert_statement",
    "update_statement",
]

MOST_ROWS = 100  # of one INSERT: beyond that the text costs more than it saves
MOST_VALUES = 30_000  # SQLite takes 32,766 in a statement


def insert_fields(table: Table, *, with_pk: bool) -> tuple[str, ...]:
    """Return the fields an insert writes; without its key SQLite gives one."""
    return table.prepare(
        ("insert fields", with_pk),
        lambda: tuple(f for f in table.fields if with_pk or f != "pk"),
    )


def insert_statement(
    table: Table, fields: tuple[str, ...], rows: Sequence[Sequence[Value]]
) -> Statement:
    """Return one INSERT for all these rows."""
    count = len(rows)
    sql = table.prepare(
        ("insert", fields, count), lambda: _insert_sql(table, fields, count)
    )
    values = rows[0] if count == 1 else [value for row in rows for value in row]
    return Statement(sql, values, count)


def batches(
    rows: Sequence[tuple[tuple[str, ...], list[Value]]],
) -> Iterator[tuple[tuple[str, ...], list[list[Value]]]]:
    """Cut ``(fields, row)`` pairs into runs of the same fields that fit one INSERT."""
    for fields, run in groupby(rows, key=lambda pair: pair[0]):
        values = [row for _, row in run]
        size = max(1, min(MOST_ROWS, MOST_VALUES // len(fields)))
        for start in range(0, len(values), size):
            yield fields, values[start : start + size]


def update_statement(
    table: Table, fields: tuple[str, ...], row: Sequence[Value], pk: Value
) -> Statement:
    """Return the UPDATE of some fields of one row."""
    sql = table.prepare(("update", fields), lambda: _update_sql(table, fields))
    return Statement(sql, (*row, pk))


def delete_statement(table: Table, pk: Value) -> Statement:
    """Return the DELETE of one row."""
    return Statement(f"DELETE FROM {table.sql} WHERE {table.pk.sql} = ?", (pk,))


def bulk_update_statement(spec: QuerySpec[Any], values: dict[str, Value]) -> Statement:
    """Return the UPDATE of all rows that match; fields to stored values."""
    condition = where(spec.conditions)
    table = spec.table
    assignments = ", ".join(f"{table.by_field[field].sql} = ?" for field in values)
    sql = f"UPDATE {table.sql} SET {assignments}{condition.sql}"
    return Statement(sql, (*values.values(), *condition.params))


def delete_where_statement(spec: QuerySpec[Any]) -> Statement:
    """Return the DELETE of all rows that match."""
    condition = where(spec.conditions)
    return Statement(f"DELETE FROM {spec.table.sql}{condition.sql}", condition.params)


def _insert_sql(table: Table, fields: tuple[str, ...], count: int) -> str:
    names = ", ".join(table.by_field[field].sql for field in fields)
    marks = "(" + ", ".join("?" * len(fields)) + ")"
    return f"INSERT INTO {table.sql} ({names}) VALUES {', '.join([marks] * count)}"


def _update_sql(table: Table, fields: tuple[str, ...]) -> str:
    assignments = ", ".join(f"{table.by_field[field].sql} = ?" for field in fields)
    return f"UPDATE {table.sql} SET {assignments} WHERE {table.pk.sql} = ?"
