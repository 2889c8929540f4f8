"""Aggregates: ``func.count()``, ``func.sum("price")`` and their kin."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqliter.model.codecs import DECIMAL_COLLATION
from sqliter.model.table import Column

__all__ = ["AggregateFunction", "AggregateSpec", "aggregate_sql", "func"]

AggregateFunction: TypeAlias = Literal["COUNT", "SUM", "AVG", "MIN", "MAX"]

_FUNCTIONS = typing.get_args(AggregateFunction)


@dataclass(frozen=True)
class AggregateSpec:
    """One aggregate over a field; ``COUNT`` also counts rows (no field)."""

    func: AggregateFunction
    field: str | None = None
    distinct: bool = False

    def __post_init__(self) -> None:
        name = str(self.func).upper()
        if name not in _FUNCTIONS:
            msg = (
                f"Unknown aggregate {self.func!r}; use one of {', '.join(_FUNCTIONS)}."
            )
            raise ValueError(msg)
        object.__setattr__(self, "func", name)
        if self.field == "*":
            object.__setattr__(self, "field", None)
        if name != "COUNT" and self.field is None:
            msg = f"{name} requires a concrete field name."
            raise ValueError(msg)


AggregateSpec.__module__ = "sqliter.query.aggregates"  # where users import it from


class _Func:
    """The namespace of aggregate makers."""

    @staticmethod
    def count(field: str | None = None, *, distinct: bool = False) -> AggregateSpec:
        """Count rows, or the values of a field that are not NULL."""
        return AggregateSpec("COUNT", field, distinct)

    @staticmethod
    def sum(field: str, *, distinct: bool = False) -> AggregateSpec:
        """Add the values up; ``None`` over no rows."""
        return AggregateSpec("SUM", field, distinct)

    @staticmethod
    def avg(field: str, *, distinct: bool = False) -> AggregateSpec:
        """Average the values; ``None`` over no rows."""
        return AggregateSpec("AVG", field, distinct)

    @staticmethod
    def min(field: str, *, distinct: bool = False) -> AggregateSpec:
        """Find the smallest value; ``None`` over no rows."""
        return AggregateSpec("MIN", field, distinct)

    @staticmethod
    def max(field: str, *, distinct: bool = False) -> AggregateSpec:
        """Find the greatest value; ``None`` over no rows."""
        return AggregateSpec("MAX", field, distinct)


func = _Func()
"""Aggregates for ``annotate``: ``func.count()``, ``func.max("price")`` …"""

# SQLite adds decimals up as floats; these add exactly.
_EXACT = {"SUM": "sqliter_decimal_sum", "AVG": "sqliter_decimal_avg"}


def aggregate_sql(spec: AggregateSpec, column: Column | None) -> str:
    """Return the SQL of an aggregate over a column (``None``: over rows)."""
    if column is None:
        return "COUNT(*)"
    distinct = "DISTINCT " if spec.distinct else ""
    is_decimal = column.codec.collation == DECIMAL_COLLATION
    name = _EXACT.get(spec.func, spec.func) if is_decimal else spec.func
    compares = spec.func in ("MIN", "MAX") or spec.distinct
    return f"{name}({distinct}{column.compared if compares else column.sql})"


def is_decoded(spec: AggregateSpec, column: Column | None) -> bool:
    """Whether results are values of the field's type."""
    if column is None or spec.func == "COUNT":
        return False
    return spec.func in ("MIN", "MAX") or column.codec.adds
