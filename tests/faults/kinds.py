"""What can go wrong in SQLite, as data: the error, when it strikes, which calls it may hit.

`BEFORE`: the call is not made. `LOST`: nor is it, and SQLite has rolled the transaction
back, as it may when it runs out of space or memory. `AFTER`: the call has been made, and
whoever made it never learns how it ended.
"""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass


class Moment(enum.Enum):
    """When the error strikes, seen from the call that fails."""

    BEFORE = "before"
    LOST = "lost"
    AFTER = "after"


@dataclass(frozen=True)
class Call:
    """One call of the driver: what is run, and whether a transaction was open."""

    what: str
    in_transaction: bool

    @property
    def word(self) -> str:
        """The verb of the statement, or the name of the driver's method."""
        return self.what.split(None, 1)[0].upper() if self.what else ""

    @property
    def commits(self) -> bool:
        """Whether it makes something permanent when it works."""
        if self.in_transaction:
            return self.word in ("COMMIT", "END")
        if "RETURNING" in self.what:  # not before its rows are fetched
            return False
        return self.word in _COMMITTING


def commits(call: Call) -> bool:
    """Whether something is permanent after it."""
    return call.commits


def always(call: Call) -> bool:
    """Whether there is a call at all."""
    return True


def anything(call: Call) -> bool:
    """Whether memory may run out, or an interrupt that comes late stops it."""
    return call.word != "CLOSE"  # it reports nothing


def touches(call: Call) -> bool:
    """Whether SQLite asks the file system for something."""
    in_mind = any(name in call.what for name in _OF_THE_CONNECTION)
    return call.word not in _IN_MIND and not in_mind


def locks(call: Call) -> bool:
    """Whether SQLite may meet a lock; copies are told so, and wait."""
    return touches(call) and call.word not in ("FETCH", "BACKUP", "STEP")


def writes(call: Call) -> bool:
    """Whether SQLite needs space on the disk."""
    return call.word in _WRITING


_COMMITTING = ("INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "ANALYZE")
_IN_MIND = (
    "ROLLBACK", "SAVEPOINT", "RELEASE", "CLOSE", "CREATE_FUNCTION", "CREATE_AGGREGATE",
    "CREATE_COLLATION",
)  # fmt: skip
_OF_THE_CONNECTION = ("foreign_keys", "query_only", "analysis_limit", "busy_timeout")
_WRITING = (
    "INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER", "COMMIT", "VACUUM",
    "ANALYZE", "BACKUP", "STEP",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One way to fail.

    hits: which calls can. lasts: every later one fails, too, until the disk is mended.
    of: the colours and places in which it is tried, if not in all of them: each kind meets
    each scenario, and what differs between those is how one waits, not what fails.
    """

    name: str
    make: Callable[[], BaseException]
    hits: Callable[[Call], bool]
    moment: Moment = Moment.BEFORE
    lasts: bool = False
    of: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name

    def may_hit(self, call: Call) -> bool:
        """Whether this error can come out of that call."""
        if self.moment is Moment.LOST:
            return self.hits(call) and call.in_transaction and call.word != "FETCH"
        return self.hits(call)


def error(code: int, name: str, text: str) -> Callable[[], sqlite3.OperationalError]:
    """What the driver raises for a result code of SQLite."""

    def make() -> sqlite3.OperationalError:
        made = sqlite3.OperationalError(text)
        made.sqlite_errorcode, made.sqlite_errorname = code, name
        return made

    return make


busy = error(sqlite3.SQLITE_BUSY, "SQLITE_BUSY", "database is locked")
full = error(sqlite3.SQLITE_FULL, "SQLITE_FULL", "database or disk is full")
broken = error(sqlite3.SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE", "disk I/O error")
interrupted = error(sqlite3.SQLITE_INTERRUPT, "SQLITE_INTERRUPT", "interrupted")

LOST, AFTER = Moment.LOST, Moment.AFTER

ERRORS = (
    Kind("busy", busy, locks, of=("sync-file",)),
    Kind("full", full, writes, of=("async-file", "sync-memory")),
    Kind("full, rolled back", full, writes, LOST, of=("sync-file", "async-memory")),
    Kind("full for good", full, writes, lasts=True, of=("sync-file", "async-memory")),
    Kind("i/o error", broken, touches, of=("async-file",)),
    Kind("i/o error, rolled back", broken, touches, LOST, of=("async-file",)),
    Kind("i/o error, committed", broken, commits, AFTER, of=("sync-file",)),
    Kind("interrupt", interrupted, anything, of=("async-file",)),
    Kind("interrupt, rolled back", interrupted, writes, LOST, of=("sync-memory",)),
    Kind("no memory", MemoryError, anything, of=("sync-file", "async-memory")),
    Kind("no memory, rolled back", MemoryError, touches, LOST, of=("sync-memory",)),
)
"""What SQLite reports."""

KEYS = (
    Kind("Ctrl-C before", KeyboardInterrupt, always, of=("sync-memory",)),
    Kind("Ctrl-C after", KeyboardInterrupt, always, AFTER, of=("sync-file",)),
)
"""What Python raises between two steps of its own: before a call, or after it."""
