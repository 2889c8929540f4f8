"""Primary keys: integers that SQLite gives, or values that records bring along."""

from __future__ import annotations

from typing import Any

from sqliter.exceptions import InvalidForeignKeyError, InvalidSchemaError
from sqliter.model.codecs import Codec, codec_for

__all__ = ["check_key", "check_reference", "key_kind_of", "refuse_relation"]

_GIVEN: dict[frozenset[type], type] = {frozenset({str}): str, frozenset({bytes}): bytes}


def key_kind_of(codec: Codec) -> type | None:
    """Return what SQLite keeps of a key: ``int``, ``str`` or ``bytes``, if it can be.

    Integers are given by SQLite, all others by the program.
    """
    return int if int in codec.reads else _GIVEN.get(codec.reads)


def check_key(codec: Codec, label: str) -> None:
    """Raise ``InvalidSchemaError`` for a type whose values are no keys."""
    kind = key_kind_of(codec)
    is_number = kind is int and any(issubclass(each, int) for each in codec.writes)
    if is_number:
        return
    if codec.nullable:
        problem = "a key is never None"
    elif kind is None or kind is int:  # of moments, that is
        problem = "a key is an integer, or a type that is kept as text or bytes"
    elif codec.json is not None or codec.collation or not _is_value(codec):
        problem = "its values cannot be compared as they are stored"
    else:
        return
    raise InvalidSchemaError(f"{label} cannot be the primary key: {problem}")


def check_reference(codec: Codec, target: Any, label: str) -> None:
    """Raise ``InvalidForeignKeyError`` if a column cannot hold the target's keys."""
    key = _codec(target)
    if key_kind_of(key) is not int and codec.reads != key.reads:
        raise InvalidForeignKeyError(
            f"{label} cannot hold the primary key of {target.__name__}: annotate it "
            "like that"
        )


def refuse_relation(model: Any, label: str) -> None:
    """Raise ``InvalidForeignKeyError`` if rows cannot be related by a model's key."""
    if "pk" in model.model_fields and key_kind_of(_codec(model)) is not int:
        raise InvalidForeignKeyError(
            f"{label} is a relation by the primary key of {model.__name__}, which is "
            "no integer. Keep the key in a field: sqliter.model.ForeignKey is a "
            "foreign key that is nothing but a column"
        )


def _codec(model: Any) -> Codec:
    field = model.model_fields["pk"]
    return codec_for(field.annotation, field.metadata)


def _is_value(codec: Codec) -> bool:
    """Whether values can be told apart: not those in secrets, nor what changes."""
    is_hashable = all(kind.__hash__ is not None for kind in codec.writes)
    return is_hashable and object not in codec.writes
