"""Rows to instances, without running the user's validators a second time.

They ran when the value was made. What is checked is that SQLite hands out the
storage class the field expects.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from sqliter.core.faults import MisfitFault
from sqliter.core.statement import Row, Value
from sqliter.model.codecs.codec import shown
from sqliter.model.fields import coerce
from sqliter.model.generated import Cell, Functions, functions
from sqliter.model.loaded import binder, row_setter
from sqliter.model.table import Column, Table

__all__ = ["Loader", "decoder", "fits", "loader_of", "read"]

M = TypeVar("M", bound=BaseModel)

_set_values = BaseModel.__dict__["__dict__"].__set__
_set_fields_set = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__


class Loader(Generic[M]):
    """Builds instances of one model from rows of the same columns.

    Behind them a row may have some more: the ``rest``.
    """

    def __init__(
        self, table: Table, fields: Sequence[str], *, local: bool, rest: int = 0
    ) -> None:
        columns = [table.by_field[field] for field in fields]
        self._table = table
        self._model: type[M] = table.model
        self._fields = tuple(fields)
        self._columns = columns
        self._local = local
        self._rest = rest
        self._is_whole = len(columns) == len(table.columns)
        self.binds = binder(self._model) is not None
        """Whether instances want to know where they come from."""
        self.width = len(columns)

    def load(self, rows: Iterable[Row], database: object = None) -> list[M]:
        """Return an instance per row; a ``Fault`` names what does not fit.

        Instances that want to know where they come from are told ``database``.
        """
        return self._functions.load(rows, database)

    def first(self, rows: Sequence[Row], database: object = None) -> M | None:
        """Return the instance of the first row, if there is one."""
        return self._functions.load(rows[:1], database)[0] if rows else None

    def build(self, values: dict[str, Any]) -> M:
        """Return an instance that has these values and nothing else."""
        instance: M = self._functions.make(values, None)
        return instance

    @functools.cached_property
    def _functions(self) -> Functions:
        cells = [
            Cell(
                column.field,
                column.codec.reads,
                column.codec.nullable,
                decoder(column, local=self._local),
            )
            for column in self._columns
        ]
        # What is known of a whole row tells an update what was changed since.
        keeps = self._fields == self._table.fields
        keeping = ["set_row(instance, row)"] if keeps else []
        names, carefully = self._names(), self._values_carefully
        making = self._making()
        return functions(cells, making, keeping, names, carefully, self._rest)

    def _making(self) -> list[str]:
        """Return the statements that make an instance, as short as the class allows."""
        has_extra = self._model.model_config.get("extra") == "allow"
        # One set for all: whole instances have every name in it anyway.
        shares = self._is_whole and not has_extra
        making = [
            "instance = new(model)",
            "set_values(instance, values)",
            f"set_fields_set(instance, {'fields' if shares else 'set(fields)'})",
            f"set_extra(instance, {'{}' if has_extra else None})",
            "set_private(instance, None)",
        ]
        if self.binds:
            making.append("bind(instance, database)")
        if self._model.__pydantic_post_init__:
            making.append("finish(instance)")
        return making

    def _names(self) -> dict[str, Any]:
        return {
            "model": self._model,
            "new": self._model.__new__,
            "fields": set(self._fields),
            "set_values": _set_values,
            "set_fields_set": _set_fields_set,
            "set_extra": _set_extra,
            "set_private": _set_private,
            "set_row": row_setter(self._model),
            "bind": binder(self._model),
            "finish": self._finish,
        }

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

    def _values_carefully(self, row: Row) -> dict[str, Any]:
        return {
            column.field: self._value(column, value, row)
            for column, value in zip(self._columns, row, strict=False)
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
        key = dict(zip(self._fields, row, strict=False)).get("pk")
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
    table: Table, fields: tuple[str, ...] | None, *, local: bool, rest: int = 0
) -> Loader[Any]:
    """Return the loader of these fields (all if ``None``); prepared once."""
    return table.prepare(_loader, fields, local, rest)


def _loader(
    table: Table,
    fields: tuple[str, ...] | None,
    local: bool,  # noqa: FBT001 - part of a key
    rest: int,
) -> Loader[Any]:
    return Loader(table, fields or table.fields, local=local, rest=rest)
