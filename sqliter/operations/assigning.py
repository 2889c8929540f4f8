"""Values that the library itself sets in instances, and how they are taken back."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqliter.core.effects import Effects
from sqliter.model.loaded import detach, restoring_objects
from sqliter.model.model import BaseDBModel
from sqliter.model.relations import ForwardKey, relations_of
from sqliter.model.table import BUILT_IN

__all__ = ["assign", "assign_all", "put", "take_over"]


def put(instance: BaseDBModel, values: dict[str, Any]) -> None:
    """Set built-in fields for good, past frozen models and validators."""
    vars(instance).update(values)
    instance.__pydantic_fields_set__.update(values)


def assign(effects: Effects, instance: BaseDBModel, values: dict[str, Any]) -> None:
    """Set built-in fields, past frozen models and validators; undone on rollback."""
    effects.on_undo(_restoring([instance], tuple(values)))
    put(instance, values)


def assign_all(
    effects: Effects,
    instances: Sequence[BaseDBModel],
    all_values: Iterable[dict[str, Any]],
    names: tuple[str, ...] = BUILT_IN,
) -> None:
    """Set fields of each, which are the same ones for all."""
    effects.on_undo(_restoring(instances, names))
    for instance, values in zip(instances, all_values, strict=True):
        vars(instance).update(values)
        instance.__pydantic_fields_set__.update(names)


def take_over(effects: Effects, instance: BaseDBModel, values: dict[str, Any]) -> None:
    """Set any fields to what their row holds; undone on rollback.

    What is known of a foreign key is forgotten if that leads elsewhere now.
    """
    before = vars(instance)
    moved = [
        relation.name
        for relation in relations_of(type(instance)).values()
        if isinstance(relation, ForwardKey)
        and relation.field in values
        and before.get(relation.field, _ABSENT) != values[relation.field]
    ]
    if moved:
        effects.on_undo(restoring_objects(instance))
    assign(effects, instance, values)
    for name in moved:
        detach(instance, name)


_ABSENT = object()


def _restoring(
    instances: Sequence[BaseDBModel], names: tuple[str, ...]
) -> Callable[[], None]:
    """Return what gives instances back what they have now under these names."""
    references = [weakref.ref(instance) for instance in instances]
    columns = [
        [instance.__dict__.get(name, _ABSENT) for instance in instances]
        for name in names
    ]

    def restore() -> None:
        for reference, *values in zip(references, *columns, strict=True):
            instance = reference()
            if instance is not None:
                vars(instance).update(zip(names, values, strict=True))
                if _ABSENT in values:
                    _take_away(instance, names)

    return restore


def _take_away(instance: BaseDBModel, names: Iterable[str]) -> None:
    """Take away what a partial record did not have."""
    attributes = vars(instance)
    for name in names:
        if attributes[name] is _ABSENT:
            del attributes[name]
            instance.__pydantic_fields_set__.discard(name)
