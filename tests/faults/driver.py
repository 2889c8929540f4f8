"""The driver between the library and SQLite: counts calls, and has one of them fail.

It stands in for `sqlite3.connect`, so every connection is seen: the writer, readers, the
sentinel of the cache, copies. `close` is a call that only Ctrl-C can hit: SQLite does not
report errors there. A fetch counts only where SQLite has to work for it.
"""

from __future__ import annotations

import functools
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from faults.kinds import KEYS, Call, Kind, Moment

connect = sqlite3.connect
"""The real one, for those who look on."""


class Plan:
    """Which call fails, and how; afterwards: which one did."""

    def __init__(self, kind: Kind, number: int) -> None:
        self.kind = kind
        self.number = number
        self.count = 0
        self.hit: Call | None = None
        self._lock = threading.Lock()

    def reached_by(self, call: Call) -> bool:
        """Count a call; whether it is one that fails."""
        if not self.kind.may_hit(call):
            return False
        with self._lock:
            self.count += 1
            return self._strikes(call)

    def would_reach(self, call: Call) -> bool:
        """Whether the next call fails, if SQLite has to work for it at all."""
        if not self.kind.may_hit(call):
            return False
        later = self.kind.lasts and self.count + 1 > self.number
        return later or self.count + 1 == self.number

    def _strikes(self, call: Call) -> bool:
        if self.count == self.number:
            self.hit = call
            return True
        return self.kind.lasts and self.count > self.number


class Driver:
    """Opens connections; `plan` says what happens to their calls, if anything."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.opened: list[weakref.ref[Any]] = []
        self.calls: list[Call] | None = None  # where to note them
        self.watch: Callable[[Any], None] | None = None

    @contextmanager
    def noting(self) -> Iterator[list[Call]]:
        """Note every call inside the block."""
        self.calls = []
        try:
            yield self.calls
        finally:
            self.calls = None

    @contextmanager
    def failing(self, kind: Kind, number: int) -> Iterator[Plan]:
        """Have the n-th call inside the block fail."""
        self.plan = Plan(kind, number)
        try:
            yield self.plan
        finally:
            self.plan = None

    def connect(self, database: Any, *args: Any, **options: Any) -> Any:
        """Open a connection, as `sqlite3.connect` does."""
        factory = watched(options.pop("factory", sqlite3.Connection))
        made = self.call(
            None,
            "connect",
            lambda: connect(database, *args, factory=factory, **options),
        )
        made.driver = self
        made.path = str(database)
        self.opened.append(weakref.ref(made))
        return made

    def living(self) -> list[Any]:
        """The connections that are open, the first one first."""
        known = [reference() for reference in self.opened]
        return [each for each in known if each is not None and is_open(each)]

    def call(self, connection: Any, what: str, function: Callable[[], Any]) -> Any:
        """Make a call, or fail."""
        plan = self.plan
        call = Call(what, is_transacting(connection))
        if plan is None:
            self._note(call)
            return self._made(connection, function)
        fails = plan.reached_by(call)
        if fails and plan.kind.moment is Moment.LOST:
            sqlite3.Connection.rollback(connection)
        if fails and plan.kind.moment is not Moment.AFTER:
            raise plan.kind.make()
        try:
            made = self._made(connection, function)
        except sqlite3.Error:
            if fails and plan.kind in KEYS:
                raise plan.kind.make() from None
            raise
        if fails:
            _drop(made)
            raise plan.kind.make()
        return made

    def fetch(self, cursor: Any, function: Callable[[], Any]) -> Any:
        """Fetch rows, or fail: the way SQLite does, which ends the statement."""
        plan, connection = self.plan, cursor.connection
        what = f"fetch of {cursor.sql}"
        if plan is not None and plan.kind in KEYS:
            return self.call(connection, what, function)
        call = Call(what, is_transacting(connection))
        fails = plan is not None and plan.would_reach(call)
        if fails:
            sqlite3.Connection.interrupt(connection)
        try:
            rows = function()
        except sqlite3.OperationalError as error:
            if not fails or error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            plan.reached_by(call)
            raise plan.kind.make() from None
        if rows and plan is None:
            self._note(call)
        elif rows and plan.reached_by(call):
            raise plan.kind.make()
        return rows

    def _note(self, call: Call) -> None:
        if self.calls is not None:
            self.calls.append(call)

    def _made(self, connection: Any, function: Callable[[], Any]) -> Any:
        made = function()
        if self.watch is not None and connection is not None:
            self.watch(connection)
        return made


def _drop(made: Any) -> None:
    """Do what happens to an object that nobody gets."""
    if isinstance(made, sqlite3.Cursor):
        sqlite3.Cursor.close(made)
    if isinstance(made, sqlite3.Connection):
        sqlite3.Connection.close(made)


class Watched:
    """What a connection adds to the driver's own class."""

    driver: Driver
    path: str

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
        return super().cursor(watched_cursor(factory))  # type: ignore[misc]

    def execute(self, *args: Any) -> Any:
        return self.cursor().execute(*args)

    def executemany(self, *args: Any) -> Any:
        return self.cursor().executemany(*args)

    def executescript(self, *args: Any) -> Any:
        return self.cursor().executescript(*args)

    def backup(self, target: Any, *, progress: Any = None, **options: Any) -> Any:
        def step(status: int, left: int, total: int) -> None:
            if left:  # after the last one it is done, and does not fail any more
                self.driver.call(self, "step of a backup", lambda: None)
            if progress is not None:
                progress(status, left, total)

        options.update(progress=step, pages=4)  # so that there are several steps
        copy = functools.partial(super().backup, target, **options)  # type: ignore[misc]
        return self.driver.call(self, "backup", copy)


class WatchedCursor:
    """What a cursor adds to the driver's own class."""

    connection: Any
    sql = ""

    def execute(self, sql: str, *args: Any) -> Any:
        self.sql = sql
        run = functools.partial(super().execute, sql, *args)  # type: ignore[misc]
        return self.connection.driver.call(self.connection, sql, run)

    def executemany(self, sql: str, *args: Any) -> Any:
        run = functools.partial(super().executemany, sql, *args)  # type: ignore[misc]
        return self.connection.driver.call(self.connection, sql, run)

    def executescript(self, sql: str) -> Any:
        run = functools.partial(super().executescript, sql)  # type: ignore[misc]
        return self.connection.driver.call(self.connection, sql, run)

    def __next__(self) -> Any:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row


def _counted(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **options: Any) -> Any:
        function = getattr(super(self.watched_by, self), name)
        call = functools.partial(function, *args, **options)
        return self.driver.call(self, name, call)

    return method


def _fetching(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        function = getattr(super(WatchedCursor, self), name)
        return self.connection.driver.fetch(self, functools.partial(function, *args))

    return method


METHODS = (
    "close", "commit", "rollback", "create_function", "create_aggregate",
    "create_collation", "create_window_function", "blobopen", "serialize",
    "deserialize",
)  # fmt: skip

for _name in METHODS:
    setattr(Watched, _name, _counted(_name))
for _name in ("fetchone", "fetchmany", "fetchall"):
    setattr(WatchedCursor, _name, _fetching(_name))
Watched.watched_by = Watched  # type: ignore[attr-defined]


@functools.cache
def watched(factory: type[Any]) -> type[Any]:
    """A class of connections whose calls are counted."""
    return type(factory.__name__, (Watched, factory), {})


@functools.cache
def watched_cursor(factory: type[Any]) -> type[Any]:
    """A class of cursors whose calls are counted."""
    return type(factory.__name__, (WatchedCursor, factory), {})


def is_open(connection: Any) -> bool:
    """Whether a connection is not closed."""
    try:
        return connection.in_transaction is not None
    except sqlite3.ProgrammingError:
        return False


def is_transacting(connection: Any) -> bool:
    """Whether a connection has a transaction open."""
    return (
        connection is not None
        and is_open(connection)
        and bool(connection.in_transaction)
    )
