"""Some columns of the matching rows, what is computed of them, and aggregates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqliter.core.context import Context
from sqliter.core.statement import Memo, Row, Statement
from sqliter.planning.calling import applied
from sqliter.planning.computed import (
    Built,
    Computed,
    Level,
    Stored,
    decoded,
    paths_in,
)
from sqliter.planning.frame import Frame, Reads
from sqliter.planning.scope import Rows
from sqliter.planning.select import memo_of, rows_of
from sqliter.planning.spec import QuerySpec
from sqliter.sql.fragment import Fragment, join
from sqliter.terms.call import Function
from sqliter.terms.q import Q
from sqliter.terms.term import F, Term, term_of

__all__ = ["ColumnPlan", "plan_aggregate", "plan_columns"]


class ColumnPlan(NamedTuple):
    """A statement that gives values of these results."""

    statement: Statement
    results: tuple[Computed, ...]
    reads: Reads
    memo: Memo | None
    local: bool

    def load(self, rows: Iterable[Row]) -> list[tuple[Any, ...]]:
        """Return the rows, with values in the types of their fields."""
        local = self.local
        return [
            tuple(
                decoded(result, value, local=local)
                for result, value in zip(self.results, row, strict=True)
            )
            for row in rows
        ]


def plan_columns(
    spec: QuerySpec[Any], wanted: Sequence[object], context: Context, *, distinct: bool
) -> ColumnPlan:
    """Plan fetching these fields and terms; names may go along foreign keys.

    Raises ``ValueError`` for names that are none, and for no names.
    """
    found = _found(spec, wanted, context)
    if not found:
        msg = "name at least one field"
        raise ValueError(msg)
    spec = spec.ranked()
    frame = spec.frame(paths_in(found))
    selected = join(", ", [_selected(each, frame) for each in found])
    head = "DISTINCT " if distinct else ""
    rows = rows_of(spec, frame, Fragment(f"{head}{selected.sql}", selected.params))
    memo = memo_of(spec, ("columns", repr(rows)), frame.reads, context)
    local = context.settings.return_local_time
    return ColumnPlan(Statement(*rows), found, frame.reads, memo, local)


def plan_aggregate(
    spec: QuerySpec[Any], function: str, wanted: object, context: Context
) -> ColumnPlan:
    """Plan one aggregate of a field, or a term; raises ``ValueError``."""
    (value,) = _found(spec, (wanted,), context)
    rows = spec if spec.is_windowed else spec.but(order=())
    frame = rows.frame(value.paths)
    inner, label = _selected(value, frame), '"value"'
    if isinstance(value, Stored):
        label = value.column.sql
    else:
        inner = Fragment(f"{inner.sql} AS {label}", inner.params)
    found = rows_of(rows, frame, inner)
    one = Built((label,), value.kind, value.like, value.decode)
    result = applied(Function(function, ()), [one])
    sql = f"SELECT {result.render(frame).sql} FROM ({found.sql})"
    kind = ("aggregate", function, repr(found))
    memo = memo_of(spec, kind, frame.reads, context)
    local = context.settings.return_local_time
    return ColumnPlan(Statement(sql, found.params), (result,), frame.reads, memo, local)


def _found(
    spec: QuerySpec[Any], wanted: Iterable[object], context: Context
) -> tuple[Computed, ...]:
    names = Rows(spec, context)
    found = tuple(names.computed(_term(each)) for each in wanted)
    for each, result in zip(wanted, found, strict=True):
        if result.level is Level.GROUP:
            msg = f"{each!r} is computed of many rows: annotate() and fetch_dicts()"
            raise ValueError(msg)
    return found


def _term(given: object) -> Term[Any]:
    if isinstance(given, str):
        return F(given)
    if not isinstance(given, (Term, Q)):
        msg = f"{given!r} is neither the name of a field nor an expression"
        raise ValueError(msg)
    return term_of(given)


def _selected(result: Computed, frame: Frame) -> Fragment:
    """Return its SQL as it is selected."""
    if isinstance(result, Stored):
        return Fragment(f"{frame.prefix(result.path)}{result.column.sql}")
    return result.render(frame)
