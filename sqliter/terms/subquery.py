"""Queries inside of queries."""

from __future__ import annotations

from typing import Any, Protocol

from sqliter.terms.q import Predicate, Q
from sqliter.terms.term import F, Term, term_of

__all__ = ["Asking", "Exists", "SubQuery", "exists", "subquery"]


class Asking(Protocol):
    """A query, as far as expressions know it."""

    @property
    def spec(self) -> Any: ...


class SubQuery(Term[Any]):
    """What a query gives of each of its rows: one value, or many for ``in``."""

    __slots__ = ("spec", "term")

    def __init__(self, query: Asking, term: Term[Any]) -> None:
        self.spec = _asked(query)
        self.term = term

    def __repr__(self) -> str:
        return f"subquery({self.spec.table.model.__name__}, {self.term!r})"


class Exists(Term[bool]):
    """Whether a query gives any row."""

    __slots__ = ("spec",)

    def __init__(self, query: Asking) -> None:
        self.spec = _asked(query)

    def __repr__(self) -> str:
        return f"exists({self.spec.table.model.__name__})"


def exists(query: Asking) -> Q:
    """Return the condition that a query gives any row.

    Example:
        >>> books = db.select(Book).filter(Book.author_id == outer(Author.pk))
        >>> db.select(Author).filter(exists(books))
    """
    return Predicate(Exists(query), "__eq", True)  # noqa: FBT003


def subquery(query: Asking, value: Any) -> SubQuery:
    """Return what a query gives: a field, or an aggregate, of its first row.

    For ``in_()`` it stands for the values of all rows.

    Example:
        >>> mean = subquery(db.select(Book), func.avg("price"))
        >>> db.select(Book).filter(F("price") > mean)
    """
    return SubQuery(query, F(value) if isinstance(value, str) else term_of(value))


def _asked(query: Asking) -> Any:
    spec = None if isinstance(query, type) else getattr(query, "spec", None)
    if spec is None:
        msg = f"a query such as db.select(Book) is wanted, not {query!r}"
        raise TypeError(msg)
    return spec
