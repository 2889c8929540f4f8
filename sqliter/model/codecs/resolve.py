"""The way from an annotation to its codec."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from pathlib import PurePath
from types import NoneType
from typing import Annotated, Any, ForwardRef, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    PlainValidator,
    Secret,
    TypeAdapter,
    ValidationError,
    WrapValidator,
)

from .annotations import arms, is_alias, is_pydantic, names_around, unwrap
from .choices import enum_codec, literal_codec
from .codec import Codec, UnstorableTypeError, UnstorableValue, Value, shown
from .containers import Adapter, container_codec, read_old, restore
from .decimals import DECIMAL
from .moments import MOMENTS
from .scalars import SCALARS, path_codec, secret_codec
from .storable import UNKNOWN_TYPE, check_storable, unstorable
from .tagged import read_tagged
from .unions import union_codec, without_covered

_KNOWN: dict[Any, Codec] = {**SCALARS, **MOMENTS, Decimal: DECIMAL}
_DIRECT = frozenset({int, str, bytes})

_VALIDATORS = (AfterValidator, PlainValidator, WrapValidator)
_NONE = Codec("BLOB", (), frozenset(), nullable=True)


def codec_for(annotation: Any, metadata: Sequence[Any] = ()) -> Codec:
    """Say how values of a resolved annotation are kept, or raise `UnstorableTypeError`.

    `annotation` and `metadata` are those of a `FieldInfo`.
    """
    if isinstance(annotation, (str, ForwardRef)):
        raise UnstorableTypeError(
            f"{annotation!r} is not resolved; define the class first, or call"
            " model_rebuild()"
        )
    kind, more = unwrap(annotation)
    found = arms(kind)
    others = [arm for arm in found if arm is not NoneType]
    if not others:
        return _NONE
    metadata = (*more, *metadata)
    adapter = _adapter(kind, metadata)
    codec = _rescued(_codec(kind, others, adapter), adapter)
    if any(isinstance(item, _VALIDATORS) for item in metadata):
        codec = _guarded(codec)
    if len(others) < len(found) or _is_open(kind, adapter):
        return codec._replace(nullable=True)
    return codec


def natural_encode(value: Any) -> Value:
    """Encode by the value's own type, for parameters of raw SQL.

    Raises `UnstorableValue` for types no codec knows.
    """
    if value is None or type(value) in _DIRECT:
        direct: Value = value
        return direct
    kind: Any = type(value)
    try:
        return _natural_codec(kind).store(value)
    except UnstorableTypeError as error:
        raise UnstorableValue(f"{shown(value)} cannot be bound: {error}") from error


def read_natural(blob: bytes) -> Any:
    """Read a container that `natural_encode` wrote, or an older version pickled.

    Raises `ValueError` for anything else.
    """
    return read_old(blob) if blob[:1] == b"\x80" else read_tagged(blob.decode())


@lru_cache(256)
def _natural_codec(kind: type) -> Codec:
    """Give the codec of a class, or that of the known class it is made from."""
    if not issubclass(kind, Enum):
        for base in kind.__mro__:
            if base in _KNOWN:
                return _KNOWN[base]
    return codec_for(kind)


def _codec(kind: Any, others: list[Any], adapter: Adapter) -> Codec:
    """Choose between one type, a union SQLite can tell apart, and JSON."""
    if len(others) == 1:
        return _scalar(others[0]) or _container(others[0], adapter)
    codecs = [_scalar(arm) for arm in without_covered(others)]
    joined = union_codec([codec for codec in codecs if codec is not None])
    if joined is None or None in codecs:
        return _container(kind, adapter)
    return joined


def _scalar(kind: Any) -> Codec | None:
    """Give the codec of a type that is kept as one number, text or blob."""
    if get_origin(kind) is Literal:
        return literal_codec(get_args(kind))
    if get_origin(kind) is Secret:
        return secret_codec(codec_for(get_args(kind)[0]), Secret)
    if not isinstance(kind, type) or get_origin(kind) is not None:
        return None
    if kind in _KNOWN:
        return _KNOWN[kind]
    if is_pydantic(kind, "networks", "EmailStr"):
        return _KNOWN[str]
    if issubclass(kind, PurePath):
        return path_codec(kind)
    return enum_codec(kind) if issubclass(kind, Enum) else None


def _container(kind: Any, adapter: Adapter) -> Codec:
    check_storable(kind)
    return container_codec(kind, adapter)


def _adapter(kind: Any, metadata: tuple[Any, ...]) -> Adapter:
    """Make the Pydantic adapter of an annotation when it is first needed."""
    # a type Pydantic does not know may carry its schema in the metadata
    forms: list[Any] = [kind, *([Annotated[kind, *metadata]] if metadata else [])]

    @cache
    def adapter() -> TypeAdapter[Any]:
        reason: Exception | None = None
        for form in forms:
            try:
                return _complete(kind, TypeAdapter(form))
            except UNKNOWN_TYPE as error:
                reason = error
        raise unstorable(kind, reason) from reason

    return adapter


def _complete(kind: Any, adapter: TypeAdapter[Any]) -> TypeAdapter[Any]:
    """Resolve names that an alias has as text, where the alias was written."""
    if not adapter.pydantic_complete:
        adapter.rebuild(raise_errors=True, _types_namespace=names_around(kind))
    return adapter


def _rescued(codec: Codec, adapter: Adapter) -> Codec:
    """Let Pydantic understand what an old column holds, as a current row would."""
    if codec.rescue is not None:
        return codec

    def rescue(value: Any) -> Any:
        return codec.load(codec.store(restore(adapter(), value)))

    return codec._replace(rescue=rescue)


def _is_open(kind: Any, adapter: Adapter) -> bool:
    """Whether None belongs to Any, or to an alias whose arms are still text."""
    if not is_alias(kind):
        return kind is Any
    try:
        adapter().validate_python(None)
    except ValidationError:
        return False
    return True


def _guarded(codec: Codec) -> Codec:
    """Refuse values that a validator turned into another type than annotated."""

    def encode(value: Any) -> Value:
        if not isinstance(value, codec.writes):
            raise UnstorableValue(
                f"{shown(value)} is not of the annotated type; annotate the type that"
                " the validator gives"
            )
        return codec.store(value)

    return codec._replace(encode=encode)
