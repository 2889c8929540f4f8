"""The options of a database object, checked once."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    import logging

Durability: TypeAlias = Literal["normal", "full"]
JournalMode: TypeAlias = Literal["wal", "delete", "truncate", "persist", "memory"]
Begin: TypeAlias = Literal["immediate", "deferred", "exclusive"]
Pragmas: TypeAlias = Mapping[str, str | int]

MEMORY = ":memory:"

_CHOICES: dict[str, tuple[str, ...]] = {
    "durability": ("normal", "full"),
    "journal_mode": ("wal", "delete", "truncate", "persist", "memory"),
    "begin": ("immediate", "deferred", "exclusive"),
}
_PRAGMA_WORD = r"-?[A-Za-z0-9_.]+"


class Options(TypedDict, total=False):
    """The keyword arguments that every way to make a database takes."""

    memory: bool
    auto_commit: bool
    debug: bool
    logger: logging.Logger | None
    reset: bool
    return_local_time: bool
    cache_enabled: bool
    cache_max_size: int
    cache_ttl: float | None
    cache_max_memory_mb: float | None
    durability: Durability
    busy_timeout: float
    journal_mode: JournalMode
    foreign_keys: bool
    begin: Begin
    pragmas: Pragmas | None
    inline: bool
    slow_query: float | None


@dataclass(eq=False, repr=False)
class Settings:
    """Where the database is and how it is used; see ``SqliterDB``."""

    MEMORY_DB: ClassVar[str] = MEMORY

    filename: str | Path
    auto_commit: bool = True
    return_local_time: bool = True
    durability: Durability = "normal"
    busy_timeout: float = 5.0
    journal_mode: JournalMode = "wal"
    foreign_keys: bool = True
    begin: Begin = "immediate"
    pragmas: Pragmas = field(default_factory=dict)
    inline: bool = True

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            _check_choice(name, getattr(self, name), choices)
        if self.busy_timeout < 0:
            msg = "busy_timeout must be non-negative (seconds)"
            raise ValueError(msg)
        for name, value in self.pragmas.items():
            _check_pragma(name, value)

    @functools.cached_property
    def is_memory(self) -> bool:
        """Whether the database lives in memory only."""
        return str(self.filename) == MEMORY

    @functools.cached_property
    def path(self) -> str:
        """The file to open, fixed at first use: the working folder may change."""
        return MEMORY if self.is_memory else str(Path(self.filename).absolute())

    @functools.cached_property
    def begin_sql(self) -> str:
        """The statement that opens a transaction."""
        return f"BEGIN {self.begin.upper()}"


def filename_for(db_filename: str | Path | None, *, memory: bool) -> str | Path:
    """Return the file to open; ``memory`` wins over any name."""
    if memory:
        return MEMORY
    if not db_filename:
        msg = "Database name must be provided if not using an in-memory database."
        raise ValueError(msg)
    return db_filename


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        msg = f"{name} must be one of {', '.join(choices)}, not {value!r}"
        raise ValueError(msg)


def _check_pragma(name: str, value: str | int) -> None:
    if not all(re.fullmatch(_PRAGMA_WORD, word) for word in (name, str(value))):
        msg = f"pragma {name!r} = {value!r}: names and values must be single words"
        raise ValueError(msg)
