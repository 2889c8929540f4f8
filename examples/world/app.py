"""The atlas from start to end: open the file, load what is missing, ask, show."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.exceptions import SqliterError

from . import awaiting, blocking, expressions, questions, relations
from .atlas import Atlas
from .counter import StatementCounter
from .data import World
from .load import NotAnAtlasError, OldAtlasError, find_load, load, start_anew
from .models import Load
from .show import Screen
from .steps import Steps, carry_out, carry_out_async

__all__ = ["main"]

FAILED, INTERRUPTED = 1, 130
QUESTIONS = (*questions.QUESTIONS, *relations.QUESTIONS, *expressions.QUESTIONS)


def main(*, path: str, smallest: int, fresh: bool, use_async: bool) -> int:
    """Run the command; return its exit status."""
    run = Run(path, World(smallest), fresh=fresh)
    colour = "asyncio" if use_async else "blocking"
    run.screen.head(f"The world atlas · {colour}")
    try:
        asyncio.run(_awaiting(run)) if use_async else _blocking(run)
    except KeyboardInterrupt:
        run.screen.complain(
            f"Stopped. {path} holds whole batches only; run it again to go on."
        )
        return INTERRUPTED
    except (NotAnAtlasError, OldAtlasError, SqliterError) as error:
        run.screen.complain(f"{error}\nUse --db to name another file.")
        return FAILED
    return 0


@dataclass(frozen=True)
class Run:
    """One run of the command, whatever its colour."""

    path: str
    world: World
    fresh: bool
    screen: Screen = field(default_factory=Screen)
    statements: StatementCounter = field(default_factory=StatementCounter)

    def steps(self, at: Atlas) -> Steps[None]:
        """Load what is missing, then answer every question."""
        start = perf_counter()
        yield at.db.connect
        yield from self._load(at)
        for number, question in enumerate(QUESTIONS, 1):
            began, before = perf_counter(), self.statements.count
            answer = yield from question.ask(at)
            cost = _cost(perf_counter() - began, self.statements.count - before)
            self.screen.answer(number, question.text, answer, cost)
        total = _cost(perf_counter() - start, self.statements.count)
        self.screen.end(f"Everything together: {total}")

    def _load(self, at: Atlas) -> Steps[None]:
        marker = yield from find_load(at, fresh=self.fresh)
        if marker is None or not self._is_about_this_world(marker):
            marker = yield from start_anew(at, self.world)
        elif marker.complete:
            self.screen.say(
                f"Using {self.path}, which is complete: {_contents(marker)}."
            )
            return
        else:
            self.screen.say(f"Going on with {self.path}, which is incomplete.")
        yield from self._fill(at, marker)

    def _fill(self, at: Atlas, marker: Load) -> Steps[None]:
        began, before = perf_counter(), self.statements.count
        with self.screen.bar(f"Loading {self.path}", marker.cities) as bar:
            yield from load(at, self.world, marker, bar.advance)
        cost = _cost(perf_counter() - began, self.statements.count - before)
        self.screen.say(f"Loaded {self.path}: {_contents(marker)} ({cost}).")

    def _is_about_this_world(self, marker: Load) -> bool:
        wanted = (self.world.source, self.world.smallest)
        return (marker.source, marker.smallest) == wanted


def _blocking(run: Run) -> None:
    db = SqliterDB(run.path, debug=True, logger=run.statements.logger)
    try:
        carry_out(db, run.steps(Atlas(db, run.statements, *blocking.MODELS)))
    finally:
        db.close()


async def _awaiting(run: Run) -> None:
    db = AsyncSqliterDB(run.path, debug=True, logger=run.statements.logger)
    try:
        steps = run.steps(Atlas(db, run.statements, *awaiting.MODELS))
        await carry_out_async(db, steps)
    finally:
        await db.close()


def _contents(marker: Load) -> str:
    return f"{marker.cities:,} cities over {marker.smallest:,} people, {marker.source}"


def _cost(seconds: float, statements: int) -> str:
    time = f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
    return f"{time}, {statements:,} statement{'s' if statements != 1 else ''}"
