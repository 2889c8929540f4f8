"""Narrowing what a to-many relation gives: the same words on every handle."""

from __future__ import annotations

from typing import Generic, TypeVar

from sqliter.planning.ordering import Orderable
from sqliter.query.base import FilterValue
from sqliter.terms.q import Q
from sqliter.terms.term import Nulls

__all__ = ["Chain"]

C_co = TypeVar("C_co", covariant=True)


class Chain(Generic[C_co]):
    """Each method gives a new query; the handle itself stays as it is."""

    def narrowing(self) -> C_co:
        """Return a new query over all rows of the relation."""
        raise NotImplementedError

    def filter(self, *parts: Q | bool, **conditions: FilterValue) -> C_co:
        """Return a query for those that meet all conditions, as in any query."""
        return self._called("filter", *parts, **conditions)

    def exclude_where(self, *parts: Q | bool, **conditions: FilterValue) -> C_co:
        """Return a query without those that meet all conditions, as in any query."""
        return self._called("exclude_where", *parts, **conditions)

    def order(
        self, *fields: Orderable, reverse: bool = False, nulls: Nulls | None = None
    ) -> C_co:
        """Return a query that gives them in this order."""
        return self._called("order", *fields, reverse=reverse, nulls=nulls)

    def limit(self, count: int) -> C_co:
        """Return a query for at most so many."""
        return self._called("limit", count)

    def offset(self, count: int) -> C_co:
        """Return a query that leaves out so many first."""
        return self._called("offset", count)

    def _called(self, method: str, *args: object, **kwargs: object) -> C_co:
        query = self.narrowing()
        found: C_co = getattr(query, method)(*args, **kwargs)
        return found
