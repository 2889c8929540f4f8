"""What a number means."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Figure", "Unit"]


class Unit(enum.Enum):
    """How a number is to be read; less is better in all of them."""

    RATIO = "over raw"
    TIMES = "over its own undisturbed time"
    MILLISECONDS = "ms"
    MEBIBYTES = "MiB"

    def shown(self, value: float) -> str:
        """Return a number as the table shows it."""
        text = f"{value:.2f}" if value < 9.95 else f"{value:,.0f}"
        if self in {Unit.RATIO, Unit.TIMES}:
            return text
        return f"{value:.1f} {self.value}"


@dataclass(frozen=True)
class Figure:
    """A row of the table.

    Args:
        title: what is measured.
        unit: how the numbers are to be read.
        blocking: what this library wants to reach, blocking; ``None``: no such item.
        asyncio: the same with asyncio.
    """

    title: str
    unit: Unit = Unit.RATIO
    blocking: float | None = None
    asyncio: float | None = None

    def target(self, *, is_async: bool) -> float | None:
        """Return what this library wants to reach."""
        return self.asyncio if is_async else self.blocking
