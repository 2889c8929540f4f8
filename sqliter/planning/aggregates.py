"""Aggregates: ``func.count()``, ``func.sum("price")`` and their kin."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol, TypeAlias

from sqliter.model.codecs import DECIMAL_COLLATION
from sqliter.model.table import Column
from sqliter.terms.call import Call, Function
from sqliter.terms.term import Term

__all__ = ["AggregateFunction", "AggregateSpec", "aggregate_sql", "func"]

AggregateFunction: TypeAlias = Literal["COUNT", "SUM", "AVG", "MIN", "MAX"]

_FUNCTIONS = typing.get_args(AggregateFunction)


@dataclass(frozen=True, eq=False)
class AggregateSpec(Call[Any]):
    """One aggregate over a field; ``COUNT`` also counts rows (no field).

    Two that ask for the same are equal; compared with anything else it gives a
    condition for ``having()``.
    """

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

    @property
    def _asked(self) -> tuple[object, ...]:
        return self.func, self.field, self.distinct

    def __eq__(self, other: object) -> Any:
        if isinstance(other, AggregateSpec):
            return self._asked == other._asked
        return super().__eq__(other)

    def __ne__(self, other: object) -> Any:
        if isinstance(other, AggregateSpec):
            return self._asked != other._asked
        return super().__ne__(other)

    def __hash__(self) -> int:
        return hash(self._asked)


AggregateSpec.__module__ = "sqliter.query.aggregates"  # where users import it from


class _Func:
    """The namespace of functions: aggregates, and all others that SQLite has."""

    def count(self, field: Any = None, *, distinct: bool = False) -> Call[Any]:
        """Count rows, or the values of a field that are not NULL."""
        return _aggregate("COUNT", field, distinct=distinct)

    def sum(self, field: Any, *, distinct: bool = False) -> Call[Any]:
        """Add the values up; ``None`` over no rows."""
        return _aggregate("SUM", field, distinct=distinct)

    def avg(self, field: Any, *, distinct: bool = False) -> Call[Any]:
        """Average the values; ``None`` over no rows."""
        return _aggregate("AVG", field, distinct=distinct)

    def min(self, field: Any, *others: Any, distinct: bool = False) -> Call[Any]:
        """Find the smallest value; ``None`` over no rows. Of several: of each row."""
        return _aggregate("MIN", field, *others, distinct=distinct)

    def max(self, field: Any, *others: Any, distinct: bool = False) -> Call[Any]:
        """Find the greatest value; ``None`` over no rows. Of several: of each row."""
        return _aggregate("MAX", field, *others, distinct=distinct)

    def __getattr__(self, name: str) -> Maker:
        if name.startswith("__"):
            raise AttributeError(name)
        return partial(_function, name)


class Maker(Protocol):
    """Makes calls of one function."""

    def __call__(self, *arguments: Any, distinct: bool = False) -> Function: ...


def _function(name: str, *arguments: Any, distinct: bool = False) -> Function:
    return Function(name, arguments, distinct=distinct)


def _aggregate(
    name: AggregateFunction, field: Any, *others: Any, distinct: bool
) -> Call[Any]:
    if isinstance(field, Term) or others:
        return Function(name.lower(), (field, *others), distinct=distinct)
    return AggregateSpec(name, field, distinct)


func = _Func()
"""Functions of SQL: ``func.count()``, ``func.max("price")``, ``func.lower(User.name)``.

Aggregates take the names of fields, or expressions. All others take expressions and
values, so there a field is ``F("name")`` or ``User.name``.
"""

# SQLite adds decimals up as floats; these add exactly.
EXACT = {"SUM": "sqliter_decimal_sum", "AVG": "sqliter_decimal_avg"}


def aggregate_sql(spec: AggregateSpec, column: Column | None) -> str:
    """Return the SQL of an aggregate over a column (``None``: over rows)."""
    if column is None:
        return "COUNT(*)"
    distinct = "DISTINCT " if spec.distinct else ""
    is_decimal = column.codec.collation == DECIMAL_COLLATION
    name = EXACT.get(spec.func, spec.func) if is_decimal else spec.func
    compares = spec.func in ("MIN", "MAX") or spec.distinct
    return f"{name}({distinct}{column.compared if compares else column.sql})"


def is_decoded(spec: AggregateSpec, column: Column | None) -> bool:
    """Whether results are values of the field's type."""
    if column is None or spec.func == "COUNT":
        return False
    return spec.func in ("MIN", "MAX") or column.codec.adds
