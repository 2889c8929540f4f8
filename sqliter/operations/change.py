"""What one UPDATE writes of an instance: as little as is known to be enough."""

from __future__ import annotations

from sqliter.core.statement import Row, Statement, Value
from sqliter.model.loaded import known_row, remember_row
from sqliter.model.model import BaseDBModel
from sqliter.model.row import encoder_of
from sqliter.model.table import Table
from sqliter.planning import write

__all__ = ["Change"]


class Change:
    """The fields of an instance, as they are to be stored; raises a ``Fault``."""

    def __init__(
        self, table: Table, instance: BaseDBModel, stamp: dict[str, int]
    ) -> None:
        values = {**vars(instance), **stamp}
        fields = table.fields
        if not table.by_field.keys() <= values.keys():  # fetched in part
            fields = tuple(field for field in fields if field in values)
        self._table = table
        self._instance = instance
        self._fields = fields
        self._row = tuple(encoder_of(table, fields).encode(values))

    def everything(self) -> Statement:
        """Return the UPDATE of all fields."""
        pairs = zip(self._fields, self._row, strict=True)
        return self._statement({f: v for f, v in pairs if f != "pk"}, {})

    def difference(self) -> Statement | None:
        """Return the UPDATE of those fields that differ from what is known of the row.

        To write a column again that is the same costs as much as to change it: its
        indexes are written. The statement finds no row if others changed any of the
        other fields meanwhile. ``None`` if nothing is known, or the key was changed.
        """
        known = self._known_row()
        if known is None:
            return None
        changed: dict[str, Value] = {}
        same: dict[str, Value] = {}
        for field, old, new in zip(self._fields, known, self._row, strict=True):
            # 0.0 equals -0.0, and 1 equals 1.0.
            is_same = old is new or (type(old) is type(new) and old == new != 0.0)
            (same if is_same else changed)[field] = new
        if "updated_at" in same:
            changed["updated_at"] = same.pop("updated_at")
        if same.pop("pk", None) is None:
            return None
        return self._statement(changed, same)

    def done(self) -> None:
        """Note that the row is like this now."""
        if len(self._fields) == len(self._table.fields):
            remember_row(self._instance, self._row)

    def _known_row(self) -> Row | None:
        is_whole = len(self._fields) == len(self._table.fields)
        return known_row(self._instance) if is_whole else None

    def _statement(
        self, changed: dict[str, Value], same: dict[str, Value]
    ) -> Statement:
        sql = self._table.prepare(write.update_sql, (*changed,), (*same,))
        values = (*changed.values(), self._instance.pk, *same.values())
        return Statement(sql, values)
