"""Every scenario of the table, in each colour and place that it has."""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.driver import Driver
from faults.table import scenarios
from faults.trial import Reference, Trial
from support import Colour


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" not in metafunc.fixturenames:
        return
    definition = metafunc.definition
    wanted = [set(mark.args) for mark in definition.iter_markers("only")]
    chosen = getattr(metafunc.module, "CHOSEN", None)
    pairs = [
        pytest.param(each, (colour, place), id=f"{each}-{colour}-{place}")
        for each in scenarios()
        for colour in each.colours
        for place in each.places
        if all(names & {colour, place} for names in wanted)
        and (chosen is None or each.name in chosen)
    ]
    metafunc.parametrize(("scenario", "backend"), pairs)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """The driver that the library uses during the test."""
    made = Driver()
    monkeypatch.setattr(sqlite3, "connect", made.connect)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nobody pulls the plug here
    yield made
    made.plan = made.watch = None


@pytest.fixture(scope="session")
def learned() -> Iterator[dict[object, Reference]]:
    """How scenarios end when nothing goes wrong, for all tests of a scenario."""
    gc.collect()
    gc.freeze()  # looking for connections that nobody has is quick after it
    yield {}
    gc.unfreeze()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every world is in turn, and leaves nothing behind."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture
def trial(scenario, backend, driver: Driver, folder: Path, learned) -> Trial:
    """A scenario to be played in one colour and place."""
    colour, place = backend
    return Trial(scenario, Colour(colour), place, driver, folder, learned)
