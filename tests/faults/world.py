"""One database on its own file (or in memory), and what can be seen of it from outside."""

from __future__ import annotations

import datetime
import gc
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from faults.driver import Driver, connect
from faults.poetry import LONG_AGO, models, template
from pydantic import BaseModel
from support import Colour, unwrap

State = dict[str, Any]

PATIENCE = 1.0
"""Seconds that a turn is waited for: only a lost one takes as long."""

_NOW = "now"
_LATER = LONG_AGO * LONG_AGO
_LISTED = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_autoindex%'"


class World:
    """A database as a scenario finds it, and the objects it uses.

    `out` is a folder for files that a scenario makes.
    """

    def __init__(
        self, colour: Colour, place: str, driver: Driver, folder: Path, **options: Any
    ) -> None:
        self.colour = colour
        self.place = place
        self.driver = driver
        self.models = models(colour)
        self.path = folder / "poetry.db"
        self.out = folder / "out"
        self.out.mkdir(exist_ok=True)
        self.path.write_bytes(template())
        where = {"memory": True} if place == "memory" else {"db_filename": self.path}
        self.arguments: dict[str, Any] = {
            **where,
            "busy_timeout": PATIENCE,
            "pragmas": {"synchronous": "OFF"},  # nobody pulls the plug here
            **options,
        }
        self.db: Any = colour.wrap(colour.database(**self.arguments))
        self._kept: list[Any] = []

    async def open(self) -> None:
        """Have a writer and a reader open; a database in memory is given its rows."""
        await self.db.health()
        if self.place == "memory":
            with closing(connect(self.path)) as source:
                source.backup(self.writer)
        if (
            self.is_cached
        ):  # what its first commit empties would hide what later ones do
            await self.db.update_where(self.models.Poet, {"pk": 3}, {"age": 33})

    @property
    def is_cached(self) -> bool:
        """Whether results are remembered."""
        return bool(self.arguments.get("cache_enabled"))

    @property
    def writer(self) -> Any:
        """The driver's connection to a database in memory, if it is open."""
        living = self.driver.living()
        return next((each for each in living if each.path == ":memory:"), None)

    # --- objects ---

    def keep(self, thing: Any) -> Any:
        """Watch what becomes of an object, or of a list of them."""
        self._kept.append(thing)
        return thing

    def kept(self) -> Any:
        """What the objects look like that are watched."""
        return summary(self._kept)

    # --- the file ---

    def state(self) -> State:
        """All there is: tables, rows, indexes, and files beside the database.

        Raises `LockedOut` if another program could not write at once.
        """
        if self.place == "file":
            with closing(connect(self.path, timeout=0, isolation_level=None)) as raw:
                state = dump(raw)
                write_at_once(raw)
        else:
            state = {} if self.writer is None else dump(self.writer)
        for name in sorted(os.listdir(self.out)):
            with closing(connect(self.out / name)) as raw:
                state[name] = dump(raw)
        return state

    def count(self, table: str) -> int:
        """How many rows a table has, for another program that could write at once."""
        question = f"SELECT count(*) FROM {table}"
        if self.place == "memory":
            return _rows(self.writer, question)[0][0]
        with closing(connect(self.path, timeout=0, isolation_level=None)) as raw:
            write_at_once(raw)
            return _rows(raw, question)[0][0]

    def transacting(self) -> list[str]:
        """The connections of the library that have a transaction open."""
        return [each.path for each in self.driver.living() if each.in_transaction]

    def unenforced(self) -> list[str]:
        """The connections of the library that do not enforce foreign keys."""
        if self.is_cached:
            return []  # its sentinel never did
        own, question = (":memory:", str(self.path)), "PRAGMA foreign_keys"
        return self._left(
            lambda each: each.path in own and _rows(each, question) == [(0,)]
        )

    def unclosed(self) -> list[str]:
        """The connections of the library that are open."""
        return self._left(lambda each: True)

    def _left(self, is_wrong: Callable[[Any], bool]) -> list[str]:
        found = list(filter(is_wrong, self.driver.living()))
        if found:  # it may be that nobody has them any more
            del found
            gc.collect()
        return [each.path for each in self.driver.living() if is_wrong(each)]

    # --- the end ---

    def remove(self) -> None:
        """Take everything away, whatever state it is in."""
        for each in self.driver.living():
            sqlite3.Connection.close(each)
        self.driver.opened.clear()
        for folder in (self.out, self.path.parent):
            for name in os.listdir(folder):
                if folder / name != self.out:
                    (folder / name).unlink(missing_ok=True)


class LockedOut(Exception):
    """Another program cannot write at once."""


def write_at_once(raw: sqlite3.Connection) -> None:
    """Write as another program would, without waiting; raises `LockedOut`."""
    raw.execute("PRAGMA synchronous = OFF")
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        raise LockedOut(f"another program cannot write: {error}") from error
    raw.execute("CREATE TABLE IF NOT EXISTS probe (n INTEGER)")
    raw.execute("UPDATE probe SET n = n + 1")
    raw.execute("COMMIT")


def dump(raw: sqlite3.Connection) -> State:
    """Every table with its rows, and the definition of everything that has a name.

    What FTS5 keeps of its own is no rows: how it lays words out is its affair.
    """
    listed = dict(_rows(raw, _LISTED))
    listed.pop("probe", None)
    state: State = {
        name: _rows(raw, f'SELECT * FROM "{name}" ORDER BY rowid')
        for name, sql in listed.items()
        if sql and sql.startswith("CREATE TABLE") and "_fts_" not in name
    }
    state["schema"] = listed
    return state


def _rows(raw: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    # The driver's own methods: what is seen from outside is not counted.
    cursor = sqlite3.Cursor.execute(sqlite3.Connection.cursor(raw), sql)
    return [
        tuple(_NOW if type(each) is int and each > _LATER else each for each in row)
        for row in cursor
    ]


def summary(value: Any) -> Any:
    """What a verb gave, in a form that can be compared with what it gave before."""
    value = unwrap(value)
    if isinstance(value, BaseModel):
        fields = vars(value)
        known = (name for name in type(value).model_fields if name in fields)
        return type(value).__name__, {name: summary(fields[name]) for name in known}
    if isinstance(value, dict):
        return {key: summary(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [summary(each) for each in value]
    if isinstance(value, datetime.datetime):
        return summary(int(value.timestamp()))
    if isinstance(value, int) and value > _LATER:
        return _NOW
    plain = value is None or isinstance(value, (str, int, float, bool))
    return value if plain else type(value).__name__
