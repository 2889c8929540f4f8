"""An office: clerks at work at the same time on one database object, auditors beside them.

As a child: arguments are the file and the fields of the `Office`; prints its report.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import astuple, dataclass, field
from typing import Any, NamedTuple

from stress.bank import auditor, bank, clerk
from stress.outcome import total
from stress.processes import say, wait_for_go
from support import Colour, Signal

AUDITORS = 2


class Office(NamedTuple):
    """Its clerks are tasks if the colour is async, else threads."""

    colour: Colour
    name: str
    clerks: int
    each: int

    @property
    def size(self) -> int:
        return self.clerks * self.each


@dataclass
class Report:
    """Tokens of acknowledged transfers, how often auditors looked, what they saw."""

    acknowledged: list[str] = field(default_factory=list)
    looks: int = 0
    wrong: list[str] = field(default_factory=list)

    def as_text(self) -> str:
        return json.dumps(astuple(self))

    @classmethod
    def of_text(cls, text: str) -> Report:
        return cls(*json.loads(text))


async def work(filename: object, office: Office) -> Report:
    db = bank(office.colour, filename)
    try:
        return await work_on(db, office)
    finally:
        await db.close()


async def work_on(db: Any, office: Office) -> Report:
    over, together = Signal(), office.colour.together
    looking = [
        asyncio.ensure_future(together(auditor(db, over))) for _ in range(AUDITORS)
    ]
    names = [f"{office.name}-{number}" for number in range(office.clerks)]
    try:
        done = await together(*(clerk(db, name, office.each) for name in names))
    finally:
        over.set()
        seen = total([each for (each,) in await asyncio.gather(*looking)])
    tokens = [token for each in done for token in each]
    return Report(tokens, seen.rounds, seen.wrong)


def main(filename: str, colour: str, name: str, clerks: str, each: str) -> None:
    wait_for_go()
    office = Office(Colour(colour), name, int(clerks), int(each))
    say(asyncio.run(work(filename, office)).as_text())


if __name__ == "__main__":
    main(*sys.argv[1:])
