"""``async for`` over what a verb gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Protocol, TypeVar

from sqliter.core.asked import AwaitingRunner
from sqliter.core.context import Context
from sqliter.model.model import BaseDBModel
from sqliter.operations import select
from sqliter.planning.spec import QuerySpec

__all__ = ["AsyncDatabase", "each_of", "each_row"]

M = TypeVar("M", bound=BaseDBModel)
T = TypeVar("T")


class AsyncDatabase(AwaitingRunner, Protocol):
    """What a query needs of an awaiting database object."""

    @property
    def context(self) -> Context: ...


async def each_of(fetch: Callable[[], Awaitable[Iterable[T]]]) -> AsyncIterator[T]:
    """Yield the items one by one; they are fetched when the first is wanted."""
    for item in await fetch():
        yield item


async def each_row(
    db: AsyncDatabase, spec: QuerySpec[M], size: int, seconds: float | None
) -> AsyncIterator[M]:
    """Yield every row as an instance, with what is prefetched for its batch."""
    question = await db.run(select.streamed(spec, db.context), seconds)
    part = select.part_of(spec, size)
    async with aclosing(db.stream(question, size, part, seconds)) as batches:
        async for found in batches:
            if spec.prefetch:
                await db.run(select.complete(found, spec, db.context), seconds)
            for each in found:
                yield each
