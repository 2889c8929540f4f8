"""Databases and multiprocessing: models and errors travel, database objects do not."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from pathlib import Path

import pytest
from lifecycle.programs import kept
from lifecycle.working import PROGRAMS
from support import Colour, run_python

METHODS = multiprocessing.get_all_start_methods()
PROGRAM = "import sys; from lifecycle.working import run; run(*sys.argv[1:])"


@pytest.mark.parametrize("colour", list(Colour))
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("method", METHODS)
def test_processes(method: str, program: str, colour: Colour, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    assert run_python(PROGRAM, method, program, colour, path).stderr == ""
    assert kept(path).count("worker") in (0, 10, 20, 60)


@pytest.mark.parametrize("colour", list(Colour))
@pytest.mark.parametrize("attempt", [pickle.dumps, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("is_open", [False, True])
def test_a_database_object_stays_where_it_is(
    colour, attempt, is_open, tmp_path, runner
):
    db = colour.database(str(tmp_path / "x.db"))
    if is_open:
        runner.run(colour.wrap(db).connect())
    with pytest.raises(TypeError, match="pass the file name") as caught:
        attempt(db)
    assert type(db).__name__ in str(caught.value)
    runner.run(colour.wrap(db).close())


def test_neither_does_a_query(tmp_path: Path) -> None:
    from lifecycle.working import User

    db = Colour.SYNC.database(str(tmp_path / "x.db"))
    with pytest.raises(TypeError, match="pass the file name"):
        pickle.dumps(db.select(User).filter(name="Ada"))
