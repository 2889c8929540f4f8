"""Options of single columns: ``column(...)``, and ``generated("price * amount")``."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sqliter.core.statement import Value
from sqliter.exceptions import InvalidSchemaError
from sqliter.model.codecs import Codec
from sqliter.model.collations import checked_collation, holds_text
from sqliter.model.fields import validate
from sqliter.model.unique import unique_extra

__all__ = [
    "ColumnOptions",
    "collated",
    "column",
    "column_name_of",
    "generated",
    "options_of",
    "stored_default",
]


@dataclass(frozen=True)
class ColumnOptions:
    """What a field says about its column; ``None`` says nothing.

    ``name`` is the column's, if it is not that of the field. ``db_default`` is a value
    of the field. ``generated`` is the SQL that the column is computed by; it is
    ``stored``, or computed anew whenever it is read.
    """

    collate: str | None = None
    db_default: Any = None
    generated: str | None = None
    stored: bool | None = None
    name: str | None = None

    @property
    def is_name(self) -> bool:
        """Whether they are about the name of the column alone."""
        return self == ColumnOptions(name=self.name)


def column(
    default: Any = PydanticUndefined,
    *,
    name: str | None = None,
    collate: str | None = None,
    db_default: Any = None,
    unique: bool = False,
    **kwargs: Any,
) -> Any:
    """Return a Pydantic field with options of its column.

    Takes what ``pydantic.Field`` takes besides. ``name`` is what SQLite calls the
    column, as in tables of other programs. ``collate`` is how texts compare:
    ``"NOCASE"``, ``"RTRIM"`` or ``"BINARY"``. ``db_default`` is what rows of other
    programs get that do not give the column; ``default`` is for those made here.

    Raises ``ValueError`` for an unknown collation, and what is no name.

    Example:
        >>> class User(BaseDBModel):
        ...     name: Annotated[str, column(collate="NOCASE", unique=True)]
        ...     active: bool = column(True, db_default=True)
        ...     pk: int = column(0, name="id")
    """
    if collate is not None:
        collate = checked_collation(collate)
    if name is not None and not _is_sql(name):
        msg = f"a column needs a name, which {name!r} is not"
        raise ValueError(msg)
    options = ColumnOptions(collate, db_default, name=name)
    return _field(default, options, kwargs, unique=unique)


def generated(
    sql: str, *, stored: bool = False, unique: bool = False, **kwargs: Any
) -> Any:
    """Return a Pydantic field whose column SQLite computes of others of the row.

    Takes what ``pydantic.Field`` takes besides. ``stored``: when the row is written,
    not when it is read. The field is ``None`` until the instance is written.

    Raises ``ValueError`` if there is no SQL.

    Example:
        >>> class Item(BaseDBModel):
        ...     price: float
        ...     amount: int
        ...     total: float | None = generated("price * amount")
    """
    if not _is_sql(sql):
        msg = f"a generated column is computed by SQL, which {sql!r} is not"
        raise ValueError(msg)
    options = ColumnOptions(generated=sql, stored=stored)
    return _field(None, options, {"frozen": True, **kwargs}, unique=unique)


def options_of(field: FieldInfo) -> ColumnOptions | None:
    """Return all that a field says about its column; what is said last counts."""
    found: ColumnOptions | None = None
    for each in field.metadata:
        if isinstance(each, ColumnOptions):
            said: dict[str, Any] = vars(each)
            given = {name: it for name, it in said.items() if it is not None}
            found = dataclasses.replace(found or ColumnOptions(), **given)
    return found


def column_name_of(model: type[BaseModel], field: str) -> str:
    """Return what the column of a field is called."""
    options = options_of(model.model_fields[field])
    return (options and options.name) or field


def collated(codec: Codec, collation: str, label: str) -> Codec:
    """Return the codec of a column with a collation; raises ``InvalidSchemaError``."""
    if not holds_text(codec):
        msg = f"collate is for texts, which {label} does not hold"
        raise InvalidSchemaError(msg)
    return codec._replace(collation=collation)


def stored_default(
    model: type[BaseModel], field: str, codec: Codec, options: ColumnOptions
) -> Value:
    """Return the default of the database as it is stored.

    Raises ``InvalidSchemaError`` for what is no value of the field.
    """
    try:
        return codec.store(validate(model, field, options.db_default))
    except (ValueError, TypeError, OverflowError) as error:
        name = f"field '{field}' of {model.__name__}"
        msg = f"db_default={options.db_default!r} is no value of {name}"
        raise InvalidSchemaError(msg, original=error) from error


def _is_sql(given: object) -> bool:
    return isinstance(given, str) and given.strip() != "" and "\0" not in given


def _field(
    default: Any, options: ColumnOptions, kwargs: dict[str, Any], *, unique: bool
) -> Any:
    if unique:
        kwargs = {**kwargs, **unique_extra(kwargs)}
    field = Field(default, **kwargs)
    field.metadata.append(
        options
    )  # as foreign keys do: it is nothing of the JSON schema
    return field
