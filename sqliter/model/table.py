"""What a model class says about its table: columns, codecs, keys."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar, TypeVarTuple

from pydantic.fields import FieldInfo

from sqliter.core.statement import Value
from sqliter.exceptions import (
    InvalidForeignKeyError,
    InvalidIndexError,
    InvalidSchemaError,
)
from sqliter.helpers import quote_identifier
from sqliter.model.codecs import Codec, UnstorableTypeError, UnstorableValue, codec_for
from sqliter.model.documents import Part, walk
from sqliter.model.foreign_key import ForeignKeyInfo, get_foreign_key_info
from sqliter.model.options import (
    ColumnOptions,
    collated,
    options_of,
    stored_default,
)
from sqliter.model.primary_key import check_key, check_reference, key_kind_of
from sqliter.model.registry import resolve
from sqliter.model.unique import is_unique
from sqliter.sql.place import value_sql

__all__ = [
    "Column",
    "PathColumn",
    "Reference",
    "Table",
    "is_table_of",
    "table_name_of",
    "table_of",
]

PRIMARY_KEY = "pk"

BUILT_IN = (PRIMARY_KEY, "created_at", "updated_at")
"""The fields of every model, which the library sets."""

MOST_PREPARED = 5_000
"""Things that a table keeps ready; when there are more, it begins anew."""

P = TypeVar("P")
A = TypeVarTuple("A")

Model: TypeAlias = Any
"""A model class. Models know their tables, so tables cannot import models."""


class Reference(NamedTuple):
    """A foreign key as the table sees it."""

    model: Model
    table: str
    on_delete: str
    on_update: str


@dataclass(eq=False, repr=False)
class Column:
    """One field of a model and the column it is kept in."""

    field: str
    name: str
    codec: Codec
    required: bool
    unique: bool
    reference: Reference | None = None
    options: ColumnOptions | None = None
    default: Value = None  # of the database, as it is stored

    @property
    def is_generated(self) -> bool:
        """Whether SQLite computes it, so that it is never written."""
        return self.options is not None and self.options.generated is not None

    @property
    def target(self) -> Model | None:
        """The model that a foreign key refers to."""
        return self.reference.model if self.reference else None

    @functools.cached_property
    def sql(self) -> str:
        """The quoted name."""
        return quote_identifier(self.name)

    @functools.cached_property
    def compared(self) -> str:
        """The column as it stands in comparisons, orders and groups."""
        collation = self.codec.collation
        return f"{self.sql} COLLATE {collation}" if collation else self.sql

    @functools.cached_property
    def selected(self) -> str:
        """The column in a select list, under the field's name."""
        if self.name == self.field:
            return self.sql
        return f"{self.sql} AS {quote_identifier(self.field)}"

    def encode(self, value: Any) -> Value:
        """Return what is stored for a value; raises ``UnstorableValue``."""
        if value is None:
            return None
        if not isinstance(value, self.codec.writes):
            expected = " or ".join(kind.__name__ for kind in self.codec.writes)
            msg = f"{value!r} is {type(value).__name__}, not {expected}"
            raise UnstorableValue(msg)
        return self.codec.store(value)


@dataclass(eq=False, repr=False)
class Table:
    """The table of a model; one object per class.

    ``version`` counts the updates of a row, if ``Meta`` names such a field. Records of
    a table that ``is_keyed`` bring their keys along, which are no integers then.
    """

    model: Model
    name: str
    columns: tuple[Column, ...]
    version: Column | None = None
    is_keyed: bool = False

    @functools.cached_property
    def sql(self) -> str:
        """The quoted name."""
        return quote_identifier(self.name)

    @functools.cached_property
    def by_field(self) -> dict[str, Column]:
        """The columns by the field they belong to."""
        return {column.field: column for column in self.columns}

    @functools.cached_property
    def fields(self) -> tuple[str, ...]:
        """The field names in column order."""
        return tuple(column.field for column in self.columns)

    @functools.cached_property
    def generated(self) -> tuple[str, ...]:
        """The fields that SQLite computes."""
        return tuple(each.field for each in self.columns if each.is_generated)

    @functools.cached_property
    def written(self) -> tuple[str, ...]:
        """The fields that are written: all others."""
        if not self.generated:
            return self.fields
        return tuple(each for each in self.fields if each not in self.generated)

    @functools.cached_property
    def select_list(self) -> str:
        """All columns, as they are selected."""
        return ", ".join(column.selected for column in self.columns)

    @functools.cached_property
    def pk(self) -> Column:
        """The primary key."""
        return self.by_field[PRIMARY_KEY]

    def indexed(self, name: str) -> Column | None:
        """Return the column of a field, or the part of its JSON that a path leads to.

        Raises ``InvalidIndexError`` for a part that there cannot be.
        """
        if name in self.by_field:
            return self.by_field[name]
        try:
            found = walk(self.by_field, name)
        except ValueError as error:
            model = self.model.__name__
            raise InvalidIndexError([name], model, original=error) from error
        return found and _path_column(name, *found)

    @functools.cached_property
    def _prepared(self) -> dict[Hashable, Any]:
        return {}

    def prepare(self, make: Callable[[Table, *A], P], *arguments: *A) -> P:
        """Return what this makes of the table and the arguments; made at first use.

        Loaders, encoders and SQL texts live as long as their table, if there are not
        very many of them: keys of JSON may come from anywhere.
        """
        found: P | None = self._prepared.get((make, *arguments))
        if found is None:
            if len(self._prepared) >= MOST_PREPARED:
                self._prepared.clear()
            found = self._prepared[make, *arguments] = make(self, *arguments)
        return found


def table_of(model: Model) -> Table:
    """Return the table of a model; described once, and again if ``Meta`` changes."""
    known = model.__dict__.get("__sqliter_table__")
    if known is not None:  # as in _described(): this is the hot path
        meta, name, table = known
        if meta is model.Meta and name is getattr(meta, "table_name", None):
            return table  # type: ignore[no-any-return]
    table = _describe(model)
    name = getattr(model.Meta, "table_name", None)
    type.__setattr__(model, "__sqliter_table__", (model.Meta, name, table))
    return table


def table_name_of(model: Model) -> str:
    """Return the name of a model's table, without describing the table."""
    table = _described(model)
    name: str = model.get_table_name() if table is None else table.name
    return name


def is_table_of(name: str | None, model: Model) -> bool:
    """Whether a model has this table; a model with an impossible name has none."""
    try:
        return table_name_of(model) == name
    except ValueError:
        return False


def _described(model: Model) -> Table | None:
    meta, name, table = model.__dict__.get("__sqliter_table__", (None, None, None))
    is_current = meta is model.Meta and name is getattr(meta, "table_name", None)
    return table if is_current else None


def _describe(model: Model) -> Table:
    if not model.__pydantic_complete__:
        model.model_rebuild()
    columns = tuple(_column(model, *item) for item in model.model_fields.items())
    _check_names(model, columns)
    version, is_keyed = _version(model, columns), any(map(_is_given, columns))
    return Table(model, model.get_table_name(), columns, version, is_keyed)


def _check_names(model: Model, columns: Iterable[Column]) -> None:
    """Raise ``InvalidSchemaError`` if a column is given a name that is taken."""
    known: dict[str, Column] = {}
    for column in columns:
        other = known.setdefault(column.name.lower(), column)  # names have no case
        is_given = any(each.options and each.options.name for each in (other, column))
        if other is not column and is_given:
            raise InvalidSchemaError(
                f"'{other.field}' and '{column.field}' of {model.__name__} would share "
                f"the column '{column.name}'"
            )


def _is_given(column: Column) -> bool:
    """Whether it is a key that records bring along."""
    return column.field == PRIMARY_KEY and key_kind_of(column.codec) is not int


def _version(model: Model, columns: Iterable[Column]) -> Column | None:
    """Return the column that ``Meta.version`` names; raises ``ValueError``."""
    name = getattr(model.Meta, "version", None)
    if name is None:
        return None
    for column in columns:
        codec = column.codec
        counts = codec.writes == (int,) and codec.encode is None and not codec.nullable
        counts = counts and not column.is_generated
        if column.field == name and counts and name not in BUILT_IN:
            return column
    msg = f"Meta.version of {model.__name__} names no int field: {name!r}"
    raise ValueError(msg)


def _column(model: Model, name: str, field: FieldInfo) -> Column:
    info, options = get_foreign_key_info(field), options_of(field)
    label = f"field '{name}' of {model.__name__}"
    try:
        codec = codec_for(field.annotation, field.metadata)
    except UnstorableTypeError as error:
        msg = f"{label}: {error}"
        raise UnstorableTypeError(msg) from error
    if name == PRIMARY_KEY:
        check_key(codec, label)
    if options is not None and not _may_have(options, name, info):
        raise InvalidSchemaError(f"{label} is no column that can have these options")
    if info is not None:
        return _reference_column(model, name, info, codec)
    required = field.is_required() and not codec.nullable
    column = Column(name, name, codec, required, is_unique(field))
    return column if options is None else _with_options(column, model, options, label)


def _may_have(options: ColumnOptions, name: str, info: ForeignKeyInfo | None) -> bool:
    """Whether there is nothing in the way of options: the library sets some columns."""
    if name == PRIMARY_KEY:
        return options.is_name
    return (options.generated is None or name not in BUILT_IN) and info is None


def _with_options(
    column: Column, model: Model, options: ColumnOptions, label: str
) -> Column:
    if options.collate is not None:
        column.codec = collated(column.codec, options.collate, label)
    column.name = options.name or column.name
    if options.db_default is not None:
        column.default = stored_default(model, column.field, column.codec, options)
    column.options = options
    return column


def _reference_column(
    model: Model, name: str, info: ForeignKeyInfo, codec: Codec
) -> Column:
    if info.null and not codec.nullable:
        raise InvalidForeignKeyError(
            f"'{name}' of {model.__name__} has null=True: annotate it as 'int | None'"
        )
    target = info.to_model
    resolved: Any = resolve(target, model) if isinstance(target, str) else target
    table = resolved.get_table_name()
    check_reference(codec, resolved, f"'{name}' of {model.__name__}")
    reference = Reference(resolved, table, info.on_delete, info.on_update)
    column = info.db_column or name
    return Column(name, column, codec, not info.null, info.unique, reference)


@dataclass(eq=False, repr=False)
class PathColumn(Column):
    """A part of the JSON in a column, as an index has it; the field is a path."""

    path: str = "$"

    @functools.cached_property
    def sql(self) -> str:
        """The expression, as in conditions."""
        return value_sql(quote_identifier(self.name), self.path)


def _path_column(name: str, column: Column, part: Part) -> PathColumn:
    path = part.value_path
    return PathColumn(
        name, column.name, column.codec, required=False, unique=False, path=path
    )
