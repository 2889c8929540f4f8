"""JSON text that knows Python's types: plain where both agree, tagged elsewhere.

A tag is an object with one key that starts with "$": `{"$tuple": [1, 2]}`. A dict whose
own keys start with "$", or are no text, is written as `{"$dict": [[key, value], ...]}`.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from math import isfinite
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from .codec import UnstorableValue, shown
from .moments import decode_timedelta, encode_time, timedelta_micros

Simplify = Callable[[Any], Any]

_PATHS = {kind.__name__: kind for kind in (PurePosixPath, PureWindowsPath)}
_HALVES = re.compile("[\ud800-\udfff]")
_NATIVE = frozenset({str, int, bool, type(None)})


def refuse(value: Any) -> Any:
    """Say that this type has no JSON form."""
    raise UnstorableValue(
        f"{shown(value)} of type {type(value).__name__} cannot be kept here; annotate"
        " the field with that type, or convert the value first"
    )


def write_tagged(value: Any, simplify: Simplify = refuse) -> str:
    """JSON text of a value; `simplify` gives a simpler value for an unknown type."""
    try:
        return dump(tag(value, simplify))
    except RecursionError:
        raise UnstorableValue("the value is nested too deeply, or in itself") from None


def read_tagged(text: str) -> Any:
    """Read what `write_tagged` wrote, or raise `ValueError`."""
    try:
        return untag(_decoder()(text))
    except RecursionError:
        raise ValueError("the stored JSON is nested too deeply") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
        raise ValueError(f"the stored JSON has a broken tag: {error}") from error


def dump(node: Any) -> str:
    """Compact JSON text; integers beyond Python's digit limit are refused."""
    try:
        text = _encoder()(node)
    except ValueError as error:
        raise UnstorableValue(f"the value has no JSON form: {error}") from error
    # Only these: SQLite compares keys, in a path, as they are written.
    return text if _is_unicode(text) else _HALVES.sub(_escaped, text)


def _escaped(half: re.Match[str]) -> str:
    return f"\\u{ord(half[0]):04x}"


@cache
def _encoder() -> Callable[[Any], str]:
    import json  # noqa: PLC0415 - programs without containers need none

    return json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@cache
def _decoder() -> Callable[[str], Any]:
    import json  # noqa: PLC0415 - programs without containers need none

    return json.loads


def _is_unicode(text: str) -> bool:
    """Whether SQLite takes the text; lone surrogates must be escaped."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def in_json_order(nodes: Iterable[Any]) -> list[Any]:
    """Sort what came from a set, so that equal sets are equal text."""
    return sorted(nodes, key=dump)


def tag(value: Any, simplify: Simplify = refuse) -> Any:
    """Make a JSON-ready tree; by exact type, because a subclass is another type."""
    kind = type(value)
    if kind in _NATIVE:
        return value
    if kind is list:
        return [tag(item, simplify) for item in value]
    if kind is dict:
        return _tag_dict(value, simplify)
    if kind in _GROUPS:
        return {_GROUPS[kind]: _tag_group(value, simplify)}
    if kind in _WRITERS:
        return _WRITERS[kind](value)
    return tag(simplify(value), simplify)


def _tag_dict(value: dict[Any, Any], simplify: Simplify) -> Any:
    if all(type(key) is str and not key.startswith("$") for key in value):
        return {key: tag(item, simplify) for key, item in value.items()}
    pairs = value.items()
    return {"$dict": [[tag(k, simplify), tag(v, simplify)] for k, v in pairs]}


def _tag_group(value: Any, simplify: Simplify) -> Any:
    nodes = [tag(item, simplify) for item in value]
    if isinstance(value, deque):
        return [nodes, value.maxlen]
    return nodes if isinstance(value, tuple) else in_json_order(nodes)


def _tag_float(value: float) -> Any:
    return value if isfinite(value) else {"$float": str(value)}


def _tag_datetime(value: datetime) -> Any:
    """ISO text, or `[text, name of the zone or null, fold]` where text is not all."""
    text = value.isoformat()
    name = value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None
    return {"$datetime": [text, name, value.fold] if name or value.fold else text}


def _untag_datetime(node: Any) -> datetime:
    if isinstance(node, str):
        return datetime.fromisoformat(node)
    text, name, fold = node
    moment = datetime.fromisoformat(text).replace(fold=fold)
    return moment if name is None else moment.replace(tzinfo=ZoneInfo(name))


def _tag_path(value: PurePath) -> Any:
    return {"$path": [type(value).__name__, str(value)]}


def _untag_path(node: Any) -> PurePath:
    return Path(node) if isinstance(node, str) else _PATHS[node[0]](node[1])


def _tag_complex(value: complex) -> Any:
    return {"$complex": [repr(value.real), repr(value.imag)]}


_GROUPS: dict[type, str] = {
    tuple: "$tuple",
    set: "$set",
    frozenset: "$frozenset",
    deque: "$deque",
}

_WRITERS: dict[type, Callable[[Any], Any]] = {
    float: _tag_float,
    bytes: lambda value: {"$bytes": b64encode(value).decode()},
    bytearray: lambda value: {"$bytearray": b64encode(value).decode()},
    complex: _tag_complex,
    datetime: _tag_datetime,
    date: lambda value: {"$date": value.isoformat()},
    time: lambda value: {"$time": encode_time(value)},
    timedelta: lambda value: {"$timedelta": timedelta_micros(value)},
    Decimal: lambda value: {"$decimal": str(value)},
    UUID: lambda value: {"$uuid": str(value)},
    type(Path()): lambda value: {"$path": str(value)},
    PurePosixPath: _tag_path,
    PureWindowsPath: _tag_path,
}

_READERS: dict[str, Callable[[Any], Any]] = {
    "$tuple": lambda node: tuple(untag(node)),
    "$set": lambda node: set(untag(node)),
    "$frozenset": lambda node: frozenset(untag(node)),
    "$deque": lambda node: deque(untag(node[0]), node[1]),
    "$dict": lambda node: {untag(key): untag(value) for key, value in node},
    "$float": float,
    "$bytes": lambda node: b64decode(node, validate=True),
    "$bytearray": lambda node: bytearray(b64decode(node, validate=True)),
    "$complex": lambda node: complex(float(node[0]), float(node[1])),
    "$datetime": _untag_datetime,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$timedelta": decode_timedelta,
    "$decimal": Decimal,
    "$uuid": UUID,
    "$path": _untag_path,
}


def untag(node: Any) -> Any:
    """Make the value of a tree again; an unknown tag is a `ValueError`."""
    if type(node) is list:
        return [untag(item) for item in node]
    if type(node) is not dict:
        return node
    if len(node) == 1:
        key = next(iter(node))
        if key.startswith("$"):
            return _reader(key)(node[key])
    return {key: untag(item) for key, item in node.items()}


def _reader(key: str) -> Callable[[Any], Any]:
    try:
        return _READERS[key]
    except KeyError:
        raise ValueError(f"the stored JSON has the unknown tag {key!r}") from None
