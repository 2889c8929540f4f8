"""Where all filter operators are registered, and how they are put together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from sqliter.sql.lookups.lookup import Lookup
from sqliter.sql.lookups.negated import Negated
from sqliter.sql.lookups.transform import Transform

__all__ = [
    "find_lookup",
    "find_part",
    "is_registered",
    "put_lookup",
    "register_lookup",
    "register_transform",
    "splits",
]

_lookups: dict[str, Lookup] = {}
_transforms: dict[str, Transform] = {}
_composed: dict[str, Lookup] = {}

L = TypeVar("L", bound=Lookup)
T = TypeVar("T", bound=Transform)


def register_lookup(cls: type[L]) -> type[L]:
    """Make a lookup known under its suffix; usable as a decorator."""
    put_lookup(cls())
    return cls


def register_transform(cls: type[T]) -> type[T]:
    """Make a part known under its suffix; usable as a decorator."""
    _transforms[cls.suffix] = cls()
    return cls


def put_lookup(lookup: Lookup) -> None:
    """Make it known under its suffix, in place of another one if there is any."""
    _lookups[lookup.suffix] = lookup
    _composed.clear()


def is_registered(suffix: str) -> bool:
    """Whether an operator or a part has this suffix."""
    return suffix in _lookups or suffix in _transforms


def find_lookup(suffix: str) -> Lookup | None:
    """Return the lookup of ``"__suffix"``, or ``None``.

    ``"__not_like"`` and ``"__year__gte"`` are made of others when they are needed.
    """
    found = _lookups.get(suffix) or _composed.get(suffix)
    if found is None:
        found = _opposite(suffix) or _of_a_part(suffix)
        if found is not None:
            _composed[suffix] = found
    return found


def find_part(suffix: str) -> Transform | None:
    """Return the part that this suffix names, or ``None``."""
    return _transforms.get(suffix)


def splits(key: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to split a keyword into name and suffix, longest name first."""
    at = key.rfind("__")
    while at > 0:
        if find_lookup(key[at:]) is not None:
            yield key[:at], key[at:]
        at = key.rfind("__", 0, at)


def _opposite(suffix: str) -> Lookup | None:
    if not suffix.startswith("__not_"):
        return None
    lookup = _lookups.get(suffix.replace("not_", "", 1))
    return Negated(lookup, suffix) if lookup and lookup.negates else None


def _of_a_part(suffix: str) -> Lookup | None:
    _, part, *rest = suffix.split("__")
    transform = _transforms.get(f"__{part}")
    if transform is None:
        return None
    lookup = find_lookup("__".join(("", *rest)) or "__eq")
    return transform.then(lookup, suffix) if lookup and lookup.compares else None
