"""``filter(age__gt=3)``: from keywords to conditions."""

from __future__ import annotations

import functools
import math
from typing import Any

from pydantic import ValidationError

from sqliter.core.statement import Value
from sqliter.exceptions import InvalidFilterError, InvalidRelationshipError
from sqliter.model.fields import coerce
from sqliter.model.table import Column, Table
from sqliter.planning.spec import Condition
from sqliter.sql.lookups import Lookup, Operand, find_lookup, split_suffix

__all__ = ["condition_on", "conditions", "encode_scalar", "operand_of"]

_SCALARS = (int, float, str, bytes)  # and bool, which is an int


def conditions(table: Table, keywords: dict[str, Any]) -> tuple[Condition, ...]:
    """Return a condition per keyword.

    Raises ``InvalidFilterError`` for unknown fields, operators and values that the
    field cannot hold, ``TypeError`` for values the operator cannot take.
    """
    return tuple(_condition(table, key, value) for key, value in keywords.items())


def condition_on(operand: Operand, lookup: Lookup, value: Any) -> Condition:
    """Return the condition, with the value checked."""
    try:
        prepared = lookup.prepare(operand, value)
    except ValueError as error:
        raise _unfit(operand.name, value, error) from error
    return Condition(operand, lookup, value, prepared)


def operand_of(table: Table, column: Column) -> Operand:
    """Return the column as the left side of a comparison."""
    encode = functools.partial(_encode, table, column)
    codec = column.codec
    return Operand(column.field, column.sql, codec.storage, encode, codec.collation)


def encode_scalar(value: Any) -> Value:
    """Return a plain value as it is bound; raises ``ValueError`` if it cannot be."""
    if not isinstance(value, _SCALARS):
        msg = f"a {type(value).__name__} is no value of a column"
        raise ValueError(msg)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        msg = "the number is beyond 64 bits"
        raise ValueError(msg)
    if isinstance(value, float) and math.isnan(value):
        msg = "NaN equals nothing; use '__isnull'"
        raise ValueError(msg)
    if isinstance(value, str):
        value.encode()  # a lone surrogate is no text
    return value


def _condition(table: Table, key: str, value: Any) -> Condition:
    column, suffix = _parse(table, key)
    lookup = find_lookup(suffix)
    assert lookup is not None
    return condition_on(operand_of(table, column), lookup, value)


def _parse(table: Table, key: str) -> tuple[Column, str]:
    """Split a keyword into a column and an operator; exact field names win."""
    if key in table.by_field:
        return table.by_field[key], "__eq"
    name, suffix = split_suffix(key)
    if name in table.by_field:
        return table.by_field[name], suffix
    raise _unknown(table, name)


def _unknown(table: Table, name: str) -> Exception:
    path = name.rpartition("__")[0]
    if not path:
        return InvalidFilterError(name)
    first = name.partition("__")[0]
    if first in table.by_field:
        operator = name.removeprefix(f"{first}__")
        return InvalidFilterError(
            first,
            message=f"Failed to apply filter: unknown operator '{operator}' "
            f"for field '{first}'",
        )
    return InvalidRelationshipError(path, first, table.model.__name__)


def _encode(table: Table, column: Column, value: Any) -> Value:
    """Return a filter value as the column stores it."""
    codec = column.codec
    if isinstance(value, codec.writes) and codec.encode is not None:
        return column.encode(value)
    if codec.encode is None and isinstance(value, _SCALARS):
        return encode_scalar(value)
    try:
        return column.encode(coerce(table.model, column.field, value))
    except ValidationError:
        if type(value) in codec.reads and isinstance(value, (int, float)):
            return encode_scalar(value)  # Unix seconds and the like
        raise


def _unfit(name: str, value: Any, error: Exception) -> InvalidFilterError:
    text = f"Failed to apply filter: field '{name}' cannot be compared with "
    shown = repr(value)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return InvalidFilterError(name, message=text + shown, original=error)
