"""Keys of records as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqliter.core.faults import Fault
from sqliter.core.statement import Value
from sqliter.model.codecs.codec import shown
from sqliter.model.fields import coerce
from sqliter.model.table import Table

__all__ = ["stored_key", "stored_keys"]


def stored_key(table: Table, key: Any) -> Value:
    """Return a key as it is stored; raises a ``Fault`` for what can be none.

    Integers stay as they are. What is no value of another key's type is converted
    first: the text of a UUID means that UUID.
    """
    if not table.is_keyed:
        return key  # type: ignore[no-any-return]
    column = table.pk
    try:
        if not isinstance(key, column.codec.writes):
            key = coerce(table.model, column.field, key)
        return column.encode(key)
    except (TypeError, ValueError) as error:
        model = table.model.__name__
        raise Fault(f"{shown(key)} is no primary key of {model}") from error


def stored_keys(table: Table, keys: Sequence[Any]) -> Sequence[Value]:
    """Return many keys as they are stored."""
    return [stored_key(table, each) for each in keys] if table.is_keyed else keys
