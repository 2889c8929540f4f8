"""Instances to rows: the way back from ``loader``."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqliter.core.faults import Fault
from sqliter.core.statement import Value
from sqliter.model.codecs import UnstorableValue
from sqliter.model.generated import Encode, Part, encode_function
from sqliter.model.table import Column, Table

__all__ = ["RowEncoder", "encoder_of"]


class RowEncoder:
    """Encodes the same fields of one model's instances.

    The values of fields that are ``apart`` are not among those of the instance.
    """

    def __init__(
        self, table: Table, fields: Sequence[str], apart: Collection[str] = ()
    ) -> None:
        self._table = table
        self._apart = apart
        self.columns = [table.by_field[field] for field in fields]
        self._fields = tuple(fields)

    @functools.cached_property
    def encode(self) -> Encode:
        """Return what is stored; a ``Fault`` names the field that cannot be.

        To be called with the values of the instance, and those that are apart.
        """
        parts = [
            Part(
                column.field,
                column.codec.writes,
                column.codec.encode,
                column.field in self._apart,
            )
            for column in self.columns
        ]
        return encode_function(parts, self._carefully)

    def _carefully(
        self, values: Mapping[str, Any], apart: Mapping[str, Any]
    ) -> list[Value]:
        """Check every value, and say which one does not fit, or is not there."""
        values = {**values, **apart}
        missing = [field for field in self._fields if field not in values]
        if missing:
            names = ", ".join(missing)
            raise Fault(f"the record is partial: it was fetched without {names}")
        fields = zip(self.columns, self._fields, strict=True)
        return [self._encode(column, values[field]) for column, field in fields]

    def _encode(self, column: Column, value: Any) -> Value:
        try:
            return column.encode(value)
        except (TypeError, ValueError, OverflowError) as error:
            text = (
                f"field '{column.field}' of table '{self._table.name}' cannot "
                f"hold this value: {error}"
            )
            raise Fault(text, UnstorableValue(text)) from error


def encoder_of(
    table: Table, fields: tuple[str, ...], apart: tuple[str, ...] = ()
) -> RowEncoder:
    """Return the encoder of these fields; prepared once."""
    return table.prepare(RowEncoder, fields, apart)
