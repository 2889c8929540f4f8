"""Operators on what is in the JSON of a column."""

from __future__ import annotations

from typing import Any

from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups.comparisons import Equal, NotEqual
from sqliter.sql.lookups.elements import Contains, ContainsAll, ContainsAny
from sqliter.sql.lookups.lists import In, NotIn
from sqliter.sql.lookups.lookup import Lookup, Operand
from sqliter.sql.lookups.registry import find_lookup
from sqliter.sql.lookups.transform import Transform, Transformed, encode_whole
from sqliter.sql.place import Place, is_like_json, literal

__all__ = ["find_inside"]


def find_inside(suffix: str, *, is_root: bool, is_scalar: bool) -> Lookup | None:
    """Return the operator of ``"__suffix"`` for a place in JSON, or ``None``.

    Of all that a column holds, operators that it has not are those of its JSON text.
    """
    if not is_scalar and suffix in _ELEMENTS:
        return _ELEMENTS[suffix]
    if suffix == "__len" or suffix.startswith("__len__"):
        compared = find_lookup(suffix.removeprefix("__len") or "__eq")
        is_fit = compared is not None and compared.compares
        return Transformed(_LENGTH, compared, suffix) if compared and is_fit else None
    found = find_lookup(suffix)
    if found is None or isinstance(found, Transformed):
        return None
    return found if is_root else _Inside(found)


class _Inside(Lookup):
    """Another operator, on a scalar in JSON: only where that is of a type to compare.

    SQLite has an order of all values, whatever their types, and arrays are texts to it.
    """

    negates = False

    def __init__(self, lookup: Lookup) -> None:
        self.suffix, self.remembered = lookup.suffix, lookup.remembered
        self._lookup = lookup

    def prepare(self, operand: Operand, value: Any) -> Any:
        prepared = self._lookup.prepare(operand, value)
        if self._lookup.typed:
            _classes(prepared)
        return prepared

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        test = self._lookup.render(operand, prepared)
        assert operand.place is not None
        guard = self._guard(operand.place, prepared)
        return Fragment(f"({test.sql} {guard})", test.params) if guard else test

    def is_long(self, prepared: Any) -> bool:
        return self._lookup.is_long(prepared)

    def _guard(self, place: Place, prepared: Any) -> str:
        lookup = self._lookup
        if lookup.typed:
            return f"AND {place.type} IN ({_classes(prepared)})"
        if not isinstance(lookup, (Equal, NotEqual, In)):
            return ""
        values = prepared[0] if isinstance(lookup, In) else (prepared,)
        if not any(map(is_like_json, values)):
            return ""
        is_container = f"({place.type} IN ('array', 'object'))"
        if isinstance(lookup, (NotEqual, NotIn)):
            return f"OR {is_container}"
        return f"AND {is_container} IS NOT TRUE"


class _Length(Transform):
    """The number of elements, of keys, or of characters."""

    suffix = "__len"

    def of(self, operand: Operand) -> Operand:
        place = operand.place
        assert place is not None
        choices = []
        if place.element:
            items = f"json_array_length({place.column}, {literal(place.inside)})"
            choices.append(f"WHEN 'array' THEN {items}")
        if place.key:
            is_tag = "max(substr(key, 1, 1) = '$')"
            keys = f"CASE WHEN {is_tag} THEN NULL ELSE count(*) END"
            keys = keys if place.tagged else "count(*)"
            choices.append(f"WHEN 'object' THEN (SELECT {keys} FROM {place.each})")
        if place.is_scalar or place.is_open:
            choices.append(f"WHEN 'text' THEN length({place.value})")
        sql = f"CASE {place.shape} {' '.join(choices)} END"
        return Operand(f"{operand.name}{self.suffix}", sql, "INTEGER", encode_whole)


_LENGTH = _Length()

_ELEMENTS: dict[str, Lookup] = {
    lookup.suffix: lookup
    for kind in (Contains, ContainsAll, ContainsAny)
    for lookup in (kind(), kind(is_opposite=True))
}

_NUMBERS, _TEXTS = "'integer', 'real', 'true', 'false'", "'text'"


def _classes(prepared: Any) -> str:
    """Return what JSON calls values of the types of those that are compared with."""
    values = prepared if isinstance(prepared, tuple) else (prepared,)
    found = {_TEXTS if isinstance(value, str) else _NUMBERS for value in values}
    if len(found) > 1:
        msg = f"{values!r} are of different types"
        raise ValueError(msg)
    return found.pop()
