"""From a question to the statement that answers it, and the loader of its rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from sqliter.core.context import Context
from sqliter.core.statement import Memo, Row, Statement
from sqliter.model.loader import Loader, loader_of, read
from sqliter.model.model import BaseDBModel
from sqliter.model.table import Column, Table
from sqliter.planning.projection import output_columns
from sqliter.planning.spec import Condition, Order, QuerySpec, Selection
from sqliter.sql.fragment import Fragment, join

__all__ = [
    "GroupPlan",
    "SelectPlan",
    "count_statement",
    "exists_statement",
    "first",
    "get_statement",
    "narrowed",
    "plan_groups",
    "plan_last",
    "plan_select",
    "where",
]

M = TypeVar("M", bound=BaseDBModel)


class SelectPlan(NamedTuple, Generic[M]):
    """A statement whose rows are instances."""

    statement: Statement
    loader: Loader[M]
    memo: Memo | None

    def load(self, rows: Iterable[Row]) -> list[M]:
        """Return an instance per row."""
        return self.loader.load(rows)


class GroupPlan(NamedTuple):
    """A statement whose rows are dicts: groups, and aggregates over them."""

    statement: Statement
    outputs: tuple[tuple[str, Column | None], ...]
    memo: Memo | None
    local: bool

    def load(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """Return a dict per row, values in the types of their fields."""
        return [
            {
                key: value if column is None else read(column, value, local=self.local)
                for (key, column), value in zip(self.outputs, row, strict=True)
            }
            for row in rows
        ]


def plan_select(
    spec: QuerySpec[M], context: Context, kind: str = "all"
) -> SelectPlan[M]:
    """Plan fetching the rows of a query; ``kind`` keeps cached answers apart."""
    spec = _shareable(spec, context)
    return _plan(spec, _rows_of(spec, _columns(spec)), context, kind)


def plan_last(spec: QuerySpec[M], context: Context) -> SelectPlan[M]:
    """Plan fetching the last row in the query's order, with ``pk`` as tie-break."""
    spec = _shareable(spec, context)
    order = _complete_order(spec)
    backwards = tuple(term.reversed() for term in order)
    if not spec.is_windowed:
        return plan_select(narrowed(spec._replace(order=backwards)), context, "last")
    pk = spec.table.pk.sql
    rows = _rows_of(spec._replace(order=order), pk)
    terms = ", ".join(term.render() for term in backwards)
    sql = (
        f"SELECT {_columns(spec)} FROM {spec.table.sql} "
        f"WHERE {pk} IN ({rows.sql}) ORDER BY {terms} LIMIT ?"
    )
    return _plan(spec, Fragment(sql, (*rows.params, 1)), context, "last")


def plan_groups(spec: QuerySpec[Any], context: Context) -> GroupPlan:
    """Plan fetching groups and aggregates."""
    outputs = output_columns(spec)
    columns = ", ".join(sql for _, sql, _ in outputs)
    parts = [
        Fragment(f"SELECT {columns} FROM {spec.table.sql}"),
        where(spec.conditions),
        _group_by(spec),
        _clause("HAVING", spec.having),
        _order_by(spec),
        _limit(spec),
    ]
    fragment = join("", parts)
    local = context.settings.return_local_time
    kept = tuple((key, column) for key, _, column in outputs)
    memo = _memo(spec, ("groups", spec.table, local), context)
    return GroupPlan(Statement(*fragment), kept, memo, local)


def get_statement(table: Table, primary_key: Any) -> Statement:
    """Return the statement that fetches one row by its key."""
    sql = table.prepare(
        "get",
        lambda: f"SELECT {table.select_list} FROM {table.sql} WHERE {table.pk.sql} = ?",
    )
    return Statement(sql, (primary_key,))


def count_statement(spec: QuerySpec[Any]) -> Statement:
    """Return the statement that counts the rows; limit and offset are honoured."""
    if spec.is_windowed:
        rows = _rows_of(spec, "1")
        return Statement(f"SELECT COUNT(*) FROM ({rows.sql})", rows.params)
    condition = where(spec.conditions)
    return Statement(
        f"SELECT COUNT(*) FROM {spec.table.sql}{condition.sql}", condition.params
    )


def exists_statement(spec: QuerySpec[Any]) -> Statement:
    """Return the statement that tells whether there is any row."""
    rows = _rows_of(narrowed(spec._replace(order=())), "1")
    return Statement(f"SELECT EXISTS ({rows.sql})", rows.params)


def narrowed(spec: QuerySpec[M]) -> QuerySpec[M]:
    """Return the same question for one row at the most."""
    none = spec.limit == 0
    return spec._replace(limit=0 if none else 1)


def first(spec: QuerySpec[M]) -> QuerySpec[M]:
    """Return the question for the first row in the query's order, else by ``pk``."""
    order = spec.order or (Order(spec.table.pk.sql),)
    return narrowed(spec._replace(order=order))


def where(conditions: tuple[Condition, ...]) -> Fragment:
    """Return the WHERE clause with a space before it, or nothing."""
    return _clause("WHERE", conditions)


def _plan(
    spec: QuerySpec[M], fragment: Fragment, context: Context, kind: str
) -> SelectPlan[M]:
    fields = spec.selection.loaded if spec.selection else None
    local = context.settings.return_local_time
    loader: Loader[M] = loader_of(spec.table, fields, local=local)
    memo = _memo(spec, (kind, loader), context)
    return SelectPlan(Statement(*fragment), loader, memo)


def _memo(spec: QuerySpec[Any], kind: object, context: Context) -> Memo | None:
    """Return how the answer is remembered: by all that it depends on."""
    if not _is_remembered(spec, context):
        return None
    name = spec.table.name
    window = (spec.order, spec.limit, spec.offset)
    groups = (tuple(c.field for c in spec.group_by), spec.aggregates)
    key = (kind, _texts(spec.conditions), window, groups, _texts(spec.having))
    return Memo(key, name, (name,), spec.ttl)


def _texts(conditions: tuple[Condition, ...]) -> frozenset[str]:
    # Texts tell 1, 1.0, True, "1" and -0.0 apart, which are equal as values.
    return frozenset(repr(condition.render()) for condition in conditions)


def _is_remembered(spec: QuerySpec[Any], context: Context) -> bool:
    return context.cache.enabled and spec.cached


def _shareable(spec: QuerySpec[M], context: Context) -> QuerySpec[M]:
    """Bring a selection into one order, so that equal ones share an answer."""
    if spec.selection is None or not _is_remembered(spec, context):
        return spec
    chosen = spec.selection.loaded
    fields = tuple(field for field in spec.table.fields if field in chosen)
    return spec._replace(selection=Selection(fields))


def _rows_of(spec: QuerySpec[Any], columns: str) -> Fragment:
    head = Fragment(f"SELECT {columns} FROM {spec.table.sql}")
    return join("", [head, where(spec.conditions), _order_by(spec), _limit(spec)])


def _columns(spec: QuerySpec[Any]) -> str:
    if spec.selection is None:
        return spec.table.select_list
    columns = spec.table.by_field
    return ", ".join(columns[field].selected for field in spec.selection.loaded)


def _clause(keyword: str, conditions: tuple[Condition, ...]) -> Fragment:
    if not conditions:
        return Fragment("")
    joined = join(" AND ", (condition.render() for condition in conditions))
    return Fragment(f" {keyword} {joined.sql}", joined.params)


def _group_by(spec: QuerySpec[Any]) -> Fragment:
    if not spec.group_by:
        return Fragment("")
    return Fragment(" GROUP BY " + ", ".join(c.compared for c in spec.group_by))


def _order_by(spec: QuerySpec[Any]) -> Fragment:
    if not spec.order:
        return Fragment("")
    return Fragment(" ORDER BY " + ", ".join(term.render() for term in spec.order))


def _limit(spec: QuerySpec[Any]) -> Fragment:
    if spec.offset:
        limit = -1 if spec.limit is None else spec.limit
        return Fragment(" LIMIT ? OFFSET ?", (limit, spec.offset))
    if spec.limit is None:
        return Fragment("")
    return Fragment(" LIMIT ?", (spec.limit,))


def _complete_order(spec: QuerySpec[Any]) -> tuple[Order, ...]:
    pk = spec.table.pk.sql
    if any(term.sql == pk for term in spec.order):
        return spec.order
    return (*spec.order, Order(pk))
