"""Cursors: where a page ends, as a text that can stand in a URL.

A cursor has the values of the last row in the columns that rows are ordered by. They
are bound to the next query, so whatever somebody writes into a cursor, it is nothing
but another place to start from.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

from sqliter.core.statement import Value
from sqliter.exceptions import InvalidCursorError

__all__ = ["cursor_of", "values_of"]

_CHECK = 9  # bytes that tell a cursor from other texts
_HIGHEST = 2**63


def cursor_of(shape: str, values: Sequence[Value]) -> str:
    """Return the cursor for these values in a query of this shape."""
    content = [_digest(shape.encode()).hex(), *map(_written, values)]
    text = json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(text) + text).decode().rstrip("=")


def values_of(
    shape: str, cursor: object, count: int, kind: type | None = int
) -> tuple[Value, ...]:
    """Return the values in a cursor, the last of which is a key of this kind.

    Raises ``InvalidCursorError``, ``TypeError``.
    """
    if not isinstance(cursor, str):
        msg = f"a cursor is a text, or None for the first page, not {cursor!r}"
        raise TypeError(msg)
    try:
        known_shape, values = _content(cursor, kind)
    except (ValueError, TypeError, LookupError, RecursionError):
        msg = f"{cursor[:40]!r} is none; give back next_cursor of a page as it was"
        raise InvalidCursorError(msg) from None
    if known_shape != _digest(shape.encode()).hex() or len(values) != count:
        msg = "it was given by a query of another model, or in another order"
        raise InvalidCursorError(msg)
    return values


def _content(cursor: str, kind: type | None) -> tuple[object, tuple[Value, ...]]:
    """Return the shape and the values, the last of which is a key; or raise."""
    padded = cursor + "=" * (-len(cursor) % 4)
    data = base64.b64decode(padded, altchars=b"-_", validate=True)
    check, text = data[:_CHECK], data[_CHECK:]
    shape, *written = json.loads(text)
    values = tuple(map(_read, written))
    if check != _digest(text) or type(values[-1]) is not kind:
        raise ValueError
    return shape, values


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_CHECK]


def _written(value: Value) -> Any:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def _read(written: Any) -> Value:
    """Return a value, if SQLite can take it."""
    if isinstance(written, dict):
        return bytes.fromhex(written["hex"])
    if isinstance(written, str):
        written.encode()  # or there are halves of characters in it
    elif not (written is None or _is_number(written)):
        raise ValueError
    value: Value = written
    return value


def _is_number(written: Any) -> bool:
    if type(written) is int:
        return -_HIGHEST <= written < _HIGHEST
    return isinstance(written, float) and not math.isnan(written)
