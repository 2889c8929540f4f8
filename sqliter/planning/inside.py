"""Parts of the JSON in a column as the left sides of comparisons."""

from __future__ import annotations

import functools
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from sqliter.core.statement import Value
from sqliter.exceptions import InvalidFilterError
from sqliter.model.codecs import DECIMAL_COLLATION
from sqliter.model.codecs.annotations import unwrap
from sqliter.model.documents import Part, cut, declared, root_of, shape_of, step
from sqliter.model.table import Column, Table
from sqliter.planning.operands import encode_scalar, operand_of
from sqliter.sql.lookups import Lookup, Operand
from sqliter.sql.lookups.inside import find_inside
from sqliter.sql.place import Encode, Place

__all__ = ["operator_inside", "side_inside"]

_REFUSED = (bytes, bytearray, datetime, time, timedelta, complex, PurePath)


def operator_inside(column: Column, key: str, rest: str) -> tuple[Part, str] | None:
    """Return the part of a column that a keyword ends with, and the operator.

    A name that is declared wins over an operator, an operator over any other key,
    unless that is in quotes. Raises ``InvalidFilterError`` if there is no such part.
    """
    part = root_of(column.codec)
    while part is not None and rest:
        name, others, is_quoted = cut(rest)
        is_declared = name in (declared(part.kind) or ())
        if not is_quoted and not is_declared and _lookup(part, f"__{rest}"):
            return part, f"__{rest}"
        try:
            part = step(part, name, is_key=is_quoted)
        except ValueError as error:
            raise _unknown(key.removesuffix(f"__{rest}"), rest, error) from error
        rest = others
    return None if part is None else (part, "__eq")


def side_inside(
    table: Table, column: Column, part: Part, name: str, suffix: str
) -> tuple[Operand, Lookup]:
    """Return the part as the left side of a comparison, and the operator."""
    lookup = _lookup(part, suffix)
    assert lookup is not None
    place = _place(table, column, part)
    if place.is_root:
        return operand_of(table, column, name)._replace(place=place), lookup
    encode = _encoder(part)
    collation = _collation(part)
    return Operand(name, place.sql, "TEXT", encode, collation, place=place), lookup


def _collation(part: Part) -> str | None:
    return DECIMAL_COLLATION if part.tag and part.kind is Decimal else None


def _lookup(part: Part, suffix: str) -> Lookup | None:
    is_scalar = shape_of(part) is None
    return find_inside(suffix, is_root=part.path == "$", is_scalar=is_scalar)


def _place(table: Table, column: Column, part: Part) -> Place:
    shape = shape_of(part)
    if shape is None:
        path = part.value_path
        return Place(column.sql, table.sql, path, path, is_scalar=True)
    element = part._replace(annotation=shape.element)
    return Place(
        column.sql,
        table.sql,
        part.path,
        part.path + shape.inside,
        element=None if shape.element is None else _encoder(element),
        key=None if shape.key is None else functools.partial(_encode_key, part),
        tag=element.tag,
        collation=_collation(element),
        tagged=part.tagged,
    )


def _encoder(part: Part) -> Encode:
    """Return what makes of a value what SQLite finds in the JSON."""
    kind = part.kind
    if kind is Any or not isinstance(kind, type):
        is_open = kind is Any or shape_of(part) is None
        return _encode_scalar if is_open else _NO_SCALAR
    if shape_of(part) is not None:
        return _NO_SCALAR
    if kind in _WRITTEN or issubclass(kind, Enum):
        return functools.partial(_encode_as, kind)
    return _NO_JSON if issubclass(kind, _REFUSED) else _encode_scalar


_WRITTEN: dict[Any, Any] = {date: date.isoformat, UUID: str, Decimal: str}


def _refusal(reason: str) -> Encode:
    def refuse(value: Any) -> Value:
        msg = f"{value!r:.80}: {reason}"
        raise ValueError(msg)

    return refuse


_NO_SCALAR = _refusal(
    "there is no scalar; compare its parts, or use '__contains' or '__len'"
)
_NO_JSON = _refusal(
    "JSON has no such values; ask by '__isnull', or keep them in a field of their own"
)


def _encode_as(kind: type, value: Any) -> Value:
    is_given = type(value) is kind
    given: Any = value if is_given else TypeAdapter(kind).validate_python(value)
    if isinstance(given, Enum):
        return _encode_scalar(given.value)
    return str(_WRITTEN[kind](given))


def _encode_scalar(value: Any) -> Value:
    encoded = encode_scalar(value)
    if isinstance(encoded, bytes):
        msg = "bytes are no value of JSON"
        raise ValueError(msg)
    if isinstance(encoded, float) and not math.isfinite(encoded):
        msg = "JSON has no infinite numbers"
        raise ValueError(msg)
    if isinstance(encoded, str) and "\0" in encoded:
        msg = "SQLite reads texts in JSON up to a NUL character only"
        raise ValueError(msg)
    return encoded


def _encode_key(part: Part, value: Any) -> Value:
    shape = shape_of(part)
    key = Any if shape is None else unwrap(shape.key)[0]
    if key is int and not part.tagged and isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        msg = f"a {type(value).__name__} is no key of a JSON object"
        raise ValueError(msg)
    if "\0" in value or (part.tagged and value.startswith("$")):
        msg = "a key that SQLite finds in JSON has no NUL character, nor a '$' at first"
        raise ValueError(msg)
    return encode_scalar(value)


def _unknown(name: str, rest: str, error: ValueError) -> InvalidFilterError:
    text = f"unknown operator '{rest}' for field '{name}': {error}"
    message = f"Failed to apply filter: {text}"
    return InvalidFilterError(name, message=message, original=error)
