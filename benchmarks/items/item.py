"""Something to measure."""

from __future__ import annotations

import statistics
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from benchmarks.contenders.contender import Contender
from benchmarks.figure import Figure
from benchmarks.library import Library, scaled

__all__ = ["Item", "TimedItem"]

REPEATS, ENOUGH = 9, 0.2
"""What is short is repeated in a round, at most so often, for so many seconds."""


class Item(ABC):
    """One item; it gives a number for each of its figures.

    Args:
        scale: how much of the work to do; 1 is all.
    """

    name: ClassVar[str]
    figures: ClassVar[tuple[Figure, ...]]
    library: ClassVar[Library] = Library()
    """What is in the file before."""
    is_fresh: ClassVar[bool] = False
    """Whether each round needs a new file."""
    full: ClassVar[bool] = False
    """Whether each commit waits for the disk."""
    needs_tasks: ClassVar[bool] = False
    """Whether it is about asyncio; raw does the same work without."""
    own_process: ClassVar[bool] = False
    """Whether each round needs a new process."""
    most_rounds: ClassVar[int | None] = None
    """How many rounds are enough, for what takes long."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def count(self, number: int) -> int:
        """Return how many of ``number`` there are at this scale."""
        return scaled(number, self.scale)

    @property
    def content(self) -> Library:
        """What is in the file before, at this scale."""
        return self.library.at(self.scale)

    @abstractmethod
    def warm_up(self, contender: Contender) -> None:
        """Have caches filled, once for each file."""

    @abstractmethod
    def measure(self, contender: Contender) -> tuple[float, ...]:
        """Return a number for each figure; seconds for a ratio."""


class TimedItem(Item):
    """An item that is work for which the seconds are counted."""

    def prepare(self, contender: Contender) -> None:
        """Make what the work needs: not counted."""

    @abstractmethod
    def work(self, contender: Contender) -> Any:
        """Do it."""

    @abstractmethod
    def check(self, contender: Contender, result: Any) -> None:
        """Raise ``AssertionError`` if the work was not done: not counted."""

    def warm_up(self, contender: Contender) -> None:
        self.measure(contender)

    def measure(self, contender: Contender) -> tuple[float, ...]:
        """Return the seconds; the median of some, if the work is short."""
        seconds = [self.once(contender)]
        while not self.is_fresh and len(seconds) < REPEATS and sum(seconds) < ENOUGH:
            seconds.append(self.once(contender))
        return (statistics.median(seconds),)

    def once(self, contender: Contender) -> float:
        """Return the seconds that the work takes."""
        self.prepare(contender)
        seconds, result = contender.clocked(lambda: self.work(contender))
        self.check(contender, result)
        return seconds
