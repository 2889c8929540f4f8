"""Annotations whose values can never come back from a file."""

from __future__ import annotations

import io
import types
from collections import abc
from contextlib import suppress
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from .annotations import unwrap
from .codec import UnstorableTypeError

UNKNOWN_TYPE = (PydanticSchemaGenerationError, PydanticUserError, NameError, TypeError)

_NEVER: tuple[Any, ...] = (
    abc.Callable,
    abc.Iterable,
    abc.Iterator,
    abc.Generator,
    abc.AsyncIterable,
    abc.AsyncIterator,
    abc.AsyncGenerator,
    abc.Awaitable,
    abc.Coroutine,
    types.FunctionType,
    types.ModuleType,
    type,
)


def check_storable(annotation: Any) -> None:
    """Raise `UnstorableTypeError` where an annotation, or a part of it, is no data."""
    # a generic alias that contains itself never ends; Pydantic judges it
    with suppress(RecursionError):
        _check(annotation, {})


def unstorable(kind: Any, reason: object) -> UnstorableTypeError:
    """Make the error, with what can be done."""
    return UnstorableTypeError(
        f"values of {_name(kind)} cannot be kept in a column ({reason}); annotate a"
        " scalar, a container or a Pydantic model, or make it a PrivateAttr"
    )


def _check(annotation: Any, seen: dict[int, Any]) -> None:
    kind, _ = unwrap(annotation)
    if id(kind) in seen:
        return
    seen[id(kind)] = kind  # kept alive, so that its id stays its own
    if _is_never(get_origin(kind) or kind):
        raise unstorable(kind, _reason(kind))
    for part in _parts(kind):
        _check(part, seen)


def _is_never(kind: Any) -> bool:
    return any(kind is never for never in _NEVER) or (
        isinstance(kind, type) and issubclass(kind, io.IOBase)
    )


def _reason(kind: Any) -> str:
    if (get_origin(kind) or kind) is abc.Iterable:
        return "it can be read once only; use list or Sequence"
    return "it is no data"


def _parts(kind: Any) -> list[Any]:
    """Give the annotations inside; the values of a Literal are none."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [field.annotation for field in kind.model_fields.values()]
    if get_origin(kind) is Literal:
        return []
    return [part for part in get_args(kind) if part is not ...]


def _name(kind: Any) -> str:
    return kind.__name__ if type(kind) is type else str(kind)
