"""Typed containers of simple values, as the plain JSON anyone would write.

`set[str]` is a JSON array here, because the annotation says what it was. Values are
checked while they are written, so nothing is coerced and nothing needs to be verified.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from datetime import date
from enum import Enum, Flag
from math import isfinite, isnan
from pathlib import Path
from types import GenericAlias, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import ConfigDict, TypeAdapter

from .annotations import unwrap
from .codec import UnstorableValue, shown
from .scalars import encode_float
from .tagged import dump, in_json_order

Write = Callable[[Any], Any]

_CONFIG = ConfigDict(val_json_bytes="base64", strict=False)
_ARRAYS = (list, set, frozenset)


def plain(annotation: Any) -> Any:
    """Rebuild a container annotation without its constraints, or None if not plain.

    Constraints were checked when the value was made; checking them again on read
    would make a row unreadable whose list was changed in place.
    """
    try:
        return _plain(unwrap(annotation)[0])
    except RecursionError:  # an alias that contains itself
        return None


def write_plain(kind: Any) -> Callable[[Any], str]:
    """Make the writer of an annotation that `plain` gave."""
    write = _writer(kind)

    def encode(value: Any) -> str:
        return dump(write(value))

    return encode


def read_plain(kind: Any) -> Callable[[str], Any]:
    """Make the reader of an annotation that `plain` gave."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind, config=_CONFIG)
    return adapter.validator.validate_json


def _plain(kind: Any) -> Any:
    return _plain_group(kind) if get_origin(kind) in (*_ARRAYS, tuple, dict) else None


def _plain_group(kind: Any) -> Any:
    origin: Any = get_origin(kind)
    args = get_args(kind)
    if origin is dict:
        return _plain_dict(*args)
    inner = [arg if arg is ... else plain_part(arg) for arg in args]
    if any(item is None for item in inner):
        return None
    return GenericAlias(origin, tuple(inner))


def _plain_dict(key: Any, value: Any) -> Any:
    key, item = unwrap(key)[0], plain_part(value)
    if item is None or (key is not str and key is not int):
        return None
    return GenericAlias(dict, (key, item))


def plain_part(annotation: Any) -> Any:
    """Rebuild the annotation of an item likewise."""
    kind, _ = unwrap(annotation)
    if _is_leaf(kind) or _is_plain_enum(kind) or _is_plain_literal(kind):
        return kind
    if get_origin(kind) in (Union, UnionType):
        return _plain_optional(get_args(kind))
    return _plain(kind)


def _plain_optional(arms: tuple[Any, ...]) -> Any:
    others = [arm for arm in arms if arm is not NoneType]
    item = plain_part(others[0]) if len(others) == 1 < len(arms) else None
    return None if item is None else item | None


def _is_leaf(kind: Any) -> bool:
    """Only classes are asked for: other annotations may have no hash."""
    return isinstance(kind, type) and kind in _LEAVES


def _is_plain_enum(kind: Any) -> bool:
    if not isinstance(kind, type) or not issubclass(kind, Enum):
        return False
    kinds = {type(member.value) for member in kind}
    return not issubclass(kind, Flag) and (kinds in ({str}, {int}))


def _is_plain_literal(kind: Any) -> bool:
    kinds = {type(choice) for choice in get_args(kind)}
    return get_origin(kind) is Literal and (kinds in ({str}, {int}))


def _writer(kind: Any) -> Write:
    if _is_leaf(kind):
        return _LEAVES[kind]
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _one_of(args)
    if origin in (Union, UnionType):
        return _optional(_writer(next(arm for arm in args if arm is not NoneType)))
    if origin is dict:
        return _dict_writer(args[0], _writer(args[1]))
    if origin is tuple and args[-1:] != (...,):
        return _fixed_writer([_writer(arg) for arg in args])
    return _array_writer(origin, args[0]) if origin else _member_of(kind)


def _array_writer(origin: type, item: Any) -> Write:
    write = _each(item)

    def array(value: Any) -> Any:
        nodes = write(_checked(value, origin))
        return in_json_order(nodes) if origin in (set, frozenset) else list(nodes)

    return array


def _each(item: Any) -> Callable[[Iterable[Any]], Iterable[Any]]:
    """Write every item; where JSON has the very type, only types are looked at."""
    write = _writer(item)
    native = {item} if item in (str, int, bool) else None

    def each(values: Iterable[Any]) -> Iterable[Any]:
        if native is not None and set(map(type, values)) <= native:
            return values
        return [write(value) for value in values]

    return each


def _fixed_writer(writes: list[Write]) -> Write:
    def fixed(value: Any) -> Any:
        if len(_checked(value, tuple)) != len(writes):
            raise UnstorableValue(f"{shown(value)} has not {len(writes)} items")
        return [write(item) for write, item in zip(writes, value, strict=True)]

    return fixed


def _dict_writer(key: type, write: Write) -> Write:
    def mapping(value: Any) -> Any:
        items = _checked(value, dict).items()
        return {_checked(name, key): write(item) for name, item in items}

    return mapping


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise UnstorableValue(
            f"{shown(value)} is {type(value).__name__}, the annotation says"
            f" {kind.__name__}"
        )
    return value


def _exactly(kind: type, form: Write | None = None) -> Write:
    def exact(value: Any) -> Any:
        checked = _checked(value, kind)
        return checked if form is None else form(checked)

    return exact


def _optional(write: Write) -> Write:
    return lambda value: None if value is None else write(value)


def _one_of(choices: tuple[Any, ...]) -> Write:
    def choice(value: Any) -> Any:
        if value not in choices or type(value) is not type(choices[0]):
            raise UnstorableValue(f"{shown(value)} is none of {choices}")
        return value

    return choice


def _member_of(kind: type[Enum]) -> Write:
    return _exactly(kind, lambda member: member.value)


def _float(value: Any) -> Any:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        _checked(value, float)
    if isinstance(value, float) and isnan(value):
        return "NaN"
    number = float(encode_float(value))
    return number if isfinite(number) else ("Infinity" if number > 0 else "-Infinity")


_LEAVES: dict[Any, Write] = {
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    float: _float,
    bytes: _exactly(bytes, lambda value: urlsafe_b64encode(value).decode()),
    date: _exactly(date, date.isoformat),
    UUID: _exactly(UUID, str),
    Path: _exactly(type(Path()), str),
}
