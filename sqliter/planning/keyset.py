"""``page_after()``: the rows behind the last one of a page, and the next cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqliter.core.context import Context
from sqliter.core.page import KeysetPage
from sqliter.core.statement import Memo, Row, Statement
from sqliter.exceptions import InvalidOrderError
from sqliter.model.model import BaseDBModel
from sqliter.model.primary_key import key_kind_of
from sqliter.model.relations import forward_of
from sqliter.model.table import Column, Table
from sqliter.planning.behind import Behind, Key
from sqliter.planning.cursors import cursor_of, values_of
from sqliter.planning.frame import Frame, Reads
from sqliter.planning.reading import Reader
from sqliter.planning.select import memo_of, ordered, rows_of
from sqliter.planning.spec import Order, QuerySpec

__all__ = ["KeysetPlan", "plan_page"]

M = TypeVar("M", bound=BaseDBModel)

_MOST = 2**63 - 1  # rows that LIMIT can mean


class _Term(NamedTuple):
    """What rows are ordered by, and the column behind it."""

    order: Order
    column: Column

    @property
    def key(self) -> Key:
        """What decides which row comes first."""
        order, path = self.order, self.order.path or ()
        may_be_null = bool(path) or self.column.codec.nullable
        is_last = order.descending if order.nulls is None else order.nulls == "last"
        return Key(order.sql, path, order.descending, may_be_null and is_last)

    def stored(self, frame: Frame) -> str:
        """Return the SQL of the stored value."""
        return f"{frame.prefix(self.key.path)}{self.column.sql}"


class KeysetPlan(NamedTuple, Generic[M]):
    """A statement whose rows are instances, with their places in the order behind.

    It gives one row more than the page has, if there is one.
    """

    statement: Statement
    reader: Reader[M]
    reads: Reads
    memo: Memo | None
    size: int
    shape: str
    width: int

    def load(self, rows: Sequence[Row], context: Context) -> KeysetPage[M]:
        """Return the page."""
        shown = rows[: self.size]
        items = self.reader.load(shown, context.database)
        if len(rows) == len(shown):
            return KeysetPage(items, None)
        return KeysetPage(items, cursor_of(self.shape, shown[-1][-self.width :]))


def plan_page(
    spec: QuerySpec[M], cursor: str | None, size: int, context: Context
) -> KeysetPlan[M]:
    """Plan fetching so many rows behind a cursor, or the first ones.

    Raises ``InvalidCursorError``, and ``InvalidOrderError`` for what is no field.
    """
    terms = _terms(spec)
    keys = tuple(term.key for term in terms)
    shape = repr((spec.table.name, keys))
    found = spec.but(
        order=tuple(term.order for term in terms), limit=min(size + 1, _MOST)
    )
    if cursor is not None:
        kind = key_kind_of(spec.table.pk.codec)
        behind = Behind(keys, values_of(shape, cursor, len(keys), kind))
        found = found.but(conditions=(*spec.conditions, behind))
    frame = found.frame(spec.loaded)
    local = context.settings.return_local_time
    reader: Reader[M] = Reader(found, frame, local=local, rest=len(terms))
    columns = ", ".join([reader.columns, *(term.stored(frame) for term in terms)])
    statement = Statement(*rows_of(found, frame, columns))
    memo = memo_of(found, ("page", reader.fields), frame.reads, context)
    return KeysetPlan(statement, reader, frame.reads, memo, size, shape, len(terms))


def _terms(spec: QuerySpec[Any]) -> list[_Term]:
    """Return what rows are ordered by; no two of them are equal in all of it.

    The key that decides at last runs in the direction of the field before it, in which
    an index has it, too.
    """
    pk, terms = spec.table.pk, list[_Term]()
    for order in ordered(spec).order:
        terms.append(_Term(order, _column(spec.table, order)))
        if terms[-1].column is pk and not order.path:
            return terms
    return [*terms, _Term(Order(pk.sql, terms[-1].order.descending), pk)]


def _column(table: Table, order: Order) -> Column:
    for name in order.path or ():
        table = forward_of(table.model, name).target_table
    for column in table.columns:
        if order.path is not None and column.compared == order.sql:
            return column
    msg = "page_after() needs an order by fields: what is computed gives no cursor"
    raise InvalidOrderError(msg)
