"""The handles of blocking models."""

from __future__ import annotations

from sqliter.orm.fields import LazyLoader
from sqliter.orm.handles import Handles
from sqliter.orm.m2m import (
    ManyToManyManager,
    PrefetchedM2MResult,
    ReverseManyToMany,
)
from sqliter.orm.query import PrefetchedResult, ReverseQuery, ReverseRelationship

__all__ = ["BLOCKING"]

BLOCKING = Handles(
    is_async=False,
    loader=LazyLoader,
    query=ReverseQuery,
    prefetched=PrefetchedResult,
    manager=ManyToManyManager,
    prefetched_links=PrefetchedM2MResult,
    reverse_key=ReverseRelationship,
    reverse_link=ReverseManyToMany,
)
