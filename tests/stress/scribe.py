"""A child that writes groups of rows for ever, and says which were acknowledged.

Arguments: the file, the colour, the kinds of writes, how many writers at once, durability,
journal, a seed. The database exists.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
from typing import Any

from stress.parts import PATIENCE, WRITES
from stress.processes import READY, say
from support import Colour


async def scribe(db: Any, kinds: list[str], name: str) -> None:
    rng = random.Random(name)
    for number in itertools.count():
        kind = rng.choice(kinds)
        token = f"{kind}-{name}-{number}"
        _, work = WRITES[kind](db, token, rng)
        await work
        say(token)


async def write(
    file: str,
    colour: str,
    kinds: str,
    writers: str,
    durability: str,
    journal: str,
    seed: str,
) -> None:
    its = Colour(colour)
    db = its.wrap(
        its.database(
            file,
            busy_timeout=PATIENCE,
            durability=durability,
            journal_mode=journal,
        )
    )
    await db.connect()
    names = [f"{seed}-{number}" for number in range(int(writers))]
    say(READY)
    await its.together(*(scribe(db, kinds.split(","), name) for name in names))


if __name__ == "__main__":
    asyncio.run(write(*sys.argv[1:]))
