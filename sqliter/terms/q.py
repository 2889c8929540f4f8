"""``Q``: conditions that can be combined by ``&``, ``|`` and ``~``."""

from __future__ import annotations

from typing import Any, Literal, Never, TypeAlias

__all__ = ["Predicate", "Q", "Word"]

Word: TypeAlias = Literal["AND", "OR"]


class Q:
    """Conditions, written as in ``filter()``; all of one ``Q`` must hold.

    ``a & b`` holds where both do, ``a | b`` where one of them does, ``~a`` where ``a``
    does not: also for rows where SQL would not know, because of a NULL. An empty ``Q``
    is neutral: combined with others it changes nothing, and neither does ``~Q()``.
    Comparisons of columns, as in ``Q(User.age > 3)``, and columns of booleans are
    conditions, too.

    Example:
        >>> db.select(User).filter(Q(age__gte=65) | Q(age__lt=18), active=True)
        >>> db.select(Book).filter(~Q(author__name="Ann"))
    """

    __slots__ = ("keywords", "negated", "parts", "word")

    def __init__(self, *parts: Q | bool, **keywords: Any) -> None:
        found = [_checked(part) for part in parts]
        self.word: Word = "AND"
        self.negated = False
        self.parts = tuple(part for part in found if not part.is_empty)
        self.keywords = keywords

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return not (self.parts or self.keywords)

    def __and__(self, other: Q | bool) -> Q:
        return self._joined("AND", other)

    def __rand__(self, other: bool) -> Q:
        return self._joined("AND", other)

    def __or__(self, other: Q | bool) -> Q:
        return self._joined("OR", other)

    def __ror__(self, other: bool) -> Q:
        return self._joined("OR", other)

    def __invert__(self) -> Q:
        twin = _made(self.word, self.parts, self.keywords)
        twin.negated = not self.negated and not self.is_empty
        return twin

    def __bool__(self) -> Never:
        msg = "a Q is neither true nor false: write & for and, | for or, ~ for not"
        raise TypeError(msg)

    def __repr__(self) -> str:
        given = [f"{name}={value!r}" for name, value in self.keywords.items()]
        if self.word == "OR":
            text = " | ".join(map(repr, self.parts))
            text = f"({text})" if self.negated else text
        else:
            inner = [f"({p!r})" if p.is_choice else repr(p) for p in self.parts]
            text = f"Q({', '.join([*inner, *given])})"
        return f"~{text}" if self.negated else text

    @property
    def is_choice(self) -> bool:
        """Whether one of its parts is enough."""
        return self.word == "OR" and not self.negated

    def _joined(self, word: Word, given: object) -> Q:
        other = _checked(given)
        if self.is_empty or other.is_empty:
            return self if other.is_empty else other
        return _made(word, (*self.parts_for(word), *other.parts_for(word)), {})

    def parts_for(self, word: Word) -> tuple[Q, ...]:
        """Return the parts to be joined: long chains stay flat."""
        is_same = self.word == word and not self.negated and not self.keywords
        return self.parts if is_same and self.parts else (self,)


class Predicate(Q):
    """A comparison of a term: ``User.age > 3``.

    ``operator`` is what would follow a keyword: ``"__gt"``.
    """

    __slots__ = ("operator", "term", "value")

    def __init__(self, term: Any, operator: str, value: Any) -> None:
        super().__init__()
        self.term = term
        self.operator = operator
        self.value = value

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing: it does not."""
        return False

    def __invert__(self) -> Q:
        twin = _made("AND", (self,), {})
        twin.negated = True
        return twin

    def __repr__(self) -> str:
        sign = SIGNS.get(self.operator)
        if sign is None:
            return f"{self.term!r}.{self.operator.strip('_')}({self.value!r})"
        return f"({self.term!r} {sign} {self.value!r})"


SIGNS = {
    "__eq": "==",
    "__ne": "!=",
    "__lt": "<",
    "__lte": "<=",
    "__gt": ">",
    "__gte": ">=",
}
"""How operators are written between two values."""


def _made(word: Word, parts: tuple[Q, ...], keywords: dict[str, Any]) -> Q:
    made = Q()
    made.word, made.parts, made.keywords = word, parts, keywords
    return made


def _checked(part: object) -> Q:
    holds = getattr(type(part), "holds", None)
    if holds is not None:  # a column of booleans
        part = holds(part)
    if not isinstance(part, Q):
        what = "Q objects, comparisons of columns, or keywords"
        msg = f"conditions are {what}, not {part!r}"
        raise TypeError(msg)
    return part


Q.__module__ = "sqliter.expressions"  # where users import it from
