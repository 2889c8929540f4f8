"""Objects in place of their keys: ``filter(author=ada)``, ``book.author = ada``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

__all__ = ["Deferred", "is_object", "key_of", "misfit"]

_SCALARS = (int, float, str, bytes, type(None))


class Deferred:
    """Stands for a row that was not loaded (yet): its key, and its model."""

    __slots__ = ()

    @property
    def pk(self) -> Any:
        """The key, known without asking the database."""
        raise NotImplementedError

    @property
    def model(self) -> Any:
        """The class of the row."""
        raise NotImplementedError


def is_object(value: object) -> bool:
    """Whether a value is something with a key of its own."""
    if isinstance(value, (_SCALARS, type)):
        return False
    return isinstance(value, (Deferred, BaseModel)) or hasattr(value, "pk")


def misfit(value: Any, model: Any) -> str | None:
    """Say why an object cannot stand for a row of a model, or return ``None``.

    Objects that are no models may: all that counts is their key.
    """
    kind = value.model if isinstance(value, Deferred) else type(value)
    if not issubclass(kind, BaseModel):
        return None if hasattr(value, "pk") else f"{kind.__name__} has no key"
    fits = issubclass(kind, model) and kind.get_table_name() == model.get_table_name()
    return None if fits else f"a {kind.__name__} is no {model.__name__}"


def key_of(value: Any) -> int | None:
    """Return the key of an object; ``None`` if it is not saved."""
    key: int | None = value.pk
    return key or None
