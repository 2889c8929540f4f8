"""``F``: fields in the place of values, and arithmetic with them."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

__all__ = ["TERMS", "Arithmetic", "F", "Given", "Operator", "Term"]

Operator: TypeAlias = Literal["+", "-", "*", "/"]


class Term:
    """Something that SQLite computes for each row."""

    __slots__ = ()

    def __add__(self, other: Any) -> Arithmetic:
        return Arithmetic("+", self, term_of(other))

    def __radd__(self, other: Any) -> Arithmetic:
        return Arithmetic("+", term_of(other), self)

    def __sub__(self, other: Any) -> Arithmetic:
        return Arithmetic("-", self, term_of(other))

    def __rsub__(self, other: Any) -> Arithmetic:
        return Arithmetic("-", term_of(other), self)

    def __mul__(self, other: Any) -> Arithmetic:
        return Arithmetic("*", self, term_of(other))

    def __rmul__(self, other: Any) -> Arithmetic:
        return Arithmetic("*", term_of(other), self)

    def __truediv__(self, other: Any) -> Arithmetic:
        return Arithmetic("/", self, term_of(other))

    def __rtruediv__(self, other: Any) -> Arithmetic:
        return Arithmetic("/", term_of(other), self)

    def __neg__(self) -> Arithmetic:
        return Arithmetic("-", Given(0), self)


class F(Term):
    """A field of the row itself: ``F("stock") - 1``.

    In ``filter`` it stands where a value would: ``price__gt=F("cost") * 2``, and may go
    along foreign keys: ``F("author__born")``. In ``update`` SQLite computes the new
    value of each row, so that nothing that others write meanwhile is lost. ``/`` gives
    a float; what is divided by zero, or computed with NULL, is NULL.

    Example:
        >>> db.select(Product).filter(pk=3).update({"stock": F("stock") - 1})
        >>> db.select(Product).filter(price__lt=F("cost")).fetch_all()
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        _check_name(name)
        self.name = name

    def __repr__(self) -> str:
        return f"F({self.name!r})"


class Given(Term):
    """A value in an expression."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


class Arithmetic(Term):
    """Two terms, and what is done with them."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: Operator, left: Term, right: Term) -> None:
        self.operator: Operator = operator
        self.left = left
        self.right = right

    def __repr__(self) -> str:
        return f"({self.left!r} {self.operator} {self.right!r})"


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        msg = f"F() takes the name of a field, not {name!r}"
        raise TypeError(msg)


TERMS: frozenset[type] = frozenset({F, Given, Arithmetic})
"""The classes of all terms."""


def term_of(value: Any) -> Term:
    """Return a value as a term, if it is none."""
    return value if isinstance(value, Term) else Given(value)


F.__module__ = "sqliter.expressions"  # where users import it from
