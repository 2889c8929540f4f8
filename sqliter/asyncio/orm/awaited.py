"""The handles of async models."""

from __future__ import annotations

from sqliter.asyncio.orm.fields import AsyncForeignKey, AsyncLazyLoader
from sqliter.asyncio.orm.m2m import (
    AsyncManyToMany,
    AsyncManyToManyManager,
    AsyncPrefetchedM2MResult,
    AsyncReverseManyToMany,
)
from sqliter.asyncio.orm.query import (
    AsyncPrefetchedResult,
    AsyncReverseQuery,
    AsyncReverseRelationship,
)
from sqliter.orm.handles import Handles

__all__ = ["AWAITED"]

AWAITED = Handles(
    is_async=True,
    loader=AsyncLazyLoader,
    query=AsyncReverseQuery,
    prefetched=AsyncPrefetchedResult,
    manager=AsyncManyToManyManager,
    prefetched_links=AsyncPrefetchedM2MResult,
    reverse_key=AsyncReverseRelationship,
    reverse_link=AsyncReverseManyToMany,
)

# Declared on a blocking model they are awaited all the same.
AsyncForeignKey.handles = AWAITED
AsyncManyToMany.handles = AWAITED
