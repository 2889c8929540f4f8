"""Functions written in Python that SQL of this library may call."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeAlias

from sqliter.core.statement import Value
from sqliter.model.codecs import DecimalAvg, DecimalSum, compare_decimal
from sqliter.model.codecs.moments import local_clock
from sqliter.sql.regex import matches

Guard: TypeAlias = Callable[[Callable[[Value], Any]], Callable[[Value], Any]]

_AGGREGATES: dict[str, Any] = {
    "sqliter_decimal_sum": DecimalSum,
    "sqliter_decimal_avg": DecimalAvg,
}


def register_functions(
    raw: sqlite3.Connection, guarded: Guard = lambda function: function
) -> None:
    """Make them known to a new connection; ``guarded`` ones can be stopped."""
    for name, function in _FUNCTIONS.items():
        raw.create_function(name, 1, guarded(function), deterministic=True)
    raw.create_collation("sqliter_decimal", compare_decimal)
    for name, aggregate in _AGGREGATES.items():
        raw.create_aggregate(name, 1, aggregate)


def casefold(value: Value) -> Value:
    """Fold case as Unicode defines it; numbers become text, as in ``LIKE``."""
    if value is None or isinstance(value, bytes):
        return value
    return str(value).casefold()


def unhex(value: Value) -> Value:
    """Return a value of a long list as it was before it became JSON."""
    if not isinstance(value, str):
        return value
    kind, text = value[0], value[1:]
    if kind == "s":
        return text
    if kind == "f":
        return float.fromhex(text)
    return bytes.fromhex(text) if kind == "b" else bytes.fromhex(text).decode()


def refuse(value: Value) -> Value:
    """Have a statement fail that computed what a column must not hold."""
    raise ValueError(value)


def length(value: Value) -> Value:
    """Count characters or bytes; numbers become text."""
    if value is None:
        return None
    return len(value if isinstance(value, (str, bytes)) else str(value))


def regex(argument: Value) -> Value:
    """Say whether a pattern is found in the text behind it."""
    return matches(argument) if isinstance(argument, str) else None


def local(value: Value) -> Value:
    """Return what a local clock shows at an instant; NULL for what is none."""
    if not isinstance(value, (int, float)):
        return None
    try:
        return local_clock(value)
    except ValueError:
        return None


_FUNCTIONS: dict[str, Callable[[Value], Value]] = {
    "sqliter_casefold": casefold,
    "sqliter_len": length,
    "sqliter_local": local,
    "sqliter_refuse": refuse,
    "sqliter_regex": regex,
    "sqliter_unhex": unhex,
}
