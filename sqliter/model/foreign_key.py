"""Explicit foreign keys: ``author_id: int = ForeignKey(Author)``."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, Field
from pydantic_core import PydanticUndefined

from sqliter.exceptions import InvalidForeignKeyError
from sqliter.model.abstract import is_abstract
from sqliter.model.unique import unique_extra

__all__ = [
    "FKAction",
    "ForeignKey",
    "ForeignKeyInfo",
    "get_foreign_key_info",
    "get_model_field_db_column",
]

FKAction: TypeAlias = Literal["CASCADE", "SET NULL", "RESTRICT", "NO ACTION"]

_ACTIONS = typing.get_args(FKAction)


@dataclass
class ForeignKeyInfo:
    """What a foreign key says: its target, its actions, its column."""

    to_model: type[BaseModel] | str
    on_delete: FKAction
    on_update: FKAction
    null: bool
    unique: bool
    related_name: str | None
    db_column: str | None


def ForeignKey(  # noqa: N802 - the name users know
    to: type[BaseModel] | str,
    *,
    on_delete: FKAction = "RESTRICT",
    on_update: FKAction = "RESTRICT",
    null: bool = False,
    unique: bool = False,
    related_name: str | None = None,
    db_column: str | None = None,
    default: Any = PydanticUndefined,
    **kwargs: Any,
) -> Any:
    """Return a Pydantic field whose column refers to another model's key.

    ``to`` is a model, a class name, ``"module.Class"`` or ``"self"``. The column
    is named like the field unless ``db_column`` is given. Takes what
    ``pydantic.Field`` takes besides.

    Raises ``InvalidForeignKeyError`` for an unknown action or target, and for
    ``SET NULL`` without ``null=True``.

    Example:
        >>> class Book(BaseDBModel):
        ...     author_id: int = ForeignKey(Author, on_delete="CASCADE")
    """
    check_target(to)
    check_actions(on_delete=on_delete, on_update=on_update, null=null)
    if default is PydanticUndefined and null and "default_factory" not in kwargs:
        default = None
    if unique:
        kwargs.update(unique_extra(kwargs))
    elif not isinstance(kwargs.get("json_schema_extra"), dict):
        kwargs.pop("json_schema_extra", None)
    field = Field(default, **kwargs)
    # Among the metadata, not in the JSON schema: a class is no JSON.
    field.metadata.append(
        ForeignKeyInfo(to, on_delete, on_update, null, unique, related_name, db_column)
    )
    return field


def check_target(to: object) -> None:
    """Raise ``InvalidForeignKeyError`` for what can be no target."""
    if isinstance(to, str) and to != "":
        return
    if isinstance(to, type) and issubclass(to, BaseModel):
        if is_abstract(to):
            text = "is abstract, so there are no rows to refer to"
            raise InvalidForeignKeyError(f"target {to.__name__} {text}")
        return
    raise InvalidForeignKeyError(f"target must be a model or its name, not {to!r}")


def check_actions(*, on_delete: str, on_update: str, null: bool) -> None:
    """Raise ``InvalidForeignKeyError`` for unknown or impossible actions."""
    for name, action in (("on_delete", on_delete), ("on_update", on_update)):
        if action not in _ACTIONS:
            known = ", ".join(map(repr, _ACTIONS))
            raise InvalidForeignKeyError(f"{name}={action!r} must be one of {known}")
        if action == "SET NULL" and not null:
            raise InvalidForeignKeyError(f"{name}='SET NULL' requires null=True")


def get_foreign_key_info(field_info: Any) -> ForeignKeyInfo | None:
    """Return the foreign key of a field, or ``None``."""
    for item in getattr(field_info, "metadata", ()):
        if isinstance(item, ForeignKeyInfo):
            return item
    extra = getattr(field_info, "json_schema_extra", None)
    info = extra.get("foreign_key") if isinstance(extra, dict) else None
    return info if isinstance(info, ForeignKeyInfo) else None


def get_model_field_db_column(model: type[BaseModel], field_name: str) -> str:
    """Return the column of a field; an unknown name is returned as it is."""
    info = get_foreign_key_info(model.model_fields.get(field_name))
    return (info.db_column if info else None) or field_name
