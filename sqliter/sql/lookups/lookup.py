"""What a filter operator is, and the left side it is given."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, NamedTuple

from sqliter.core.statement import Value
from sqliter.sql.fragment import Fragment
from sqliter.sql.place import Place

__all__ = ["Kind", "Lookup", "Operand", "refuse_none"]


class Kind(enum.Enum):
    """What stored values are, where an operator depends on it."""

    TEXT = enum.auto()
    BYTES = enum.auto()
    DAY = enum.auto()
    UTC = enum.auto()
    """Instants that are read in UTC."""
    LOCAL = enum.auto()
    """Instants that are read in local time."""


class Operand(NamedTuple):
    """The left side of a comparison.

    ``name`` is what error texts call it, ``sql`` the expression, ``storage`` its
    declared type, ``encode`` turns a value of the user into a stored one; one that
    ``holds_int`` keeps integers of 64 bits as they are. ``place`` is where it is in
    JSON.
    """

    name: str
    sql: str
    storage: str
    encode: Callable[[Any], Value]
    collation: str | None = None
    holds_int: bool = False
    kind: Kind | None = None
    place: Place | None = None

    @property
    def compared(self) -> str:
        """The expression as it stands in comparisons."""
        return f"{self.sql} COLLATE {self.collation}" if self.collation else self.sql

    def qualified(self, prefix: str) -> Operand:
        """Return the same column of a table that has an alias."""
        if self.place is None:
            return self._replace(sql=f"{prefix}{self.sql}")
        place = self.place.qualified(prefix)
        return self._replace(sql=place.sql, place=place)


def refuse_none(operand: Operand, suffix: str, value: Any) -> None:
    """Raise ``TypeError`` for ``None``, which nothing can be compared with."""
    if value is None:
        msg = (
            f"{operand.name} cannot be compared with None by '{suffix}'; use '__isnull'"
        )
        raise TypeError(msg)


class Lookup:
    """Base of the operators.

    ``suffix`` is what follows the field name. One that ``negates`` has an opposite of
    the same name with ``not_``; one that ``compares`` also goes with parts, as in
    ``published__year__gte``. One that is ``typed`` only makes sense of values of one
    type. Keywords with one that is ``remembered`` are taken apart once per table.
    """

    suffix: str = ""
    negates: bool = True
    compares: bool = False
    typed: bool = False
    remembered: bool = True

    def prepare(self, operand: Operand, value: Any) -> Any:
        """Return the value ready for ``render``.

        Raises ``TypeError`` or ``ValueError`` if it is unfit.
        """
        raise NotImplementedError

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        """Return the SQL of the comparison."""
        raise NotImplementedError

    def plain(self, operand: Operand) -> str | None:
        """Return the SQL, if it is the same for all values (but ``None``) it binds."""
        return None

    def is_long(self, prepared: Any) -> bool:
        """Whether it takes a while to write this value down."""
        return False
