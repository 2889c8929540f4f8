"""From a question to the statement that answers it, and the reader of its rows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqliter.core.context import Context
from sqliter.core.statement import Memo, Row, Statement
from sqliter.model.model import BaseDBModel
from sqliter.model.table import Table
from sqliter.planning.conditions import Condition, all_of
from sqliter.planning.frame import Frame, Reads
from sqliter.planning.keys import stored_key
from sqliter.planning.reading import Reader
from sqliter.planning.spec import Order, QuerySpec, Selection
from sqliter.sql.fragment import Fragment, join

__all__ = [
    "ScalarPlan",
    "SelectPlan",
    "backwards",
    "count_plan",
    "exists_plan",
    "get_sql",
    "get_statement",
    "limit_clause",
    "matching_keys",
    "memo_of",
    "number_of",
    "order_clause",
    "ordered",
    "plan_last_of_window",
    "plan_select",
    "rows_of",
    "texts_of",
]

M = TypeVar("M", bound=BaseDBModel)


class SelectPlan(NamedTuple, Generic[M]):
    """A statement whose rows are instances, and everything that it reads."""

    statement: Statement
    reader: Reader[M]
    reads: Reads
    memo: Memo | None

    def load(self, rows: Sequence[Row], context: Context) -> list[M]:
        """Return an instance per row."""
        return self.reader.load(rows, context.database)

    def loading(self, context: Context) -> Callable[[list[Row]], list[M]]:
        """Return the same as a function of the rows."""
        load = self.reader.load
        if not self.reader.binds:
            return load
        return functools.partial(load, database=context.database)

    def loading_first(self, context: Context) -> Callable[[list[Row]], M | None]:
        """Return what makes an instance of the first row, if there is one."""
        load = self.loading(context)

        def load_first(rows: list[Row]) -> M | None:
            return load(rows)[0] if rows else None

        return load_first


class ScalarPlan(NamedTuple):
    """A statement that gives one number, and everything that it reads."""

    statement: Statement
    reads: Reads


def plan_select(
    spec: QuerySpec[M], context: Context, kind: str = "all"
) -> SelectPlan[M]:
    """Plan fetching the rows of a query; ``kind`` keeps cached answers apart."""
    spec = _shareable(spec, context).ranked()
    frame = spec.frame(spec.loaded)
    reader = Reader(spec, frame, local=context.settings.return_local_time)
    return _plan(
        spec, frame, reader, rows_of(spec, frame, reader.columns), context, kind
    )


def plan_last_of_window(spec: QuerySpec[M], context: Context) -> SelectPlan[M]:
    """Plan fetching the last one of the rows between offset and limit."""
    spec = _shareable(spec, context).ranked()
    order = _complete_order(spec)
    ranks = (spec.ranking,) if spec.ranking else ()
    outer = backwards(spec).but(conditions=ranks, related=spec.loaded)
    frame = outer.frame(outer.loaded)
    reader: Reader[M] = Reader(outer, frame, local=context.settings.return_local_time)
    keys = matching_keys(spec.but(order=order), frame)
    pk = f"{frame.prefix(())}{spec.table.pk.sql}"
    head = f"SELECT {reader.columns} FROM {frame.sql} WHERE {pk} IN ({keys.sql})"
    limit = Fragment(" LIMIT ?", (1,))
    found, tests = Fragment(head, keys.params), all_of("AND", outer.conditions, frame)
    fragment = join("", [found, tests, order_clause(outer, frame), limit])
    return _plan(spec, frame, reader, fragment, context, "last")


def get_statement(
    table: Table, primary_key: Any, fields: tuple[str, ...] | None = None
) -> Statement:
    """Return the statement that fetches one row by its key; all fields, or these.

    Raises a ``Fault`` for what can be no key.
    """
    if table.is_keyed:
        primary_key = stored_key(table, primary_key)
    return Statement(table.prepare(_get_sql, fields), (primary_key,))


def get_sql(table: Table) -> str:
    """Return the SQL of it, for all fields."""
    return table.prepare(_get_sql, None)


def _get_sql(table: Table, fields: tuple[str, ...] | None) -> str:
    columns = ", ".join(table.by_field[f].selected for f in fields or table.fields)
    return f"SELECT {columns} FROM {table.sql} WHERE {table.pk.sql} = ?"


def number_of(rows: Sequence[Row]) -> int:
    """Return the one number that a statement gave; 0 for NULL."""
    return int(rows[0][0] or 0)


def count_plan(spec: QuerySpec[Any]) -> ScalarPlan:
    """Plan counting the rows; limit and offset are honoured."""
    frame = (spec if spec.is_windowed else spec.but(order=())).frame()
    if spec.is_windowed:
        rows = rows_of(spec, frame, "1")
        fragment = Fragment(f"SELECT COUNT(*) FROM ({rows.sql})", rows.params)
    else:
        head = Fragment(f"SELECT COUNT(*) FROM {frame.sql}")
        fragment = join("", [head, all_of("WHERE", spec.conditions, frame)])
    return ScalarPlan(Statement(*fragment), frame.reads)


def exists_plan(spec: QuerySpec[Any]) -> ScalarPlan:
    """Plan asking whether there is any row."""
    spec = spec.but(order=(), limit=0 if spec.limit == 0 else 1)
    frame = spec.frame()
    rows = rows_of(spec, frame, "1")
    statement = Statement(f"SELECT EXISTS ({rows.sql})", rows.params)
    return ScalarPlan(statement, frame.reads)


def ordered(spec: QuerySpec[M]) -> QuerySpec[M]:
    """Return the question with an order: best matches first, or by ``pk``."""
    spec = spec.ranked()
    return spec if spec.order else spec.but(order=(Order(spec.table.pk.sql),))


def backwards(spec: QuerySpec[M]) -> QuerySpec[M]:
    """Return the question with its order turned round, and ``pk`` as tie-break."""
    spec = spec.ranked()
    return spec.but(order=tuple(term.reversed() for term in _complete_order(spec)))


def matching_keys(spec: QuerySpec[Any], around: Frame) -> Fragment:
    """Return the SELECT of the keys of the rows, for use inside a statement."""
    frame = spec.frame(around=around)
    return rows_of(spec, frame, f"{frame.prefix(())}{spec.table.pk.sql}")


def rows_of(spec: QuerySpec[Any], frame: Frame, columns: str | Fragment) -> Fragment:
    """Return the SELECT of these columns of the rows."""
    sql, params = (columns, ()) if isinstance(columns, str) else columns
    return join(
        "",
        [
            Fragment(f"SELECT {sql} FROM {frame.sql}", params),
            all_of("WHERE", spec.conditions, frame),
            order_clause(spec, frame),
            limit_clause(spec.limit, spec.offset),
        ],
    )


def order_clause(spec: QuerySpec[Any], frame: Frame) -> Fragment:
    """Return the ORDER BY clause with a space before it, or nothing."""
    if not spec.order:
        return Fragment("")
    sql, params = join(", ", [term.render(frame) for term in spec.order])
    return Fragment(f" ORDER BY {sql}", params)


def limit_clause(limit: int | None, offset: int | None) -> Fragment:
    """Return the LIMIT clause with a space before it, or nothing."""
    if offset:
        return Fragment(" LIMIT ? OFFSET ?", (-1 if limit is None else limit, offset))
    return Fragment("") if limit is None else Fragment(" LIMIT ?", (limit,))


def memo_of(
    spec: QuerySpec[Any], kind: object, reads: Reads, context: Context
) -> Memo | None:
    """Return how an answer is remembered: by all that it depends on.

    ``kind`` stands for what is neither in the conditions nor in the window.
    """
    if not _is_remembered(spec, context):
        return None
    paths = tuple(path for term in spec.order for path in term.paths)
    order = order_clause(spec, Frame(spec.table, paths))
    window = (paths, repr(order), spec.limit, spec.offset)
    local = context.settings.return_local_time
    key = (
        *(kind, local, spec.table, spec.selection, spec.loaded),
        *(texts_of(spec.conditions, spec), window),
    )
    return Memo(key, spec.table.name, reads.names, spec.ttl)


def texts_of(
    conditions: Iterable[Condition], spec: QuerySpec[Any]
) -> frozenset[tuple[object, str]]:
    """Return the conditions as keys of the cache.

    Texts tell 1, 1.0, True, "1" and -0.0 apart, which are equal as values.
    """
    return frozenset(
        (each.paths, repr(each.render(Frame(spec.table, each.paths))))
        for each in conditions
    )


def _plan(
    spec: QuerySpec[M],
    frame: Frame,
    reader: Reader[M],
    fragment: Fragment,
    context: Context,
    kind: str,
) -> SelectPlan[M]:
    memo = memo_of(spec, (kind, reader.fields), frame.reads, context)
    return SelectPlan(Statement(*fragment), reader, frame.reads, memo)


def _is_remembered(spec: QuerySpec[Any], context: Context) -> bool:
    return context.cache.enabled and spec.cached


def _shareable(spec: QuerySpec[M], context: Context) -> QuerySpec[M]:
    """Bring a selection into one order, so that equal ones share an answer."""
    if spec.selection is None or not _is_remembered(spec, context):
        return spec
    chosen = spec.selection.loaded
    fields = tuple(field for field in spec.table.fields if field in chosen)
    return spec.but(selection=Selection(fields))


def _complete_order(spec: QuerySpec[Any]) -> tuple[Order, ...]:
    pk = spec.table.pk.sql
    if any(term.sql == pk and term.path == () for term in spec.order):
        return spec.order
    return (*spec.order, Order(pk))
