"""``Book(author=ada)``: relations among the arguments of a model."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from sqliter.model.relations import relations_of
from sqliter.orm.fields import ForeignKey

__all__ = ["taken_apart"]


def taken_apart(
    model: type[Any], data: dict[str, Any]
) -> list[tuple[ForeignKey[Any], Any]]:
    """Replace related objects among the arguments by their keys; return the objects.

    Raises ``pydantic.ValidationError`` for what can be no value of a relation.
    """
    given = []
    for name in relations_of(model).keys() & data.keys():
        accessor, value = getattr(model, name), data.pop(name)
        if not isinstance(accessor, ForeignKey):
            raise _invalid(model, name, value, accessor.refusal)
        try:
            data[f"{name}_id"] = accessor.key_for(value)
        except TypeError as error:
            raise _invalid(model, name, value, str(error)) from None
        given.append((accessor, value))
    return given


def _invalid(model: type[Any], name: str, value: Any, text: str) -> ValidationError:
    problem = PydanticCustomError("relation", "{reason}", {"reason": text})
    details = InitErrorDetails(type=problem, loc=(name,), input=value)
    return ValidationError.from_exception_data(model.__name__, [details])
