"""What must hold of a row: comparisons, and rows that must be related."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from sqliter.helpers import quote_identifier
from sqliter.model.relations import Junction, Relation
from sqliter.planning.frame import Frame, Path
from sqliter.planning.search import Matches
from sqliter.sql.fragment import Fragment, join
from sqliter.sql.lookups import Lookup, Operand

__all__ = ["Belongs", "Comparison", "Condition", "Linked", "all_of", "paths_of"]


class Comparison(NamedTuple):
    """A comparison of a column, of this table or along foreign keys (``path``).

    ``path`` is ``None`` for an expression, which belongs to no table.
    ``value`` is what the user gave, ``prepared`` what the lookup made of it. ``plain``
    is its SQL for a table without an alias, if ``prepared`` is all that it binds.
    """

    operand: Operand
    lookup: Lookup
    value: Any
    prepared: Any
    path: Path | None = ()
    plain: str | None = None

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        prefix = "" if self.path is None else frame.prefix(self.path)
        operand = self.operand.qualified(prefix) if prefix else self.operand
        return self.lookup.render(operand, self.prepared)

    @property
    def is_long(self) -> bool:
        """Whether it takes a while to render it."""
        return self.lookup.is_long(self.prepared)

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield it as ``(field, value, operator)``."""
        yield self.operand.name, self.value, self.lookup.suffix


class Linked(NamedTuple):
    """Some row at the other end of a to-many relation meets all conditions.

    ``negated``: there is none. However many rows there are, they add none to the
    result: the condition is a sub-select.
    """

    path: Path
    relation: Relation
    conditions: tuple[Condition, ...] = ()
    negated: bool = False

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        column = f"{frame.prefix(self.path)}{self.relation.source_column.sql}"
        owners = self._owners(frame)
        if not self.negated:
            return Fragment(f"{column} IN ({owners.sql})", owners.params)
        none = f"{column} NOT IN ({owners.sql})"
        if frame.prefix(self.path):  # who is not there has no related rows, either
            none = f"({column} IS NULL OR {none})"
        return Fragment(none, owners.params)

    @property
    def is_long(self) -> bool:
        """Whether it takes a while to render it."""
        return any(condition.is_long for condition in self.conditions)

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield its parts as ``(field, value, operator)``."""
        for condition in self.conditions:
            yield from condition.described()
        if not self.conditions:
            yield "__".join((*self.path, self.relation.name)), self.negated, "__isnull"

    def _owners(self, frame: Frame) -> Fragment:
        """Return the SELECT of the keys that have such a row."""
        relation = self.relation
        inner = frame.inner(relation.target_table, paths_of(self.conditions))
        target = f"{inner.prefix(())}{relation.target_column.sql}"
        source, sql = target, inner.sql
        if relation.junction is not None:
            links = frame.alias_of_junction(relation.junction)
            source = f"{links}.{quote_identifier(relation.junction.source)}"
            other = f"{links}.{quote_identifier(relation.junction.target)}"
            sql += f" JOIN {relation.junction.links} AS {links} ON {other} = {target}"
        tests = [condition.render(inner) for condition in self.conditions]
        if not relation.target_column.required and relation.junction is None:
            tests.append(Fragment(f"{target} IS NOT NULL"))
        where = join(" AND ", tests)
        head = f"SELECT {source} FROM {sql}"
        return Fragment(f"{head} WHERE {where.sql}" if tests else head, where.params)


class Belongs(NamedTuple):
    """The row is linked to one row of the other side of a junction table."""

    junction: Junction
    key: int
    path: Path = ()
    is_long: bool = False  # never

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        links = frame.alias_of_junction(self.junction)
        target = f"{links}.{quote_identifier(self.junction.target)}"
        source = f"{links}.{quote_identifier(self.junction.source)}"
        return Fragment(
            f"{frame.prefix(())}{frame.table.pk.sql} IN (SELECT {target} "
            f"FROM {self.junction.links} AS {links} WHERE {source} = ?)",
            (self.key,),
        )

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield it as ``(field, value, operator)``."""
        yield self.junction.source, self.key, "__eq"


Condition: TypeAlias = Comparison | Linked | Belongs | Matches


def all_of(keyword: str, conditions: Iterable[Condition], frame: Frame) -> Fragment:
    """Return the WHERE or HAVING clause with a space before it, or nothing."""
    rendered = [condition.render(frame) for condition in conditions]
    if not rendered:
        return Fragment("")
    joined = rendered[0] if len(rendered) == 1 else join(" AND ", rendered)
    return Fragment(f" {keyword} {joined.sql}", joined.params)


def paths_of(conditions: Iterable[Condition]) -> list[Path]:
    """Return the paths along which tables must be joined for these conditions."""
    return list(dict.fromkeys(each.path for each in conditions if each.path))
