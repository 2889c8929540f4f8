"""How the cost of a row grows with the table: it should not."""

from __future__ import annotations

import random
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from benchmarks import contenders
from benchmarks.contenders.contender import Contender, NotThereError
from benchmarks.items.reading import drained
from benchmarks.leaks import Held, leaked
from benchmarks.library import BookData, Library, books, scaled
from benchmarks.measure import crew
from benchmarks.worker import Worker, fill

__all__ = ["report"]

NAMES = ("raw", "sqliter-blocking", "sqliter-asyncio")
SIZES = (1_000, 10_000, 100_000, 1_000_000)
LISTS = (100, 1_000, 10_000, 100_000)
QUERIES = 1_000
ENOUGH = 20_000
"""Rows to measure at least: less work is repeated."""
AUTHORS = 100

Costs = dict[str, float | None]
Sheet = dict[tuple[str, int], Costs]
"""Seconds per row, by contender and size."""


def report(scale: float) -> str:
    """Return the tables."""
    sizes = list(dict.fromkeys(scaled(size, scale) for size in SIZES))
    lists = list(dict.fromkeys(scaled(size, scale) for size in LISTS))
    workers: dict[str, Worker]
    entries = [contenders.named(name) for name in NAMES]
    with tempfile.TemporaryDirectory() as folder, crew(entries) as workers:
        tables = measured(workers, Path(folder), sizes, row_costs)
        in_lists = measured(workers, Path(folder), lists, list_costs)
        left = {
            name: workers[name].run(leaks, name, Path(folder), scaled(QUERIES, scale))
            for name in NAMES
        }
    return "\n\n".join(
        [
            shown("cost per row, by the size of the table", sizes, tables),
            shown("cost per value, by the length of the list", lists, in_lists),
            shown_leaks(left),
        ]
    )


def measured(
    workers: dict[str, Worker],
    folder: Path,
    sizes: Sequence[int],
    costs: Callable[[str, Path, int], Costs],
) -> Sheet:
    """Return what rows cost everybody, taking turns."""
    return {
        (name, size): workers[name].run(costs, name, folder, size)
        for size in sizes
        for name in NAMES
    }


# --- in the worker ---


def row_costs(name: str, folder: Path, size: int) -> Costs:
    """Return the costs in a table of this size."""
    repeats = max(1, min(5, ENOUGH // size))
    files = [folder / f"{name}-{size}-{number}.db" for number in range(repeats)]
    bulk, contender = filled(name, files, size)
    few = min(size, 1_000)
    keys = random.Random(1).choices(range(1, size + 1), k=few)
    some = books(few, AUTHORS)
    costs: Costs = {
        "bulk insert": bulk,
        "select": cost(contender, size, lambda: contender.select(0)),
        "iterate": cost(contender, size, lambda: drained(contender)),
        "`get` by key": cost(contender, len(keys), lambda: contender.get(keys)),
        "insert": cost(contender, len(some), lambda: contender.insert(some), repeats=3),
    }
    contender.leave()
    return costs


def filled(name: str, files: Sequence[Path], size: int) -> tuple[float, Contender]:
    """Return the seconds per row of a bulk insert, and a contender with the rows."""
    every = books(size, AUTHORS)
    seconds = []
    for file in files:
        contender = opened(name, file)
        seconds.append(stored(contender, every) / size)
        if file is not files[-1]:
            contender.leave()
    return statistics.median(seconds), contender


def stored(contender: Contender, every: Sequence[BookData]) -> float:
    """Return the seconds that a bulk insert takes."""
    seconds, _ = contender.clocked(lambda: contender.bulk_insert(every))
    return seconds


def opened(name: str, file: Path) -> Contender:
    """Return a contender with a new file."""
    contender = contenders.named(name).load()(file)
    contender.call(contender.open)
    fill(contender, Library(authors=AUTHORS))
    return contender


def cost(
    contender: Contender,
    rows: int,
    work: Callable[[], Any],
    *,
    found: int | None = None,
    repeats: int | None = None,
) -> float | None:
    """Return the seconds per row; ``None`` if the contender cannot do that."""
    expected = rows if found is None else found
    seconds = []
    try:
        for _ in range(repeats or max(1, min(5, ENOUGH // rows))):
            taken, result = contender.clocked(work)
            assert not isinstance(result, list) or len(result) == expected
            del result
            seconds.append(taken / rows)
    except NotThereError:
        return None
    return statistics.median(seconds)


def list_costs(name: str, folder: Path, size: int) -> Costs:
    """Return the cost of a list of keys, half of them in the table."""
    contender = opened(name, folder / f"{name}-list-{size}.db")
    contender.call(lambda: contender.bulk_insert(books(size, AUTHORS)))
    keys = random.Random(1).sample(range(1, 2 * size + 1), k=size)
    there = sum(key <= size for key in keys)
    contender.call(lambda: contender.within(keys[:10]))
    seconds = cost(contender, size, lambda: contender.within(keys), found=there)
    contender.leave()
    return {"`IN` list": seconds}


def leaks(name: str, folder: Path, queries: int) -> Held:
    """Return what open queries leave behind."""
    contender = opened(name, folder / f"{name}-leaks.db")
    contender.call(lambda: contender.bulk_insert(books(queries, AUTHORS)))
    more = leaked(contender, queries)
    contender.leave()
    return more


# --- tables ---


def shown(title: str, sizes: Sequence[int], sheet: Sheet) -> str:
    """Return a table: what a row costs, beside the smallest size and beside raw."""
    heads = [title, "", *(f"{size:,}" for size in sizes)]
    lines = [f"| {' | '.join(heads)} |", f"|---|---|{'---:|' * len(sizes)}"]
    for kind in sheet[NAMES[0], sizes[0]]:
        for name in NAMES:
            cells = [_cell(sheet, kind, name, size, sizes[0]) for size in sizes]
            lines.append(f"| {' | '.join([kind, name, *cells])} |")
    return "\n".join(lines)


def _cell(sheet: Sheet, kind: str, name: str, size: int, smallest: int) -> str:
    mine, least = sheet[name, size][kind], sheet[name, smallest][kind]
    raw = sheet[NAMES[0], size][kind]
    if mine is None or least is None or raw is None:
        return "not there"
    growth = f"{mine / least:.2f}"
    return growth if name == NAMES[0] else f"{growth} ({mine / raw:.1f})"


def shown_leaks(left: dict[str, Held]) -> str:
    """Return a table: what is more after a thousand open queries."""
    lines = [
        f"| left by {QUERIES:,} queries | objects | connections | files | threads |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, more in left.items():
        lines.append(f"| {' | '.join([name, *map(str, astuple(more))])} |")
    return "\n".join(lines)
