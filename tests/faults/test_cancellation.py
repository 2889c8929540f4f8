"""The task is cancelled wherever it waits, and once more while it cleans up."""

from __future__ import annotations

import itertools

import pytest
from faults.strikes import Cancellation
from faults.trial import Trial

MOST = 200
"""More suspensions than any act has."""

WAYS = {
    "file": tuple(itertools.product((False, True), (False, True))),
    "memory": ((False, False), (True, True)),
}
"""Whether what is waited for is there already, and whether it happens again."""


@pytest.mark.only("async")
async def test_a_task_may_be_cancelled_wherever_it_waits(trial: Trial) -> None:
    await trial.learn()
    problems = []
    for late, again in WAYS[trial.place]:
        for number in itertools.count(1):
            strike = Cancellation(number, late=late, again=again)
            outcome, found = await trial.attempt(strike)
            problems += found
            if outcome.hit is None:
                break
            assert number < MOST
    assert not problems, "\n".join(problems)
