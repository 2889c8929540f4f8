"""Looking through what an annotation is wrapped in, down to the type of the value."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import (  # noqa: UP035 (users may still write the old names)
    Annotated,
    Any,
    Deque,
    Dict,
    ForwardRef,
    FrozenSet,
    List,
    Literal,
    NewType,
    Set,
    Tuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from pydantic import Json
from typing_extensions import TypeAliasType, is_typeddict

_ALIASES: tuple[Any, ...] = (TypeAliasType,)
if sys.version_info >= (3, 12):
    from typing import TypeAliasType as _Builtin

    _ALIASES = (TypeAliasType, _Builtin)

_OLD_NAMES: dict[Any, type] = {
    List: list,  # noqa: UP006
    Dict: dict,  # noqa: UP006
    Set: set,  # noqa: UP006
    FrozenSet: frozenset,  # noqa: UP006
    Tuple: tuple,  # noqa: UP006
    Deque: deque,  # noqa: UP006
}


def unwrap(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Look through Annotated, NewType, type aliases and TypeVars.

    Gives the annotation of the value itself, and the metadata met on the way.
    """
    metadata: tuple[Any, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            metadata = (*more, *metadata)
        elif (inner := _inner(annotation)) is not None:
            annotation = inner
        else:
            return (NoneType if annotation is None else annotation), metadata


def _inner(annotation: Any) -> Any:
    """Give what one wrapper is for, or None if it is no wrapper."""
    if isinstance(annotation, NewType):
        return annotation.__supertype__
    if isinstance(annotation, _ALIASES):
        return _resolved(annotation.__value__)
    if isinstance(get_origin(annotation), _ALIASES):
        return get_origin(annotation).__value__[get_args(annotation)]
    if isinstance(annotation, TypeVar):
        return _meaning(annotation)
    if annotation is object or annotation is Json:
        return Any
    return _OLD_NAMES.get(annotation) if _is_old_name(annotation) else None


def is_alias(annotation: Any) -> bool:
    """Whether this is a type alias, of which `unwrap` leaves only textual ones."""
    return isinstance(annotation, _ALIASES)


def _resolved(annotation: Any) -> Any:
    """Leave an alias alone that is text inside; Pydantic resolves it."""
    return None if isinstance(annotation, (str, ForwardRef)) else annotation


def _is_old_name(annotation: Any) -> bool:
    """Whether this may be `typing.List` without items; other forms may not hash."""
    return bool(get_origin(annotation)) and not get_args(annotation)


def _meaning(variable: TypeVar) -> Any:
    """Give the annotation a TypeVar stands for when nobody filled it in."""
    if variable.__constraints__:
        return Union[variable.__constraints__]  # noqa: UP007
    return Any if variable.__bound__ is None else variable.__bound__


def arms(annotation: Any) -> list[Any]:
    """Give the arms of a union, nested ones and the values of literals in their place.

    None appears as `NoneType`; a literal stays one arm without its None.
    """
    kind, _ = unwrap(annotation)
    if get_origin(kind) in (Union, UnionType):
        return _distinct(arm for arg in get_args(kind) for arm in arms(arg))
    if get_origin(kind) is Literal and None in get_args(kind):
        others = tuple(value for value in get_args(kind) if value is not None)
        return [*([Literal[others]] if others else []), NoneType]
    return [kind]


def _distinct(found: Iterable[Any]) -> list[Any]:
    """Drop repeated arms; not by a set, as metadata inside may have no hash."""
    kept: list[Any] = []
    for arm in found:
        if arm not in kept:
            kept.append(arm)
    return kept


def names_around(annotation: Any) -> dict[str, Any]:
    """Give the global names of the modules that an annotation's parts come from."""
    module = sys.modules.get(getattr(annotation, "__module__", None) or "")
    names = dict(vars(module)) if module else {}
    for part in get_args(annotation):
        names |= names_around(part)
    return names


def runtime_class(kind: Any) -> type:
    """Give the class that isinstance can be asked about, else `object`."""
    found = get_origin(kind) or kind
    if found is Union or found is UnionType or not isinstance(found, type):
        return object
    return dict if is_typeddict(found) else found


def is_pydantic(kind: object, module: str, name: str) -> bool:
    """Whether this is a class of Pydantic; what nobody imported, it is not.

    Asking so leaves the import of rarer parts of Pydantic to those who use them.
    """
    loaded = sys.modules.get(f"pydantic.{module}")
    return loaded is not None and kind is getattr(loaded, name)
