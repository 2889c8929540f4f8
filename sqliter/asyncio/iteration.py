"""``async for`` over what a verb gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

__all__ = ["each_of"]

T = TypeVar("T")


async def each_of(fetch: Callable[[], Awaitable[Iterable[T]]]) -> AsyncIterator[T]:
    """Yield the items one by one; they are fetched when the first is wanted."""
    for item in await fetch():
        yield item
