"""A task that does what it is told, so that a state machine can speak to a task in steps."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeAlias, TypeVar

R = TypeVar("R")
Order: TypeAlias = tuple[Coroutine[Any, Any, Any], asyncio.Future[Any]]


class Actor:
    """One task in a loop of its own: blocks that it opens stay open between orders."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(debug=False)
        self._orders: asyncio.Queue[Order] = asyncio.Queue()
        self._task = self._runner.run(self._start())

    def do(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Have the task await it; its result, or what it raised."""
        return self._runner.run(self._hand_over(coroutine))

    def close(self) -> None:
        """Cancel the task and close the loop."""
        self._task.cancel()
        self._runner.close()

    async def _start(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._obey())

    async def _hand_over(self, coroutine: Coroutine[Any, Any, R]) -> R:
        done = asyncio.get_running_loop().create_future()
        await self._orders.put((coroutine, done))
        return await done

    async def _obey(self) -> None:
        while True:
            coroutine, done = await self._orders.get()
            try:
                done.set_result(await coroutine)
            except BaseException as error:  # pytest's failures are no Exceptions
                done.set_exception(error)
