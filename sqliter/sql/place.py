"""A place in the JSON text of a column, as SQL sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from sqliter.core.statement import Value

__all__ = ["Encode", "Place", "is_like_json", "literal", "value_sql"]

Encode: TypeAlias = Callable[[Any], Value]


class Place(NamedTuple):
    """Something in the JSON of a column: a value, and what is inside it.

    ``column`` is the SQL of the column, ``table`` that of its table if it has no alias.
    ``path`` leads to the value, ``inside`` to its elements and keys. ``element`` and
    ``key`` encode what these are compared with, ``None`` if it has none; an element
    that is a tagged object has its value under the ``tag``. ``tagged``: objects with a
    key that begins with ``$`` are something else.
    """

    column: str
    table: str
    path: str = "$"
    inside: str = "$"
    is_scalar: bool = False
    element: Encode | None = None
    key: Encode | None = None
    tag: str = ""
    collation: str | None = None
    tagged: bool = False

    @property
    def is_root(self) -> bool:
        """Whether it is all that the column holds."""
        return self.path == "$"

    @property
    def is_open(self) -> bool:
        """Whether anything may be there."""
        return self.element is not None and self.key is not None

    @property
    def sql(self) -> str:
        """The left side of a comparison."""
        return self.column if self.is_root else self.value

    @property
    def value(self) -> str:
        """The value: a scalar as SQLite has it, anything else as JSON text."""
        return value_sql(self.column, self.path)

    @property
    def type(self) -> str:
        """What JSON calls the value, such as ``'text'``; NULL if it is not there."""
        return _guarded(self.column, f"json_type({self.column}, {literal(self.path)})")

    @property
    def shape(self) -> str:
        """The same of what holds the elements or keys."""
        column, path = self.column, literal(self.inside)
        return _guarded(column, f"json_type({column}, {path})")

    @property
    def each(self) -> str:
        """The elements, or what is under the keys, as a table."""
        # Columns may have the names of those that json_each() itself has.
        column = f"{self.table}.{self.column}" if self.table else self.column
        return f"json_each({_guarded(column, column)}, {literal(self.inside)})"

    def qualified(self, prefix: str) -> Place:
        """Return the same place in a table that has an alias."""
        return self._replace(column=f"{prefix}{self.column}", table="")


def value_sql(column: str, path: str) -> str:
    """Return the value at a path; indexes and conditions must say it alike.

    What older versions stored may be no JSON; SQLite would refuse the whole query.
    """
    return _guarded(column, f"json_extract({column}, {literal(path)})")


def literal(text: str) -> str:
    """Return a text as SQL writes it: a path must stand in the text to use an index."""
    return "'" + text.replace("'", "''") + "'"


def is_like_json(value: Value) -> bool:
    """Whether a text may be what SQLite gives for an array or an object."""
    return isinstance(value, str) and value[:1] in ("[", "{")


def _guarded(column: str, sql: str) -> str:
    return f"CASE WHEN json_valid({column}) THEN {sql} END"
