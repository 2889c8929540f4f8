"""Models with relations, for asyncio."""

from __future__ import annotations

from sqliter.asyncio.orm.fields import AsyncForeignKey, AsyncLazyLoader, fk_id
from sqliter.asyncio.orm.m2m import (
    AsyncManyToMany,
    AsyncManyToManyManager,
    AsyncPrefetchedM2MResult,
    AsyncReverseManyToMany,
)
from sqliter.asyncio.orm.model import AsyncBaseDBModel
from sqliter.asyncio.orm.query import (
    AsyncPrefetchedResult,
    AsyncReverseQuery,
    AsyncReverseRelationship,
)
from sqliter.planning.prefetch import Prefetch

__all__ = [
    "AsyncBaseDBModel",
    "AsyncForeignKey",
    "AsyncLazyLoader",
    "AsyncManyToMany",
    "AsyncManyToManyManager",
    "AsyncPrefetchedM2MResult",
    "AsyncPrefetchedResult",
    "AsyncReverseManyToMany",
    "AsyncReverseQuery",
    "AsyncReverseRelationship",
    "Prefetch",
    "fk_id",
]
