"""Filter operators: one small class each, registered under its suffix.

A lookup checks the value it is given (``prepare``) and writes the SQL of the
comparison (``render``). It knows neither models nor tables: an ``Operand`` is
all it sees of the left side.
"""

from __future__ import annotations

from sqliter.sql.lookups import comparisons, lists, texts
from sqliter.sql.lookups.lookup import (
    Lookup,
    Operand,
    find_lookup,
    register_lookup,
    split_suffix,
)

__all__ = [
    "Lookup",
    "Operand",
    "comparisons",
    "find_lookup",
    "lists",
    "register_lookup",
    "split_suffix",
    "texts",
]
