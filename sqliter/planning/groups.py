"""From a question about groups to the statement that answers it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqliter.core.context import Context
from sqliter.core.statement import Memo, Row, Statement
from sqliter.exceptions import InvalidProjectionError
from sqliter.helpers import quote_identifier
from sqliter.model.table import Column, Table
from sqliter.planning.aggregates import AggregateSpec
from sqliter.planning.bare import check_bare
from sqliter.planning.computed import Computed, Level, Stored, collated, decoded
from sqliter.planning.conditions import all_of
from sqliter.planning.counting import RelatedCount
from sqliter.planning.frame import Frame, Reads
from sqliter.planning.projection import aggregate_output
from sqliter.planning.select import limit_clause, memo_of, order_clause
from sqliter.planning.spec import Aggregate, QuerySpec
from sqliter.sql.fragment import Fragment, join

__all__ = [
    "GroupPlan",
    "Output",
    "frame_of",
    "grouped",
    "outputs_of",
    "plan_groups",
    "values_of",
]


class Output(NamedTuple):
    """A value of a group: its name, its SQL, and what its values are like, if known."""

    key: str
    sql: Fragment
    like: Computed | None


class GroupPlan(NamedTuple):
    """A statement whose rows are dicts: groups, and aggregates over them."""

    statement: Statement
    outputs: tuple[Output, ...]
    reads: Reads
    memo: Memo | None
    local: bool

    def load(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """Return a dict per row, values in the types of their fields."""
        return values_of(self.outputs, rows, local=self.local)


def plan_groups(spec: QuerySpec[Any], context: Context) -> GroupPlan:
    """Plan fetching groups and aggregates."""
    _check_levels(spec)
    frame = frame_of(spec)
    groups = (_group(spec.table, each) for each in spec.group_by)
    outputs = (*groups, *outputs_of(spec, frame))
    statement = grouped(spec, frame, join(", ", (each.sql for each in outputs)))
    memo = memo_of(spec, ("groups", repr(statement)), frame.reads, context)
    local = context.settings.return_local_time
    return GroupPlan(statement, outputs, frame.reads, memo, local)


def _check_levels(spec: QuerySpec[Any]) -> None:
    """Refuse what has many values per group."""
    for alias, each in spec.aggregates:
        if isinstance(each, (AggregateSpec, RelatedCount)):
            continue
        is_of_group = alias in spec.grouped or spec.table.pk in spec.group_by
        if each.level is Level.ROW and not is_of_group:
            text = f"'{alias}' is no aggregate: it has a value per row, not per group; "
            raise InvalidProjectionError(f"{text}use fetch_annotated() or values()")
        if alias not in spec.grouped:
            check_bare(spec, f"'{alias}'", each)


def frame_of(spec: QuerySpec[Any]) -> Frame:
    """Return what groups are made of; a count looks at it from inside."""
    return Frame(spec.table, aliased=_has_counts(spec))


def outputs_of(spec: QuerySpec[Any], frame: Frame) -> tuple[Output, ...]:
    """Return the aggregates of a query."""
    return tuple(_aggregate(spec, frame, *pair) for pair in spec.aggregates)


def grouped(spec: QuerySpec[Any], frame: Frame, columns: Fragment) -> Statement:
    """Return the SELECT of these columns of the groups."""
    fragment = join(
        "",
        [
            Fragment(f"SELECT {columns.sql} FROM {frame.sql}", columns.params),
            all_of("WHERE", spec.conditions, frame),
            Fragment(_group_by(spec)),
            all_of("HAVING", spec.having, frame),
            order_clause(spec, frame),
            limit_clause(spec.limit, spec.offset),
        ],
    )
    return Statement(*fragment)


def values_of(
    outputs: Sequence[Output], rows: Iterable[Row], *, local: bool
) -> list[dict[str, Any]]:
    """Return the values by name; raises ``ValueError`` for what does not fit."""
    return [
        {
            key: value if like is None else decoded(like, value, local=local)
            for (key, _, like), value in zip(outputs, row, strict=True)
        }
        for row in rows
    ]


def _group(table: Table, column: Column) -> Output:
    sql = f"{column.sql} AS {quote_identifier(column.field)}"
    return Output(column.field, Fragment(sql), Stored(table, column, ()))


def _aggregate(
    spec: QuerySpec[Any], frame: Frame, alias: str, each: Aggregate
) -> Output:
    if isinstance(each, RelatedCount):
        counted = each.render(frame, spec.group_by, spec.conditions)
        fragment = Fragment(f"{counted.sql} AS {each.sql}", counted.params)
        return Output(alias, fragment, None)
    name = quote_identifier(alias)
    if isinstance(each, AggregateSpec):
        sql, column = aggregate_output(spec.table, each)
        like = None if column is None else Stored(spec.table, column, ())
        return Output(alias, Fragment(f"{sql} AS {name}"), like)
    found = collated(each).render(frame)
    return Output(alias, Fragment(f"{found.sql} AS {name}", found.params), each)


def _has_counts(spec: QuerySpec[Any]) -> bool:
    return any(isinstance(each, RelatedCount) for _, each in spec.aggregates)


def _group_by(spec: QuerySpec[Any]) -> str:
    pk = spec.table.pk
    by_row = pk in spec.group_by and _has_counts(spec)
    terms = [column.compared for column in ([pk] if by_row else spec.group_by)]
    places = enumerate(spec.aggregates, len(spec.group_by) + 1)
    terms += [str(place) for place, (alias, _) in places if alias in spec.grouped]
    return " GROUP BY " + ", ".join(terms) if terms else ""
