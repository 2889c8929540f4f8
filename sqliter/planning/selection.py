"""Which fields of the rows are fetched."""

from __future__ import annotations

from collections.abc import Iterable

from sqliter.model.table import Table
from sqliter.planning.spec import Selection

__all__ = ["exclude", "only", "select"]


def select(table: Table, fields: Iterable[str]) -> Selection:
    """Return the selection of exactly these fields, in this order."""
    names = _names(fields)
    _check(table, names, "Invalid fields specified: {}")
    return Selection(tuple(dict.fromkeys(names)))


def only(table: Table, field: object) -> Selection:
    """Return the selection of one field."""
    if not isinstance(field, str):
        msg = f"only() takes one field name, not {type(field).__name__}"
        raise TypeError(msg)
    _check(table, [field], "Invalid field specified: {}")
    return Selection((field,), only=True)


def exclude(table: Table, base: Selection | None, fields: Iterable[str]) -> Selection:
    """Return ``base`` (all fields if ``None``) without these fields.

    A single field chosen by ``only()`` is no base: nothing could be left of it.
    """
    names = _names(fields)
    if "pk" in names:
        msg = "The primary key 'pk' cannot be excluded."
        raise ValueError(msg)
    _check(table, names, "Invalid fields specified for exclusion: {}")
    chosen = table.fields if base is None or base.only else base.loaded
    left = tuple(name for name in table.fields if name in chosen and name not in names)
    if left == ("pk",):
        msg = "Exclusion results in no fields being selected."
        raise ValueError(msg)
    return Selection(left)


def _names(fields: Iterable[str]) -> list[str]:
    if isinstance(fields, str):
        msg = f"expected a list of field names, not the string {fields!r}"
        raise TypeError(msg)
    return list(fields)


def _check(table: Table, names: Iterable[str], message: str) -> None:
    unknown = [name for name in names if name not in table.by_field]
    if unknown:
        raise ValueError(message.format(", ".join(map(str, unknown))))
