"""Questions that all handlers ask: one record, or a page of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias, TypeVar

from fastapi import Depends, Query

from sqliter.asyncio import AsyncQueryBuilder
from sqliter.exceptions import RecordNotFoundError

from .models import Record

__all__ = ["Page", "find"]

M = TypeVar("M", bound=Record)


async def find(query: AsyncQueryBuilder[M], pk: int) -> M:
    """Return the record with this key; raises ``RecordNotFoundError``."""
    record = await query.filter(pk=pk).fetch_one()
    if record is None:
        raise RecordNotFoundError(pk)
    return record


@dataclass(frozen=True)
class Slice:
    """Which part of a list is wanted."""

    limit: int
    offset: int

    async def of(self, query: AsyncQueryBuilder[M]) -> list[M]:
        """Return this part of what a query gives, in the order of keys."""
        return await query.order("pk").limit(self.limit).offset(self.offset).fetch_all()


def _slice(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, lt=2**63)] = 0,
) -> Slice:
    return Slice(limit, offset)


Page: TypeAlias = Annotated[Slice, Depends(_slice)]
"""A dependency: ``?limit=20&offset=40``."""
