"""The record that says how values of one column are kept, and its two errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from sqliter.core.statement import Value
from sqliter.exceptions import UnstorableTypeError

Storage = Literal["INTEGER", "REAL", "TEXT", "BLOB"]

__all__ = [
    "Codec",
    "JsonForm",
    "Storage",
    "UnstorableTypeError",
    "UnstorableValue",
    "Value",
    "read_legacy",
    "shown",
]

_WHOLE = r"[+-]?[0-9]+"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"


class UnstorableValue(ValueError):
    """One value cannot be kept exactly; the text says why and what to do."""


class JsonForm(NamedTuple):
    """What JSON text holds: values of an annotation, and whether some are tagged."""

    annotation: Any
    tagged: bool


class Codec(NamedTuple):
    """How values of one annotation are kept in one column; `None` is never passed in.

    `storage`: the declared column type; "BLOB" means no affinity.
    `writes`: Python types `encode` accepts (by isinstance).
    `reads`: storage classes `decode` understands; for others ask `legacy`.
    `encode`: value to stored value, raises `UnstorableValue`; None: bound as it is.
    `decode`: stored value to value, raises `ValueError`; None: it is the value.
    `decode_utc`: datetimes only, instead of `decode` where no local time is wanted.
    `nullable`: the annotation admits None.
    `collation`: what the compiler adds where the column is compared or ordered.
    `adds`: sums and averages are in the column's own encoding and are decoded too.
    `json`: what the JSON is, if the column holds JSON text.
    `rescue`: last resort of `legacy`, raises `ValueError`.
    """

    storage: Storage
    writes: tuple[type, ...]
    reads: frozenset[type]
    encode: Callable[[Any], Value] | None = None
    decode: Callable[[Any], Any] | None = None
    decode_utc: Callable[[Any], Any] | None = None
    nullable: bool = False
    collation: str | None = None
    adds: bool = False
    rescue: Callable[[Any], Any] | None = None
    json: JsonForm | None = None

    def legacy(self, value: Any, *, utc: bool = False) -> Any:
        """Understand a stored value of another class (old files).

        Also worth asking after `decode` raised `ValueError`. `utc`: as `decode_utc`.
        Raises `ValueError`.
        """
        for stored in _readings(value):
            if type(stored) in self.reads:
                return self.load(stored, utc=utc)
        if self.rescue is None:
            raise ValueError(f"{shown(value)} is no value of this column")
        return self.rescue(value)

    def load(self, stored: Any, *, utc: bool = False) -> Any:
        """Decode by hand, off the hot path."""
        decode = (self.decode_utc if utc else None) or self.decode
        return stored if decode is None else decode(stored)

    def store(self, value: Any) -> Value:
        """Encode by hand, off the hot path."""
        stored: Value = value if self.encode is None else self.encode(value)
        return stored


def read_legacy(codec: Codec, value: Any, *, utc: bool = False) -> Any:
    """Ask `codec.legacy`: a stored value of another class, or `ValueError`."""
    return codec.legacy(value, utc=utc)


def shown(value: object) -> str:
    """Show a value shortly in a message; never fails, whatever its `repr` does."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a broken repr must not hide the real message
        return f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _readings(value: Any) -> Iterator[int | float]:
    """Give the numbers an old column may have meant: "7" is 7, 7.0 is 7, 7 is 7.0."""
    if isinstance(value, str):
        if re.fullmatch(_WHOLE, value) and len(value) < 4000:
            yield int(value)
        if re.fullmatch(_NUMBER, value):
            yield from _numbers(float(value))
    elif isinstance(value, int):
        if abs(value) <= 2**63 and int(float(value)) == value:
            yield float(value)
    elif isinstance(value, float):
        yield from _numbers(value)


def _numbers(value: float) -> Iterator[int | float]:
    yield value
    if value.is_integer():
        yield int(value)
