"""Many processes, many tasks: every number is exact and nobody meets a lock.

`benchmarks/endurance.py` runs the same for longer.
"""

from __future__ import annotations

from pathlib import Path

from stress.crowds import counting, crowd


def test_processes_that_read_and_write_count_exactly(tmp_path: Path) -> None:
    outcome = counting(tmp_path, processes=6, times=200)
    outcome.assert_nothing_wrong()
    assert outcome.kept == 1_200


async def test_tasks_with_transactions_leave_exactly_their_rows(tmp_path: Path) -> None:
    outcome = await crowd(tmp_path, tasks=100, each=10)
    outcome.assert_nothing_wrong()
    assert outcome.faults > 100
