"""A question about one table, as immutable data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from sqliter.model.model import BaseDBModel
from sqliter.model.relations import Relation
from sqliter.model.table import Column, Table
from sqliter.planning.aggregates import AggregateSpec
from sqliter.planning.computed import Computed, direction
from sqliter.planning.conditions import (
    Comparison,
    Condition,
    certain_paths,
    paths_of,
)
from sqliter.planning.counting import RelatedCount
from sqliter.planning.frame import Beside, Frame, Path
from sqliter.planning.search import Matches
from sqliter.sql.fragment import Fragment
from sqliter.terms.term import Nulls

__all__ = [
    "Aggregate",
    "Comparison",
    "Condition",
    "Order",
    "PrefetchNode",
    "QuerySpec",
    "Selection",
]

M = TypeVar("M", bound=BaseDBModel)

Aggregate: TypeAlias = AggregateSpec | RelatedCount | Computed

_OPPOSITE: dict[Nulls, Nulls] = {"first": "last", "last": "first"}


class Order(NamedTuple):
    """One ordering term: a column (at the end of a path), or an expression.

    ``sql`` names what is ``computed``, if anything is.
    ``nulls`` is ``"first"``, ``"last"`` or SQLite's own.
    """

    sql: str
    descending: bool = False
    nulls: Nulls | None = None
    path: Path | None = ()
    computed: Computed | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it looks, along foreign keys."""
        if self.computed is not None:
            return self.computed.paths
        return (self.path,) if self.path else ()

    def reversed(self) -> Order:
        """Return the term that orders the other way round."""
        nulls = _OPPOSITE[self.nulls] if self.nulls else None
        return self._replace(descending=not self.descending, nulls=nulls)

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        tail = direction(descending=self.descending, nulls=self.nulls)
        if self.computed is not None:
            sql, params = self.computed.render(frame)
            return Fragment(f"{sql} {tail}", params)
        prefix = "" if self.path is None else frame.prefix(self.path)
        return Fragment(f"{prefix}{self.sql} {tail}")


class Selection(NamedTuple):
    """The fields asked for, in order; ``only`` when it is exactly one."""

    fields: tuple[str, ...]
    only: bool = False

    @property
    def loaded(self) -> tuple[str, ...]:
        """The fields that are fetched: those asked for, and the key."""
        return self.fields if "pk" in self.fields else (*self.fields, "pk")


@dataclass(frozen=True)
class PrefetchNode:
    """A relation to fetch for all rows at once, and those of its rows in turn.

    ``query`` narrows, orders or cuts what is fetched for each row.
    """

    relation: Relation
    query: QuerySpec[Any] | None = None
    children: tuple[PrefetchNode, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class QuerySpec(Generic[M]):
    """Which rows, which columns, in which order, grouped how, with what beside them.

    ``grouped`` are those of the aggregates that are none: groups have them in common.
    ``related`` are the foreign keys whose rows are asked for; ``parent`` is what
    every row's foreign key of that name is known to lead to.
    """

    table: Table
    conditions: tuple[Condition, ...] = ()
    selection: Selection | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    is_projection: bool = False
    group_by: tuple[Column, ...] = ()
    grouped: tuple[str, ...] = ()
    aggregates: tuple[tuple[str, Aggregate], ...] = ()
    having: tuple[Condition, ...] = ()
    cached: bool = True
    ttl: float | None = None
    related: tuple[Path, ...] = ()
    prefetch: tuple[PrefetchNode, ...] = ()
    parent: tuple[str, Any] | None = None
    shares_lazy: bool = False

    def but(self, **changes: Any) -> QuerySpec[M]:
        """Return the same question, but for these parts of it."""
        twin: QuerySpec[M] = object.__new__(QuerySpec)
        vars(twin).update(vars(self), **changes)
        return twin

    @property
    def is_plain(self) -> bool:
        """Whether whole rows are asked for, and nothing beside them."""
        return (
            self.selection is None
            and self.parent is None
            and not (self.related or self.prefetch)
            and not self.shares_lazy
        )

    @property
    def is_windowed(self) -> bool:
        """Whether only a part of the matching rows is asked for."""
        return bool(self.offset) or (self.limit is not None and self.limit >= 0)

    @property
    def loaded(self) -> tuple[Path, ...]:
        """The foreign keys whose rows come along.

        Those of filters do so, too: they are joined anyway. A selection of fields
        says what is wanted, so then only what was asked for does.
        """
        if self.selection is not None:
            return self.related
        compared = (each for each in self.conditions if isinstance(each, Comparison))
        return tuple(dict.fromkeys((*paths_of(compared), *self.related)))

    @property
    def search(self) -> Matches | None:
        """What is searched for; the last search counts."""
        found = [each for each in self.conditions if isinstance(each, Matches)]
        return found[-1] if found else None

    @property
    def ranking(self) -> Matches | None:
        """The search that the rows are ordered by, if they are."""
        ranks = [term.sql for term in self.order if term.path is None]
        for each in self.conditions if ranks else ():
            if isinstance(each, Matches) and each.rank in ranks:
                return each
        return None

    def ranked(self) -> QuerySpec[M]:
        """Return the question with the order of a search, if it has no other."""
        found = None if self.order else self.search
        return self.but(order=(Order(found.rank, path=None),)) if found else self

    def frame(
        self,
        loaded: tuple[Path, ...] = (),
        *,
        beside: Beside | None = None,
        aliased: bool = False,
        around: Frame | None = None,
    ) -> Frame:
        """Return what is read from, with the rows of these foreign keys."""
        ordered = [path for term in self.order for path in term.paths]
        others = [*loaded, *ordered]
        certain, loose = certain_paths(self.conditions), paths_of(self.conditions)
        ranking = self.ranking if self.order else None
        return Frame(
            self.table,
            certain,
            others,
            loose=loose,
            aliased=aliased,
            around=around,
            beside=beside or (ranking.beside if ranking else None),
        )
