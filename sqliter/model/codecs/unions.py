"""Unions whose arms SQLite itself can tell apart, in a column without affinity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

from .codec import Codec, UnstorableValue, Value, shown


def without_covered(arms: list[Any]) -> list[Any]:
    """Leave out literals another arm keeps anyway, as in `Literal["a"] | str`."""
    return [arm for arm in arms if not _is_covered(arm, arms)]


def _is_covered(arm: Any, arms: list[Any]) -> bool:
    kinds = {type(value) for value in get_args(arm)}
    return get_origin(arm) is Literal and kinds <= {
        kind for kind in (str, int, bytes) if kind in arms
    }


def union_codec(codecs: Sequence[Codec]) -> Codec | None:
    """Join scalar codecs with distinct storage classes; None where they overlap."""
    if len(codecs) == 1:
        return codecs[0]
    if _overlap(codecs) or any(codec.collation or codec.adds for codec in codecs):
        return None
    reads: dict[type, Codec] = {kind: c for c in codecs for kind in c.reads}

    def decode(stored: Any) -> Any:
        return reads[type(stored)].load(stored)

    def decode_utc(stored: Any) -> Any:
        return reads[type(stored)].load(stored, utc=True)

    return Codec(
        "BLOB",
        tuple(dict.fromkeys(kind for codec in codecs for kind in codec.writes)),
        frozenset(reads),
        _encoder(codecs),
        decode,
        decode_utc if any(codec.decode_utc for codec in codecs) else None,
    )


def _overlap(codecs: Sequence[Codec]) -> bool:
    reads = [kind for codec in codecs for kind in codec.reads]
    return len(reads) != len(set(reads)) or not reads


def _encoder(codecs: Sequence[Codec]) -> Any:
    writes: dict[type, Codec] = {}
    for codec in reversed(codecs):  # an arm's main type wins over what it also takes
        writes.update(dict.fromkeys(codec.writes[1:], codec))
    writes.update({codec.writes[0]: codec for codec in codecs})

    def encode(value: Any) -> Value:
        codec = writes.get(type(value)) or _arm_of(value, codecs)
        return codec.store(value)

    return encode


def _arm_of(value: Any, codecs: Sequence[Codec]) -> Codec:
    for codec in codecs:
        if isinstance(value, codec.writes):
            return codec
    raise UnstorableValue(f"{shown(value)} is of no type the annotation names")
