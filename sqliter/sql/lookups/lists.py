"""Operators that look for a value in a list of any length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqliter.core.statement import Value
from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups.lookup import Lookup, Operand
from sqliter.sql.lookups.registry import register_lookup

FEW = 64
"""Lists up to this length are written out; longer ones travel as JSON."""

MANY = 5_000
"""Lists longer than this are not written where others wait."""


@register_lookup
class In(Lookup):
    """``age__in=[1, 2, None]``; ``None`` in the list means the NULL rows."""

    suffix = "__in"
    negates, compares = False, True
    remembered = False  # a model is refused as a list, which only its value tells

    def prepare(self, operand: Operand, value: Any) -> Any:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            msg = f"{operand.name} requires a list for '{self.suffix}'"
            raise TypeError(msg)
        values = list(value)
        if operand.holds_int and _are_integers(values):
            from array import array  # noqa: PLC0415 - few programs need it

            with suppress(OverflowError):
                return array("q", values), False
        encoded = [operand.encode(each) for each in values if each is not None]
        return tuple(encoded), len(encoded) < len(values)

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        values, with_null = prepared
        listed = in_list(operand.compared, "IN", values)
        if with_null:
            return Fragment(f"({listed.sql} OR {operand.sql} IS NULL)", listed.params)
        return listed

    def is_long(self, prepared: Any) -> bool:
        return len(prepared[0]) > MANY


@register_lookup
class NotIn(In):
    """``age__not_in=[1, 2]``; NULL rows match only an empty list."""

    suffix = "__not_in"

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        values, with_null = prepared
        listed = in_list(operand.compared, "NOT IN", values)
        if with_null:
            return Fragment(
                f"({listed.sql} AND {operand.sql} IS NOT NULL)", listed.params
            )
        return listed


def in_list(compared: str, operator: str, values: Sequence[Value]) -> Fragment:
    """Return the comparison of an expression with a list."""
    if len(values) <= FEW:
        marks = ", ".join("?" * len(values))
        return Fragment(f"{compared} {operator} ({marks})", tuple(values))
    import json  # noqa: PLC0415 - short lists need none

    # One text and one value for lists of any length. JSON has no blobs, ends texts
    # at NUL and may round floats: all those travel in hexadecimal.
    if _are_integers(values):
        listed = "(SELECT value FROM json_each(?))"
        travelling = json.dumps(list(values))
    else:
        listed = "(SELECT sqliter_unhex(value) FROM json_each(?))"
        travelling = json.dumps([_as_json(value) for value in values])
    return Fragment(f"{compared} {operator} {listed}", (travelling,))


def _are_integers(values: Sequence[Any]) -> bool:
    # Of many values, that is known much sooner than what each of them is.
    return {*map(type, values)} == {int}


def _as_json(value: Value) -> int | str | None:
    if isinstance(value, bytes):
        return f"b{value.hex()}"
    if isinstance(value, str):
        return f"s{value}" if "\0" not in value else f"t{value.encode().hex()}"
    return f"f{value.hex()}" if isinstance(value, float) else value
