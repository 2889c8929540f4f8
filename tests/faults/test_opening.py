"""What cannot be opened to the end is closed, and not left to the garbage collector."""

from __future__ import annotations

import gc
import itertools

import pytest
from faults.kinds import ERRORS, KEYS
from faults.strikes import Failure
from faults.table import prepared
from faults.trial import Trial

CHOSEN = ("connect", "first_get", "first_get_table_names", "backup", "restore")
KINDS = {each.name: each for each in (*ERRORS, *KEYS)}


@pytest.mark.only("sync")
@pytest.mark.only("file")
@pytest.mark.parametrize("name", ["i/o error", "no memory", "Ctrl-C after"])
async def test_what_fails_while_it_is_opened_is_closed(trial: Trial, name: str) -> None:
    left = []
    for number in itertools.count(1):
        world = trial.new_world()
        gc.disable()
        try:
            play = await prepared(trial.scenario, world)
            outcome = await Failure(KINDS[name], number)(play.act, trial.driver)
            hit, outcome.error = outcome.hit, None
            await world.db.close()
            left += [f"{hit}: {each.path}" for each in trial.driver.living()]
        finally:
            gc.enable()
            world.remove()
        if hit is None:
            break
    assert number > 2
    assert not left
