"""Objects in place of their keys: ``filter(author=ada)``, ``book.author = ada``."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from sqliter.model.registry import full_name
from sqliter.model.table import table_name_of

__all__ = ["Deferred", "actual", "fetched", "is_object", "key_of", "misfit", "row_of"]

L = TypeVar("L")

_SCALARS = (int, float, str, bytes, type(None))


class Deferred:
    """Stands for a row that may not be loaded; ``row_of`` knows more about it."""

    __slots__ = ()

    @property
    def pk(self) -> Any:
        """The key, known without asking the database."""
        raise NotImplementedError


row_of: Callable[[Any], Any] = operator.attrgetter("_row")
"""Return what stands behind a ``Deferred``: ``model``, ``known``, ``existing()``."""


def actual(value: L) -> L:
    """Return an object; the one that is meant, where something stands in for it."""
    thing: Any = value
    found: L = row_of(thing).existing() if isinstance(thing, Deferred) else thing
    return found


def fetched(value: L, database: Any) -> L:
    """Return an object, loaded if need be; ``None`` if there is no such row."""
    thing: Any = value
    if isinstance(thing, Deferred):
        row_of(thing).check(database)
        thing = row_of(thing).fetch(database)
    found: L = thing
    return found


def is_object(value: object) -> bool:
    """Whether a value is something with a key of its own."""
    if isinstance(value, (_SCALARS, type)):
        return False
    return isinstance(value, (Deferred, BaseModel)) or hasattr(value, "pk")


def misfit(value: Any, model: Any) -> str | None:
    """Say why an object cannot stand for a row of a model, or return ``None``.

    Objects that are no models may: all that counts is their key.
    """
    kind: Any = row_of(value).model if isinstance(value, Deferred) else type(value)
    if not issubclass(kind, BaseModel):
        return None if hasattr(value, "pk") else f"{kind.__name__} has no key"
    related = issubclass(kind, model) or full_name(kind) == full_name(model)
    fits = related and table_name_of(kind) == table_name_of(model)
    return None if fits else f"a {kind.__name__} is no {model.__name__}"


def key_of(value: Any) -> Any:
    """Return the key of an object; ``None`` if it has none, as it is not saved."""
    return value.pk or None
