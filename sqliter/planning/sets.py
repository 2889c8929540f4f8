"""Rows that several queries give, and rows above and below others in a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

from sqliter.exceptions import InvalidRelationshipError
from sqliter.model.relations import ForwardKey, relation_of
from sqliter.planning.frame import Frame, Path
from sqliter.planning.select import matching_keys
from sqliter.planning.spec import QuerySpec
from sqliter.sql.fragment import Fragment, join

__all__ = ["InTree", "Joined", "SetWord", "tree"]

SetWord: TypeAlias = Literal["UNION", "INTERSECT", "EXCEPT"]


class Joined(NamedTuple):
    """The row is one of those that several queries give together."""

    word: SetWord
    queries: tuple[QuerySpec[Any], ...]
    paths: tuple[Path, ...] = ()
    is_own: bool = False  # it never is
    is_long: bool = False  # nor this

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        members = join(f" {self.word} ", [_member(q, frame) for q in self.queries])
        pk = f"{frame.prefix(())}{frame.table.pk.sql}"
        return Fragment(f"{pk} IN ({members.sql})", members.params)

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield it as ``(field, value, operator)``."""
        yield "pk", self.queries, f"__{self.word.lower()}"


class InTree(NamedTuple):
    """The row stands below, or above, one of those that a query gives.

    A way that leads back to where it came from is not gone twice. ``depth`` is how
    many steps are gone at most.
    """

    query: QuerySpec[Any]
    relation: ForwardKey
    upwards: bool
    depth: int | None
    with_start: bool
    paths: tuple[Path, ...] = ()
    is_own: bool = False  # it never is
    is_long: bool = False  # nor this

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        name, pk = f"{frame.reads.next_alias()}_tree", frame.table.pk.sql
        start, step = self._start(frame), self._step(frame, name)
        columns = '"key"' if self.depth is None else '"key", "depth"'
        return Fragment(
            f"{frame.prefix(())}{pk} IN (WITH RECURSIVE {name}({columns}) AS "
            f'({start.sql} UNION {step.sql}) SELECT "key" FROM {name})',
            (*start.params, *step.params),
        )

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield it as ``(field, value, operator)``."""
        way = "__ancestors" if self.upwards else "__descendants"
        yield self.relation.name, self.query, way

    @property
    def _ends(self) -> tuple[str, str]:
        """The column that is looked for, and the one that is known."""
        pk, link = self.relation.target_column.sql, self.relation.source_column.sql
        return (link, pk) if self.upwards else (pk, link)

    def _start(self, frame: Frame) -> Fragment:
        """Return the SELECT of where the way begins: one step away, or at its start."""
        pk = self.relation.target_column.sql
        found, known = (pk, pk) if self.with_start else self._ends
        depth = "" if self.depth is None else f", {int(not self.with_start)}"
        keys = _member(self.query, frame)
        head = f"SELECT {found}{depth} FROM {frame.table.sql} WHERE {known} IN "
        return Fragment(f"{head}({keys.sql})", keys.params)

    def _step(self, frame: Frame, name: str) -> Fragment:
        """Return the SELECT of what is one step further than the last ones."""
        found, known = self._ends
        alias = frame.alias_of(frame.table)
        source = f"{frame.table.sql} AS {alias} JOIN {name} ON {alias}.{known}"
        rest = f'FROM {source} = {name}."key"'
        if self.depth is None:
            return Fragment(f"SELECT {alias}.{found} {rest}")
        head = f'SELECT {alias}.{found}, {name}."depth" + 1 {rest}'
        return Fragment(f'{head} WHERE {name}."depth" < ?', (self.depth,))


def tree(
    spec: QuerySpec[Any], name: str, *, upwards: bool, depth: int | None, start: bool
) -> InTree:
    """Return the condition that rows stand below, or above, those of a query.

    Raises ``InvalidRelationshipError`` for what leads to another table,
    ``ValueError`` for a depth below 1.
    """
    model = spec.table.model
    relation = relation_of(model, name)
    if not isinstance(relation, ForwardKey) or relation.target_table is not spec.table:
        raise InvalidRelationshipError(name, name, model.__name__)
    if depth is not None and depth < 1:
        msg = f"a way in a tree has at least one step, not {depth}"
        raise ValueError(msg)
    return InTree(spec, relation, upwards, depth, start)


def _member(query: QuerySpec[Any], frame: Frame) -> Fragment:
    """Return the SELECT of the keys of a query, as one among several."""
    if not query.is_windowed:
        return matching_keys(query.but(order=()), frame)
    keys = matching_keys(query.ranked(), frame)
    return Fragment(f"SELECT * FROM ({keys.sql})", keys.params)
