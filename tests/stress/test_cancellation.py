"""What is cancelled has happened whole or not at all, and holds nothing."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest
from stress.cancelling import cancellations
from stress.releasing import LONGEST, PROMISED, releases


async def test_cancelled_blocks_are_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    outcome = await cancellations(tmp_path, 1, 5_000, ["block"])
    outcome.assert_nothing_wrong()


@pytest.mark.parametrize(
    "options",
    [{}, {"inline": False}, {"durability": "full"}],
    ids=["here", "in workers", "full"],
)
async def test_cancelled_inserts_happened_or_did_not(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    kinds = ["single"] * 4 + ["block"]  # behind a block inserts queue up
    outcome = await cancellations(tmp_path, 2, 2_500, kinds, **options)
    outcome.assert_nothing_wrong()


@pytest.mark.parametrize("inline", [True, False])
async def test_cancelled_writes_of_all_kinds(tmp_path: Path, inline: bool) -> None:
    kinds = ["single", "single", "bulk", "block"]
    outcome = await cancellations(tmp_path, 3, 1_000, kinds, inline=inline)
    outcome.assert_nothing_wrong()


async def test_other_processes_can_write_at_once_after_a_cancellation(
    tmp_path: Path,
) -> None:
    delays = await releases(tmp_path, 4, 800)
    assert statistics.median(delays) < PROMISED
    assert max(delays) < LONGEST
