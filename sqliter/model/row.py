"""Instances to rows: the way back from ``loader``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqliter.core.faults import Fault
from sqliter.core.statement import Value
from sqliter.model.codecs import UnstorableValue
from sqliter.model.table import Column, Table

__all__ = ["RowEncoder", "encoder_of"]

_MANY = 1024  # combinations of value types to remember


class RowEncoder:
    """Encodes the same fields of one model's instances."""

    def __init__(self, table: Table, fields: Sequence[str]) -> None:
        self._table = table
        self.columns = [table.by_field[field] for field in fields]
        self._fields = tuple(fields)
        self._encoded = [
            position
            for position, column in enumerate(self.columns)
            if column.codec.encode is not None
        ]
        self._known: set[tuple[type, ...]] = set()

    def encode(self, values: Mapping[str, Any]) -> list[Value]:
        """Return what is stored; a ``Fault`` names the field that cannot be."""
        row = [values[field] for field in self._fields]
        kinds = tuple(map(type, row))
        if kinds not in self._known:
            return self._learn(kinds, row)
        for position in self._encoded:
            if row[position] is not None:
                row[position] = self._encode(self.columns[position], row[position])
        return row

    def _learn(self, kinds: tuple[type, ...], row: list[Any]) -> list[Value]:
        """Check every value; types that fit once need no second look."""
        encoded = [self._encode(c, v) for c, v in zip(self.columns, row, strict=True)]
        if len(self._known) < _MANY:
            self._known.add(kinds)
        return encoded

    def _encode(self, column: Column, value: Any) -> Value:
        try:
            return column.encode(value)
        except (TypeError, ValueError, OverflowError) as error:
            text = (
                f"field '{column.field}' of table '{self._table.name}' cannot "
                f"hold this value: {error}"
            )
            raise Fault(text, UnstorableValue(text)) from error


def encoder_of(table: Table, fields: tuple[str, ...]) -> RowEncoder:
    """Return the encoder of these fields; prepared once."""
    return table.prepare(RowEncoder, fields)
