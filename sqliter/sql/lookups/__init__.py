"""Filter operators: one small class each, registered under its suffix.

A lookup checks the value it is given (``prepare``) and writes the SQL of the
comparison (``render``). It knows neither models nor tables: an ``Operand`` is
all it sees of the left side. A transform makes another left side of it.
"""

from __future__ import annotations

from sqliter.sql.lookups import (
    comparisons,
    lengths,
    lists,
    parts,
    patterns,
    ranges,
    texts,
)
from sqliter.sql.lookups.lookup import Kind, Lookup, Operand
from sqliter.sql.lookups.registry import (
    find_lookup,
    find_part,
    register_lookup,
    splits,
)
from sqliter.sql.lookups.transform import Transform

__all__ = [
    "Kind",
    "Lookup",
    "Operand",
    "Transform",
    "comparisons",
    "find_lookup",
    "find_part",
    "lengths",
    "lists",
    "parts",
    "patterns",
    "ranges",
    "register_lookup",
    "splits",
    "texts",
]
