"""A process for one contender, so that none sees another's memory or caches.

What is here runs in that process, but for ``Worker``, which stands for it.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import contenders
from benchmarks.contenders.contender import Contender
from benchmarks.items import ITEMS
from benchmarks.items.item import Item
from benchmarks.library import Library, author, books

__all__ = ["Task", "Worker"]


@dataclass(frozen=True)
class Task:
    """What a worker is to measure: one round of an item."""

    contender: str
    item: str
    folder: Path
    scale: float
    round: int

    def file(self, item: Item) -> Path:
        """Return the database's file; the same for all that need the same library."""
        name = item.content.name
        if item.is_fresh:
            name = f"{item.name}-{self.round}"
        return self.folder / f"{self.contender}-{name}.db"


@dataclass
class Stage:
    """What stays open from one round to the next."""

    item: Item
    contender: Contender

    def fits(self, item: Item, file: Path) -> bool:
        """Whether an item can be measured here without opening another file."""
        return (self.item.name, self.contender.file) == (item.name, file)


_stages: list[Stage] = []  # none, or one


def measured(task: Task) -> tuple[float, ...]:
    """Return a number for each figure of the item."""
    try:
        stage = _stage(task)
        return stage.item.measure(stage.contender)
    except BaseException:
        with suppress(Exception):  # what failed may fail once more
            leave()
        raise


def _stage(task: Task) -> Stage:
    item = ITEMS[task.item](task.scale)
    file = task.file(item)
    if not (_stages and _stages[0].fits(item, file)):
        leave()
        _stages.append(Stage(item, opened(task.contender, file, item)))
        item.warm_up(_stages[0].contender)
    return _stages[0]


def leave() -> None:
    """Close what is open."""
    while _stages:
        _stages.pop().contender.leave()


def opened(name: str, file: Path, item: Item) -> Contender:
    """Return a contender with an open file that has what the item needs."""
    is_new = not file.exists()
    contender = contenders.named(name).load()(file, full=item.full)
    contender.call(contender.open)
    if is_new:
        try:
            fill(contender, item.content)
        except BaseException:
            file.unlink(missing_ok=True)  # the next item must not take it for whole
            raise
    return contender


def fill(contender: Contender, library: Library) -> None:
    """Create the tables, and store a library."""
    contender.call(contender.create_tables)
    authors = [author(number) for number in range(library.authors)]
    contender.call(lambda: contender.add_authors(authors))
    if library.books:
        every = books(library.books, library.authors)
        contender.call(lambda: contender.bulk_insert(every))
    if library.tags:
        names = [f"Tag {number}" for number in range(library.tags)]
        contender.call(lambda: contender.add_tags(names, library.links))


@dataclass
class Worker:
    """A process that is started when it is needed."""

    _pool: ProcessPoolExecutor | None = field(default=None, init=False)

    def run(self, function: Any, *arguments: Any) -> Any:
        """Return what a function gives in the process."""
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(max_workers=1, mp_context=context)
        return self._pool.submit(function, *arguments).result()

    def measure(self, task: Task) -> tuple[float, ...]:
        """Return a number for each figure of the item."""
        if ITEMS[task.item].own_process:
            self.close()
        numbers: tuple[float, ...] = self.run(measured, task)
        return numbers

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.submit(leave).result()
            self._pool.shutdown()
            self._pool = None
