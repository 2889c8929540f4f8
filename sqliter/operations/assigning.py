"""Values that the library itself sets in instances, and how they are taken back."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqliter.core.effects import Effects
from sqliter.model.model import BaseDBModel

__all__ = ["assign", "assign_all", "put"]


def put(instance: BaseDBModel, values: dict[str, Any]) -> None:
    """Set built-in fields for good, past frozen models and validators."""
    vars(instance).update(values)
    instance.__pydantic_fields_set__.update(values)


def assign(effects: Effects, instance: BaseDBModel, values: dict[str, Any]) -> None:
    """Set built-in fields, past frozen models and validators; undone on rollback."""
    effects.on_undo(_restoring([_before(instance, values.keys())]))
    put(instance, values)


def assign_all(
    effects: Effects,
    instances: Sequence[BaseDBModel],
    all_values: Iterable[dict[str, Any]],
) -> None:
    """Set built-in fields of each, which are the same ones for all."""
    effects.on_undo(_restoring([_before(each, BUILT_IN) for each in instances]))
    for instance, values in zip(instances, all_values, strict=True):
        put(instance, values)


BUILT_IN = ("pk", "created_at", "updated_at")

_ABSENT = object()


class _Before(NamedTuple):
    """What an instance had under some names."""

    instance: weakref.ref[BaseDBModel]
    names: Collection[str]
    values: list[Any]


def _before(instance: BaseDBModel, names: Collection[str]) -> _Before:
    values = vars(instance)
    return _Before(
        weakref.ref(instance), names, [values.get(n, _ABSENT) for n in names]
    )


def _restoring(all_before: Sequence[_Before]) -> Callable[[], None]:
    """Return what gives instances back what they had."""

    def restore() -> None:
        for reference, names, values in all_before:
            instance = reference()
            if instance is not None:
                vars(instance).update(zip(names, values, strict=True))
                if _ABSENT in values:
                    _take_away(instance, names)

    return restore


def _take_away(instance: BaseDBModel, names: Collection[str]) -> None:
    """Take away what a partial record did not have."""
    attributes = vars(instance)
    for name in names:
        if attributes[name] is _ABSENT:
            del attributes[name]
            instance.__pydantic_fields_set__.discard(name)
