"""Everything that is no scalar, as JSON text in a TEXT column.

Plain JSON where the annotation tells what it was (`plain`), tagged JSON elsewhere
(`tagged`); what tags cannot restore goes through the field's Pydantic adapter, and is
then verified before it is written.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from .annotations import runtime_class, unwrap
from .codec import Codec, JsonForm, UnstorableValue, Value, shown
from .likeness import parts, same
from .plain import plain, plain_part, read_plain, write_plain
from .tagged import read_tagged, write_tagged

Adapter = Callable[[], TypeAdapter[Any]]

_BARE: tuple[Any, ...] = (list, dict, set, tuple, frozenset, deque)
_BUILT_IN: tuple[Any, ...] = (
    dict,
    list,
    tuple,
    set,
    frozenset,
    deque,
    str,
    int,
    float,
    bytes,
)
_TEXT = frozenset({str})


def container_codec(kind: Any, adapter: Adapter) -> Codec:
    """Choose the way an annotation without wrappers is kept as JSON text."""
    bare = None if kind is Any or kind in _BARE else plain(kind)
    codec = _codec(kind, bare, adapter)
    return codec._replace(json=JsonForm(kind, tagged=bare is None))


def _codec(kind: Any, bare: Any, adapter: Adapter) -> Codec:
    if kind is Any:
        return _any_codec(adapter)
    if kind in _BARE:
        return _bare_codec(kind, adapter)
    return _typed_codec(kind, adapter) if bare is None else _plain_codec(bare, adapter)


def part_writer(annotation: Any, *, tagged: bool) -> Callable[[Any], Value]:
    """Return what writes a part of a container, as the codec of the whole does."""
    if not tagged:
        return write_plain(plain_part(annotation))
    if unwrap(annotation)[0] is Any:
        return write_tagged
    made: TypeAdapter[Any] = TypeAdapter(annotation)
    return _typed_codec(annotation, lambda: made).store


def _any_codec(adapter: Adapter) -> Codec:
    def rescue(value: Any) -> Any:
        # older versions bound scalars as they are, so text that is no JSON is text
        return _unpickled(adapter, value) if isinstance(value, bytes) else value

    return Codec("TEXT", (object,), _TEXT, write_tagged, read_tagged, rescue=rescue)


def _bare_codec(kind: type, adapter: Adapter) -> Codec:
    def encode(value: Any) -> str:
        if type(value) is not kind:
            raise UnstorableValue(f"{shown(value)} is no {kind.__name__}")
        return write_tagged(value)

    def decode(text: str) -> Any:
        value = read_tagged(text)
        if type(value) is not kind:
            raise ValueError(f"{shown(text)} is no {kind.__name__}")
        return value

    return Codec("TEXT", (kind,), _TEXT, encode, decode, rescue=_rescue(adapter))


def _plain_codec(bare: Any, adapter: Adapter) -> Codec:
    return Codec(
        "TEXT",
        (runtime_class(bare),),
        _TEXT,
        write_plain(bare),
        read_plain(bare),
        rescue=_rescue(adapter),
    )


def _typed_codec(kind: Any, adapter: Adapter) -> Codec:
    made = adapter()

    def decode(text: str) -> Any:
        return restore(made, read_tagged(text))

    def encode(value: Any) -> str:
        for form in (_structure, _dumped):
            text = form(made, value)
            if text is not None and _comes_back(decode, text, value):
                return text
        raise UnstorableValue(
            f"{shown(value)} of type {type(value).__name__} would not come back the"
            " same (a subclass, an excluded or converted part, an ambiguous union?);"
            " annotate its exact type"
        )

    return Codec(
        "TEXT", (runtime_class(kind),), _TEXT, encode, decode, rescue=_rescue(adapter)
    )


def restore(adapter: TypeAdapter[Any], value: Any) -> Any:
    """Make typed parts again (models, enums, addresses); any failure: `ValueError`."""
    try:
        return adapter.validator.validate_python(
            value, strict=False, by_alias=False, by_name=True
        )
    except ValueError:
        raise
    except Exception as error:  # validators are user code and may raise anything
        raise ValueError(f"{shown(value)} was refused: {error!r}") from error


def _comes_back(decode: Callable[[str], Any], text: str, value: Any) -> bool:
    try:
        return same(decode(text), value)
    except (ValueError, RecursionError):
        return False


def _structure(_: TypeAdapter[Any], value: Any) -> str | None:
    """Write parts by name, whatever their serializers would leave out or change."""
    try:
        return write_tagged(value, _simpler)
    except (UnstorableValue, PydanticSerializationError):
        return None


def _dumped(adapter: TypeAdapter[Any], value: Any) -> str | None:
    """Write what the adapter's own JSON serializer makes of the value."""
    try:
        form = adapter.dump_python(value, mode="json", by_alias=False, warnings="error")
        return write_tagged(form)
    except Exception:  # noqa: BLE001 - user code; the caller reports the value
        return None


def _simpler(value: Any) -> Any:
    """Take one value of an unknown type one step apart."""
    if isinstance(value, BaseModel) and value.__pydantic_root_model__:
        return vars(value)["root"]
    if isinstance(value, BaseModel) or dataclasses.is_dataclass(value):
        return parts(value)
    if isinstance(value, Enum):
        return value.value
    for kind in _BUILT_IN:
        if isinstance(value, kind):
            return kind(value)
    return to_jsonable_python(value)


def _rescue(adapter: Adapter) -> Callable[[Any], Any]:
    return lambda value: _unpickled(adapter, value)


def _unpickled(adapter: Adapter, value: Any) -> Any:
    """Read a container that an older version pickled."""
    if not isinstance(value, bytes):
        raise ValueError(f"{shown(value)} is no JSON text")
    return restore(adapter(), read_old(value))


def read_old(blob: bytes) -> Any:
    """Read a container that an older version pickled, or raise `ValueError`."""
    from .pickled import read_pickle  # noqa: PLC0415 - costly, and for old files only

    return read_pickle(blob)
