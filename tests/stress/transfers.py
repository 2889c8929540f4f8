"""Offices in this process and in others, all at work on one file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stress.bank import bank, mistakes, open_accounts
from stress.clerks import Office, Report, work
from stress.outcome import Outcome
from stress.processes import Child
from support import Colour


async def transfers(
    folder: Path, *, here: Sequence[Office] = (), elsewhere: Sequence[Office] = ()
) -> Outcome:
    """Let all offices work at once; the faults are the transfers that were refused."""
    file = folder / "bank.db"
    db = bank(Colour.ASYNC, file)
    await open_accounts(db)
    await db.close()
    with branches(file, elsewhere) as children:
        for child in children:
            child.tell()
        reports = await asyncio.gather(
            *(work(file, office) for office in here), *map(report_of, children)
        )
    return judged(file, [*here, *elsewhere], reports)


@contextmanager
def branches(file: Path, offices: Sequence[Office]) -> Iterator[list[Child]]:
    """Offices in processes of their own, ready to begin."""
    with ExitStack() as stack:
        children = [
            stack.enter_context(Child("clerks", file, *each)) for each in offices
        ]
        for child in children:
            child.is_ready()
        yield children


async def report_of(child: Child) -> Report:
    return Report.of_text(await asyncio.to_thread(child.result))


def judged(file: Path, offices: Sequence[Office], reports: Sequence[Report]) -> Outcome:
    outcome = Outcome(sum(office.size for office in offices))
    acknowledged = [token for report in reports for token in report.acknowledged]
    outcome.kept = len(acknowledged)
    outcome.faults = outcome.rounds - outcome.kept
    outcome.wrong += [text for report in reports for text in report.wrong]
    outcome.wrong += mistakes(file, acknowledged)
    if not all(report.looks for report in reports):
        outcome.wrong.append("nobody looked")
    return outcome
