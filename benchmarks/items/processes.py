"""Items about a process: its memory, its start."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import contenders
from benchmarks.contenders.contender import Contender
from benchmarks.figure import Figure, Unit
from benchmarks.items.item import Item
from benchmarks.items.reading import drained
from benchmarks.library import Library

__all__ = ["PROCESSES"]

ROOT = Path(__file__).parents[2]
STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


class StreamMemory(Item):
    """What the process needs while rows are taken one after another."""

    name = "iterate-memory"
    figures = (Figure("… peak extra memory", Unit.MEBIBYTES, blocking=2, asyncio=3),)
    library = Library(books=200_000)
    own_process = True

    def warm_up(self, contender: Contender) -> None:
        contender.call(lambda: drained(contender, 1_000))

    def measure(self, contender: Contender) -> tuple[float, ...]:
        forget_peak()
        before = peak()
        total = contender.call(lambda: drained(contender))
        extra = peak() - before
        numbers = range(self.content.books)
        assert total == sum(1900 + number % 100 for number in numbers)
        return (extra / 1_024,)


def forget_peak() -> None:
    """Let the highest memory use be the present one, where the system can do that."""
    if RESET.exists():
        RESET.write_text("5")


def peak() -> int:
    """Return the highest memory use in KiB."""
    if STATUS.exists():
        lines = STATUS.read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest // 1_024 if sys.platform == "darwin" else highest


class FirstRow(Item):
    """From the start of the interpreter to the end of the process."""

    name = "first-row"
    figures = (Figure("Fresh process to the first row", blocking=5.8, asyncio=6.4),)

    def warm_up(self, contender: Contender) -> None:
        self.measure(contender)

    def measure(self, contender: Contender) -> tuple[float, ...]:
        program = contenders.entry_of(contender).first_row
        # `-P`: the programs are called like the packages that they import.
        command = [sys.executable, "-P", program, contender.file]
        env = surroundings()
        start = time.perf_counter()
        # Not checked: one of the peers sometimes aborts when the interpreter ends.
        done = subprocess.run(
            command, check=False, env=env, stdout=subprocess.PIPE, text=True
        )
        seconds = time.perf_counter() - start
        assert done.stdout == "Author 0\n", done
        return (seconds,)


def surroundings() -> dict[str, str]:
    """Return the environment of a program that keeps what it compiles, as usual."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env


PROCESSES: tuple[type[Item], ...] = (StreamMemory, FirstRow)
