"""From a comparison of terms to the condition that it means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from sqliter.core.statement import Value
from sqliter.exceptions import InvalidFilterError
from sqliter.model.codecs import codec_for
from sqliter.planning.computed import (
    ANY,
    BOOL,
    BYTES,
    DAY,
    NUMBERS,
    TEXT,
    Computed,
    Kind,
    Names,
    Stored,
    collated,
)
from sqliter.planning.conditions import Compared, Condition
from sqliter.planning.frame import Frame, Path
from sqliter.planning.nested import among
from sqliter.planning.operands import encode_scalar, operand_of
from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups import Kind as ValueKind
from sqliter.sql.lookups import Lookup, Operand, find_lookup
from sqliter.terms.q import Predicate
from sqliter.terms.subquery import Exists, SubQuery
from sqliter.terms.term import Term

__all__ = ["Holds", "compared", "comparison", "looked"]

_LISTS = {"__in": "IN", "__not_in": "NOT IN"}


def compared(names: Names, predicate: Predicate) -> Condition:
    """Return the condition; raises ``ValueError``, ``InvalidFilterError``."""
    term, suffix, value = predicate.term, predicate.operator, predicate.value
    left = names.compared(term)
    if isinstance(term, Exists):
        return Holds(left, repr(term))
    if isinstance(value, Term):
        return comparison(names, term, suffix, value)
    lookup = find_lookup(suffix)
    if lookup is None:
        msg = f"unknown operator '{suffix.removeprefix('__')}'"
        raise ValueError(msg)
    return looked(repr(term), left, lookup, value)


def looked(name: str, side: Computed, lookup: Lookup, value: Any) -> Condition:
    """Return the condition that an operator means for what is computed."""
    operand = _operand(name, side)
    return _Looked(side, operand, lookup, value, lookup.prepare(operand, value))


def comparison(
    names: Names, term: Term[Any], suffix: str, value: Term[Any]
) -> Condition:
    """Return the condition that compares two terms."""
    left, right = names.compared(term), names.compared(value)
    both_numbers = left.kind in NUMBERS and right.kind in NUMBERS
    unknown = left.kind is ANY or right.kind is ANY
    if not (both_numbers or unknown) and left.kind != right.kind:
        msg = f"{term!r} and {value!r} are of different types"
        raise ValueError(msg)
    is_strict = isinstance(left, Stored) and isinstance(right, Stored)
    name, operator = repr(term), getattr(find_lookup(suffix), "operator", None)
    if isinstance(value, SubQuery) and suffix in _LISTS:
        operator, right = _LISTS[suffix], among(right)
    if operator is None:
        msg = "an expression is compared by =, __ne, __lt, __lte, __gt or __gte"
        raise ValueError(msg)
    return Compared(name, operator, value, collated(left), right, is_strict)


class Holds(NamedTuple):
    """Something that is true or false by itself."""

    side: Computed
    name: str
    is_long: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it looks, along foreign keys."""
        return self.side.paths

    @property
    def is_own(self) -> bool:
        """Whether it is about columns of the table alone."""
        return self.side.is_own

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        return self.side.render(frame)

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield it as ``(field, value, operator)``."""
        yield self.name, True, "__eq"


class _Looked(NamedTuple):
    """An operator of ``filter()`` on what is computed."""

    side: Computed
    operand: Operand
    lookup: Lookup
    value: Any
    prepared: Any

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it looks, along foreign keys."""
        return self.side.paths

    @property
    def is_own(self) -> bool:
        """Whether it is about columns of the table alone."""
        return self.side.is_own

    @property
    def is_long(self) -> bool:
        """Whether it takes a while to render it."""
        return self.lookup.is_long(self.prepared)

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        test = self.lookup.render(self.operand, self.prepared)
        return _filled(test, self.side.render(frame))

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield it as ``(field, value, operator)``."""
        yield self.operand.name, self.value, self.lookup.suffix


_HOLE = "\0"
"""Where an operator writes its left side; no SQL has this character."""

_MARKS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(\?)")


def _filled(test: Fragment, side: Fragment) -> Fragment:
    """Return a test with what is tested in its place, however often that is."""
    given = iter(test.params)
    params: list[Value] = []
    first, *others = test.sql.split(_HOLE)
    params += islice(given, _marks(first))
    for piece in others:
        params += side.params
        params += islice(given, _marks(piece))
    return Fragment(test.sql.replace(_HOLE, side.sql), tuple(params))


def _marks(sql: str) -> int:
    return sum(bool(found) for found in _MARKS.findall(sql))


def _operand(name: str, side: Computed) -> Operand:
    """Return what is computed as the left side of an operator."""
    if side.like is not None:
        like = operand_of(side.like.table, side.like.column, name)
        return like._replace(sql=_HOLE)
    return Operand(
        name,
        _HOLE,
        "TEXT" if side.kind == TEXT else "BLOB",
        partial(_encode, name, side.kind),
        holds_int=side.kind in NUMBERS,
        kind=_VALUE_KINDS.get(side.kind),
    )


_VALUE_KINDS = {TEXT: ValueKind.TEXT, BYTES: ValueKind.BYTES}

_TYPES: dict[Kind, tuple[type, ...]] = {
    int: (int, float),
    float: (int, float),
    TEXT: (str,),
    BYTES: (bytes,),
    BOOL: (bool, int),
    DAY: (date,),
}


_DAYS = codec_for(date, ()).encode


def _encode(name: str, kind: Kind, value: Any) -> Value:
    """Return a value as it is compared with an expression of this kind."""
    expected = _TYPES.get(kind)
    if expected is not None and not isinstance(value, expected):
        wanted = " or ".join(each.__name__ for each in expected)
        text = f"{name} gives {wanted}, which never equals {value!r}"
        raise InvalidFilterError(name, message=f"Failed to apply filter: {text}")
    return encode_scalar(_DAYS(value) if kind == DAY and _DAYS else value)
