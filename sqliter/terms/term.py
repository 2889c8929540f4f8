"""What SQLite computes for each row: fields, values, and arithmetic with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, Literal, NamedTuple, Never, TypeAlias

from typing_extensions import TypeVar

from sqliter.terms.q import Predicate, Q

__all__ = [
    "TERMS",
    "Arithmetic",
    "F",
    "Field",
    "Given",
    "Nulls",
    "Operator",
    "Ordering",
    "Term",
    "Truth",
    "term_of",
]

T = TypeVar("T", default=Any)

Operator: TypeAlias = Literal["+", "-", "*", "/"]

Nulls: TypeAlias = Literal["first", "last"]

TERMS: set[type] = set()
"""The classes of all terms."""


class Term(Generic[T]):
    """Something that SQLite computes for each row.

    Compared, it gives a condition for ``filter()``; computed with, another term.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        TERMS.add(cls)

    # --- comparisons ---

    def __eq__(self, other: object) -> Q:  # type: ignore[override]
        return Predicate(self, "__eq", other)

    def __ne__(self, other: object) -> Q:  # type: ignore[override]
        return Predicate(self, "__ne", other)

    def __lt__(self, other: Compared[T]) -> Q:
        return Predicate(self, "__lt", other)

    def __le__(self, other: Compared[T]) -> Q:
        return Predicate(self, "__lte", other)

    def __gt__(self, other: Compared[T]) -> Q:
        return Predicate(self, "__gt", other)

    def __ge__(self, other: Compared[T]) -> Q:
        return Predicate(self, "__gte", other)

    __hash__ = object.__hash__

    def __bool__(self) -> Never:
        msg = f"{self!r} is neither true nor false before SQLite has computed it"
        raise TypeError(msg)

    def holds(self) -> Q:
        """Ask whether it is true."""
        return Predicate(self, "__holds", True)  # noqa: FBT003 - as in a keyword

    def in_(self, values: Iterable[T] | Term[Any]) -> Q:
        """Ask whether it is one of these values, or of those of a ``subquery()``."""
        return Predicate(self, "__in", _listed(values))

    def not_in(self, values: Iterable[T] | Term[Any]) -> Q:
        """Ask whether it is none of these values."""
        return Predicate(self, "__not_in", _listed(values))

    def between(self, low: T, high: T) -> Q:
        """Ask whether it is between two bounds, or one of them."""
        return Predicate(self, "__between", (low, high))

    def is_null(self) -> Q:
        """Ask whether it is NULL."""
        return Predicate(self, "__isnull", True)  # noqa: FBT003 - as in a keyword

    def is_not_null(self) -> Q:
        """Ask whether it is not NULL."""
        return Predicate(self, "__notnull", True)  # noqa: FBT003 - as in a keyword

    def like(self, pattern: str) -> Q:
        r"""Ask for a pattern: ``%`` is any text, ``_`` one character, ``\`` escapes."""
        return Predicate(self, "__like", pattern)

    def contains(self, part: Any) -> Q:
        """Ask whether this is in it."""
        return Predicate(self, "__contains", part)

    def startswith(self, beginning: str) -> Q:
        """Ask whether it begins like this."""
        return Predicate(self, "__startswith", beginning)

    def endswith(self, end: str) -> Q:
        """Ask whether it ends like this."""
        return Predicate(self, "__endswith", end)

    def matches(self, lookup: str, value: Any) -> Q:
        """Ask by any operator of ``filter()``, by its name.

        Example:
            >>> db.select(User).filter(F("name").matches("icontains", "ann"))
        """
        return Predicate(self, f"__{lookup}", value)

    # --- arithmetic ---

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

    # --- orders ---

    def asc(self, *, nulls: Nulls | None = None) -> Ordering:
        """Return it as an order, the smallest first."""
        return Ordering(self, descending=False, nulls=_placed(nulls))

    def desc(self, *, nulls: Nulls | None = None) -> Ordering:
        """Return it as an order, the greatest first."""
        return Ordering(self, descending=True, nulls=_placed(nulls))


Compared: TypeAlias = "T | Term[Any]"
"""What something of this type is compared with."""


class Ordering(NamedTuple):
    """A term that rows are ordered by."""

    term: Term[Any]
    descending: bool
    nulls: Nulls | None


class Field(Term[T]):
    """A field, by its name; along foreign keys, ``author__born``."""

    __slots__ = ("name",)
    name: str


class F(Field[Any]):
    """A field of the row itself: ``F("stock") - 1``.

    In ``filter`` it stands where a value would: ``price__gt=F("cost") * 2``, and may go
    along foreign keys: ``F("author__born")``. In ``update`` SQLite computes the new
    value of each row, so that nothing that others write meanwhile is lost. ``/`` gives
    a float; what is divided by zero, or computed with NULL, is NULL. Texts are put
    together by ``+``.

    Example:
        >>> db.select(Product).filter(pk=3).update({"stock": F("stock") - 1})
        >>> db.select(Product).filter(F("price") - F("cost") < 1).fetch_all()
    """

    __slots__ = ()

    def __init__(self, name: str) -> None:
        _check_name(name)
        self.name = name

    def __repr__(self) -> str:
        return f"F({self.name!r})"


class Given(Term[Any]):
    """A value in an expression."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


class Truth(Term[bool]):
    """Whether a condition holds."""

    __slots__ = ("q",)

    def __init__(self, q: Q) -> None:
        self.q = q

    def __repr__(self) -> str:
        return repr(self.q)


class Arithmetic(Term[Any]):
    """Two terms, and what is done with them."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: Operator, left: Term[Any], right: Term[Any]) -> None:
        self.operator: Operator = operator
        self.left = left
        self.right = right

    def __repr__(self) -> str:
        return f"({self.left!r} {self.operator} {self.right!r})"


def term_of(value: Any) -> Term[Any]:
    """Return a value as a term, if it is none."""
    if isinstance(value, Term):
        return value
    return Truth(value) if isinstance(value, Q) else Given(value)


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        msg = f"F() takes the name of a field, not {name!r}"
        raise TypeError(msg)


def _placed(nulls: Nulls | None) -> Nulls | None:
    """Return where NULLs stand; ``ValueError`` for what is no place."""
    if nulls not in (None, "first", "last"):
        msg = f"nulls must be 'first' or 'last', not {nulls!r}"
        raise ValueError(msg)
    return nulls


def _listed(values: Any) -> Any:
    """Return what ``in`` is asked about: a sub-query, or a list."""
    return values if isinstance(values, (Term, str)) else list(values)


F.__module__ = "sqliter.expressions"  # where users import it from
