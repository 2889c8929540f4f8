"""Models by name, for targets that are named before they exist."""

from __future__ import annotations

import weakref

from pydantic import BaseModel

from sqliter.exceptions import InvalidForeignKeyError

_models: dict[str, weakref.WeakValueDictionary[tuple[str, str], type[BaseModel]]] = {}


def register(model: type[BaseModel]) -> None:
    """Make a class known; a second one of the same module and name replaces it."""
    named = _models.setdefault(model.__name__, weakref.WeakValueDictionary())
    named[model.__module__, model.__qualname__] = model


def resolve(target: str, owner: type[BaseModel]) -> type[BaseModel]:
    """Return the model that ``target`` means in a class body of ``owner``.

    ``"self"`` is the owner itself, ``"module.Class"`` exact; of a bare name the
    class in the owner's module is preferred. Raises ``InvalidForeignKeyError``
    when there is none or more than one.
    """
    if target in ("self", owner.__name__):
        return owner
    module, _, name = target.rpartition(".")
    found = [
        m for m in list(_models.get(name, {}).values()) if module in ("", m.__module__)
    ]
    near = [model for model in found if model.__module__ == owner.__module__]
    candidates = near or found
    if len(candidates) == 1:
        return candidates[0]
    places = ", ".join(sorted(f"{m.__module__}.{m.__qualname__}" for m in candidates))
    problem = f"is ambiguous: {places}" if candidates else "is not defined (yet)"
    raise InvalidForeignKeyError(f"target {target!r} of {owner.__name__} {problem}")
