"""Plays a scenario until no call of the driver is left that could fail."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable

from faults.kinds import Kind, broken, busy
from faults.strikes import Failure
from faults.trial import ENOUGH, Trial

MOST = 200
"""More calls than any verb makes."""

EVERYTHING = "SQLITER_FAULTS" in os.environ
"""Whether to try every kind in every colour and place: that takes minutes."""


async def survives(trial: Trial, kinds: Iterable[Kind]) -> None:
    """Have the n-th call fail, n = 1, 2, ... until no call is left that could."""
    await trial.learn()
    assert_plausible(trial)
    problems = []
    for kind in kinds:
        least = sum(map(kind.may_hit, trial.reference.calls))
        if not least or not is_tried(kind, trial):
            continue
        for number in itertools.count(1):
            outcome, found = await trial.attempt(Failure(kind, number))
            problems += found
            if outcome.hit is None or len(problems) > ENOUGH:
                break
            assert number < MOST
        assert outcome.hit is not None or number > 1
    assert not problems, "\n".join(problems)


def is_tried(kind: Kind, trial: Trial) -> bool:
    """Whether a kind is tried in this colour and place."""
    if trial.place == "memory" and kind.make in (busy, broken):
        return False  # it does not happen there
    everywhere = EVERYTHING or trial.scenario.is_thorough
    return everywhere or f"{trial.colour}-{trial.place}" in kind.of


def assert_plausible(trial: Trial) -> None:
    """The driver sees what the verb does: otherwise nothing here could fail."""
    assert len(trial.reference.calls) >= trial.scenario.least
    without, complete = trial.reference.without, trial.reference.complete
    if without.state != complete.state and trial.scenario.sees_commit:
        assert any(call.commits for call in trial.reference.calls)
