"""Small functions around names and Unix time."""

from __future__ import annotations

import datetime
import re
from typing import Any, TypeVar

from sqliter.constants import SQLITE_TYPE_MAPPING

__all__ = [
    "from_unix_timestamp",
    "infer_sqlite_type",
    "quote_identifier",
    "to_unix_timestamp",
    "validate_table_name",
]

D = TypeVar("D", datetime.datetime, datetime.date)

_TABLE_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def infer_sqlite_type(field_type: type | None) -> str:
    """Return the SQLite type for exactly this Python type, else ``TEXT``."""
    try:
        return SQLITE_TYPE_MAPPING.get(field_type, "TEXT")
    except TypeError:  # unhashable: not a plain type
        return "TEXT"


def to_unix_timestamp(value: object) -> int:
    """Return whole seconds since the epoch (fractions dropped toward zero).

    A naive ``datetime`` is local time, a ``date`` is midnight UTC.
    Raises ``TypeError`` for anything else.
    """
    if isinstance(value, datetime.datetime):
        return int(value.timestamp())
    if isinstance(value, datetime.date):
        return (value - _EPOCH.date()).days * 86_400
    msg = "Expected datetime or date object."
    raise TypeError(msg)


def from_unix_timestamp(value: float, to_type: type[D], *, localize: bool = True) -> D:
    """Return the ``datetime`` or ``date`` that so many seconds mean.

    A ``datetime`` is aware: in the local zone, or in UTC where ``localize`` is
    false. A ``date`` has no zone and is never shifted.
    """
    moment: Any = _EPOCH + datetime.timedelta(seconds=value)
    if to_type is datetime.datetime:
        return moment.astimezone() if localize else moment  # type: ignore[no-any-return]
    if to_type is datetime.date:
        return moment.date()  # type: ignore[no-any-return]
    msg = "Expected datetime or date type."
    raise TypeError(msg)


def validate_table_name(table_name: str) -> str:
    """Return the name, or raise ``ValueError`` if it is unsafe or reserved."""
    if not re.fullmatch(_TABLE_NAME, table_name):
        msg = (
            f"Invalid table name '{table_name}'. Table names must start with a "
            "letter or underscore and contain only letters, numbers, and underscores."
        )
        raise ValueError(msg)
    if table_name.lower().startswith("sqlite_"):
        msg = (
            f"Invalid table name '{table_name}'. Names that start with 'sqlite_' are "
            "reserved by SQLite; choose another one."
        )
        raise ValueError(msg)
    return table_name


def quote_identifier(identifier: str) -> str:
    """Return the name as SQL reads it: in double quotes, inner ones doubled."""
    return '"' + identifier.replace('"', '""') + '"'
