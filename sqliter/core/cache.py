"""The result cache: pure memory behind one lock.

An entry holds immutable answers of SQLite, so every hit is built anew and
nobody shares objects. It is tagged with every table it was read from, and
dropped when one of them changes. An answer that was on its way while a table
changed is not stored.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

from sqliter.core.statement import Memo, Result


class CacheStats(TypedDict):
    """Counters of the cache; ``hit_rate`` is in percent."""

    hits: int
    misses: int
    total: int
    hit_rate: float


@dataclass(eq=False, repr=False)
class CacheLimits:
    """What a cache may hold, per table: entries, seconds, megabytes."""

    max_size: int = 1000
    ttl: float | None = None
    max_memory_mb: float | None = None

    def __post_init__(self) -> None:
        if self.max_size <= 0:
            msg = "cache_max_size must be greater than 0"
            raise ValueError(msg)
        if self.ttl is not None and self.ttl < 0:
            msg = "cache_ttl must be non-negative"
            raise ValueError(msg)
        if self.max_memory_mb is not None and self.max_memory_mb <= 0:
            msg = "cache_max_memory_mb must be greater than 0"
            raise ValueError(msg)


class _Entry(NamedTuple):
    answer: Any
    tables: tuple[str, ...]
    expires: float | None
    size: int


class _Shelf:
    """The entries of one table, least recently used first."""

    def __init__(self) -> None:
        self.entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self.size = 0

    def put(self, key: Hashable, entry: _Entry) -> None:
        self.drop(key)
        self.entries[key] = entry
        self.size += entry.size

    def drop(self, key: Hashable) -> None:
        entry = self.entries.pop(key, None)
        if entry is not None:
            self.size -= entry.size

    def drop_oldest(self) -> None:
        self.drop(next(iter(self.entries)))


class Cache:
    """Answers by query, least recently used first out."""

    def __init__(self, limits: CacheLimits, *, enabled: bool) -> None:
        self.enabled = enabled
        self._limits = limits
        self.epoch = 0  # counts how often everything was forgotten
        self.begin_anew()

    def begin_anew(self) -> None:
        """Know nothing: the process was forked, maybe while others had the lock."""
        self._lock = threading.Lock()
        self._shelves: dict[str, _Shelf] = {}
        self._versions: dict[str, int] = {}
        self.epoch += 1
        self._hits = 0
        self._misses = 0

    # --- queries ---

    def lookup(self, memo: Memo) -> Result | None:
        """Return the remembered answer; counts a hit or a miss."""
        found, answer = self.get(memo.table, memo.key)
        return answer if found else None

    def version(self, memo: Memo) -> tuple[int, ...]:
        """Return the state of the memo's tables, to be handed to ``store``."""
        with self._lock:
            return self._version(memo.tables)

    def store(self, memo: Memo, answer: Result, version: tuple[int, ...]) -> None:
        """Remember an answer, unless a table changed since ``version``."""
        if not answer.rows and not memo.keep_empty:
            return
        with self._lock:
            if self._version(memo.tables) == version:
                self._put(memo.table, memo.key, answer, memo.tables, memo.ttl)

    # --- by hand ---

    def get(self, table: str, key: object) -> tuple[bool, Any]:
        """Return ``(found, answer)``; counts a hit or a miss when enabled."""
        if not self.enabled:
            return False, None
        with self._lock:
            entry = self._live_entry(table, key)
            if entry is None:
                self._misses += 1
                return False, None
            self._hits += 1
            return True, entry.answer

    def put(self, table: str, key: object, answer: Any, ttl: float | None) -> None:
        """Remember any value under a table."""
        if self.enabled:
            with self._lock:
                self._put(table, key, answer, (table,), ttl)

    def forget(self, tables: Iterable[str]) -> None:
        """Drop every entry that was built from one of these tables."""
        changed = {table.lower() for table in tables}
        with self._lock:
            for table in changed:
                self._versions[table] = self._versions.get(table, 0) + 1
            for shelf in self._shelves.values():
                stale = [k for k, e in shelf.entries.items() if changed & {*e.tables}]
                for key in stale:
                    shelf.drop(key)

    def forget_everything(self) -> None:
        """Drop every entry; the statistics stay."""
        with self._lock:
            self.epoch += 1
            self._shelves.clear()

    # --- statistics ---

    def stats(self) -> CacheStats:
        """Return the counters."""
        with self._lock:
            total = self._hits + self._misses
            rate = round(100 * self._hits / total, 2) if total else 0.0
            return CacheStats(
                hits=self._hits, misses=self._misses, total=total, hit_rate=rate
            )

    def reset_stats(self) -> None:
        """Set the counters to zero."""
        with self._lock:
            self._hits = self._misses = 0

    # --- with the lock held ---

    def _version(self, tables: tuple[str, ...]) -> tuple[int, ...]:
        versions = (self._versions.get(table.lower(), 0) for table in tables)
        return (self.epoch, *versions)

    def _live_entry(self, table: str, key: Any) -> _Entry | None:
        shelf = self._shelves.get(table.lower())
        entry = shelf.entries.get(key) if shelf else None
        if shelf is None or entry is None:
            return None
        if entry.expires is not None and time.time() > entry.expires:
            shelf.drop(key)
            return None
        shelf.entries.move_to_end(key)
        return entry

    def _put(
        self,
        table: str,
        key: Any,
        answer: Any,
        tables: tuple[str, ...],
        ttl: float | None,
    ) -> None:
        seconds = self._limits.ttl if ttl is None else ttl
        expires = None if seconds is None else time.time() + seconds
        size = _size_of(answer) if self._limits.max_memory_mb is not None else 0
        shelf = self._shelves.setdefault(table.lower(), _Shelf())
        names = tuple(name.lower() for name in tables)  # as SQLite compares them
        shelf.put(key, _Entry(answer, names, expires, size))
        while shelf.entries and self._is_over(shelf):
            shelf.drop_oldest()

    def _is_over(self, shelf: _Shelf) -> bool:
        megabytes = self._limits.max_memory_mb
        too_large = megabytes is not None and shelf.size > megabytes * 1024 * 1024
        return too_large or len(shelf.entries) > self._limits.max_size


def _size_of(value: Any) -> int:
    """Estimate the bytes a value holds, containers and models walked."""
    size = sys.getsizeof(value)
    if isinstance(value, dict):
        return size + sum(_size_of(k) + _size_of(v) for k, v in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return size + sum(map(_size_of, value))
    if hasattr(value, "__dict__"):
        return size + _size_of(vars(value))
    return size
