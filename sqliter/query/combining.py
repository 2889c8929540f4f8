"""Queries put together, and the rows above and below others in a tree."""

from __future__ import annotations

from typing import Any, Self

from sqliter.planning.sets import InTree, Joined, SetWord, tree
from sqliter.planning.spec import QuerySpec

__all__ = ["Combining"]


class Combining:
    """Chain methods that make one query of several."""

    _spec: QuerySpec[Any]

    def union(self, *others: Self) -> Self:
        """Give the rows that this query or one of the others gives, each once.

        The limits of each count, orders only for its limit: order the result. Raises
        ``TypeError`` for queries of other models, and of groups.

        Example:
            >>> old = db.select(User).order("age").limit(3)
            >>> db.select(User).filter(name="Ann").union(old).order("name").fetch_all()
        """
        return self._joined("UNION", others)

    def intersect(self, *others: Self) -> Self:
        """Give the rows that this query and all others give; as ``union``."""
        return self._joined("INTERSECT", others)

    def except_(self, *others: Self) -> Self:
        """Give the rows of this query that no other one gives; as ``union``."""
        return self._joined("EXCEPT", others)

    def descendants(
        self, parent: str, *, depth: int | None = None, include_self: bool = False
    ) -> Self:
        """Give the rows below these: those that refer to them, to those, and so on.

        ``parent`` is a foreign key to the same model; ``depth`` how many steps are gone
        at most. Raises ``InvalidRelationshipError`` for anything else.

        Example:
            >>> db.select(Folder).filter(name="src").descendants("parent").fetch_all()
        """
        spec = _asked(self, "descendants")
        found = tree(spec, parent, upwards=False, depth=depth, start=include_self)
        return self._only(found)

    def ancestors(
        self, parent: str, *, depth: int | None = None, include_self: bool = False
    ) -> Self:
        """Give the rows above these: those they refer to; as ``descendants``.

        Example:
            >>> db.select(Folder).filter(name="src").ancestors("parent").fetch_all()
        """
        spec = _asked(self, "ancestors")
        found = tree(spec, parent, upwards=True, depth=depth, start=include_self)
        return self._only(found)

    def _joined(self, word: SetWord, others: tuple[Self, ...]) -> Self:
        queries = tuple(_asked(each, word.lower()) for each in (self, *others))
        if any(query.table is not self._spec.table for query in queries):
            msg = f"{word.lower()} takes queries of one model"
            raise TypeError(msg)
        return self._only(Joined(word, queries))

    def _only(self, condition: Joined | InTree) -> Self:
        """Ask for these rows alone, in no order; what comes along stays."""
        kept = {"order": (), "limit": None, "offset": None}
        self._spec = self._spec.but(conditions=(condition,), **kept)
        return self


def _asked(query: object, verb: str) -> QuerySpec[Any]:
    """Return a query as a part of another one."""
    spec = getattr(query, "spec", None)
    if not isinstance(spec, QuerySpec) or spec.is_projection:
        msg = f"{verb} takes queries of rows, not {query!r}"
        raise TypeError(msg)
    return spec
