"""What goes wrong during an act: a call of the driver fails, or the task is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from faults.driver import Driver
from faults.kinds import KEYS, Kind, Moment
from faults.table import Act
from faults.trial import Outcome

from sqliter.exceptions import SqliterError


class Failure:
    """The n-th call of the driver fails."""

    def __init__(self, kind: Kind, number: int) -> None:
        self.kind = kind
        self.number = number

    def __str__(self) -> str:
        return f"{self.kind} at call {self.number}"

    async def __call__(self, act: Act, driver: Driver) -> Outcome:
        kind = self.kind
        is_key = kind in KEYS
        outcome = Outcome(must_raise=is_key, was_lost=kind.moment is Moment.LOST)
        outcome.expected = (
            (KeyboardInterrupt,) if is_key else (SqliterError, MemoryError)
        )
        with driver.failing(kind, self.number) as plan:
            try:
                outcome.value = await act()
            except (Exception, KeyboardInterrupt) as error:
                outcome.error = error
        if plan.hit is not None:
            outcome.hit = " ".join(plan.hit.what.split())[:70]
            committed = kind.moment is Moment.AFTER and plan.hit.commits
            outcome.may_be_done = outcome.is_unknowable = is_key or committed
        return outcome


class Cancellation:
    """The task is cancelled at its n-th suspension.

    late: what it waits for is there already, but it has not gone on yet.
    again: so it is at the next suspension, while it cleans up.
    """

    def __init__(self, number: int, *, late: bool, again: bool) -> None:
        self.number = number
        self.late = late
        self.again = again

    def __str__(self) -> str:
        when = "late" if self.late else "early"
        return (
            f"cancelled {'twice' if self.again else 'once'}, {when}, at {self.number}"
        )

    async def __call__(self, act: Act, driver: Driver) -> Outcome:
        numbers = {self.number, self.number + 1} if self.again else {self.number}
        steps = Steps(act, numbers, late=self.late)
        task = asyncio.create_task(steps.run())
        (result,) = await asyncio.gather(task, return_exceptions=True)
        outcome = Outcome(must_raise=True, expected=(asyncio.CancelledError,))
        if isinstance(result, BaseException):
            outcome.error = result
        else:
            outcome.value = result
        outcome.may_be_done = True
        outcome.hit = f"waiting for {steps.hit}" if steps.hit else None
        return outcome


class Steps:
    """Does an act step by step, and cancels its own task on the way."""

    def __init__(self, act: Act, numbers: set[int], *, late: bool) -> None:
        self.hit: str | None = None
        self._act = act
        self._numbers = numbers
        self._late = late
        self._count = 0

    async def run(self) -> Any:
        """Do it."""
        return await self

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = _as_coroutine(self._act)
        move, argument = steps.send, None
        while True:
            try:
                wanted = move(argument)
            except StopIteration as stop:
                return stop.value
            self._count += 1
            if self._count in self._numbers:
                self._cancel(wanted)
            try:
                argument = yield wanted
                move = steps.send
            except BaseException as error:
                move, argument = steps.throw, error

    def _cancel(self, wanted: Any) -> None:
        task = asyncio.current_task()
        self.hit = self.hit or type(wanted).__name__
        if self._late and wanted is not None:
            wanted.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()


async def _as_coroutine(act: Act) -> Any:
    return await act()
