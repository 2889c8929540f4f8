"""One text, two colours: steps name the verbs to call, a runner calls or awaits them.

A function of steps yields what is to be called, a verb of the database or of a query,
and receives what it gave. It knows neither ``await`` nor a blocking call::

    def capitals(at: Atlas) -> Steps[list[City]]:
        query = at.db.select(at.City).filter(is_capital=True)
        found: list[City] = yield query.fetch_all
        return found

Relations read alike, too: ``yield country.cities.fetch_all`` for what is many,
``yield partial(at.db.load, city.country)`` for what is one and perhaps not loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB

__all__ = ["Database", "Steps", "Transaction", "carry_out", "carry_out_async"]

R = TypeVar("R")

Database: TypeAlias = SqliterDB | AsyncSqliterDB


@dataclass(frozen=True)
class Transaction:
    """Steps to carry out inside ``with db:``."""

    steps: Steps[Any]


Steps: TypeAlias = Generator[Callable[[], Any] | Transaction, Any, R]


def carry_out(db: SqliterDB, steps: Steps[R]) -> R:
    """Call each verb and return what the steps return."""
    answer: Any = None
    with closing(steps):
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if isinstance(step, Transaction):
                with db:
                    answer = carry_out(db, step.steps)
            else:
                answer = step()


async def carry_out_async(db: AsyncSqliterDB, steps: Steps[R]) -> R:
    """Await each verb and return what the steps return."""
    answer: Any = None
    with closing(steps):
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if isinstance(step, Transaction):
                async with db:
                    answer = await carry_out_async(db, step.steps)
            else:
                answer = await step()
