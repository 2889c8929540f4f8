"""`kill -9` at any moment loses nothing that was acknowledged and leaves nothing half done."""

from __future__ import annotations

from pathlib import Path

import pytest
from stress.killing import LOADS, Load, kills

ROUNDS = 4  # for each


@pytest.mark.parametrize("load", LOADS, ids=lambda load: "-".join(map(str, load)))
def test_a_killed_writer_loses_nothing(tmp_path: Path, load: Load) -> None:
    outcome = kills(tmp_path, load, range(ROUNDS))
    outcome.assert_nothing_wrong()
    assert outcome.faults == ROUNDS
