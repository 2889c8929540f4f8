"""What must hold of a row: comparisons, and rows that must be related."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from sqliter.helpers import quote_identifier
from sqliter.model.relations import Junction, Relation
from sqliter.planning.behind import Behind
from sqliter.planning.frame import Frame, Path
from sqliter.planning.search import Matches
from sqliter.sql.fragment import Fragment, join
from sqliter.sql.lookups import Lookup, Operand
from sqliter.terms.q import Word

__all__ = [
    "Belongs",
    "Combined",
    "Compared",
    "Comparison",
    "Condition",
    "Linked",
    "all_of",
    "certain_paths",
    "paths_of",
]


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
    def paths(self) -> tuple[Path, ...]:
        """Where it looks, along foreign keys."""
        return (self.path,) if self.path else ()

    @property
    def is_own(self) -> bool:
        """Whether it is about columns of the table alone."""
        return not self.path

    @property
    def is_long(self) -> bool:
        """Whether it takes a while to render it."""
        return self.lookup.is_long(self.prepared)

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield it as ``(field, value, operator)``."""
        yield self.operand.name, self.value, self.lookup.suffix


class Side(Protocol):
    """Something that is computed for a row."""

    @property
    def paths(self) -> tuple[Path, ...]: ...
    @property
    def is_own(self) -> bool: ...

    def render(self, frame: Frame) -> Fragment: ...


class Compared(NamedTuple):
    """A comparison of a column, called ``name``, with something else of the row.

    ``value`` is what the user gave.
    """

    name: str
    operator: str
    value: Any
    left: Side
    right: Side
    is_strict: bool = False  # it fails where nothing is
    is_long: bool = False  # it never is

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it looks, along foreign keys."""
        return (*self.left.paths, *self.right.paths)

    @property
    def is_own(self) -> bool:
        """Whether it is about columns of the table alone."""
        return self.left.is_own and self.right.is_own

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        left, right = self.left.render(frame), self.right.render(frame)
        sql = f"{left.sql} {self.operator} {right.sql}"
        return Fragment(sql, (*left.params, *right.params))

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield it as ``(field, value, operator)``."""
        yield self.name, self.value, self.operator


class Linked(NamedTuple):
    """Some row at the other end of a to-many relation meets all conditions.

    ``negated``: there is none. However many rows there are, they add none to the
    result: the condition is a sub-select.
    """

    path: Path
    relation: Relation
    conditions: tuple[Condition, ...] = ()
    negated: bool = False
    is_own: bool = False  # it never is

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it looks, along foreign keys."""
        return (self.path,) if self.path else ()

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
        certain, loose = certain_paths(self.conditions), paths_of(self.conditions)
        inner = frame.inner(relation.target_table, certain, loose)
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
    is_own: bool = False  # it never is
    is_long: bool = False  # nor this
    paths: tuple[Path, ...] = ()

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


class Combined(NamedTuple):
    """All of some conditions, or any of them; ``negated``: where that does not hold.

    Then it holds where SQL does not know, too.
    """

    word: Word
    conditions: tuple[Condition, ...]
    negated: bool = False

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        parts = [condition.render(frame) for condition in self.conditions]
        sql, params = _joined(self.word, parts)
        return Fragment(f"({sql}){' IS NOT TRUE' if self.negated else ''}", params)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where its conditions look, along foreign keys."""
        return tuple(path for each in self.conditions for path in each.paths)

    @property
    def is_own(self) -> bool:
        """Whether it is about columns of the table alone."""
        return all(condition.is_own for condition in self.conditions)

    @property
    def is_long(self) -> bool:
        """Whether it takes a while to render it."""
        return any(condition.is_long for condition in self.conditions)

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield its parts as ``(field, value, operator)``."""
        for condition in self.conditions:
            yield from condition.described()


class Question(Protocol):
    """What all conditions are.

    ``is_own``: about columns of the table alone. ``is_long``: rendering takes a while.
    """

    @property
    def paths(self) -> tuple[Path, ...]: ...
    @property
    def is_own(self) -> bool: ...
    @property
    def is_long(self) -> bool: ...

    def render(self, frame: Frame) -> Fragment: ...
    def described(self) -> Iterator[tuple[str, Any, str]]: ...


Condition: TypeAlias = (
    Comparison | Compared | Linked | Belongs | Matches | Combined | Behind | Question
)

DEEPEST = 500
"""Conditions in a row; SQLite takes a thousand, one inside the other."""


def all_of(keyword: str, conditions: Iterable[Condition], frame: Frame) -> Fragment:
    """Return the WHERE or HAVING clause with a space before it, or nothing."""
    rendered = [condition.render(frame) for condition in conditions]
    if not rendered:
        return Fragment("")
    sql, params = _joined("AND", rendered)
    return Fragment(f" {keyword} {sql}", params)


def paths_of(conditions: Iterable[Condition]) -> list[Path]:
    """Return the paths along which tables must be joined for these conditions."""
    return list(dict.fromkeys(path for each in conditions for path in each.paths))


def certain_paths(conditions: Iterable[Condition]) -> list[Path]:
    """Return those paths at whose end something must be, or no row is found."""
    return paths_of(
        each
        for each in conditions
        if isinstance(each, (Comparison, Linked))
        or (isinstance(each, Compared) and each.is_strict)
    )


def _joined(word: Word, parts: Sequence[Fragment]) -> Fragment:
    if len(parts) == 1:
        return parts[0]
    if len(parts) <= DEEPEST:
        return join(f" {word} ", parts)
    middle = len(parts) // 2
    halves = [_joined(word, parts[:middle]), _joined(word, parts[middle:])]
    return join(f" {word} ", [Fragment(f"({h.sql})", h.params) for h in halves])
