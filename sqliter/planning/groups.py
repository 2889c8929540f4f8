"""From a question about groups to the statement that answers it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqliter.core.context import Context
from sqliter.core.statement import Memo, Row, Statement
from sqliter.helpers import quote_identifier
from sqliter.model.table import Column, Table
from sqliter.planning.aggregates import AggregateSpec
from sqliter.planning.computed import Computed, Stored, decoded
from sqliter.planning.conditions import all_of
from sqliter.planning.counting import RelatedCount
from sqliter.planning.frame import Frame, Reads
from sqliter.planning.projection import aggregate_output
from sqliter.planning.select import limit_clause, memo_of, order_clause
from sqliter.planning.spec import Aggregate, QuerySpec
from sqliter.sql.fragment import Fragment, join

__all__ = ["GroupPlan", "plan_groups"]


class GroupPlan(NamedTuple):
    """A statement whose rows are dicts: groups, and aggregates over them."""

    statement: Statement
    outputs: tuple[tuple[str, Computed | None], ...]
    reads: Reads
    memo: Memo | None
    local: bool

    def load(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """Return a dict per row, values in the types of their fields."""
        return [
            {
                key: value if like is None else decoded(like, value, local=self.local)
                for (key, like), value in zip(self.outputs, row, strict=True)
            }
            for row in rows
        ]


def plan_groups(spec: QuerySpec[Any], context: Context) -> GroupPlan:
    """Plan fetching groups and aggregates."""
    counts = any(isinstance(each, RelatedCount) for _, each in spec.aggregates)
    frame = Frame(spec.table, aliased=counts)
    outputs = [_group(spec.table, each) for each in spec.group_by]
    outputs += [_aggregate(spec, frame, *pair) for pair in spec.aggregates]
    columns = join(", ", (fragment for _, fragment, _ in outputs))
    fragment = join(
        "",
        [
            Fragment(f"SELECT {columns.sql} FROM {frame.sql}", columns.params),
            all_of("WHERE", spec.conditions, frame),
            Fragment(_group_by(spec, counts=counts)),
            all_of("HAVING", spec.having, frame),
            order_clause(spec, frame),
            limit_clause(spec.limit, spec.offset),
        ],
    )
    kept = tuple((key, like) for key, _, like in outputs)
    memo = memo_of(spec, ("groups", repr(fragment)), frame.reads, context)
    local = context.settings.return_local_time
    return GroupPlan(Statement(*fragment), kept, frame.reads, memo, local)


def _group(table: Table, column: Column) -> tuple[str, Fragment, Computed | None]:
    sql = f"{column.sql} AS {quote_identifier(column.field)}"
    return column.field, Fragment(sql), Stored(table, column, ())


def _aggregate(
    spec: QuerySpec[Any], frame: Frame, alias: str, each: Aggregate
) -> tuple[str, Fragment, Computed | None]:
    if isinstance(each, RelatedCount):
        counted = each.render(frame, spec.group_by, spec.conditions)
        return alias, Fragment(f"{counted.sql} AS {each.sql}", counted.params), None
    name = quote_identifier(alias)
    if isinstance(each, AggregateSpec):
        sql, column = aggregate_output(spec.table, each)
        like = None if column is None else Stored(spec.table, column, ())
        return alias, Fragment(f"{sql} AS {name}"), like
    found = each.render(frame)
    return alias, Fragment(f"{found.sql} AS {name}", found.params), each


def _group_by(spec: QuerySpec[Any], *, counts: bool) -> str:
    if not spec.group_by:
        return ""
    pk = spec.table.pk
    by_row = counts and pk in spec.group_by
    columns = [pk] if by_row else spec.group_by
    return " GROUP BY " + ", ".join(column.compared for column in columns)
