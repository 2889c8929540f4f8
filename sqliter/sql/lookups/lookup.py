"""What a filter operator is, and where all of them are registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeVar

from sqliter.core.statement import Value
from sqliter.sql.fragment import Fragment

__all__ = ["Lookup", "Operand", "find_lookup", "register_lookup", "split_suffix"]


class Operand(NamedTuple):
    """The left side of a comparison.

    ``name`` is what error texts call it, ``sql`` the expression, ``storage`` its
    declared type, ``encode`` turns a value of the user into a stored one; one that
    ``holds_int`` keeps integers of 64 bits as they are.
    """

    name: str
    sql: str
    storage: str
    encode: Callable[[Any], Value]
    collation: str | None = None
    holds_int: bool = False

    @property
    def compared(self) -> str:
        """The expression as it stands in comparisons."""
        return f"{self.sql} COLLATE {self.collation}" if self.collation else self.sql

    def qualified(self, prefix: str) -> Operand:
        """Return the same column of a table that has an alias."""
        return self._replace(sql=f"{prefix}{self.sql}")


class Lookup:
    """Base of the operators. ``suffix`` is what follows the field name."""

    suffix: ClassVar[str] = ""

    def prepare(self, operand: Operand, value: Any) -> Any:
        """Return the value ready for ``render``; raises ``TypeError`` if unfit."""
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


_lookups: dict[str, Lookup] = {}
_suffixes: list[str] = []  # longest first

L = TypeVar("L", bound=Lookup)


def register_lookup(cls: type[L]) -> type[L]:
    """Make a lookup known under its suffix; usable as a decorator."""
    _lookups[cls.suffix] = cls()
    _suffixes[:] = sorted(_lookups, key=len, reverse=True)
    return cls


def find_lookup(suffix: str) -> Lookup | None:
    """Return the lookup of ``"__suffix"``, or ``None``."""
    return _lookups.get(suffix)


def split_suffix(key: str) -> tuple[str, str]:
    """Return ``(name, suffix)``; the longest known suffix counts, else ``__eq``."""
    for suffix in _suffixes:
        if key.endswith(suffix) and len(key) > len(suffix):
            return key.removesuffix(suffix), suffix
    return key, "__eq"
