"""From a ``Q`` to the condition that it means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from sqliter.planning.conditions import Combined, Condition
from sqliter.terms.q import Predicate, Q

__all__ = ["Resolver", "conditions_of"]


class Resolver(Protocol):
    """What knows the names in conditions."""

    def keywords(self, given: dict[str, Any]) -> Iterable[Condition]:
        """Return the conditions that keywords mean; all of them must hold."""
        ...

    def predicate(self, given: Predicate) -> Iterable[Condition]:
        """Return the conditions that a comparison means; all of them must hold."""
        ...


def conditions_of(q: Q, names: Resolver) -> tuple[Condition, ...]:
    """Return conditions that must all hold; none for an empty ``Q``."""
    if isinstance(q, Predicate):
        return tuple(names.predicate(q))
    if q.word == "OR":
        found: tuple[Condition, ...] = (_any_of(q, names),)
    else:
        inner = (each for part in q.parts for each in conditions_of(part, names))
        found = (*inner, *names.keywords(q.keywords))
    return (Combined("AND", found, negated=True),) if q.negated else found


def _any_of(q: Q, names: Resolver) -> Condition:
    parts = [conditions_of(part, names) for part in q.parts]
    choices = [p[0] if len(p) == 1 else Combined("AND", p) for p in parts]
    return Combined("OR", tuple(choices))
