"""From a ``Q`` to the condition that it means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from sqliter.planning.conditions import Combined, Condition
from sqliter.planning.q import Q

__all__ = ["Resolve", "conditions_of"]

Resolve: TypeAlias = Callable[[dict[str, Any]], Iterable[Condition]]
"""Returns the conditions that keywords mean; all of them must hold."""


def conditions_of(q: Q, resolve: Resolve) -> tuple[Condition, ...]:
    """Return conditions that must all hold; none for an empty ``Q``."""
    if q.word == "OR":
        found: tuple[Condition, ...] = (_any_of(q, resolve),)
    else:
        inner = (each for part in q.parts for each in conditions_of(part, resolve))
        found = (*inner, *resolve(q.keywords))
    return (Combined("AND", found, negated=True),) if q.negated else found


def _any_of(q: Q, resolve: Resolve) -> Condition:
    parts = [conditions_of(part, resolve) for part in q.parts]
    choices = [p[0] if len(p) == 1 else Combined("AND", p) for p in parts]
    return Combined("OR", tuple(choices))
