"""Rounds of all contenders one after another, and their medians."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.contenders import RAW, Entry
from benchmarks.contenders.contender import NotThereError
from benchmarks.figure import Figure, Unit
from benchmarks.items import ITEMS
from benchmarks.worker import Task, Worker

__all__ = ["Cell", "Plan", "Row", "crew", "measure"]


@dataclass(frozen=True)
class Cell:
    """What came out for one contender: a number, or why there is none."""

    value: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Row:
    """What came out for one figure, by the names of contenders."""

    item: str
    figure: Figure
    cells: dict[str, Cell]


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    entries: Sequence[Entry]
    items: Sequence[str]
    rounds: int
    scale: float

    @property
    def rivals(self) -> list[Entry]:
        """All but raw."""
        return [entry for entry in self.entries if entry is not RAW]


@dataclass
class Sheet:
    """The numbers of one item, round by round."""

    numbers: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, attempt: Callable[[], tuple[float, ...]]) -> None:
        """Add a round, or the reason why there is none."""
        if name in self.notes:
            return
        try:
            self.numbers.setdefault(name, []).append(attempt())
        except NotThereError:
            self.notes[name] = "not there"
        except Exception as error:
            if name == RAW.name:
                raise  # nothing to compare with
            self.notes[name] = "failed"
            print(f"{name}: {error!r}\n{error.__cause__ or ''}", file=sys.stderr)

    def cell(self, name: str, index: int, unit: Unit) -> Cell:
        """Return the median of the rounds."""
        if name in self.notes:
            return Cell(note=self.notes[name])
        if name not in self.numbers:
            return Cell(note="—")
        values = [numbers[index] for numbers in self.numbers[name]]
        if unit is Unit.RATIO:
            raw = [numbers[index] for numbers in self.numbers[RAW.name]]
            values = [mine / its for mine, its in zip(values, raw, strict=True)]
        return Cell(statistics.median(values))


def measure(plan: Plan, tell: Callable[[str], None]) -> list[Row]:
    """Return a row for each figure of each item."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, crew(plan.entries) as workers:
        for name in plan.items:
            tell(name)
            rows += _rows(plan, name, workers, Path(folder))
    return rows


@contextmanager
def crew(entries: Sequence[Entry]) -> Iterator[dict[str, Worker]]:
    """Give everybody a worker meanwhile."""
    workers = {entry.name: Worker() for entry in entries}
    try:
        yield workers
    finally:
        for worker in workers.values():
            worker.close()


def _rows(plan: Plan, name: str, workers: dict[str, Worker], folder: Path) -> list[Row]:
    sheet = Sheet()
    for number in range(min(plan.rounds, ITEMS[name].most_rounds or plan.rounds)):
        for entry in _turn(_able(plan, name), number):
            task = Task(entry.name, name, folder, plan.scale, number)
            worker = workers[entry.name]
            sheet.add(entry.name, lambda w=worker, t=task: w.measure(t))
    return [
        Row(name, figure, _cells(plan, sheet, index, figure))
        for index, figure in enumerate(ITEMS[name].figures)
    ]


def _able(plan: Plan, name: str) -> list[Entry]:
    """Return who can do it; raw must be there to be compared with."""
    if not ITEMS[name].needs_tasks:
        return list(plan.entries)
    compared = any(figure.unit is Unit.RATIO for figure in ITEMS[name].figures)
    raw = [RAW] if compared else []
    return [*raw, *(entry for entry in plan.entries if entry.is_async)]


def _turn(entries: list[Entry], number: int) -> list[Entry]:
    """Return who comes in which order: another one begins in each round."""
    first = number % len(entries)
    return [*entries[first:], *entries[:first]]


def _cells(plan: Plan, sheet: Sheet, index: int, figure: Figure) -> dict[str, Cell]:
    return {
        entry.name: sheet.cell(entry.name, index, figure.unit) for entry in plan.entries
    }
