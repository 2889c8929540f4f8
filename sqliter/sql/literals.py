"""Values written into SQL text, where there can be no parameters: in a schema."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal

from sqliter.core.statement import Value
from sqliter.sql.fragment import Fragment

__all__ = ["inlined", "literal", "unquoted"]

_QUOTED = re.compile("'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_QUOTED_OR_MARK = re.compile(rf"{_QUOTED.pattern}|\?")

_CHUNK = 62  # 2 to this power still is an integer of SQLite


def literal(value: Value) -> str:
    """Return the SQL that means exactly this value."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return _real(value)
    return f"{value:d}" if isinstance(value, int) else f"X'{bytes(value).hex()}'"


def inlined(fragment: Fragment) -> str:
    """Return the SQL with its values in the places of the question marks."""
    values: Iterator[Value] = iter(fragment.params)

    def written(match: re.Match[str]) -> str:
        return literal(next(values)) if match[0] == "?" else match[0]

    return _QUOTED_OR_MARK.sub(written, fragment.sql)


def unquoted(sql: str) -> str:
    """Return the SQL without names and texts in quotes."""
    return _QUOTED.sub("", sql)


def _text(value: str) -> str:
    if "\0" in value:  # where SQLite would stop to read
        return f"CAST(X'{value.encode().hex()}' AS TEXT)"
    return "'" + value.replace("'", "''") + "'"


def _real(value: float) -> str:
    """Write a float; one that SQLite might read inexactly as what it is made of.

    Other than Python, it does not promise to read decimals to the last bit.
    """
    if math.isinf(value):
        return "9e999" if value > 0 else "-9e999"
    if _is_plain(value):
        return repr(value)
    fraction, exponent = math.frexp(value)
    number, power = int(fraction * 2**53), exponent - 53
    operator = "*" if power > 0 else "/"
    chunks, rest = divmod(abs(power), _CHUNK)
    factors = [2**_CHUNK] * chunks + [2**rest] * bool(rest)
    scaled = "".join(f" {operator} {factor}" for factor in factors)
    return f"(CAST({number} AS REAL){scaled})"


def _is_plain(value: float) -> bool:
    """Whether any way to read the decimal gives this very number."""
    _, digits, exponent = Decimal(repr(value)).as_tuple()
    return len(digits) <= 15 and isinstance(exponent, int) and -3 <= exponent <= 0
