"""What SQL computes beyond arithmetic: functions, ``CASE``, ``CAST``, parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, TypeAlias

from typing_extensions import TypeVar

from sqliter.terms.q import Q
from sqliter.terms.term import Field, Ordering, Term, term_of

__all__ = [
    "Call",
    "Case",
    "Cast",
    "Extract",
    "Function",
    "Over",
    "Part",
    "Target",
    "case",
    "cast",
    "coalesce",
    "extract",
]

T = TypeVar("T", default=Any)

Part: TypeAlias = Literal[
    "year", "month", "day", "week_day", "hour", "minute", "second", "date", "len"
]

Target: TypeAlias = type[int] | type[float] | type[str] | type[bytes]


class Call(Term[T]):
    """A call, which may also look at the rows around each row."""

    __slots__ = ()

    def over(
        self,
        *,
        partition_by: Any = (),
        order_by: Any = (),
        frame: str | None = None,
    ) -> Over:
        """Compute it over a window: over the rows that belong together.

        ``partition_by`` says which do, ``order_by`` in which order: names, columns,
        expressions, or lists of them. ``frame`` is SQL such as
        ``"ROWS BETWEEN 2 PRECEDING AND CURRENT ROW"``.

        Example:
            >>> rank = func.rank().over(partition_by="team", order_by="-points")
            >>> db.select(Player).values("name", rank=rank)
        """
        return Over(self, _several(partition_by), _several(order_by), frame)


class Function(Call[Any]):
    """A function of SQLite, called with these arguments."""

    __slots__ = ("arguments", "distinct", "name")

    def __init__(
        self, name: str, arguments: Iterable[Any], *, distinct: bool = False
    ) -> None:
        if not (name.isascii() and name.isidentifier()):
            msg = f"{name!r} is no name of a function"
            raise ValueError(msg)
        self.name = name
        self.arguments = tuple(term_of(each) for each in arguments)
        self.distinct = distinct

    def __repr__(self) -> str:
        given = [repr(each) for each in self.arguments]
        given += ["distinct=True"] * self.distinct
        return f"func.{self.name}({', '.join(given)})"


class Over(Term[Any]):
    """A call over a window."""

    __slots__ = ("call", "frame", "order", "partition")

    def __init__(
        self,
        call: Call[Any],
        partition: tuple[Any, ...],
        order: tuple[Any, ...],
        frame: str | None,
    ) -> None:
        self.call = call
        self.partition = partition
        self.order = order
        self.frame = frame

    def __repr__(self) -> str:
        return f"{self.call!r}.over(...)"


class Cast(Term[T]):
    """A term as a value of another type."""

    __slots__ = ("kind", "term")

    def __init__(self, term: Term[Any], kind: Target) -> None:
        self.term = term
        self.kind = kind

    def __repr__(self) -> str:
        return f"cast({self.term!r}, {self.kind.__name__})"


class When(NamedTuple):
    """A condition, and what is computed where it holds."""

    condition: Q
    then: Term[Any]


class Case(Term[Any]):
    """The first of some terms whose condition holds."""

    __slots__ = ("otherwise", "whens")

    def __init__(self, whens: tuple[When, ...], otherwise: Term[Any]) -> None:
        self.whens = whens
        self.otherwise = otherwise

    def __repr__(self) -> str:
        pairs = [f"({each.condition!r}, {each.then!r})" for each in self.whens]
        return f"case({', '.join(pairs)}, otherwise={self.otherwise!r})"


class Extract(Term[Any]):
    """A part of a date or a time, as ``filter()`` knows it."""

    __slots__ = ("field", "part")

    def __init__(self, part: str, field: Field[Any]) -> None:
        self.part = part
        self.field = field

    def __repr__(self) -> str:
        return f"extract({self.part!r}, {self.field!r})"


def case(*whens: tuple[Q | bool, Any], otherwise: Any = None) -> Case:
    """Return the value of the first condition that holds, else ``otherwise``.

    Raises ``TypeError`` for what are no pairs of a condition and a value.

    Example:
        >>> group = case((User.age < 18, "child"), otherwise="adult")
        >>> db.select(User).values("name", group=group)
    """
    if not whens:
        msg = "case() takes pairs: case((User.age < 18, 'child'), otherwise='adult')"
        raise TypeError(msg)
    return Case(tuple(map(_when, whens)), term_of(otherwise))


def cast(term: Any, kind: Target) -> Cast:
    """Return a term as an ``int``, a ``float``, a ``str`` or ``bytes``, as SQL casts.

    Raises ``TypeError`` for other types.
    """
    if kind not in (int, float, str, bytes):
        msg = f"cast() knows int, float, str and bytes, not {kind!r}"
        raise TypeError(msg)
    return Cast(term_of(term), kind)


def coalesce(*terms: Any) -> Function:
    """Return the first of them that is not NULL.

    Example:
        >>> db.select(User).values(name=coalesce(F("nickname"), F("name")))
    """
    return Function("coalesce", terms)


def extract(part: Part, field: Any) -> Extract:
    """Return a part of a date or datetime, or the length of a text.

    They are those of ``filter()``, and mean the same: ``extract("hour", F("at"))``.
    Raises ``TypeError`` for what is no field.
    """
    if not isinstance(field, Field):
        msg = f"extract() takes a field, as in F('published'), not {field!r}"
        raise TypeError(msg)
    return Extract(part, field)


def _when(pair: Any) -> When:
    if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], Q):
        msg = f"case() takes pairs of a condition and a value, not {pair!r}"
        raise TypeError(msg)
    return When(pair[0], term_of(pair[1]))


def _several(given: Any) -> tuple[Any, ...]:
    is_one = isinstance(given, (str, Term, Ordering, Q))
    return (given,) if is_one else tuple(given)
