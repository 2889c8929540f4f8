"""A process is killed while it writes; what it had acknowledged must be in the file."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from stress.outcome import Outcome, total
from stress.parts import PATIENCE, Part, Tally, mistakes
from stress.processes import Child, Probe
from support import Colour

from sqliter import SqliterDB

AT_ONCE = 2  # processes


class Load(NamedTuple):
    """What the process does: the kinds of writes, and how many of them at the same time."""

    colour: Colour
    kinds: str
    writers: int = 1
    durability: str = "normal"
    journal: str = "wal"


SYNC, ASYNC = Colour.SYNC, Colour.ASYNC
LOADS = [
    *(Load(SYNC, "single"), Load(ASYNC, "single")),
    *(Load(SYNC, "bulk"), Load(ASYNC, "bulk", 5)),
    *(Load(SYNC, "block"), Load(ASYNC, "block", 5)),
    # many at once: their commits may be shared
    *(Load(SYNC, "single", 10), Load(ASYNC, "single", 100)),
    *(Load(SYNC, "single", 10, "full"), Load(ASYNC, "single", 30, "full")),
    Load(ASYNC, "single,single,single,bulk,block", 30),
    Load(SYNC, "single,bulk,block", 10, "full"),
    Load(ASYNC, "single,bulk,block", 10, "full", "delete"),
]


def kills(folder: Path, load: Load, seeds: Sequence[int]) -> Outcome:
    """One round for each seed."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return total(
            pool.map(lambda seed: kill(folder / f"{seed}.db", load, seed), seeds)
        )


def kill(file: Path, load: Load, seed: int) -> Outcome:
    outcome = Outcome(rounds=1, faults=1)
    with closing(opened(file)) as db:
        db.create_table(Part)
        db.create_table(Tally)
        db.insert(Tally())
    with Child("scribe", file, *load, seed) as child:
        child.is_ready()
        said = child.kill_after(0.25 * random.Random(f"{load} {seed}").random() ** 2)
    acknowledged = said.splitlines()
    outcome.kept = len(acknowledged)
    wrong = [*mistakes(file, acknowledged), *unusable(file)]
    outcome.wrong += (f"{load}, {seed}: {text}" for text in wrong)
    return outcome


def opened(file: Path) -> SqliterDB:
    return SqliterDB(file, busy_timeout=PATIENCE)


def unusable(file: Path) -> Iterator[str]:
    """Whether the next program can go on with the file."""
    with Probe(file) as probe:
        if not probe.can_write():
            yield "the dead process holds a lock"
    with closing(opened(file)) as db:
        part = db.insert(Part(token="after", of=1))
        if db.get(Part, part.pk) != part:
            yield "a later write is lost"
