"""Writes that are cancelled at random moments, many of them at the same time."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stress.moments import CancelledAtWait, cancel_some_time
from stress.outcome import Outcome
from stress.parts import PATIENCE, WRITES, Part, is_stored, mistakes, outside, prepare
from stress.processes import Probe

from sqliter.asyncio import AsyncSqliterDB


@dataclass
class Attempt:
    """One write that may be cancelled; its chances are its own, whatever others do.

    ``stored`` and ``keys`` are what its task finds when it ends.
    """

    token: str
    rng: random.Random
    rows: list[Part]
    work: Coroutine[Any, Any, Any]
    stored: bool = False
    keys: list[int] = field(default_factory=list)

    async def in_danger(self) -> None:
        """Do it; some are not cancelled by others, but by themselves."""
        fate = self.rng.random()
        if fate < 0.2:
            number, delay = self.rng.randint(1, 20), self.rng.choice((0, 0, 0.0003))
            await CancelledAtWait(self.work, number, delay)
        elif fate < 0.4:
            async with asyncio.timeout(0.02 * self.rng.random() ** 3):
                await self.work
        else:
            await self.work

    async def disturb(self, task: asyncio.Task[None]) -> None:
        if self.rng.random() < 0.7:
            await cancel_some_time(task, self.rng)


@dataclass
class Trial:
    """Many attempts on one database, and what came of them."""

    db: AsyncSqliterDB
    file: sqlite3.Connection
    seed: int
    kinds: Sequence[str]
    acknowledged: set[str] = field(default_factory=set)
    outcome: Outcome = field(default_factory=Outcome)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def wrong(self, text: str) -> None:
        self.outcome.wrong.append(text)

    async def batch(self, size: int) -> None:
        """Start so many writes at once, cancel most of them, wait for all."""
        attempts = [
            self._attempt(number) for number in itertools.islice(self.numbers, size)
        ]
        tasks = [asyncio.create_task(self._carry_out(each)) for each in attempts]
        disturbed = zip(attempts, tasks, strict=True)
        await asyncio.gather(*(each.disturb(task) for each, task in disturbed))
        await asyncio.wait(tasks)
        for each, task in zip(attempts, tasks, strict=True):
            self._judge(each, task)

    def _attempt(self, number: int) -> Attempt:
        rng = random.Random(f"{self.seed}-{number}")
        kind = rng.choice(self.kinds)
        token = f"{kind}-{number}"
        return Attempt(token, rng, *WRITES[kind](self.db, token, rng))

    async def _carry_out(self, attempt: Attempt) -> None:
        try:
            await attempt.in_danger()
            self.acknowledged.add(attempt.token)
        finally:  # nothing else runs in this task's loop before it looks
            attempt.stored = is_stored(self.file, attempt.token)
            attempt.keys = [row.pk for row in attempt.rows]

    def _judge(self, attempt: Attempt, task: asyncio.Task[None]) -> None:
        token = attempt.token
        self.outcome.rounds += 1
        if task.cancelled() or isinstance(task.exception(), TimeoutError):
            self.outcome.faults += 1
        elif task.exception() is not None:
            self.wrong(f"{token} failed: {task.exception()!r}")
        elif not attempt.stored:
            self.wrong(f"{token} was acknowledged before it was stored")
        if attempt.stored != is_stored(self.file, token):
            self.wrong(f"{token} was at work when its task had ended")
        if {bool(key) for key in attempt.keys} != {attempt.stored}:
            self.wrong(f"{token} has the keys {attempt.keys}, {attempt.stored=}")


async def cancellations(
    folder: Path, seed: int, faults: int, kinds: Sequence[str], **options: Any
) -> Outcome:
    """Have at least so many writes cancelled: they raised, they are the faults."""
    file = folder / "cancelled.db"
    db = AsyncSqliterDB(file, busy_timeout=PATIENCE, **options)
    await prepare(db)
    with Probe(file) as probe, outside(file) as connection:
        trial, rng = Trial(db, connection, seed, kinds), random.Random(seed)
        while trial.outcome.faults < faults:
            await trial.batch(rng.choice((1, 2, 5, 40)))
            if not probe.can_write():
                trial.wrong(f"locked after {trial.outcome.rounds} writes")
    await db.close()
    trial.outcome.kept = len(trial.acknowledged)
    trial.outcome.wrong += mistakes(file, trial.acknowledged)
    return trial.outcome
