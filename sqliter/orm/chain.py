"""Narrowing what a to-many relation gives: the same words on every handle."""

from __future__ import annotations

from typing import Generic, TypeVar

from sqliter.planning.ordering import Nulls
from sqliter.query.base import FilterValue

__all__ = ["Chain"]

Q_co = TypeVar("Q_co", covariant=True)


class Chain(Generic[Q_co]):
    """Each method gives a new query; the handle itself stays as it is."""

    def narrowing(self) -> Q_co:
        """Return a new query over all rows of the relation."""
        raise NotImplementedError

    def filter(self, **conditions: FilterValue) -> Q_co:
        """Return a query for those that meet all conditions, as in any query."""
        return self._called("filter", **conditions)

    def order(
        self, *fields: str, reverse: bool = False, nulls: Nulls | None = None
    ) -> Q_co:
        """Return a query that gives them in this order."""
        return self._called("order", *fields, reverse=reverse, nulls=nulls)

    def limit(self, count: int) -> Q_co:
        """Return a query for at most so many."""
        return self._called("limit", count)

    def offset(self, count: int) -> Q_co:
        """Return a query that leaves out so many first."""
        return self._called("offset", count)

    def _called(self, method: str, *args: object, **kwargs: object) -> Q_co:
        query = self.narrowing()
        found: Q_co = getattr(query, method)(*args, **kwargs)
        return found
