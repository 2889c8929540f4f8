"""How much the library bears: the scenarios of ``tests/stress`` for longer.

Transfers, counting processes, crowds of tasks, cancellations, ``kill -9``. Prints a
table, and ends with 1 if anything is lost or wrong. Takes some minutes.

    python benchmarks/endurance.py                 # all
    python benchmarks/endurance.py counting kills  # some
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from stress import crowds
from stress.cancelling import cancellations
from stress.clerks import Office
from stress.killing import LOADS, kills
from stress.outcome import Outcome, total
from stress.releasing import LONGEST, PROMISED, releases
from stress.transfers import transfers
from support import Colour

HEAD = """\
| What | Who | Rounds | Faults survived | Acknowledged | Lost or wrong | Longest wait |
|---|---|---:|---:|---:|---:|---:|"""


def moving_money(folder: Path) -> Outcome:
    """Transfers between accounts | 40 tasks, 12 threads, 8 processes."""
    here = [
        Office(Colour.ASYNC, "tasks", clerks=40, each=100),
        Office(Colour.SYNC, "threads", clerks=12, each=500),
    ]
    elsewhere = [
        Office(colour, f"{colour}-{number}", clerks=1 + number, each=400)
        for colour in Colour
        for number in range(4)
    ]
    return asyncio.run(transfers(folder, here=here, elsewhere=elsewhere))


def counting(folder: Path) -> Outcome:
    """Read, add one, write | 16 processes."""
    return crowds.counting(folder, processes=16, times=1_000)


def crowd(folder: Path) -> Outcome:
    """Transactions, one in five undone | 200 tasks."""
    return asyncio.run(crowds.crowd(folder, tasks=200, each=50))


def cancelled(folder: Path) -> Outcome:
    """Transactions cancelled at random moments, many twice | up to 40 tasks."""
    return asyncio.run(cancellations(folder, 11, 10_000, ["block"]))


def cancelled_writes(folder: Path) -> Outcome:
    """Inserts, bulks and transactions cancelled at random moments | up to 40 tasks."""
    return asyncio.run(cancellations(folder, 12, 10_000, ["single", "bulk", "block"]))


def released(folder: Path) -> Outcome:
    """Cancelled, then another process writes | 20 tasks, another process."""
    faults = 10_000
    delays = asyncio.run(releases(folder, 13, faults))
    late = sum(delay > PROMISED for delay in delays)
    outcome = Outcome(len(delays), faults, longest=max(delays))
    outcome.note = f"{late} of {len(delays)} beyond {PROMISED * 1_000:.0f} ms"
    # One that is late may be the machine's doing, most of them cannot.
    if statistics.median(delays) > PROMISED or outcome.longest > LONGEST:
        outcome.wrong.append(outcome.note)
    return outcome


def killed(folder: Path) -> Outcome:
    """`kill -9` while it writes | processes of up to 100 tasks or 10 threads."""
    outcomes = []
    for number, load in enumerate(LOADS):
        place = folder / str(number)
        place.mkdir()
        outcomes.append(kills(place, load, range(100, 120)))
    return total(outcomes)


SCENARIOS: dict[str, Callable[[Path], Outcome]] = {
    each.__name__: each
    for each in (
        *(moving_money, counting, crowd),
        *(cancelled, cancelled_writes, released, killed),
    )
}


def row(scenario: Callable[[Path], Outcome]) -> tuple[str, list[str]]:
    """Run a scenario; its line of the table, and what was wrong."""
    with tempfile.TemporaryDirectory() as name:
        outcome = scenario(Path(name))
    assert scenario.__doc__
    cells = [
        *scenario.__doc__.rstrip(".").split(" | "),
        *(f"{n:,}" for n in (outcome.rounds, outcome.faults, outcome.kept)),
        f"{len(outcome.wrong):,}",
        wait(outcome),
    ]
    return f"| {' | '.join(cells)} |", outcome.wrong


def wait(outcome: Outcome) -> str:
    """Return the longest wait, if that was measured."""
    if not outcome.longest:
        return ""
    return f"{outcome.longest * 1_000:,.0f} ms {outcome.note}".strip()


def main() -> int:
    """Run the scenarios and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(SCENARIOS))
    names = parser.parse_args().names or list(SCENARIOS)
    wrong: list[str] = []
    print(HEAD, flush=True)
    for name in names:
        line, differences = row(SCENARIOS[name])
        print(line, flush=True)
        wrong += differences
    for text in wrong[:50]:
        print(text, file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
