"""The statements that insert, update and delete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from sqliter.core.statement import Statement, Value
from sqliter.model.table import Column, Table
from sqliter.planning.conditions import all_of, paths_of
from sqliter.planning.frame import Frame, Reads
from sqliter.planning.keys import stored_key, stored_keys
from sqliter.planning.select import matching_keys
from sqliter.planning.spec import QuerySpec
from sqliter.sql.fragment import Fragment, join

__all__ = [
    "DmlPlan",
    "counting",
    "delete_statement",
    "delete_where",
    "existing",
    "generated_values",
    "insert_fields",
    "insert_statement",
    "update_each",
    "update_sql",
    "update_where",
]

R = TypeVar("R")

MOST_ROWS = 100  # of one INSERT: beyond that the text costs more than it saves
MOST_VALUES = 30_000  # SQLite takes 32,766 in a statement


class DmlPlan(NamedTuple):
    """A statement that changes every matching row, and everything that it reads."""

    statement: Statement
    reads: Reads


def insert_fields(table: Table, *, with_pk: bool) -> tuple[str, ...]:
    """Return the fields an insert writes; without its key SQLite gives one."""
    return table.written if with_pk else table.prepare(_fields_without_pk)


def insert_statement(
    table: Table, fields: tuple[str, ...], rows: Sequence[Sequence[Value]]
) -> Statement:
    """Return one INSERT for all these rows."""
    count = len(rows)
    sql = table.prepare(_insert_sql, fields, count)
    values = rows[0] if count == 1 else [value for row in rows for value in row]
    return Statement(sql, values, count)


def batches(records: Sequence[R], fields: tuple[str, ...]) -> Iterator[Sequence[R]]:
    """Cut what is to be inserted into parts that fit one INSERT of these fields."""
    size = max(1, min(MOST_ROWS, MOST_VALUES // len(fields)))
    for start in range(0, len(records), size):
        yield records[start : start + size]


def update_sql(
    table: Table,
    fields: tuple[str, ...],
    same: tuple[str, ...] = (),
    versioned: bool = False,  # noqa: FBT001, FBT002 - part of a key
) -> str:
    """Return the UPDATE of some fields of one row, if others are what they were.

    The last value is the version that was read, if that is compared, too.
    """
    columns = table.by_field
    if versioned and table.version is not None:
        same = (*same, table.version.field)
    changes = ", ".join(f"{columns[field].sql} = ?" for field in fields)
    tests = "".join(f" AND {columns[field].sql} IS ? COLLATE BINARY" for field in same)
    return f"UPDATE {table.sql} SET {changes} WHERE {table.pk.sql} = ?{tests}"


def update_each(
    table: Table, fields: tuple[str, ...], rows: Sequence[Sequence[Value]]
) -> Statement:
    """Return one UPDATE for all these rows: a key, and the values of the fields.

    Behind them stands the version that was read, if the table has one. It returns the
    keys of those that were written.
    """
    sql = table.prepare(_update_each_sql, fields, len(rows))
    return Statement(sql, [value for row in rows for value in row])


def existing(table: Table, keys: Sequence[Any]) -> Statement:
    """Return the SELECT of those keys that have a row, with its version."""
    marks = ", ".join("?" * len(keys))
    pk = table.pk.sql
    version = table.version.sql if table.version else "NULL"
    return Statement(
        f"SELECT {pk}, {version} FROM {table.sql} WHERE {pk} IN ({marks})",
        stored_keys(table, keys),
    )


def generated_values(table: Table, keys: Sequence[Any]) -> Statement:
    """Return the SELECT of what SQLite computed of these rows, behind their keys."""
    marks = ", ".join("?" * len(keys))
    columns = ("pk", *table.generated)
    listed = ", ".join(table.by_field[field].selected for field in columns)
    return Statement(
        f"SELECT {listed} FROM {table.sql} WHERE {table.pk.sql} IN ({marks})",
        stored_keys(table, keys),
    )


def delete_statement(table: Table, pk: Any) -> Statement:
    """Return the DELETE of one row; raises a ``Fault`` for what can be no key."""
    if table.is_keyed:
        pk = stored_key(table, pk)
    return Statement(table.prepare(_delete_sql), (pk,))


def update_where(
    spec: QuerySpec[Any], values: dict[str, Fragment], *, returning: str = ""
) -> DmlPlan:
    """Plan the UPDATE of all rows that match; fields to what they are set to."""
    columns, version = spec.table.by_field, spec.table.version
    assignments = [
        Fragment(f"{columns[field].sql} = {value.sql}", value.params)
        for field, value in values.items()
    ]
    if version is not None and version.field not in values:
        assignments.append(Fragment(counting(version)))
    sql, params = join(", ", assignments)
    return _dml(spec, f"UPDATE {spec.table.sql} SET {sql}", params, returning)


def counting(version: Column) -> str:
    """Return the assignment that counts a version up."""
    return f"{version.sql} = {version.sql} + 1"


def delete_where(spec: QuerySpec[Any], *, returning: str = "") -> DmlPlan:
    """Plan the DELETE of all rows that match."""
    return _dml(spec, f"DELETE FROM {spec.table.sql}", (), returning)


def _dml(
    spec: QuerySpec[Any], head: str, params: tuple[Value, ...], returning: str
) -> DmlPlan:
    rows = spec.but(order=(), limit=None, offset=None)
    frame = Frame(spec.table)
    if paths_of(spec.conditions):  # SQLite joins nothing to what it changes
        keys = matching_keys(rows, frame)
        where = Fragment(f" WHERE {spec.table.pk.sql} IN ({keys.sql})", keys.params)
    else:
        where = all_of("WHERE", spec.conditions, frame)
    sql = head + where.sql + (f" RETURNING {returning}" if returning else "")
    return DmlPlan(Statement(sql, (*params, *where.params)), frame.reads)


def _fields_without_pk(table: Table) -> tuple[str, ...]:
    return tuple(field for field in table.written if field != "pk")


def _update_each_sql(table: Table, fields: tuple[str, ...], count: int) -> str:
    changes = ", ".join(
        f"{table.by_field[field].sql} = v.column{place}"
        for place, field in enumerate(fields, 2)
    )
    size, test = len(fields) + 1, ""
    if table.version is not None:
        size += 1
        test = f" AND t.{table.version.sql} = v.column{size}"
    marks = "(" + ", ".join("?" * size) + ")"
    return (
        f"UPDATE {table.sql} AS t SET {changes} "
        f"FROM (VALUES {', '.join([marks] * count)}) AS v "
        f"WHERE t.{table.pk.sql} = v.column1{test} RETURNING {table.pk.sql}"
    )


def _delete_sql(table: Table) -> str:
    return f"DELETE FROM {table.sql} WHERE {table.pk.sql} = ?"


def _insert_sql(table: Table, fields: tuple[str, ...], count: int) -> str:
    names = ", ".join(table.by_field[field].sql for field in fields)
    marks = "(" + ", ".join("?" * len(fields)) + ")"
    return f"INSERT INTO {table.sql} ({names}) VALUES {', '.join([marks] * count)}"
