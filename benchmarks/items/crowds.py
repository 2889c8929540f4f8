"""Items with a hundred tasks at once. Raw does the same, one after another."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.contenders.contender import Contender
from benchmarks.figure import Figure, Unit
from benchmarks.items.checks import same_books, stored
from benchmarks.items.item import Item, TimedItem
from benchmarks.items.writing import WARM
from benchmarks.library import BookData, Library, book, books

__all__ = ["CROWDS"]

TASKS = 100
WRITER = Path(__file__).parents[1] / "writer.py"


class CrowdInserts(TimedItem):
    """Each commit waits for the disk."""

    name = "crowd-insert"
    figures = (
        Figure("100 tasks x 20 auto-commit inserts, `synchronous=FULL`", asyncio=0.10),
    )
    is_fresh = True
    full = True
    needs_tasks = True
    each = 20

    def warm_up(self, contender: Contender) -> None:
        some = books(WARM, self.content.authors)
        contender.call(lambda: contender.insert(some))

    def prepare(self, contender: Contender) -> None:
        self.books = books(self.count(TASKS) * self.each, self.content.authors)

    def work(self, contender: Contender) -> Any:
        if not contender.is_async:
            return contender.insert(self.books)
        parts = range(0, len(self.books), self.each)
        return gathered(contender, [self.books[at : at + self.each] for at in parts])

    def check(self, contender: Contender, result: Any) -> None:
        assert stored(contender.file, "books") == WARM + len(self.books)


async def gathered(contender: Contender, parts: Sequence[Sequence[BookData]]) -> None:
    """Have a task insert each part."""
    await asyncio.gather(*(contender.insert(part) for part in parts))


class CrowdGets(Item):
    """Beside another process that commits without a pause."""

    name = "crowd-get"
    figures = (
        Figure("100 tasks x 50 `get` beside a writer that never stops", asyncio=1.6),
        Figure("… the slowest of 100 of them (p99)", Unit.MILLISECONDS, asyncio=3),
    )
    library = Library(authors=500, books=5_000)
    needs_tasks = True
    each = 50

    def warm_up(self, contender: Contender) -> None:
        self.measure(contender)

    def measure(self, contender: Contender) -> tuple[float, ...]:
        tasks = self.count(TASKS)
        keys = list(range(1, self.content.books + 1))
        parts = [keys[number::tasks][: self.each] for number in range(tasks)]
        ask = asked_by_tasks if contender.is_async else asked
        with writing(contender.file):
            seconds, answers = contender.clocked(lambda: ask(contender, parts))
        self.check(contender, [row for rows, _ in answers for row in rows], parts)
        waits = sorted(wait for _, waits in answers for wait in waits)
        return seconds, 1_000 * waits[int(0.99 * len(waits))]

    def check(
        self, contender: Contender, rows: list[Any], parts: list[list[int]]
    ) -> None:
        """Every row was found."""
        authors = self.content.authors
        expected = [book(key - 1, authors) for keys in parts for key in keys]
        same_books(contender, rows, expected)


Answers = tuple[list[Any], list[float]]


def asked(contender: Contender, parts: list[list[int]]) -> list[Answers]:
    """Return the rows of all parts, and how long each took."""
    answers = []
    for keys in parts:
        rows, waits = [], []
        for key in keys:
            start = time.perf_counter()
            rows += contender.get((key,))
            waits.append(time.perf_counter() - start)
        answers.append((rows, waits))
    return answers


async def asked_by_tasks(contender: Contender, parts: list[list[int]]) -> list[Answers]:
    """Return the same, asked for by a task for each part."""
    return await asyncio.gather(*(asked_by_task(contender, keys) for keys in parts))


async def asked_by_task(contender: Contender, keys: list[int]) -> Answers:
    """Return what one task gets."""
    rows, waits = [], []
    for key in keys:
        start = time.perf_counter()
        rows += await contender.get((key,))
        waits.append(time.perf_counter() - start)
    return rows, waits


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Have another process write to the file meanwhile."""
    command = [sys.executable, str(WRITER), str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout
            assert writer.stdout.readline() == "ready\n"
            yield
            assert writer.poll() is None, "the writer stopped"
        finally:
            writer.terminate()


CROWDS: tuple[type[Item], ...] = (CrowdInserts, CrowdGets)
