"""The opposite of an operator: ``name__not_startswith="A"``."""

from __future__ import annotations

import copy
from typing import Any

from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups.lookup import Lookup, Operand

__all__ = ["Negated"]


class Negated(Lookup):
    """Matches the rows that another one does not, but never NULL."""

    negates = False

    def __init__(self, lookup: Lookup, suffix: str) -> None:
        self.suffix = suffix
        self.compares, self.remembered = lookup.compares, lookup.remembered
        self.typed = lookup.typed
        self._lookup = copy.copy(lookup)
        self._lookup.suffix = suffix  # for texts of errors

    def prepare(self, operand: Operand, value: Any) -> Any:
        return self._lookup.prepare(operand, value)

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        test = self._lookup.render(operand, prepared)
        return Fragment(_negated(operand, test.sql), test.params)

    def plain(self, operand: Operand) -> str | None:
        test = self._lookup.plain(operand)
        return test and _negated(operand, test)

    def is_long(self, prepared: Any) -> bool:
        return self._lookup.is_long(prepared)


def _negated(operand: Operand, test: str) -> str:
    # A test may be false for NULL, and unknown for what is not: parts of an empty text.
    return f"({operand.sql} IS NOT NULL AND ({test}) IS NOT TRUE)"
