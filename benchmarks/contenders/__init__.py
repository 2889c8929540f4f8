"""Those who are compared."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contenders.contender import Contender

__all__ = ["ENTRIES", "RAW", "Entry", "entry_of", "installed", "named"]


@dataclass(frozen=True)
class Entry:
    """A contender that may not be installed; its modules have its name."""

    name: str
    title: str
    class_name: str
    package: str
    is_async: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether it is this library."""
        return self.package == "sqliter"

    @property
    def is_by_hand(self) -> bool:
        """Whether it gives tuples: it is no rival of those who give instances."""
        return self.name in {"raw", "aiosqlite"}

    @property
    def is_installed(self) -> bool:
        """Whether it can be measured here."""
        return importlib.util.find_spec(self.package) is not None

    @property
    def first_row(self) -> Path:
        """The program that starts, and reads a row."""
        folder = Path(__file__).parents[1] / "first_row"
        return folder / f"{self.name.replace('-', '_')}.py"

    def load(self) -> type[Contender]:
        """Return its class."""
        module = f"benchmarks.contenders.{self.name.replace('-', '_')}"
        found: type[Contender] = getattr(
            importlib.import_module(module), self.class_name
        )
        return found


RAW = Entry("raw", "sqlite3", "Raw", "sqlite3")

ENTRIES = (
    RAW,
    Entry("sqliter-blocking", "sqliter", "SqliterBlocking", "sqliter"),
    Entry("sqlalchemy-blocking", "SQLAlchemy", "SqlAlchemyBlocking", "sqlalchemy"),
    Entry("sqlmodel", "SQLModel", "SqlModel", "sqlmodel"),
    Entry("peewee", "Peewee", "Peewee", "peewee"),
    Entry("sqliter-asyncio", "sqliter", "SqliterAsyncio", "sqliter", is_async=True),
    Entry(
        *("sqlalchemy-asyncio", "SQLAlchemy", "SqlAlchemyAsyncio", "sqlalchemy"),
        is_async=True,
    ),
    Entry("tortoise", "Tortoise", "TortoiseOrm", "tortoise", is_async=True),
    Entry("piccolo", "Piccolo", "Piccolo", "piccolo", is_async=True),
    Entry("oxyde", "Oxyde", "Oxyde", "oxyde", is_async=True),
    Entry("aiosqlite", "aiosqlite", "Aiosqlite", "aiosqlite", is_async=True),
)
"""Raw first, then the blocking ones, then those with asyncio: this library first."""


def installed() -> list[Entry]:
    """Return the contenders that can be measured here."""
    return [entry for entry in ENTRIES if entry.is_installed]


def named(name: str) -> Entry:
    """Return the contender of this name."""
    return next(entry for entry in ENTRIES if entry.name == name)


def entry_of(contender: Contender) -> Entry:
    """Return the entry a contender was made from."""
    name = type(contender).__name__
    return next(entry for entry in ENTRIES if entry.class_name == name)
