"""Filter operators of your own.

Example:
    >>> @lookup("soundslike")
    ... def sounds_like(column, value):
    ...     return f"soundex({column}) = soundex(?)", [value]
    >>> db.select(Author).filter(name__soundslike="Robert").fetch_all()
"""

from __future__ import annotations

from sqliter.sql.lookups import LookupFunction, lookup

__all__ = ["LookupFunction", "lookup"]
