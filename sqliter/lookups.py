"""Filter operators of your own.

Example:
    >>> @lookup("glob")
    ... def glob(column, value):
    ...     return f"{column} GLOB ?", [value]
    >>> db.select(Author).filter(name__glob="[A-M]*").fetch_all()
"""

from __future__ import annotations

from sqliter.sql.lookups.custom import LookupFunction, lookup

__all__ = ["LookupFunction", "lookup"]
