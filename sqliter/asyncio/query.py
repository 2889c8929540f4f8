"""The query builder whose verbs are awaited."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from sqliter.core.context import Context
from sqliter.core.steps import AwaitingRunner
from sqliter.model.model import BaseDBModel
from sqliter.operations import bulk, select
from sqliter.query.base import BaseQuery

__all__ = ["AsyncQueryBuilder"]

M = TypeVar("M", bound=BaseDBModel)


class AsyncDatabase(AwaitingRunner, Protocol):
    """What a query needs of an awaiting database object."""

    @property
    def context(self) -> Context: ...


class AsyncQueryBuilder(BaseQuery[M, AsyncDatabase]):
    """A query; made by ``db.select(Model)``, answered by awaiting the verbs below.

    Chain and verbs are those of ``QueryBuilder``.

    Example:
        >>> await db.select(User).filter(age__gte=18).order("name").fetch_all()
    """

    async def fetch_all(self) -> list[M]:
        """Return every row as an instance."""
        spec = self._rows("fetch_all", "Use fetch_dicts() instead.")
        return await self.db.run(select.fetch_all(spec, self.db.context))

    async def fetch_one(self) -> M | None:
        """Return the first row the query gives, or ``None``."""
        spec = self._rows("fetch_one", "Use fetch_dicts() instead.")
        return await self.db.run(select.fetch_one(spec, self.db.context))

    async def fetch_first(self) -> M | None:
        """Return the first row in the query's order (by ``pk`` if it has none)."""
        spec = self._rows("fetch_first", "Use fetch_dicts() instead.")
        return await self.db.run(select.fetch_first(spec, self.db.context))

    async def fetch_last(self) -> M | None:
        """Return the last row in the query's order (by ``pk`` if it has none)."""
        spec = self._rows("fetch_last", "Use fetch_dicts() instead.")
        return await self.db.run(select.fetch_last(spec, self.db.context))

    async def fetch_dicts(self) -> list[dict[str, Any]]:
        """Return a dict per group: grouped fields, then aggregates."""
        return await self.db.run(select.fetch_dicts(self._groups(), self.db.context))

    async def count(self) -> int:
        """Return how many rows the query gives; limit and offset count."""
        spec = self._rows("count", "Use len(fetch_dicts()) instead.")
        return await self.db.run(select.count(spec, self.db.context))

    async def exists(self) -> bool:
        """Return whether the query gives any row."""
        spec = self._rows("exists", "Use len(fetch_dicts()) > 0 instead.")
        return await self.db.run(select.exists(spec, self.db.context))

    async def update(self, values: dict[str, Any]) -> int:
        """Write these values to every matching row; return how many there were."""
        spec = self._changes("update")
        return await self.db.run(bulk.update(spec, values, self.db.context))

    async def delete(self) -> int:
        """Delete every matching row; return how many there were."""
        return await self.db.run(bulk.delete(self._changes("delete"), self.db.context))

    async def explain(self) -> list[str]:
        """Return SQLite's plan for the query, a line per step."""
        operation = select.explain(self._statement(), self._spec, self.db.context)
        return await self.db.run(operation)
