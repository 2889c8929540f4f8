"""What one UPDATE writes of an instance: as little as is known to be enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from sqliter.core.faults import Fault
from sqliter.core.statement import Row, Statement, Value
from sqliter.model.loaded import known_row, remember_row, remember_values
from sqliter.model.model import BaseDBModel
from sqliter.model.row import encoder_of
from sqliter.model.table import Column, Table
from sqliter.operations.generating import refuse_generated
from sqliter.planning import write
from sqliter.planning.keys import stored_key
from sqliter.planning.named import named_fields

__all__ = ["Change", "counted", "stamped", "written_fields"]


class Change:
    """The fields of an instance, as they are to be stored; raises a ``Fault``.

    All that it has, or some ``only``, which the ones of every update are among.
    ``stamp`` is what the instance gets when that is done.
    """

    def __init__(
        self,
        table: Table,
        instance: BaseDBModel,
        now: int,
        only: tuple[str, ...] | None = None,
    ) -> None:
        values, fields = vars(instance), table.written
        self.stamp = stamp = {"updated_at": now}
        self._read: tuple[Value, ...] = ()  # the version that must still be there
        if table.version is not None:
            self._read = (counted(table.version, values, stamp),)
        if only is not None:
            fields = only
        elif not values.keys() >= table.by_field.keys():  # fetched in part
            fields = tuple(f for f in fields if f in values or f in stamp)
        self._table = table
        self._instance = instance
        self._fields = fields
        encoder = encoder_of(table, fields, stamped(table))
        self._row = tuple(encoder.encode(values, stamp))

    @property
    def versions(self) -> dict[Any, Value]:
        """The version that was read, by the key; nothing if there is none."""
        return dict(zip([self._instance.pk], self._read, strict=False))

    def everything(self) -> Statement:
        """Return the UPDATE of all fields."""
        pairs = zip(self._fields, self._row, strict=True)
        values = {field: value for field, value in pairs if field != "pk"}
        sql = self._table.prepare(write.update_sql, (*values,), (), bool(self._read))
        key: Any = self._instance.pk
        if self._table.is_keyed:
            key = stored_key(self._table, key)
        return Statement(sql, (*values.values(), key, *self._read))

    def difference(self) -> Statement | None:
        """Return the UPDATE of those fields that differ from what is known of the row.

        To write a column again that is the same costs as much as to change it: its
        indexes are written. The statement finds no row if others changed any of the
        other fields meanwhile. ``None`` if nothing is known, or the key was changed.
        """
        known = self._known_row()
        if known is None:
            return None
        # What is known may have more columns; 0.0 equals -0.0, and 1 equals 1.0.
        changed = [
            field
            for field, old, new in zip(self._fields, known, self._row, strict=False)
            if old is not new and (type(old) is not type(new) or not old == new != 0.0)
        ]
        if "pk" in changed:
            return None
        sql, values_of = self._table.prepare(_writing, tuple(changed))
        return Statement(sql, (*values_of(self._row), *self._read))

    def done(self) -> None:
        """Note that the row is like this now."""
        if self._is_whole:
            remember_row(self._instance, self._row)
        else:
            places = map(self._table.fields.index, self._fields)
            remember_values(self._instance, places, self._row)

    def _known_row(self) -> Row | None:
        return known_row(self._instance) if self._is_whole else None

    @property
    def _is_whole(self) -> bool:
        """Whether all columns are written; none of them is generated, either."""
        return len(self._fields) == len(self._table.fields)


def stamped(table: Table) -> tuple[str, ...]:
    """Return the fields that every update sets by itself."""
    return ("updated_at", *([table.version.field] if table.version else ()))


def written_fields(table: Table, names: Iterable[str]) -> tuple[str, ...]:
    """Return the named fields, and those that every update sets.

    Raises ``ValueError`` for names that are none, and if none is left.
    """
    always = stamped(table)
    written = tuple(f for f in named_fields(table, names) if f not in always)
    if "pk" in written:
        msg = "the primary key 'pk' says which row is meant: it cannot be updated"
        raise ValueError(msg)
    refuse_generated(table, written)
    if not written:
        msg = "an update needs the names of the fields to write"
        raise ValueError(msg)
    return (*written, *always)


def counted(version: Column, values: dict[str, Any], stamp: dict[str, int]) -> int:
    """Return the version that was read; the stamp gets the next one."""
    read = values.get(version.field)
    if type(read) is not int:
        msg = (
            f"'{version.field}' of the record is {read!r}, which is no version: fetch "
            "it, or give it one"
        )
        raise Fault(msg)
    stamp[version.field] = read + 1
    return read


def _writing(
    table: Table, changed: tuple[str, ...]
) -> tuple[str, Callable[[Row], tuple[Value, ...]]]:
    """Return the UPDATE of these fields, and what gives its values from a whole row."""
    always = stamped(table)
    written = [f for f in table.fields if f in changed or f in always]
    same = [f for f in table.fields if f not in written and f != "pk"]
    places = map(table.fields.index, (*written, "pk", *same))
    sql = write.update_sql(
        table, (*written,), (*same,), versioned=table.version is not None
    )
    return sql, itemgetter(*places)
