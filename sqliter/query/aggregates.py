"""Aggregates for ``annotate``."""

from __future__ import annotations

from sqliter.planning.aggregates import AggregateFunction, AggregateSpec, func

__all__ = ["AggregateFunction", "AggregateSpec", "func"]
