"""Values that the library itself sets in instances, and how they are taken back."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from sqliter.core.effects import Effects
from sqliter.model.model import BaseDBModel

__all__ = ["assign", "put", "stamp"]


def put(instance: BaseDBModel, values: dict[str, Any]) -> None:
    """Set built-in fields for good, past frozen models and validators."""
    vars(instance).update(values)
    instance.__pydantic_fields_set__.update(values)


def assign(effects: Effects, instance: BaseDBModel, values: dict[str, Any]) -> None:
    """Set built-in fields, past frozen models and validators; undone on rollback."""
    effects.on_undo(_restoring([_before(instance, values.keys())]))
    put(instance, values)


def stamp(
    effects: Effects, instances: Sequence[BaseDBModel], now: int, *, keep: bool
) -> None:
    """Set the timestamps of new records; ``keep`` those that are not zero.

    Their keys are undone, too.
    """
    effects.on_undo(_restoring([_before(each, BUILT_IN) for each in instances]))
    for each in instances:
        values = vars(each)
        values["created_at"] = (keep and values.get("created_at")) or now
        values["updated_at"] = (keep and values.get("updated_at")) or now
        each.__pydantic_fields_set__.update(BUILT_IN)


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
                for name, value in zip(names, values, strict=True):
                    _give_back(instance, name, value)

    return restore


def _give_back(instance: BaseDBModel, name: str, value: Any) -> None:
    if value is not _ABSENT:
        vars(instance)[name] = value
        return
    vars(instance).pop(name, None)  # a partial record did not have it
    instance.__pydantic_fields_set__.discard(name)
