"""Operators that compare with two bounds."""

from __future__ import annotations

from typing import Any

from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups.lookup import Lookup, Operand
from sqliter.sql.lookups.registry import register_lookup


@register_lookup
class Range(Lookup):
    """``age__range=(18, 65)``, both bounds included."""

    suffix = "__range"
    compares = typed = True

    def prepare(self, operand: Operand, value: Any) -> Any:
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            msg = f"{operand.name} requires a pair (low, high) for '{self.suffix}'"
            raise TypeError(msg)
        if any(bound is None for bound in value):
            msg = (
                f"{operand.name} requires two bounds for '{self.suffix}', not None; "
                "use '__gte' or '__lte' for one"
            )
            raise TypeError(msg)
        return tuple(operand.encode(bound) for bound in value)

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        return Fragment(f"{operand.compared} BETWEEN ? AND ?", prepared)


@register_lookup
class Between(Range):
    """The same by another name."""

    suffix = "__between"
