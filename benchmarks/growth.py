"""How the cost grows with the table."""

from __future__ import annotations


def report(scale: float, rounds: int) -> str:
    """Return the tables."""
    raise NotImplementedError
