"""The rows at the other end of a relation, for many owners in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqliter.core.context import Context
from sqliter.core.statement import Memo, Row, Statement, Value
from sqliter.helpers import quote_identifier
from sqliter.model.relations import Relation
from sqliter.planning.conditions import all_of
from sqliter.planning.frame import Frame, Reads
from sqliter.planning.reading import Reader
from sqliter.planning.select import memo_of, order_clause, ordered
from sqliter.planning.spec import PrefetchNode, QuerySpec
from sqliter.sql.fragment import Fragment, join
from sqliter.sql.lookups import Operand
from sqliter.sql.lookups.lists import In

__all__ = ["ChildrenPlan", "plan_children"]

_IN = In()

OWNER = -2
"""Where in a row the owner's key stands."""


class ChildrenPlan(NamedTuple):
    """A statement whose rows are an instance, the key of its owner, and a number."""

    statement: Statement
    reader: Reader[Any]
    reads: Reads
    memo: Memo | None
    is_shared: bool
    """Whether the same row may belong to many owners."""

    def load(self, rows: Sequence[Row], context: Context) -> dict[Value, list[Any]]:
        """Return the instances by owner; the same row is the same object."""
        found: dict[Value, list[Any]] = {row[OWNER]: [] for row in rows}
        for row, instance in zip(rows, self._instances(rows, context), strict=True):
            found[row[OWNER]].append(instance)
        return found

    def _instances(self, rows: Sequence[Row], context: Context) -> Iterable[Any]:
        if not self.is_shared:
            return self.reader.load(rows, context.database)
        place = self.reader.key_position
        different = {row[place]: row for row in rows}
        instances = self.reader.load(list(different.values()), context.database)
        by_key = dict(zip(different, instances, strict=True))
        return [by_key[row[place]] for row in rows]


def plan_children(
    node: PrefetchNode, keys: Iterable[int], parent: QuerySpec[Any], context: Context
) -> ChildrenPlan:
    """Plan fetching what belongs to these owners.

    A query's limit and offset count for each owner.
    """
    relation = node.relation
    spec = (node.query or QuerySpec(relation.target_table)).ranked()
    spec = spec.but(
        cached=spec.cached and parent.cached,
        ttl=parent.ttl,
        prefetch=(*node.children, *spec.prefetch),
    )
    frame = _frame(spec)
    owner, source = _owner(relation, frame)
    reader = Reader(spec, frame, local=context.settings.return_local_time, rest=2)
    wanted = _IN.render(Operand("", owner, "INTEGER", int), (tuple(keys), False))
    where = all_of("AND", spec.conditions, frame)
    number = _number(spec, frame, owner)
    head = f'SELECT {reader.columns}, {owner} AS "owner", {number.sql} AS "number"'
    rows = Fragment(f"{head} FROM {source} WHERE ", number.params)
    rows = join("", [rows, wanted, where])
    fragment = _cut(spec, frame, rows)
    memo = memo_of(spec, (relation, wanted, reader.fields), frame.reads, context)
    is_shared = relation.junction is not None
    return ChildrenPlan(Statement(*fragment), reader, frame.reads, memo, is_shared)


def _frame(spec: QuerySpec[Any]) -> Frame:
    # With an alias, whatever a field is called: nothing is mistaken for "number".
    return spec.frame(spec.loaded, aliased=True)


def _owner(relation: Relation, frame: Frame) -> tuple[str, str]:
    """Return the expression of the owner's key, and what is selected from."""
    column = f"{frame.prefix(())}{relation.target_column.sql}"
    if relation.junction is None:
        return column, frame.sql
    links = frame.alias_of_junction(relation.junction)
    target = f"{links}.{quote_identifier(relation.junction.target)}"
    joined = f"{relation.junction.links} AS {links} ON {target} = {column}"
    source = f"{links}.{quote_identifier(relation.junction.source)}"
    return source, f"{frame.sql} INNER JOIN {joined}"


def _number(spec: QuerySpec[Any], frame: Frame, owner: str) -> Fragment:
    """Return the place of a row among those of its owner, if it matters."""
    if not spec.is_windowed:
        return Fragment("0")
    order = order_clause(ordered(spec), frame)
    over = f"PARTITION BY {owner}{order.sql}"
    return Fragment(f"ROW_NUMBER() OVER ({over})", order.params)


def _cut(spec: QuerySpec[Any], frame: Frame, rows: Fragment) -> Fragment:
    if not spec.is_windowed:
        return join("", [rows, order_clause(spec, frame)])
    low = spec.offset or 0
    sql = f'SELECT * FROM ({rows.sql}) WHERE "number" > ?'
    params = (*rows.params, low)
    if spec.limit is not None and spec.limit >= 0:
        sql, params = f'{sql} AND "number" <= ?', (*params, low + spec.limit)
    return Fragment(f'{sql} ORDER BY "owner", "number"', params)
