"""Columns where the names of fields stand, too: ``group_by(Sale.shop)``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqliter.planning.computed import name_of
from sqliter.terms.term import Field

__all__ = ["assigned", "plain_names", "wanted"]


def plain_names(model: type[Any], given: Iterable[Any]) -> list[Any]:
    """Return names for columns; everything else as it is."""
    return [name_of(model, e) if isinstance(e, Field) else e for e in given]


def assigned(model: type[Any], values: Mapping[Any, Any] | None) -> dict[str, Any]:
    """Return the values by the names of their fields."""
    return dict(
        zip(plain_names(model, values or ()), (values or {}).values(), strict=True)
    )


def wanted(
    model: type[Any], given: Iterable[Any], named: Mapping[str, Any]
) -> dict[str, Any]:
    """Return fields and expressions by name; ``TypeError`` for one without."""
    names = plain_names(model, given)
    for name in names:
        if not isinstance(name, str):
            msg = f"{name!r} has no name; give it one: values(total=...)"
            raise TypeError(msg)
    return {**dict(zip(names, names, strict=True)), **named}
