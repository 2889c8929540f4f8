"""``Book(author=ada)``: relations among the arguments of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import AliasChoices, ValidationError
from pydantic_core import (
    InitErrorDetails,
    PydanticCustomError,
    SchemaValidator,
)

from sqliter.model.relations import relations_of
from sqliter.orm.fields import ForeignKey

__all__ = ["initializer", "taken_apart", "validated"]

_INITIALIZER = "__sqliter_initializer__"


def initializer(model: type[Any]) -> Callable[..., Any] | None:
    """Return what fills a new instance with arguments that name no relation.

    Pydantic's own validator calls Python for each instance, to look for relations;
    that takes as long as all the rest. ``None``: nothing else does the same.
    """
    validator = model.__pydantic_validator__
    known = vars(model).get(_INITIALIZER)
    if known is None or known[0] is not validator:  # it is replaced on a rebuild
        known = (validator, _initializer(model))
        type.__setattr__(model, _INITIALIZER, known)
    found: Callable[..., Any] | None = known[1]
    return found


def _initializer(model: type[Any]) -> Callable[..., Any] | None:
    validator, schema = model.__pydantic_validator__, model.__pydantic_core_schema__
    if not isinstance(validator, SchemaValidator) or schema["type"] != "function-wrap":
        return None  # a plug-in watches, or the class has validators of its own
    inner = schema["schema"]
    if (
        schema["function"]["function"] != model.__sqliter_relate__
        or inner["type"] != "model"
    ):
        return None
    return SchemaValidator(inner, inner.get("config")).validate_python


def taken_apart(
    model: type[Any], data: dict[str, Any]
) -> list[tuple[ForeignKey[Any], Any]]:
    """Replace related objects among the arguments by their keys; return the objects.

    Raises ``pydantic.ValidationError`` for what can be no value of a relation.
    """
    names = relations_of(model).keys()
    if names.isdisjoint(data):
        return []
    given = []
    for name in names & data.keys():
        accessor, value = getattr(model, name), data.pop(name)
        if not isinstance(accessor, ForeignKey):
            raise _invalid(model, name, value, accessor.refusal)
        try:
            key = accessor.key_for(value)
        except TypeError as error:
            raise _invalid(model, name, value, str(error)) from None
        _put(model, f"{name}_id", key, data)
        given.append((accessor, value))
    return given


def validated(model: type[Any], value: Any, handler: Any) -> Any:
    """Return the instance that Pydantic makes of a value, with its objects."""
    names = relations_of(model).keys()
    if not isinstance(value, dict) or names.isdisjoint(value):
        return handler(value)
    data = dict(value)
    given = taken_apart(model, data)
    instance = handler(data)
    for accessor, each in given:
        accessor.keep(instance, each)
    return instance


def _put(model: type[Any], field: str, key: int | None, data: dict[str, Any]) -> None:
    """Give the key under the name that the field goes by; an object wins over an id."""
    config, info = model.model_config, model.__pydantic_fields__[field]
    alias = info.validation_alias or info.alias
    names = alias.choices if isinstance(alias, AliasChoices) else [alias]
    aliases = [name for name in names if isinstance(name, str)]
    for name in (field, *aliases):
        data.pop(name, None)
    by_name = config.get("validate_by_name", config.get("populate_by_name", True))
    data[field if by_name or not aliases else aliases[0]] = key


def _invalid(model: type[Any], name: str, value: Any, text: str) -> ValidationError:
    problem = PydanticCustomError("relation", "{reason}", {"reason": text})
    details = InitErrorDetails(type=problem, loc=(name,), input=value)
    return ValidationError.from_exception_data(model.__name__, [details])
