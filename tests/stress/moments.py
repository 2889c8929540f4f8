"""Cancelling a task at any moment: some turns of the loop later, in a while, at its n-th wait."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Generator
from typing import Any, TypeVar

R = TypeVar("R")


async def some_time(rng: random.Random) -> None:
    """Wait for a few turns of the loop, or for up to some milliseconds."""
    if rng.random() < 0.5:
        for _ in range(rng.randrange(25)):
            await asyncio.sleep(0)
    else:
        await asyncio.sleep(rng.choice((0.0002, 0.001, 0.004)) * rng.random())


async def cancel_some_time(task: asyncio.Task[Any], rng: random.Random) -> None:
    """Cancel a task, often again while it cleans up."""
    await some_time(rng)
    task.cancel()
    while rng.random() < 0.4:
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(rng.choice((0, 0, 0.0002)))
        task.cancel()


class CancelledAtWait(Awaitable[R]):
    """Awaits what it is given; the task is cancelled when it waits for the n-th time.

    ``delay`` is the seconds from then on: a thread has begun to work meanwhile.
    """

    def __init__(self, work: Awaitable[R], number: int, delay: float = 0) -> None:
        self._work = work
        self._number = number
        self._delay = delay

    def __await__(self) -> Generator[Any, Any, R]:
        steps = self._work.__await__()
        move, argument = steps.send, None
        while True:
            try:
                waited_for = move(argument)
            except StopIteration as stop:
                return stop.value
            self._count()
            try:
                move, argument = steps.send, (yield waited_for)
            except BaseException as error:
                move, argument = steps.throw, error

    def _count(self) -> None:
        self._number -= 1
        task = asyncio.current_task()
        if self._number == 0 and task is not None:
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, task.cancel)
            else:
                task.cancel()
