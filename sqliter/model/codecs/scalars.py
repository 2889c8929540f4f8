"""Codecs of values that are one number, one text or one blob."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import ByteSize, SecretBytes, SecretStr

from .codec import Codec, UnstorableValue, Value, shown

INT_MIN, INT_MAX = -(2**63), 2**63 - 1


def encode_float(value: float) -> float:
    """Give a float; NaN (SQLite would keep NULL) and inexact integers are refused."""
    if isinstance(value, float) and isnan(value):
        raise UnstorableValue("NaN cannot be kept; use None for 'unknown'")
    return value if type(value) is float else _float_of(value)


def _float_of(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = 0.0  # differs from the value, as any rounding does
    if number != value:
        raise UnstorableValue(f"{shown(value)} is not exact as a float; annotate int")
    return number


def read_float(value: Any) -> float:
    """Understand "Inf"; whatever would have to be rounded is refused."""
    if not isinstance(value, str) or isnan(number := float(value)):
        raise ValueError(f"{shown(value)} is no float")
    return number


def decode_bool(stored: int) -> bool:
    """Read 0 or 1."""
    if stored == 1:
        return True
    if stored == 0:
        return False
    raise ValueError(f"{shown(stored)} is neither 0 nor 1")


def text_codec(kind: type[Any], read: Callable[[str], Any] | None = None) -> Codec:
    """Keep values as `str(value)`; `read` (or the type) makes them again."""
    return Codec("TEXT", (kind,), frozenset({str}), encode=str, decode=read or kind)


def secret_codec(inner: Codec, kind: type[Any]) -> Codec:
    """Keep the value inside a secret as `inner` would, in clear."""

    def encode(secret: Any) -> Value:
        return inner.store(secret.get_secret_value())

    def decode(stored: Any) -> Any:
        return kind(inner.load(stored))

    return Codec(inner.storage, (object,), inner.reads, encode, decode)


INT = Codec("INTEGER", (int,), frozenset({int}))
BOOL = Codec("INTEGER", (bool,), frozenset({int}), decode=decode_bool)
FLOAT = Codec(
    "REAL", (float, int), frozenset({float}), encode=encode_float, rescue=read_float
)
STR = Codec("TEXT", (str,), frozenset({str}))
BYTES = Codec("BLOB", (bytes,), frozenset({bytes}))
BYTEARRAY = Codec(
    "BLOB", (bytearray, bytes), frozenset({bytes}), encode=bytes, decode=bytearray
)

SCALARS: dict[Any, Codec] = {
    int: INT,
    bool: BOOL,
    float: FLOAT,
    str: STR,
    bytes: BYTES,
    bytearray: BYTEARRAY,
    UUID: text_codec(UUID),
    ByteSize: Codec("INTEGER", (int,), frozenset({int}), encode=int, decode=ByteSize),
    SecretStr: secret_codec(STR, SecretStr),
    SecretBytes: secret_codec(BYTES, SecretBytes),
}


def path_codec(kind: type[PurePath]) -> Codec:
    """Keep a path as its text."""
    return text_codec(kind)
