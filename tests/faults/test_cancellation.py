"""The task is cancelled wherever it waits, and once more while it cleans up."""

from __future__ import annotations

import itertools

import pytest
from faults.strikes import Cancellation
from faults.trial import ENOUGH, Trial

MOST = 200
"""More suspensions than any act has."""

EARLY, LATE = False, True
ONCE, TWICE = False, True


@pytest.mark.only("async")
@pytest.mark.only("file")
async def test_a_task_may_be_cancelled_wherever_it_waits(trial: Trial) -> None:
    trial.options["inline"] = False  # so that it waits for everything
    await survives(trial, (EARLY, ONCE), (LATE, ONCE), (EARLY, TWICE))


@pytest.mark.only("async")
async def test_a_task_may_be_cancelled_where_little_is_waited_for(trial: Trial) -> None:
    await survives(trial, (EARLY, ONCE), (LATE, TWICE))


async def survives(trial: Trial, *ways: tuple[bool, bool]) -> None:
    """Cancel it at the n-th suspension, n = 1, 2, ... until there is none left."""
    await trial.learn()
    problems = []
    for late, again in ways:
        for number in itertools.count(1):
            strike = Cancellation(number, late=late, again=again)
            outcome, found = await trial.attempt(strike)
            problems += found
            if outcome.hit is None or len(problems) > ENOUGH:
                break
            assert number < MOST
    assert not problems, "\n".join(problems)
