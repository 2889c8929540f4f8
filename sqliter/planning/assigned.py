"""What a column is set to in an UPDATE, where SQLite computes it."""

from __future__ import annotations

from sqliter.model.table import Column, Table
from sqliter.planning.computed import ANY, Bound, Computed, Level, Stored, kind_of
from sqliter.planning.frame import Frame
from sqliter.sql.fragment import Fragment

__all__ = ["assignment"]


def assignment(
    table: Table, column: Column, value: Computed, given: object
) -> Fragment:
    """Return what a column is set to; ``ValueError`` if it may not be.

    ``given`` is what the user wrote.
    """
    _check(column, value, given)
    sql, params = value.render(Frame(table))
    unfit = _unfit(value, column)
    if not unfit:
        return Fragment(sql, params)
    refused = f"CASE WHEN typeof({sql}) IN ({unfit}) THEN sqliter_refuse({sql})"
    return Fragment(f"{refused} ELSE {sql} END", params * 3)


def _check(column: Column, value: Computed, given: object) -> None:
    if value.paths:
        msg = f"{given!r} looks into other tables, which an update cannot"
        raise ValueError(msg)
    if value.level is not Level.ROW:
        msg = f"{given!r} is computed of many rows; ask by a subquery()"
        raise ValueError(msg)
    if value.kind is ANY:
        msg = f"nobody knows what {given!r} gives: cast() it to the field's type"
        raise ValueError(msg)
    if value.kind != kind_of(column):
        hint = "; compute with floats" if value.kind is int else ""
        msg = f"{given!r} gives no values of the field's type{hint}"
        raise ValueError(msg)


def _unfit(value: Computed, column: Column) -> str:
    """Return the storage classes, among those of the results, that are no values.

    SQLite goes on with floats beyond 64 bits, and takes NULL for every default.
    """
    is_stored = isinstance(value, (Stored, Bound))
    unfit = ["'real'"] if value.kind is int and not is_stored else []
    is_never_null = isinstance(value, Stored) and not value.column.codec.nullable
    if not (column.codec.nullable or is_never_null):
        unfit.append("'null'")
    return ", ".join(unfit)
