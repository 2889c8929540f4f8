"""How a database is, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqliter.core.cache import CacheStats


class Condition(NamedTuple):
    """What an engine knows without asking SQLite; see ``Health``."""

    wal_size: int
    writer: str | None
    writer_age: float
    waiting: int
    in_transaction: bool
    oldest_reader: str | None
    oldest_reader_age: float


@dataclass(frozen=True)
class Health:
    """How a database is at one moment.

    ``free_pages`` of ``page_count`` pages of ``page_size`` bytes are not in use,
    ``wal_size`` is in bytes. ``writer`` is the task or thread that has the turn to
    write, for ``writer_age`` seconds (``None``: nobody), and ``waiting`` are behind
    it. ``in_transaction`` says whether something is not committed. ``oldest_reader`` is
    the task or thread that has been reading for the longest time, ``oldest_reader_age``
    seconds; the WAL keeps what it may still want to see.
    """

    page_count: int
    page_size: int
    free_pages: int
    journal_mode: str
    wal_size: int
    writer: str | None
    writer_age: float
    waiting: int
    in_transaction: bool
    oldest_reader: str | None
    oldest_reader_age: float
    cache: CacheStats
