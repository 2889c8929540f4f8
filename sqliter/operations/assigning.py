"""Values that the library itself sets in instances, and how they are taken back."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqliter.core.effects import Effects
from sqliter.model.model import BaseDBModel

__all__ = ["assign", "built_in", "put", "restoring"]


def put(instance: BaseDBModel, values: dict[str, Any]) -> None:
    """Set built-in fields for good, past frozen models and validators."""
    vars(instance).update(values)
    instance.__pydantic_fields_set__.update(values)


def assign(effects: Effects, instance: BaseDBModel, values: dict[str, Any]) -> None:
    """Set built-in fields, past frozen models and validators; undone on rollback."""
    effects.on_undo(restoring([built_in(instance, values)]))
    put(instance, values)


class _Before(NamedTuple):
    """Values that an instance had, and names of those it did not have."""

    instance: weakref.ref[BaseDBModel]
    values: dict[str, Any]
    absent: Collection[str]


_BUILT_IN = ("pk", "created_at", "updated_at")


def built_in(instance: BaseDBModel, names: Iterable[str] = _BUILT_IN) -> _Before:
    """Return what an instance has under these names."""
    attributes = vars(instance)
    values = {name: attributes[name] for name in names if name in attributes}
    absent = [name for name in names if name not in attributes]
    return _Before(weakref.ref(instance), values, absent)


def restoring(all_before: Sequence[_Before]) -> Callable[[], None]:
    """Return what gives instances back what they had."""

    def restore() -> None:
        for before in all_before:
            instance = before.instance()
            if instance is not None:
                vars(instance).update(before.values)
                for name in before.absent:  # a partial record did not have it
                    vars(instance).pop(name, None)
                    instance.__pydantic_fields_set__.discard(name)

    return restore
