"""Models as request bodies: clients set what the schema does not call ``readOnly``."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from .models import Record

__all__ = ["Given", "revise"]

M = TypeVar("M", bound=Record)


class Writable:
    """Marks a model that takes its writable fields only; others are ignored.

    They are ignored, not refused, so that a client may change what it was given and
    send it back.
    """

    def __get_pydantic_core_schema__(
        self, source: type[Record], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        fields = writable(source)

        def pick(data: Any) -> Any:
            if not isinstance(data, dict):
                return data
            return {name: data[name] for name in fields if name in data}

        return core_schema.no_info_before_validator_function(pick, handler(source))


Given: TypeAlias = Annotated[M, Writable()]
"""A request body: ``book: Given[Book]``."""


def revise(stored: M, given: M) -> None:
    """Give a stored record the writable fields of another."""
    for name in writable(type(stored)):
        setattr(stored, name, getattr(given, name))


def writable(model: type[Record]) -> list[str]:
    """Return the fields that clients may set."""
    fields = model.model_fields.items()
    return [name for name, field in fields if not _is_read_only(field)]


def _is_read_only(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra.get("readOnly") is True
