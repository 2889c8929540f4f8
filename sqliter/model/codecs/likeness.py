"""Whether two values are the same: equal, and of the same types all the way down."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

_ATOMS = frozenset({str, int, bool, bytes, type(None)})


def same(a: Any, b: Any) -> bool:
    """Whether `a` is what came back of `b`; NaN is the same as NaN.

    An int may come back as the equal float: annotations with `float` admit ints, as in
    the default of `share: float = 0`. Nothing else changes its type.
    """
    if type(a) is float and type(b) is int:
        return a == b
    if type(a) is not type(b):
        return False
    if type(a) in _ATOMS:
        return bool(a == b)
    if isinstance(a, (float, complex, Decimal)):
        return repr(a) == repr(b)
    if isinstance(a, (list, tuple, deque)):
        return _same_items(a, b)
    if isinstance(a, datetime):
        return bool(a == b and a.fold == b.fold and a.utcoffset() == b.utcoffset())
    if isinstance(a, (dict, BaseModel, Mapping)) or dataclasses.is_dataclass(a):
        return _same_parts(parts(a), parts(b)) and _same_state(a, b)
    return _same_set(a, b) if isinstance(a, AbstractSet) else bool(a == b)


def parts(value: Any) -> Any:
    """Give what a model, a dataclass or a mapping is made of, by name."""
    if isinstance(value, BaseModel):
        return _model_parts(value)
    if isinstance(value, (dict, Mapping)):
        return value
    fields = dataclasses.fields(value)
    return {f.name: getattr(value, f.name) for f in fields if hasattr(value, f.name)}


def _model_parts(model: BaseModel) -> dict[str, Any]:
    """Fields and extras; not `__dict__`, which also holds cached properties."""
    kept = model.__dict__
    names = [name for name in type(model).model_fields if name in kept]
    return {name: kept[name] for name in names} | (model.__pydantic_extra__ or {})


def _same_parts(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> bool:
    """Order counts: a dict comes back in the order it had."""
    return len(a) == len(b) and all(
        same(left, right) and same(a[left], b[right])
        for left, right in zip(a, b, strict=True)
    )


def _same_state(a: Any, b: Any) -> bool:
    """Compare private attributes, which are not written, by their defaults."""
    return not isinstance(a, BaseModel) or same(
        a.__pydantic_private__, b.__pydantic_private__
    )


def _same_items(a: Sequence[Any], b: Sequence[Any]) -> bool:
    if isinstance(a, deque) and isinstance(b, deque) and a.maxlen != b.maxlen:
        return False
    return len(a) == len(b) and all(map(same, a, b))


def _same_set(a: AbstractSet[Any], b: AbstractSet[Any]) -> bool:
    twins = {item: item for item in b}
    return len(a) == len(b) and all(i in twins and same(i, twins[i]) for i in a)
