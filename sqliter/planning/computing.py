"""From a term to the SQL that computes it."""

from __future__ import annotations

from math import isnan
from typing import Any, NamedTuple, TypeAlias

from sqliter.core.statement import Value
from sqliter.model.table import Column, Table
from sqliter.planning.conditions import Compared
from sqliter.planning.f import Arithmetic, F, Given, Operator, Term
from sqliter.planning.frame import Frame, Path
from sqliter.planning.paths import forward_column
from sqliter.sql.fragment import Fragment

__all__ = ["Computed", "Kind", "assignment", "comparison", "computed", "kind_of"]

Kind: TypeAlias = object
"""What a result is: ``int`` or ``float``, or whatever a column alone can hold."""

_NUMBERS: tuple[Kind, ...] = (int, float)


class _Field(NamedTuple):
    column: Column
    path: Path
    kind: Kind

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.path,) if self.path else ()

    def render(self, frame: Frame) -> Fragment:
        return Fragment(f"{frame.prefix(self.path)}{self.column.compared}")


class _Bound(NamedTuple):
    value: Value
    kind: Kind
    paths: tuple[Path, ...] = ()

    def render(self, frame: Frame) -> Fragment:
        return Fragment("?", (self.value,))


class _Combined(NamedTuple):
    operator: Operator
    left: Computed
    right: Computed
    kind: Kind

    @property
    def paths(self) -> tuple[Path, ...]:
        return (*self.left.paths, *self.right.paths)

    def render(self, frame: Frame) -> Fragment:
        left, right = self.left.render(frame), self.right.render(frame)
        dividend = left.sql
        if self.operator == "/":  # of integers, SQLite would cut the rest off
            dividend = f"CAST({left.sql} AS REAL)"
        sql = f"({dividend} {self.operator} {right.sql})"
        return Fragment(sql, (*left.params, *right.params))


Computed: TypeAlias = _Field | _Bound | _Combined
"""A term whose names were looked up: its ``kind``, its ``paths``, and its SQL."""


def computed(table: Table, term: Term) -> Computed:
    """Look the names of a term up; ``ValueError`` says what is wrong with it."""
    if isinstance(term, F):
        return _field(table, term.name)
    if isinstance(term, Arithmetic):
        return _combined(table, term)
    assert isinstance(term, Given)
    return _bound(term.value)


def kind_of(column: Column) -> Kind:
    """Return what a column holds."""
    codec = column.codec
    if codec.writes == (int,) and codec.encode is codec.decode is None:
        return int
    if codec.storage == "REAL" and codec.decode is None and float in codec.writes:
        return float
    return codec.storage, codec.writes, codec.collation


def comparison(table: Table, left: F, operator: str, right: Term) -> Compared:
    """Return the condition that compares a field with a term."""
    one, other = computed(table, left), computed(table, right)
    both_numbers = one.kind in _NUMBERS and other.kind in _NUMBERS
    if not both_numbers and one.kind != other.kind:
        msg = f"{left!r} and {right!r} are of different types"
        raise ValueError(msg)
    return Compared(left.name, operator, right, one, other)


def assignment(table: Table, column: Column, term: Term) -> Fragment:
    """Return what a column is set to in an UPDATE; ``ValueError`` if it may not be."""
    value = computed(table, term)
    if value.paths:
        msg = f"{term!r} looks into other tables, which an update cannot"
        raise ValueError(msg)
    if value.kind != kind_of(column):
        hint = "; compute with floats" if value.kind is int else ""
        msg = f"{term!r} gives no values of the field's type{hint}"
        raise ValueError(msg)
    sql, params = value.render(Frame(table))
    unfit = _unfit(value, column)
    if not unfit:
        return Fragment(sql, params)
    refused = f"CASE WHEN typeof({sql}) IN ({unfit}) THEN sqliter_refuse({sql})"
    return Fragment(f"{refused} ELSE {sql} END", params * 3)


def _unfit(value: Computed, column: Column) -> str:
    """Return the storage classes, among those of the results, that are no values.

    SQLite goes on with floats beyond 64 bits, and takes NULL for every default.
    """
    unfit = ["'real'"] if value.kind is int and not isinstance(value, _Field) else []
    is_never_null = isinstance(value, _Field) and not value.column.codec.nullable
    if not (column.codec.nullable or is_never_null):
        unfit.append("'null'")
    return ", ".join(unfit)


def _field(table: Table, name: str) -> Computed:
    found = forward_column(table, name)
    if found is None:
        msg = f"F({name!r}) is no field of {table.model.__name__}"
        raise ValueError(msg)
    path, column = found
    return _Field(column, path, kind_of(column))


def _bound(value: Any) -> Computed:
    if type(value) not in _NUMBERS:
        msg = f"{value!r} is no number; only numbers can be computed with"
        raise ValueError(msg)
    if isnan(value) or (type(value) is int and not -(2**63) <= value < 2**63):
        msg = f"{value!r} is no number that SQLite has"
        raise ValueError(msg)
    return _Bound(value, type(value))


def _combined(table: Table, term: Arithmetic) -> Computed:
    left, right = computed(table, term.left), computed(table, term.right)
    for side, given in ((left, term.left), (right, term.right)):
        if side.kind not in _NUMBERS:
            msg = (
                f"{given!r} is no int or float: SQLite cannot compute with it exactly; "
                "change the instances instead"
            )
            raise ValueError(msg)
    is_whole = left.kind is right.kind is int and term.operator != "/"
    return _Combined(term.operator, left, right, int if is_whole else float)
