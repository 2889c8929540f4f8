"""Fields that users name in arguments; a relation's name stands for its key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqliter.model.keys import is_object, key_of, misfit
from sqliter.model.relations import ForwardKey, relation_of
from sqliter.model.table import Table

__all__ = ["named_field", "named_fields", "named_values"]


def named_fields(table: Table, names: Iterable[str]) -> tuple[str, ...]:
    """Return the fields, each once; raises ``ValueError`` for what is none.

    One name in place of a list of them raises ``TypeError``.
    """
    if isinstance(names, str):
        msg = f"expected a list of field names, not {names!r}"
        raise TypeError(msg)
    found = {name: named_field(table, name) for name in names}
    unknown = [str(name) for name, field in found.items() if field is None]
    if unknown:
        model = table.model.__name__
        msg = f"{model} has no such fields: {', '.join(unknown)}"
        raise ValueError(msg)
    return tuple(dict.fromkeys(field for field in found.values() if field))


def named_field(table: Table, name: str) -> str | None:
    """Return the field that a name means, or ``None``."""
    if name in table.by_field:
        return name
    relation = relation_of(table.model, name)
    return relation.field if isinstance(relation, ForwardKey) else None


def named_values(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values by field, with the keys of objects in their place.

    Names that mean no field stay. Raises ``ValueError`` for objects that are not
    saved, or belong elsewhere.
    """
    return {
        named_field(table, name) or name: _key(table, name, value)
        for name, value in values.items()
    }


def _key(table: Table, name: str, value: Any) -> Any:
    relation = relation_of(table.model, name)
    if not isinstance(relation, ForwardKey) or not is_object(value):
        return value
    reason = misfit(value, relation.target_table.model)
    key = None if reason else key_of(value)
    if key is None:
        reason = reason or f"this {type(value).__name__} is not saved: insert it first"
        msg = f"'{name}' of {table.model.__name__}: {reason}"
        raise ValueError(msg)
    return key
