"""What is measured."""

from __future__ import annotations

from benchmarks.items.company import COMPANY
from benchmarks.items.crowds import CROWDS
from benchmarks.items.item import Item
from benchmarks.items.processes import PROCESSES
from benchmarks.items.reading import READING
from benchmarks.items.writing import WRITING

__all__ = ["ITEMS"]

_ORDER = (
    *("insert", "bulk-insert", "get", "select", "select-one", "eager"),
    *("prefetch", "prefetch-many", "update", "bulk-update", "group-by"),
    *("crowd-insert", "crowd-get", "ticker-list", "ticker-stream", "busy-thread"),
    *("iterate", "iterate-memory", "first-row"),
)
_FOUND = {
    each.name: each for each in (*WRITING, *READING, *CROWDS, *COMPANY, *PROCESSES)
}

ITEMS: dict[str, type[Item]] = {name: _FOUND[name] for name in _ORDER}
"""By name, in the order of the table."""
