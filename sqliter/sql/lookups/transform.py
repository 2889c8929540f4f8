"""Operators on something that is computed from a column: ``published__year__gte``."""

from __future__ import annotations

from typing import Any

from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups.lookup import Lookup, Operand

__all__ = ["Transform", "Transformed", "encode_whole"]


class Transform:
    """Base of the parts. ``suffix`` is what follows the field name.

    Keywords with one that is ``remembered`` are taken apart once per table.
    """

    suffix: str = ""
    remembered: bool = True

    def of(self, operand: Operand) -> Operand:
        """Return the part of a left side.

        Raises ``InvalidFilterError`` if it has none.
        """
        raise NotImplementedError

    def then(self, lookup: Lookup, suffix: str) -> Lookup:
        """Return the operator that compares this part."""
        return Transformed(self, lookup, suffix)


class Transformed(Lookup):
    """Another operator, carried out on a part of the left side."""

    negates = False

    def __init__(self, transform: Transform, lookup: Lookup, suffix: str) -> None:
        self.suffix = suffix
        self.remembered = transform.remembered and lookup.remembered
        self._transform, self._lookup = transform, lookup

    def prepare(self, operand: Operand, value: Any) -> Any:
        return self._lookup.prepare(self._transform.of(operand), value)

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        return self._lookup.render(self._transform.of(operand), prepared)

    def plain(self, operand: Operand) -> str | None:
        return self._lookup.plain(self._transform.of(operand))

    def is_long(self, prepared: Any) -> bool:
        return self._lookup.is_long(prepared)


def encode_whole(value: Any) -> int:
    """Return a whole number; raises ``ValueError`` for anything else."""
    if not isinstance(value, (int, str)):
        msg = f"a {type(value).__name__} is no whole number"
        raise ValueError(msg)
    number = int(value)
    if not -(2**63) <= number < 2**63:
        msg = "the number is beyond 64 bits"
        raise ValueError(msg)
    return number
