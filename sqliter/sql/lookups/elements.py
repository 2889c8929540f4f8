"""Operators that look for elements of arrays and keys of objects, as ``in`` does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from sqliter.core.statement import Value
from sqliter.sql.fragment import Fragment, join
from sqliter.sql.lookups.lists import MANY, in_list
from sqliter.sql.lookups.lookup import Lookup, Operand
from sqliter.sql.lookups.texts import Contains as ContainsText
from sqliter.sql.place import Encode, Place, literal

__all__ = ["Contains", "ContainsAll", "ContainsAny"]


class _Wanted(NamedTuple):
    """What is looked for; ``None`` where it cannot be."""

    elements: tuple[Value, ...] | None
    keys: tuple[Value, ...] | None
    text: str | None = None
    null: bool = False


class ContainsAll(Lookup):
    """``tags__contains_all=["a", "b"]``."""

    suffix = "__contains_all"
    word: ClassVar[str] = "AND"

    def __init__(self, *, is_opposite: bool = False) -> None:
        self.is_opposite = is_opposite
        if is_opposite:
            self.suffix = f"__not_{self.suffix.removeprefix('__')}"

    def prepare(self, operand: Operand, value: Any) -> _Wanted:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            msg = f"{operand.name} requires a list for '{self.suffix}'"
            raise TypeError(msg)
        return self.wanted(operand, list(value))

    def wanted(self, operand: Operand, values: list[Any]) -> _Wanted:
        """Return what these are as elements, and as keys."""
        place = operand.place
        assert place is not None
        others = [value for value in values if value is not None]
        null = len(others) < len(values)
        elements = tuple(map(place.element, others)) if place.element else None
        keys = None if null and self.word == "AND" else self._keys(place, others)
        return _Wanted(elements, keys, null=null)

    def render(self, operand: Operand, prepared: _Wanted) -> Fragment:
        place = operand.place
        assert place is not None
        tests = {}
        if prepared.elements is not None:
            found = self._elements(place, prepared.elements, null=prepared.null)
            tests["array"] = found
        if place.key is not None:
            tests["object"] = self._all_or_any(place, "key", prepared.keys)
        if prepared.text is not None:
            text = operand._replace(sql=place.value)
            tests["text"] = _CONTAINS.render(text, prepared.text)
        found = join(" ", [self._choice(*test) for test in tests.items()])
        return Fragment(f"CASE {place.shape} {found.sql} END", found.params)

    def is_long(self, prepared: _Wanted) -> bool:
        return max(len(prepared.elements or ()), len(prepared.keys or ())) > MANY

    def _choice(self, shape: str, test: Fragment) -> Fragment:
        sql = f"NOT ({test.sql})" if self.is_opposite else test.sql
        return Fragment(f"WHEN '{shape}' THEN {sql}", test.params)

    def _keys(self, place: Place, values: list[Any]) -> tuple[Value, ...] | None:
        if place.key is None:
            return None
        if place.element is None:
            return tuple(map(place.key, values))
        # It may as well be an array: what is no key is none, and no mistake.
        found = [each for each in values if _is_key(place.key, each)]
        if self.word == "AND" and len(found) < len(values):
            return None
        return tuple(map(place.key, found))

    def _elements(
        self, place: Place, values: tuple[Value, ...], *, null: bool
    ) -> Fragment:
        column = "atom"
        if place.tag:
            tagged = f"json_extract(value, {literal('$' + place.tag)})"
            column = f"CASE type WHEN 'object' THEN {tagged} END"
        if place.collation:
            column = f"{column} COLLATE {place.collation}"
        parts = []
        if values or not null:
            parts.append(self._all_or_any(place, column, values))
        if null:
            test = f"EXISTS (SELECT 1 FROM {place.each} WHERE type = 'null')"
            parts.append(Fragment(test))
        found = join(f" {self.word} ", parts)
        return Fragment(f"({found.sql})", found.params)

    def _all_or_any(
        self, place: Place, column: str, values: tuple[Value, ...] | None
    ) -> Fragment:
        if values is None:
            return Fragment("0")
        listed = in_list(column, "IN", values)
        count = (
            f"(SELECT count(DISTINCT {column}) FROM {place.each} WHERE {listed.sql})"
        )
        # As SQLite counts: 1 and 1.0 are one, and so are decimals that are equal.
        different = {*map(Decimal, map(str, values))} if place.collation else {*values}
        return Fragment(f"{count} = {len(different)}", listed.params)


class ContainsAny(ContainsAll):
    """``tags__contains_any=["a", "b"]``."""

    suffix, word = "__contains_any", "OR"

    def _all_or_any(
        self, place: Place, column: str, values: tuple[Value, ...] | None
    ) -> Fragment:
        listed = in_list(column, "IN", values or ())
        test = f"EXISTS (SELECT 1 FROM {place.each} WHERE {listed.sql})"
        return Fragment(test, listed.params)


class Contains(ContainsAny):
    """``tags__contains="a"``: an element, a key, or a part of a text."""

    suffix = "__contains"

    def prepare(self, operand: Operand, value: Any) -> _Wanted:
        if isinstance(value, (list, dict, set, tuple)):
            msg = (
                f"{operand.name} requires one element for '{self.suffix}'; "
                "use '__contains_all' or '__contains_any'"
            )
            raise TypeError(msg)
        wanted = self.wanted(operand, [value])
        is_open = operand.place is not None and operand.place.is_open
        return wanted._replace(text=value if is_open and type(value) is str else None)


def _is_key(encode: Encode, value: Any) -> bool:
    try:
        encode(value)
    except ValueError:
        return False
    return True


_CONTAINS = ContainsText()
