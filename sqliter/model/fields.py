"""Single fields, validated or converted outside of a whole instance."""

from __future__ import annotations

import weakref
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import SchemaValidator

__all__ = ["coerce", "validate"]

_validators: weakref.WeakKeyDictionary[type, dict[str, SchemaValidator]] = (
    weakref.WeakKeyDictionary()
)
_adapters: weakref.WeakKeyDictionary[type, dict[str, TypeAdapter[Any]]] = (
    weakref.WeakKeyDictionary()
)


def validate(model: type[BaseModel], field: str, value: Any) -> Any:
    """Return the value as the model would take it, its own validators included.

    Raises ``pydantic.ValidationError``.
    """
    validators = _validators.setdefault(model, {})
    if field not in validators:
        validators[field] = _field_validator(model, field)
    return validators[field].validate_python(value)


def coerce(model: type[BaseModel], field: str, value: Any) -> Any:
    """Return the value converted to the field's bare type.

    Validators of the model do not run: the value passed them when it was made.
    Raises ``pydantic.ValidationError``.
    """
    adapters = _adapters.setdefault(model, {})
    if field not in adapters:
        annotation: Any = model.model_fields[field].annotation
        adapters[field] = TypeAdapter(annotation)
    return adapters[field].validate_python(value)


def _field_validator(model: type[BaseModel], field: str) -> SchemaValidator:
    schema, definitions = _fields_schema(model)
    inner: Any = schema["fields"][field]["schema"]
    if definitions:
        inner = {"type": "definitions", "schema": inner, "definitions": definitions}
    return SchemaValidator(inner)


def _fields_schema(model: type[BaseModel]) -> tuple[Any, list[Any]]:
    """Find the fields inside the wrappers that Pydantic puts around them."""
    schema: Any = model.__pydantic_core_schema__
    definitions: list[Any] = []
    while schema["type"] != "model-fields":
        if schema["type"] == "definitions":
            definitions = schema["definitions"]
            named = {each.get("ref"): each for each in definitions}
            schema = schema["schema"]
            schema = named.get(schema.get("schema_ref"), schema)
        else:
            schema = schema["schema"]
    return schema, definitions
