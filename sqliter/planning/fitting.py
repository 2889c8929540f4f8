"""Whether a value may be put into the middle of the JSON in a column.

What a type says of the whole, such as the validators of a model, cannot be checked for
a part of it: that is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType
from typing import Any, NamedTuple, Never, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticUserError

from sqliter.core.statement import Value
from sqliter.model.codecs.annotations import arms, unwrap
from sqliter.model.codecs.containers import part_writer
from sqliter.model.documents import Part, cut, declared, root_of, shape_of, step
from sqliter.model.fields import validate
from sqliter.model.table import Column, Table

__all__ = ["Stage", "check_known", "stages", "written"]

_CONTAINERS: tuple[Any, ...] = (Any, dict, list, tuple)


class Stage(NamedTuple):
    """One of the parts on the way to another, and the key it has in the one before."""

    part: Part
    key: str = ""


def stages(table: Table, column: Column, name: str, *, inside: bool) -> Iterator[Stage]:
    """Yield all parts on the way to one that is set, or changed ``inside``.

    Raises ``ValueError`` if one of those that are changed inside has other rules.
    """
    part, rest = root_of(column.codec), name[len(column.field) + 2 :]
    assert part is not None
    if table.model.model_fields[column.field].metadata:
        _refuse(f"'{column.field}' has constraints")
    _check_validators(table.model, column.field)
    yield Stage(part)
    while rest:
        key, rest, is_quoted = cut(rest)
        check_known(part)
        _check_key(part, key)
        if (rest or inside) and declared(part.kind) is not None:
            _check_validators(part.kind, key)
        part = step(part, key, is_key=is_quoted)
        yield Stage(part, key)


def written(
    table: Table, part: Part, value: Any, *, model: Any = None, field: str = ""
) -> Value:
    """Return the JSON of a value, which may be that of a field of another model.

    Raises ``ValueError`` for one that the annotation does not admit.
    """
    if declared(model) is not None:
        fit = validate(model, field, value)
    else:
        fit = _adapter(table, part.annotation).validate_python(value)
    return part_writer(part.annotation, tagged=part.tagged)(fit)


def check_known(part: Part) -> None:
    """Raise ``ValueError`` unless all that matters of a container is what is inside."""
    if shape_of(part) is None:
        msg = f"{part} has no parts"
        raise ValueError(msg)
    kind, constraints = unwrap(part.annotation)
    for arm in arms(kind):
        if arm is not NoneType:
            kind, more = unwrap(arm)
            constraints += more
    if constraints:
        _refuse(f"{part} has constraints")
    if len([arm for arm in arms(part.annotation) if arm is not NoneType]) != 1:
        _refuse(f"{part.annotation} may be of several types")
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    if is_model and not kind.__pydantic_root_model__:
        if kind.__pydantic_decorators__.model_validators:
            _refuse(f"{kind.__name__} has validators")
    elif (get_origin(kind) or kind) not in _CONTAINERS:
        _refuse(f"{part} may have rules of its own")


def _check_validators(model: Any, field: str) -> None:
    decorators = model.__pydantic_decorators__
    for each in (
        *decorators.field_validators.values(),
        *decorators.validators.values(),
    ):
        if {field, "*"}.intersection(each.info.fields):
            _refuse(f"'{field}' of {model.__name__} has validators")


def _check_key(part: Part, key: str) -> None:
    names, shape = declared(part.kind), shape_of(part)
    if names is not None and key not in names:
        msg = f"{part} has no field {key!r}"
        raise ValueError(msg)
    if names is None and shape is not None and shape.key not in (None, Any):
        TypeAdapter(shape.key).validate_python(key)


def _adapter(table: Table, annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation, config=table.model.model_config)
    except PydanticUserError:  # a model has its own
        return TypeAdapter(annotation)


def _refuse(reason: str) -> Never:
    msg = f"{reason}, which cannot be checked for a part: change the instances instead"
    raise ValueError(msg)
