"""Unique columns: ``email: Annotated[str, unique()]`` or ``email: str = unique()``."""

from __future__ import annotations

import warnings
from typing import Any

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

__all__ = ["Unique", "is_unique", "unique"]


def unique(default: Any = PydanticUndefined, **kwargs: Any) -> Any:
    """Return a Pydantic field whose column is unique.

    Takes what ``pydantic.Field`` takes. A ``json_schema_extra`` that is no dict
    is dropped. Several rows may be ``NULL``.

    Example:
        >>> class User(BaseDBModel):
        ...     email: Annotated[str, unique()]
    """
    return Field(default, **{**kwargs, **unique_extra(kwargs)})


def Unique(default: Any = PydanticUndefined, **kwargs: Any) -> Any:  # noqa: N802
    """Return ``unique(...)``; the deprecated name of it."""
    warnings.warn(
        "Unique is deprecated and will be removed in a future version. "
        "Use 'unique' instead.",
        DeprecationWarning,
        stacklevel=2,
    )
    return unique(default, **kwargs)


def unique_extra(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the ``json_schema_extra`` that marks a field as unique."""
    given = kwargs.get("json_schema_extra")
    extra = given if isinstance(given, dict) else {}
    return {"json_schema_extra": {**extra, "unique": True}}


def is_unique(field: FieldInfo) -> bool:
    """Whether the field was marked as unique, however the mark got there."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("unique"))
