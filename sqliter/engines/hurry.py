"""Work that is tried within a budget, and left to others when that is used up."""

from __future__ import annotations

from collections.abc import Sequence

from sqliter.core.statement import Value

HEAVY = 65_536
"""Characters or bytes of a value that is not written in a hurry."""


class Handover(Exception):
    """Somebody with more time has to go on from here.

    ``is_slow``: it took too long; else others have to be waited for.
    """

    def __init__(self, *, is_slow: bool) -> None:
        super().__init__()
        self.is_slow = is_slow


def is_heavy(values: Sequence[Value]) -> bool:
    """Whether one of the values takes long to write."""
    for value in values:
        if isinstance(value, (str, bytes)) and len(value) > HEAVY:
            return True
    return False
