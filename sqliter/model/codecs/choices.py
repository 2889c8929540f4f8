"""Enums and literals: values from a short list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, Flag
from math import isfinite
from typing import Any

from .codec import Codec, Storage, UnstorableTypeError, UnstorableValue, Value, shown
from .scalars import INT_MAX, INT_MIN

_STORAGES: dict[type, Storage] = {
    int: "INTEGER",
    float: "REAL",
    str: "TEXT",
    bytes: "BLOB",
}


def enum_codec(kind: type[Enum]) -> Codec:
    """Keep members by value where all values are str, int or float, else by name."""
    if issubclass(kind, Flag):
        return _by_value(kind, int)
    if not kind.__members__:
        raise UnstorableTypeError(
            f"{kind.__name__} has no members; use a concrete enum"
        )
    for stored in (str, int, float):
        if all(type(m.value) is stored and _fits(m.value) for m in kind):
            return _by_value(kind, stored)
    return _by_name(kind)


def _fits(value: Any) -> bool:
    """Whether SQLite gives this scalar back as it is."""
    if type(value) is int:
        return INT_MIN <= value <= INT_MAX
    if type(value) is float:
        return isfinite(value) and str(value) != "-0.0"
    return not any(0xD800 <= ord(letter) <= 0xDFFF for letter in value)


def _by_value(kind: type[Enum], stored: type) -> Codec:
    def encode(member: Any) -> Value:
        # a raw value is met in models with use_enum_values=True
        value: Value = _member(kind, member).value
        return value

    return Codec(
        _STORAGES[stored],
        (kind, stored),
        frozenset({stored}),
        encode,
        _value_reader(kind),
    )


def _member(kind: type[Enum], value: Any) -> Enum:
    if isinstance(value, kind):
        return value
    try:
        return kind(value)
    except ValueError as error:
        raise UnstorableValue(f"{shown(value)} is no {kind.__name__}") from error


def _value_reader(kind: type[Enum]) -> Callable[[Any], Enum]:
    known = {member.value: member for member in kind}

    def decode(stored: Any) -> Enum:
        member = known.get(stored)
        return kind(stored) if member is None else member

    return decode


def _by_name(kind: type[Enum]) -> Codec:
    def encode(member: Any) -> Value:
        return _member(kind, member).name

    def decode(stored: str) -> Enum:
        try:
            return kind[stored]
        except KeyError:
            raise ValueError(
                f"{shown(stored)} is the name of no {kind.__name__}"
            ) from None

    return Codec("TEXT", (kind,), frozenset({str}), encode, decode)


def literal_codec(
    choices: Sequence[Any], enum: Callable[[type[Enum]], Codec] = enum_codec
) -> Codec:
    """Keep one of `choices` (None excluded); their stored forms must be distinct."""
    written = {_key(choice): _stored(choice, enum) for choice in choices}
    read = {_key(written[_key(choice)]): choice for choice in choices}
    if len(read) < len(written):
        raise UnstorableTypeError(
            f"two values of Literal{list(choices)!r} look the same once stored; use"
            " values that differ as text or number"
        )
    classes = {type(stored) for stored in written.values()}
    storage = _STORAGES[classes.pop()] if len(classes) == 1 else "BLOB"
    return Codec(
        storage,
        tuple(dict.fromkeys(type(choice) for choice in choices)),
        frozenset(kind for kind, _ in read),
        _chooser(written, UnstorableValue),
        _chooser(read, ValueError),
    )


def _key(value: Any) -> tuple[type, Any]:
    """1, 1.0 and True are one dict key, so the type belongs to it."""
    return type(value), value


def _stored(choice: Any, enum: Callable[[type[Enum]], Codec]) -> Value:
    if isinstance(choice, Enum):
        return enum(type(choice)).store(choice)
    stored: Value = int(choice) if isinstance(choice, bool) else choice
    if isinstance(stored, int) and not _fits(stored):
        raise UnstorableTypeError(
            f"Literal[{choice}] needs more than 64 bits; use a str"
        )
    return stored


def _chooser(
    table: dict[tuple[type, Any], Any], error: type[ValueError]
) -> Callable[[Any], Any]:
    def choose(value: Any) -> Any:
        try:
            return table[type(value), value]
        except (KeyError, TypeError):
            raise error(f"{shown(value)} is none of the allowed values") from None

    return choose
