"""A question about one table, as immutable data."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

from sqliter.model.model import BaseDBModel
from sqliter.model.table import Column, Table
from sqliter.planning.aggregates import AggregateSpec
from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups import Lookup, Operand

__all__ = ["Condition", "Order", "QuerySpec", "Selection"]

M = TypeVar("M", bound=BaseDBModel)


class Condition(NamedTuple):
    """A comparison that must hold.

    ``value`` is what the user gave, ``prepared`` what the lookup made of it.
    """

    operand: Operand
    lookup: Lookup
    value: Any
    prepared: Any

    def render(self) -> Fragment:
        """Return its SQL."""
        return self.lookup.render(self.operand, self.prepared)


class Order(NamedTuple):
    """One ordering term; ``nulls`` is ``"first"``, ``"last"`` or SQLite's own."""

    sql: str
    descending: bool = False
    nulls: str | None = None

    def reversed(self) -> Order:
        """Return the term that orders the other way round."""
        nulls = {"first": "last", "last": "first"}.get(self.nulls or "")
        return Order(self.sql, not self.descending, nulls)

    def render(self) -> str:
        """Return its SQL."""
        direction = "DESC" if self.descending else "ASC"
        nulls = f" NULLS {self.nulls.upper()}" if self.nulls else ""
        return f"{self.sql} {direction}{nulls}"


class Selection(NamedTuple):
    """The fields asked for, in order; ``only`` when it is exactly one."""

    fields: tuple[str, ...]
    only: bool = False

    @property
    def loaded(self) -> tuple[str, ...]:
        """The fields that are fetched: those asked for, and the key."""
        return self.fields if "pk" in self.fields else (*self.fields, "pk")


class QuerySpec(NamedTuple, Generic[M]):
    """Which rows, which columns, in which order, grouped how."""

    table: Table
    conditions: tuple[Condition, ...] = ()
    selection: Selection | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    is_projection: bool = False
    group_by: tuple[Column, ...] = ()
    aggregates: tuple[tuple[str, AggregateSpec], ...] = ()
    having: tuple[Condition, ...] = ()
    cached: bool = True
    ttl: float | None = None

    @property
    def is_windowed(self) -> bool:
        """Whether only a part of the matching rows is asked for."""
        return bool(self.offset) or (self.limit is not None and self.limit >= 0)
