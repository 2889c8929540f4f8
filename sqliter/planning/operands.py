"""Columns as the left sides of comparisons, and the values they are compared with."""

from __future__ import annotations

import functools
import math
from typing import Any

from pydantic import ValidationError

from sqliter.core.statement import Value
from sqliter.model.codecs import Codec
from sqliter.model.codecs.moments import decode_date, decode_local, decode_naive
from sqliter.model.fields import coerce
from sqliter.model.keys import is_object, key_of, misfit
from sqliter.model.table import Column, Table
from sqliter.sql.lookups import Kind, Operand

__all__ = ["encode_scalar", "operand_of"]

_SCALARS = (int, float, str, bytes)  # and bool, which is an int


def operand_of(
    table: Table, column: Column, name: str | None = None, *, local: bool = True
) -> Operand:
    """Return the column as the left side of a comparison.

    ``local``: whether datetimes are read in local time.
    """
    encode = functools.partial(_encode, table, column)
    codec = column.codec
    label = name or column.field
    holds_int = int in codec.writes and codec.encode is None
    return Operand(
        label,
        column.sql,
        codec.storage,
        encode,
        codec.collation,
        holds_int,
        _kind_of(codec, local=local),
    )


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


def _kind_of(codec: Codec, *, local: bool) -> Kind | None:
    if codec.decode is decode_local:
        return Kind.LOCAL if local else Kind.UTC
    if codec.decode is decode_naive:  # local, whatever the database says
        return Kind.LOCAL
    if codec.decode is decode_date:
        return Kind.DAY
    is_as_stored = codec.decode is None or codec.decode is bytearray
    return _PLAIN.get(codec.reads) if is_as_stored else None


_PLAIN: dict[frozenset[type], Kind] = {
    frozenset({str}): Kind.TEXT,
    frozenset({bytes}): Kind.BYTES,
}


def _encode(table: Table, column: Column, value: Any) -> Value:
    """Return a filter value as the column stores it."""
    codec = column.codec
    if codec.encode is None and type(value) is str and str in codec.writes:
        value.encode()  # as in encode_scalar(), for what is compared most
        return value
    if column.target is not None or column is table.pk:
        if is_object(value):
            key = _key(column.target or table.model, value)
            return key if codec.encode is None else column.encode(key)
        if isinstance(value, str) and int in codec.reads:
            return int(value)  # SQLite would find no row, whatever the text
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


def _key(model: Any, value: Any) -> Any:
    reason = misfit(value, model)
    key = None if reason else key_of(value)
    if key is None:
        msg = reason or f"this {type(value).__name__} is not saved"
        raise ValueError(msg)
    return key
