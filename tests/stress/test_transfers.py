"""Money moves between accounts, by everyone at the same time; none is made or lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from stress.clerks import Office
from stress.transfers import transfers
from support import Colour

TASKS = Office(Colour.ASYNC, "tasks", clerks=40, each=30)
THREADS = Office(Colour.SYNC, "threads", clerks=12, each=100)
PROCESSES = [
    Office(Colour.SYNC, "alone", clerks=1, each=150),
    Office(Colour.SYNC, "threads of another", clerks=4, each=40),
    Office(Colour.ASYNC, "awaiting", clerks=1, each=150),
    Office(Colour.ASYNC, "tasks of another", clerks=10, each=15),
]


@pytest.mark.parametrize("office", [TASKS, THREADS], ids=lambda office: office.name)
async def test_everyone_on_one_database(tmp_path: Path, office: Office) -> None:
    outcome = await transfers(tmp_path, here=[office])
    outcome.assert_nothing_wrong()
    assert outcome.rounds == office.size
    assert outcome.faults > office.size // 10


async def test_processes_on_one_file(tmp_path: Path) -> None:
    (await transfers(tmp_path, elsewhere=PROCESSES)).assert_nothing_wrong()


async def test_tasks_threads_and_processes_on_one_file(tmp_path: Path) -> None:
    here = [TASKS._replace(each=10), THREADS._replace(each=25)]
    outcome = await transfers(tmp_path, here=here, elsewhere=PROCESSES)
    outcome.assert_nothing_wrong()
