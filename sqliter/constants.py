"""Tables of names that callers may look up."""

from __future__ import annotations

import datetime

__all__ = ["OPERATOR_MAPPING", "SQLITE_TYPE_MAPPING"]

_WITH_OPPOSITE: dict[str, str] = {
    "range": "BETWEEN",
    "between": "BETWEEN",
    "like": "LIKE",
    "startswith": "GLOB",
    "endswith": "GLOB",
    "contains": "GLOB",
    "iexact": "LIKE",
    "istartswith": "LIKE",
    "iendswith": "LIKE",
    "icontains": "LIKE",
    "regex": "REGEXP",
    "iregex": "REGEXP",
}

_PARTS = ("year", "month", "day", "week_day", "hour", "minute", "date", "len")

OPERATOR_MAPPING: dict[str, str] = {
    "__lt": "<",
    "__lte": "<=",
    "__gt": ">",
    "__gte": ">=",
    "__eq": "=",
    "__ne": "!=",
    "__in": "IN",
    "__not_in": "NOT IN",
    "__isnull": "IS NULL",
    "__notnull": "IS NOT NULL",
    **{f"__{name}": operator for name, operator in _WITH_OPPOSITE.items()},
    **{f"__not_{name}": f"NOT {operator}" for name, operator in _WITH_OPPOSITE.items()},
    **{f"__{part}": "=" for part in _PARTS},
}
"""Filter suffix to the SQL operator it stands for.

The text operators behave like the operator named here but compare literally. Parts go
with other operators, too: ``"__year"`` with ``"__gte"`` is ``"__year__gte"``.
"""

SQLITE_TYPE_MAPPING: dict[type | None, str] = {
    int: "INTEGER",
    float: "REAL",
    str: "TEXT",
    bool: "INTEGER",
    bytes: "BLOB",
    datetime.datetime: "INTEGER",
    datetime.date: "INTEGER",
    list: "BLOB",
    dict: "BLOB",
    set: "BLOB",
    tuple: "BLOB",
    None: "TEXT",
}
"""Python type to SQLite type, as ``helpers.infer_sqlite_type`` answers."""
