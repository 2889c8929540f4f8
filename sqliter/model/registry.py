"""Models by name, for targets that are named before they exist."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from pydantic import BaseModel

from sqliter.exceptions import InvalidForeignKeyError

__all__ = [
    "candidates",
    "full_name",
    "models",
    "register",
    "resolve",
    "restore",
    "waiting",
    "when_ready",
]

Model: TypeAlias = type[BaseModel]


class _Waiting(NamedTuple):
    """Somebody who wants to know which class a name means."""

    target: str
    owner: weakref.ref[Model]
    ready: weakref.WeakMethod[Callable[[Model], Any]]


_models: dict[str, weakref.WeakValueDictionary[tuple[str, str], Model]] = {}
_order: weakref.WeakKeyDictionary[Model, int] = weakref.WeakKeyDictionary()
_count = itertools.count()
_waiting: dict[str, list[_Waiting]] = {}


def full_name(model: type[Any]) -> tuple[str, str]:
    """Return what a class defined anew has in common with the old one."""
    return model.__module__, model.__qualname__


def register(model: Model) -> None:
    """Make a class known; a second one of the same module and name replaces it.

    Whoever waits for this name is told, if it is the class that is meant.
    """
    named = _models.setdefault(model.__name__, weakref.WeakValueDictionary())
    named.pop(full_name(model), None)  # the newest comes last
    named[full_name(model)] = model
    _order[model] = next(_count)
    for each in list(_waiting.get(model.__name__, ())):
        owner, ready = each.owner(), each.ready()
        if owner is None or ready is None:
            _waiting[model.__name__].remove(each)
        elif candidates(each.target, owner) == [model]:
            _tell(ready, model, owner)


def when_ready(
    target: Model | str, owner: Model, ready: Callable[[Model], Any]
) -> None:
    """Call a method with the class that ``target`` means, now or once it exists.

    It is called again when a later class is meant by the same name. The method is
    held weakly.
    """
    if not isinstance(target, str):
        ready(target)
        return
    entry = _Waiting(target, weakref.ref(owner), weakref.WeakMethod(ready))
    found = candidates(target, owner)
    if len(found) == 1:
        _tell(ready, found[0], owner)
    if found == [owner]:  # no other class can be meant
        return
    _waiting.setdefault(target.rpartition(".")[2], []).append(entry)


def _tell(ready: Callable[[Model], Any], found: Model, owner: Model) -> None:
    try:
        ready(found)
    except AttributeError:
        if found.__module__ == owner.__module__:
            raise
        # A class of another module is a guess: the one that is meant may still come.


def resolve(target: str, owner: Model) -> Model:
    """Return the model that ``target`` means in a class body of ``owner``.

    ``"self"`` is the owner itself, ``"module.Class"`` exact; of a bare name the
    class in the owner's module is preferred. Raises ``InvalidForeignKeyError``
    when there is none or more than one.
    """
    found = candidates(target, owner)
    if len(found) == 1:
        return found[0]
    places = ", ".join(sorted(f"{m.__module__}.{m.__qualname__}" for m in found))
    problem = f"is ambiguous: {places}" if found else "is not defined (yet)"
    raise InvalidForeignKeyError(f"target {target!r} of {owner.__name__} {problem}")


def candidates(target: str, owner: Model) -> list[Model]:
    """Return the models that ``target`` may mean in a class body of ``owner``."""
    if target in ("self", owner.__name__):
        return [owner]
    module, _, name = target.rpartition(".")
    found = [m for m in models(name) if module in ("", m.__module__)]
    near = [model for model in found if model.__module__ == owner.__module__]
    scope = owner.__qualname__.rpartition(".")[0]
    local = [m for m in near if m.__qualname__.rpartition(".")[0] == scope]
    return local or near or found


def models(name: str | None = None) -> list[Model]:
    """Return the known models of a class name (of any if ``None``), oldest first."""
    if name is not None:
        return list(_models.get(name, {}).values())
    known = [model for named in list(_models.values()) for model in named.values()]
    return sorted(known, key=lambda model: _order.get(model, 0))


def restore(known: list[Model], waiting: dict[str, list[Any]]) -> None:
    """Know exactly these models, and exactly these names that are waited for."""
    _models.clear()
    _waiting.clear()
    for model in known:
        named = _models.setdefault(model.__name__, weakref.WeakValueDictionary())
        named[full_name(model)] = model
    _waiting.update({name: list(entries) for name, entries in waiting.items()})


def waiting() -> dict[str, list[Any]]:
    """Return who waits for which name; a copy."""
    return {name: list(entries) for name, entries in _waiting.items() if entries}
