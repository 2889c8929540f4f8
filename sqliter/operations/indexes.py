"""Indexes of a model, beside those that the file has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from sqliter.core.statement import Row
from sqliter.core.steps import Steps, look_up
from sqliter.exceptions import SqlExecutionError
from sqliter.model.index import TableIndex
from sqliter.model.table import Column, PathColumn, Table
from sqliter.planning.constraints import condition_sql
from sqliter.schema import ddl, inspection

__all__ = ["refuse_others", "rendered"]


class _Meaning(NamedTuple):
    """What an index of some name is.

    The ``body`` is compared only where it has more than columns, the collation of a
    column only where the model asks for one.
    """

    table: str
    unique: bool
    columns: tuple[tuple[object, bool], ...]
    collations: tuple[str | None, ...]
    body: str | None


def rendered(table: Table, indexes: Iterable[TableIndex]) -> list[TableIndex]:
    """Return the indexes with their conditions in SQL, without repetition.

    Raises ``InvalidSchemaError``.
    """
    return list(dict.fromkeys(_rendered(table, index) for index in indexes))


def refuse_others(
    table: Table, indexes: Sequence[TableIndex], *, replaces: bool = False
) -> Steps[None]:
    """Raise if an index of the same name means something else.

    ``IF NOT EXISTS`` would skip it silently: a unique index would not be enforced.
    Indexes of a table that is replaced do not count: they go with it.
    """
    wanted = {index.name: _meaning(table, index) for index in indexes}
    for index in indexes:
        if wanted[index.name] != _meaning(table, index):
            raise _other_index(table, index)
    result = yield from look_up(inspection.indexes_named(list(wanted)))
    existing = {
        str(name): list(rows)
        for name, rows in groupby(result.rows, key=lambda row: row[0])
    }
    for index in indexes:
        rows = existing.get(index.name)
        if rows is None or (replaces and rows[0][1] == table.name):
            continue
        if _found(table, rows, wanted[index.name]) != wanted[index.name]:
            raise _other_index(table, index)


def _rendered(table: Table, index: TableIndex) -> TableIndex:
    if index.where is None:
        return index
    label = f"the condition of index {index.name}"
    return index._replace(where=condition_sql(table, index.where, label))


def _meaning(table: Table, index: TableIndex) -> _Meaning:
    is_more = index.where is not None or index.expression is not None
    columns = tuple((_name(part.column), part.descending) for part in index.parts)
    return _Meaning(
        table.name,
        index.unique,
        () if is_more else columns,
        () if is_more else tuple(part.collation for part in index.parts),
        ddl.index_body(index) if is_more else None,
    )


def _name(column: Column) -> str | None:
    """Return what SQLite calls an indexed column; an expression has no name."""
    return None if isinstance(column, PathColumn) else column.name


def _found(table: Table, rows: Sequence[Row], wanted: _Meaning) -> _Meaning:
    """Return what an index of the file is, as far as it matters here."""
    _, owner, unique, partial, sql, *_ = rows[0]
    body = str(sql).partition(f" ON {table.sql} ")[2]
    if wanted.body is not None:
        return _Meaning(str(owner), bool(unique), (), (), body)
    collations = zip([str(row[7]) for row in rows], wanted.collations, strict=False)
    return _Meaning(
        str(owner),
        bool(unique),
        tuple((row[5], bool(row[6])) for row in rows),
        tuple(found if asked else None for found, asked in collations),
        body if partial else None,
    )


def _other_index(table: Table, index: TableIndex) -> SqlExecutionError:
    reason = ValueError(
        f"an index named {index.name} exists with another definition; rename a field, "
        "give the index another name, or drop that index first"
    )
    return SqlExecutionError(ddl.create_index(table, index).sql, original=reason)
