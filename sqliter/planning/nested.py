"""Queries inside of queries, and what they know of those around them."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqliter.exceptions import InvalidFilterError
from sqliter.model.table import table_of
from sqliter.planning.computed import (
    BOOL,
    Computed,
    Decode,
    Kind,
    Level,
    Names,
    Stored,
)
from sqliter.planning.frame import Frame, Path
from sqliter.planning.paths import forward_column
from sqliter.planning.select import rows_of
from sqliter.planning.spec import QuerySpec
from sqliter.sql.fragment import Fragment
from sqliter.terms.attribute import Outer
from sqliter.terms.subquery import Exists, SubQuery

__all__ = ["among", "around", "existing", "nested"]


def nested(names: Names, term: SubQuery) -> Computed:
    """Return what a query gives; raises ``ValueError`` for a query of groups."""
    spec = _asked(term.spec)
    inner = names.inside(spec)
    value = inner.computed(term.term)
    if value.level is Level.GROUP and spec.is_windowed:
        msg = f"{term!r}: an aggregate is over all rows, without limit and offset"
        raise ValueError(msg)
    return _SubSelect(spec, value)


def among(value: Computed) -> Computed:
    """Return all that a query gives, for ``IN``; anything else as it is."""
    return value._replace(gives_all=True) if isinstance(value, _SubSelect) else value


def existing(term: Exists) -> Computed:
    """Return whether a query gives any row."""
    return _Existence(_asked(term.spec).but(order=()))


def around(term: Outer[Any]) -> Computed:
    """Return a column of the query around."""
    table = table_of(term.attribute.model)
    found = forward_column(table, term.attribute.name)
    if found is None or found[0]:
        msg = f"{term!r} is no column of {table.model.__name__} itself"
        raise ValueError(msg)
    return _Outside(Stored(table, found[1], ()))


def _asked(spec: QuerySpec[Any]) -> QuerySpec[Any]:
    if spec.is_projection:
        msg = "a query of groups cannot stand inside of another one"
        raise ValueError(msg)
    return spec


class _SubSelect(NamedTuple):
    """The values that a query gives; of the first row, if one is asked for."""

    spec: QuerySpec[Any]
    value: Computed
    gives_all: bool = False
    level: Level = Level.ROW
    paths: tuple[Path, ...] = ()
    is_own: bool = False  # it never is

    @property
    def kind(self) -> Kind:
        """What they are."""
        return self.value.kind

    @property
    def like(self) -> Stored | None:
        """The column whose values they are like."""
        return self.value.like

    @property
    def decode(self) -> Decode | None:
        """What makes values of what SQLite gives."""
        return self.value.decode

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        spec = self.spec.ranked()
        if self.value.level is Level.GROUP:
            spec = spec.but(order=())
        elif not self.gives_all and spec.limit is None:
            spec = spec.but(limit=1)
        inner = spec.frame(self.value.paths, aliased=True, around=frame)
        rows = rows_of(spec, inner, self.value.render(inner))
        return Fragment(f"({rows.sql})", rows.params)


class _Existence(NamedTuple):
    """Whether a query gives any row."""

    spec: QuerySpec[Any]
    kind: Kind = BOOL
    like: Stored | None = None
    decode: Decode | None = None  # its kind says it
    level: Level = Level.ROW
    paths: tuple[Path, ...] = ()
    is_own: bool = False  # it never is

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        inner = self.spec.frame(aliased=True, around=frame)
        rows = rows_of(self.spec, inner, "1")
        return Fragment(f"EXISTS ({rows.sql})", rows.params)


class _Outside(NamedTuple):
    """A column of a query around."""

    source: Stored
    level: Level = Level.ROW
    decode: Decode | None = None
    paths: tuple[Path, ...] = ()
    is_own: bool = False  # it never is

    @property
    def kind(self) -> Kind:
        """What it holds."""
        return self.source.kind

    @property
    def like(self) -> Stored:
        """The column itself."""
        return self.source

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL; raises ``ValueError`` without such a query around."""
        model = self.source.table.model
        outer = frame.around
        while outer is not None and not issubclass(outer.table.model, model):
            outer = outer.around
        if outer is None:
            text = f"outer() needs a query of {model.__name__} around this one"
            raise InvalidFilterError(self.source.column.field, message=text)
        name = outer.prefix(()) or f"{outer.table.sql}."
        return Fragment(f"{name}{self.source.column.compared}")
