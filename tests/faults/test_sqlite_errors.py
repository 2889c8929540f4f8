"""Every call of the driver fails once, in every way that SQLite can fail.

Afterwards all of a verb is there, or nothing, as it said. It may be there though the verb
raised in one case only: a COMMIT that worked reported an error, which nobody can tell
from one that did not.
"""

from __future__ import annotations

import pytest
from faults.kinds import ERRORS
from faults.survival import survives
from faults.trial import Trial


@pytest.mark.only("sync", "file")  # in memory there is one connection for both colours
async def test_any_call_of_sqlite_may_fail(trial: Trial) -> None:
    await survives(trial, ERRORS)
