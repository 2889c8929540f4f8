"""What an instance knows of its relations without asking the database.

Kept beside the fields in ``__dict__``, where Pydantic neither dumps nor compares it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqliter.core.statement import Row, Value
from sqliter.model.keys import Deferred, row_of

__all__ = [
    "FORWARD",
    "KINDS",
    "TO_MANY",
    "Siblings",
    "attach",
    "attached",
    "attachments",
    "bind",
    "bind_all",
    "binder",
    "detach",
    "forget",
    "has_attachments",
    "in_the_making",
    "known_list",
    "known_object",
    "known_row",
    "like",
    "make_siblings",
    "remember",
    "remember_each",
    "remember_many",
    "remember_parent",
    "remember_row",
    "remember_values",
    "remembered",
    "restoring_objects",
    "row_setter",
    "siblings_of",
    "unencumbered",
]

FORWARD = "_fk_cache"
TO_MANY = "_prefetch_cache"
SIBLINGS = "_fetched_with"
ATTACHED = "_fk_attached"
KINDS = frozenset((FORWARD, TO_MANY, SIBLINGS, ATTACHED))


def remembered(instance: Any, kind: str) -> dict[str, Any]:
    """Return what is known of one kind of relation, by name; maybe nothing."""
    return vars(instance).get(kind) or {}


def remember(instance: Any, name: str, value: Any) -> None:
    """Keep the object (or its loader) at the other end of a foreign key."""
    vars(instance).setdefault(FORWARD, {})[name] = value


def remember_each(instances: Iterable[Any], name: str, values: Iterable[Any]) -> None:
    """Keep, in each instance, the object at the other end of its foreign key.

    ``None`` stands for no object, and for no instance.
    """
    for instance, value in zip(instances, values, strict=True):
        if value is not None and instance is not None:
            attributes = instance.__dict__
            if FORWARD in attributes:
                attributes[FORWARD][name] = value
            else:
                attributes[FORWARD] = {name: value}


def known_object(instance: Any, name: str) -> Any:
    """Return the object at the other end of a foreign key, if it is loaded."""
    known = remembered(instance, FORWARD).get(name)
    return row_of(known).known if isinstance(known, Deferred) else known


def remember_many(instance: Any, name: str, values: Iterable[Any]) -> None:
    """Keep the objects at the other end of a to-many relation."""
    vars(instance).setdefault(TO_MANY, {})[name] = list(values)


def forget(instance: Any, name: str) -> None:
    """Forget what was known of a to-many relation; objects of any kind will do."""
    known = getattr(instance, "__dict__", {}).get(TO_MANY)
    if known:
        known.pop(name, None)


def remember_parent(instances: Iterable[Any], name: str, parent: Any) -> None:
    """Have instances know what their foreign key leads to, unless they do already."""
    for instance in instances:
        attributes = vars(instance)
        if FORWARD not in attributes:
            attributes[FORWARD] = {name: parent}
        elif known_object(instance, name) is None:
            remember(instance, name, parent)


def known_list(instance: Any, name: str) -> list[Any] | None:
    """Return the objects at the other end of a to-many relation, if they are loaded."""
    return remembered(instance, TO_MANY).get(name)


def attach(instance: Any, name: str, value: Any, key: int | None) -> None:
    """Keep an assigned object, and the key that it had (0: it is not saved yet)."""
    remember(instance, name, value)
    vars(instance).setdefault(ATTACHED, {})[name] = key


def attached(instance: Any, name: str, key: int | None) -> Any:
    """Return the object that was assigned, unless the key was changed since."""
    keys = vars(instance).get(ATTACHED) or {}
    if name in keys and (not key or key == keys[name]):
        return remembered(instance, FORWARD).get(name)
    return None


def detach(instance: Any, name: str) -> None:
    """Forget what was known of a foreign key."""
    attributes = vars(instance)
    attributes.get(FORWARD, {}).pop(name, None)
    attributes.get(ATTACHED, {}).pop(name, None)


def restoring_objects(instance: Any) -> Callable[[], None]:
    """Return what has it know again what it knows of its foreign keys now."""
    reference = weakref.ref(instance)
    kept = {kind: dict(remembered(instance, kind)) for kind in (FORWARD, ATTACHED)}

    def restore() -> None:
        living = reference()
        if living is not None:
            vars(living).update({kind: known for kind, known in kept.items() if known})

    return restore


def has_attachments(instance: Any) -> bool:
    """Whether objects were assigned to its foreign keys."""
    return bool(vars(instance).get(ATTACHED))


def attachments(instance: Any) -> Iterator[tuple[str, Any]]:
    """Yield the names of foreign keys with the objects assigned to them."""
    for name in sorted(vars(instance).get(ATTACHED) or ()):
        yield name, remembered(instance, FORWARD)[name]


@contextmanager
def unencumbered(instance: Any) -> Iterator[None]:
    """Take what is known of relations away for a while, from Pydantic's sight."""
    attributes = vars(instance)
    kept = {kind: attributes.pop(kind) for kind in KINDS if kind in attributes}
    try:
        yield
    finally:
        vars(instance).update(kept)


@contextmanager
def in_the_making(instance: Any, given: dict[str, Any]) -> Iterator[None]:
    """Show objects that are being assigned to the validators of the model."""
    object.__setattr__(instance, "_given", given)
    try:
        yield
    finally:
        object.__setattr__(instance, "_given", None)


def like(instance: Any, twin: Any) -> Any:
    """Give a copy the database and the objects assigned; nothing that was loaded."""
    bind(twin, instance.db_context)
    for name, value in attachments(instance):
        attach(twin, name, value, vars(instance)[ATTACHED][name])
    return twin


class Siblings:
    """The instances of one result; weakly. ``lock`` is for whoever loads for all."""

    def __init__(self, instances: Iterable[Any]) -> None:
        self._references = [weakref.ref(instance) for instance in instances]
        self.lock: Any = None

    def living(self) -> list[Any]:
        """Return those that still live."""
        return [each for ref in self._references if (each := ref()) is not None]


def make_siblings(instances: Sequence[Any]) -> None:
    """Have instances know those they were fetched with."""
    together = Siblings(instances)
    for instance in instances:
        vars(instance)[SIBLINGS] = together


def siblings_of(instance: Any) -> Siblings | None:
    """Return what an instance was fetched with, if that is of use."""
    found: Siblings | None = getattr(instance, "__dict__", {}).get(SIBLINGS)
    return found


def binder(model: type[Any]) -> Callable[[Any, Any], None] | None:
    """Return what tells an instance of this class its database, if it wants to know."""
    return getattr(model, "__sqliter_bind__", None)


def bind(instance: Any, database: Any) -> None:
    """Tell an instance its database, if it wants to know."""
    bind_instance = binder(type(instance))
    if bind_instance is not None:
        bind_instance(instance, database)


def bind_all(instances: Sequence[Any], database: Any) -> None:
    """Tell instances of one class their database, if they want to know."""
    bind_instance = binder(type(instances[0]))
    if bind_instance is not None:
        for instance in instances:
            bind_instance(instance, database)


def remember_row(instance: Any, row: Row) -> None:
    """Keep the row as it is stored: all fields in order, maybe more behind them."""
    row_setter(type(instance))(instance, row)


def remember_values(
    instance: Any, places: Iterable[int], values: Iterable[Value]
) -> None:
    """Keep some values of the row anew, if it is known."""
    known = known_row(instance)
    if known is not None:
        row = list(known)
        for place, value in zip(places, values, strict=True):
            row[place] = value
        remember_row(instance, tuple(row))


def known_row(instance: Any) -> Row | None:
    """Return the row as it was stored when it was read or written last, if known."""
    row: Row | None = getattr(instance, "_row", None)
    return row


def row_setter(model: type[Any]) -> Callable[[Any, Row], None]:
    """Return what keeps the row of an instance of this class."""
    setter: Callable[[Any, Row], None] = model.__sqliter_remember__
    return setter
