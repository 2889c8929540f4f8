"""Tables of names that callers may look up."""

from __future__ import annotations

import datetime

__all__ = ["OPERATOR_MAPPING", "SQLITE_TYPE_MAPPING"]

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
    "__like": "LIKE",
    "__startswith": "GLOB",
    "__endswith": "GLOB",
    "__contains": "GLOB",
    "__istartswith": "LIKE",
    "__iendswith": "LIKE",
    "__icontains": "LIKE",
}
"""Filter suffix to the SQL operator it stands for.

The text operators behave like the operator named here but compare literally.
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
