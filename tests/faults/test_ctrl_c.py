"""Ctrl-C comes at every call of the driver; of a verb all is there afterwards, or nothing."""

from __future__ import annotations

import pytest
from faults.kinds import KEYS
from faults.survival import survives
from faults.trial import Trial


@pytest.mark.only("sync")
async def test_ctrl_c_may_come_at_any_call(trial: Trial) -> None:
    await survives(trial, KEYS)
