"""What an instance knows of its relations without asking the database.

Kept beside the fields in ``__dict__``, where Pydantic neither dumps nor compares it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqliter.model.keys import Deferred, row_of

__all__ = [
    "FORWARD",
    "KINDS",
    "TO_MANY",
    "attach",
    "bind",
    "binder",
    "detach",
    "forget",
    "known_object",
    "make_siblings",
    "remember",
    "remember_many",
    "remembered",
    "siblings_of",
    "unsettled",
]

FORWARD = "_fk_cache"
TO_MANY = "_prefetch_cache"
SIBLINGS = "_fetched_with"
ATTACHED = "_fk_attached"
KINDS = (FORWARD, TO_MANY, SIBLINGS, ATTACHED)


def remembered(instance: Any, kind: str) -> dict[str, Any]:
    """Return what is known of one kind of relation, by name; maybe nothing."""
    return vars(instance).get(kind) or {}


def remember(instance: Any, name: str, value: Any) -> None:
    """Keep the object (or its loader) at the other end of a foreign key."""
    vars(instance).setdefault(FORWARD, {})[name] = value


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


def attach(instance: Any, name: str, value: Any) -> None:
    """Keep an object whose key is not known yet: it is taken over at insert."""
    remember(instance, name, value)
    vars(instance).setdefault(ATTACHED, set()).add(name)


def detach(instance: Any, name: str) -> None:
    """Forget what was known of a foreign key."""
    attributes = vars(instance)
    attributes.get(FORWARD, {}).pop(name, None)
    attributes.get(ATTACHED, set()).discard(name)


def unsettled(instance: Any) -> Iterator[tuple[str, int | None]]:
    """Yield the foreign keys whose objects were not saved when they were assigned.

    With the key that the object has by now, if it has one.
    """
    for name in sorted(vars(instance).get(ATTACHED, ())):
        yield name, vars(instance)[FORWARD][name].pk or None


def make_siblings(instances: Iterable[Any]) -> None:
    """Have instances know those they were fetched with; weakly."""
    together = [weakref.ref(instance) for instance in instances]
    for reference in together:
        vars(reference())[SIBLINGS] = together


def siblings_of(instance: Any) -> list[Any]:
    """Return the instances it was fetched with that still live, itself included."""
    references = vars(instance).get(SIBLINGS, ())
    return [each for reference in references if (each := reference()) is not None]


def binder(model: type[Any]) -> Callable[[Any, Any], None] | None:
    """Return what tells an instance of this class its database, if it wants to know."""
    return getattr(model, "__sqliter_bind__", None)


def bind(instance: Any, database: Any) -> None:
    """Tell an instance its database, if it wants to know."""
    bind_instance = binder(type(instance))
    if bind_instance is not None:
        bind_instance(instance, database)
