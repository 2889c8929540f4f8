"""Rows to instances, without running the user's validators a second time.

They ran when the value was made. What is checked is that SQLite hands out the
storage class the field expects; a row whose combination of classes was seen
before passes with one look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from sqliter.core.faults import MisfitFault
from sqliter.core.statement import Row, Value
from sqliter.model.codecs.codec import shown
from sqliter.model.fields import coerce
from sqliter.model.loaded import binder
from sqliter.model.table import Column, Table

__all__ = ["Loader", "decoder", "fits", "loader_of", "read"]

M = TypeVar("M", bound=BaseModel)

_MANY = 1024  # combinations of storage classes to remember

_set_fields_set = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__
_set_attributes = object.__setattr__


class Loader(Generic[M]):
    """Builds instances of one model from rows of the same columns."""

    def __init__(self, table: Table, fields: Sequence[str], *, local: bool) -> None:
        columns = [table.by_field[field] for field in fields]
        self._table = table
        self._model: type[M] = table.model
        self._fields = tuple(fields)
        self._columns = columns
        self._local = local
        self._decoded = [
            (column.field, decode)
            for column in columns
            if (decode := decoder(column, local=local)) is not None
        ]
        self._known: set[tuple[type, ...]] = set()
        self._is_whole = len(columns) == len(table.columns)
        extra = self._model.model_config.get("extra")
        # One set for all: whole instances have every name in it anyway.
        self._shares = self._is_whole and extra != "allow"
        self._extra = extra == "allow"
        self._names = set(fields)
        self._post_init = bool(self._model.__pydantic_post_init__)
        self._bind = binder(self._model)
        self.width = len(columns)

    def load(self, rows: Iterable[Row], database: object = None) -> list[M]:
        """Return an instance per row; a ``Fault`` names what does not fit.

        Instances that want to know where they come from are told ``database``.
        """
        return [self.build(self.values(row), database) for row in rows]

    def first(self, rows: Sequence[Row], database: object = None) -> M | None:
        """Return the instance of the first row, if there is one."""
        return self.build(self.values(rows[0]), database) if rows else None

    @property
    def binds(self) -> bool:
        """Whether instances want to know where they come from."""
        return self._bind is not None

    def values(self, row: Row) -> dict[str, Any]:
        """Return the decoded values of a row by field name."""
        kinds = tuple(map(type, row))
        if kinds not in self._known and not self._learn(kinds):
            return self._values_carefully(row)
        values: dict[str, Any] = dict(zip(self._fields, row, strict=True))
        try:
            for field, decode in self._decoded:
                if values[field] is not None:
                    values[field] = decode(values[field])
        except Exception:  # noqa: BLE001 - tell which column it was
            return self._values_carefully(row)
        return values

    def build(self, values: dict[str, Any], database: object = None) -> M:
        """Return an instance that has these values and nothing else."""
        model = self._model
        instance = model.__new__(model)
        _set_attributes(instance, "__dict__", values)
        _set_fields_set(instance, self._names if self._shares else set(self._names))
        _set_extra(instance, {} if self._extra else None)
        _set_private(instance, None)
        if self._bind is not None:
            self._bind(instance, database)
        if self._post_init:
            self._finish(instance)
        return instance

    def _finish(self, instance: M) -> None:
        if self._is_whole:
            instance.model_post_init(None)
            return
        defaults = {
            name: attribute.get_default()
            for name, attribute in self._model.__private_attributes__.items()
        }
        private = {k: v for k, v in defaults.items() if v is not PydanticUndefined}
        _set_private(instance, private)

    def _learn(self, kinds: tuple[type, ...]) -> bool:
        """Whether these storage classes fit; remembered when they do."""
        if not all(map(fits, self._columns, kinds)):
            return False
        if len(self._known) < _MANY:
            self._known.add(kinds)
        return True

    def _values_carefully(self, row: Row) -> dict[str, Any]:
        return {
            column.field: self._value(column, value, row)
            for column, value in zip(self._columns, row, strict=True)
        }

    def _value(self, column: Column, value: Value, row: Row) -> Any:
        try:
            if value is None and not column.codec.nullable:
                return coerce(self._model, column.field, None)
            return read(column, value, local=self._local)
        except Exception as error:
            raise self._misfit(column, value, row, error) from error

    def _misfit(
        self, column: Column, value: Value, row: Row, error: Exception
    ) -> MisfitFault:
        key = dict(zip(self._fields, row, strict=True)).get("pk")
        return MisfitFault(column.name, key, shown(value), error)


def fits(column: Column, kind: type) -> bool:
    """Whether the field can be read from this storage class."""
    codec = column.codec
    return codec.nullable if kind is type(None) else kind in codec.reads


def decoder(column: Column, *, local: bool) -> Callable[[Any], Any] | None:
    """Return how the column is decoded, with times in local zone or UTC."""
    codec = column.codec
    return codec.decode if local or codec.decode_utc is None else codec.decode_utc


def read(column: Column, value: Value, *, local: bool) -> Any:
    """Return what a stored value means; raises ``ValueError`` if nothing.

    Understands what older versions and other programs wrote.
    """
    if value is None:
        return None
    codec = column.codec
    if type(value) not in codec.reads:
        return codec.legacy(value, utc=not local)
    try:
        return codec.load(value, utc=not local)
    except ValueError:
        return codec.legacy(value, utc=not local)


def loader_of(
    table: Table, fields: tuple[str, ...] | None, *, local: bool
) -> Loader[Any]:
    """Return the loader of these fields (all if ``None``); prepared once."""
    return table.prepare(_loader, fields, local)


def _loader(
    table: Table,
    fields: tuple[str, ...] | None,
    local: bool,  # noqa: FBT001 - part of a key
) -> Loader[Any]:
    return Loader(table, fields or table.fields, local=local)
