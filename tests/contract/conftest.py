"""Databases for contract tests: each test runs for {sync, async} x {file, memory}.

`@pytest.mark.only("file")`, `only("async")` … narrow that where a promise exists for one side alone.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import Colour, StatementLog

BACKENDS = tuple(itertools.product(("sync", "async"), ("file", "memory")))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" not in metafunc.fixturenames:
        return
    wanted = [set(mark.args) for mark in metafunc.definition.iter_markers("only")]
    backends = [pair for pair in BACKENDS if all(names & set(pair) for names in wanted)]
    metafunc.parametrize("backend", backends, ids="-".join)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Colour and place, as the test's id shows them."""
    return request.param


@pytest.fixture
def colour(backend: tuple[str, str]) -> Colour:
    """`"sync"` or `"async"`, with the classes of that colour."""
    return Colour(backend[0])


@pytest.fixture
def place(backend: tuple[str, str]) -> str:
    """`"file"` or `"memory"`."""
    return backend[1]


class DatabaseFactory:
    """Databases of one colour and place; every one is closed after the test."""

    def __init__(self, colour: Colour, place: str, folder: Path) -> None:
        self.colour, self.place, self.folder = colour, place, folder
        self.opened: list[Any] = []

    def __call__(self, **options: Any) -> Any:
        """A database on a file (or memory) of its own, or on `filename=`."""
        arguments = self._arguments(options)
        return self._keep(self.colour.database(**arguments))

    async def create(self, **options: Any) -> Any:
        """The same through the class method `create`, which is awaited in async."""
        made = self.colour.database.create(**self._arguments(options))
        return self._keep(await made if self.colour is Colour.ASYNC else made)

    def new_file(self) -> Path:
        return self.folder / f"database_{len(self.opened)}.db"

    def _arguments(self, options: dict[str, Any]) -> dict[str, Any]:
        filename = options.pop("filename", None)
        if filename is None and self.place == "memory":
            return {"memory": True} | options
        return {"db_filename": filename or str(self.new_file())} | options

    def _keep(self, database: Any) -> Any:
        wrapped = self.colour.wrap(database)
        self.opened.append(wrapped)
        return wrapped

    async def close_all(self) -> None:
        for database in self.opened:
            await database.close()


@pytest.fixture
def make_db(
    colour: Colour, place: str, tmp_path: Path, runner: asyncio.Runner
) -> Iterator[DatabaseFactory]:
    """`make_db(**options)` gives one more database of the test's colour and place."""
    factory = DatabaseFactory(colour, place, tmp_path)
    yield factory
    runner.run(factory.close_all())


@pytest.fixture
def db(make_db: DatabaseFactory) -> Any:
    """An open-on-demand database with default options."""
    return make_db()


@pytest.fixture
def together(colour: Colour) -> Callable[..., Coroutine[Any, Any, list[Any]]]:
    """`await together(a(), b())` runs them at once: as tasks (async) or in threads (sync)."""
    return colour.together


@pytest.fixture
def statements() -> StatementLog:
    """The SQL that `logged_db` runs."""
    return StatementLog()


@pytest.fixture
def logged_db(make_db: DatabaseFactory, statements: StatementLog) -> Any:
    """A database that writes its SQL to `statements`."""
    return make_db(debug=True, logger=statements.logger)
