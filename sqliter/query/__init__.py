"""Queries: the chain of ``db.select(Model)`` and its blocking verbs."""

from __future__ import annotations

from sqliter.query.aggregates import AggregateSpec, func
from sqliter.query.query import QueryBuilder

__all__ = ["AggregateSpec", "QueryBuilder", "func"]
