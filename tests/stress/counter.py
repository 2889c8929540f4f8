"""A child that adds one to a number in a file, again and again: reads it, then writes it.

Arguments: the file, the colour, how often. Prints the longest time that one took, in seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from stress.processes import say, wait_for_go
from support import Colour

from sqliter.model import BaseDBModel


class Counter(BaseDBModel):
    value: int = 0

    class Meta:
        table_name = "counters"


async def count(file: str, colour: Colour, times: int) -> float:
    db = colour.wrap(colour.database(file))
    await db.connect()
    wait_for_go()
    longest = max([await add_one(db) for _ in range(times)])
    await db.close()
    return longest


async def add_one(db: Any) -> float:
    start = time.monotonic()
    async with db:
        counter = await db.get(Counter, 1)
        counter.value += 1
        await db.update(counter)
    return time.monotonic() - start


if __name__ == "__main__":
    _, filename, name, number = sys.argv
    say(str(asyncio.run(count(filename, Colour(name), int(number)))))
