"""What lets one test body speak for both colours.

A test awaits every verb. The awaited library is used as it is; the blocking one stands behind a thin
proxy that makes the call at the moment the test awaits it. No promise of the library is checked here.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import copy
import inspect
import logging
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from enum import StrEnum
from types import SimpleNamespace
from typing import Any


class Strange:
    """What no field can hold; shown alike in every process that runs tests."""

    def __repr__(self) -> str:
        return "Strange()"


DATABASE_VERBS = frozenset(
    {
        "connect", "close", "commit", "rollback", "get_table_names", "reset_database", "create_table",
        "create_indexes", "drop_table", "insert", "bulk_insert", "get",
        "update", "update_where", "delete", "execute", "fetch", "load",
    }
)  # fmt: skip
QUERY_VERBS = frozenset(
    {
        "fetch_all", "fetch_one", "fetch_first", "fetch_last", "fetch_dicts", "count", "exists",
        "update", "delete",
    }
)  # fmt: skip
RELATION_VERBS = QUERY_VERBS | {"add", "remove", "clear", "set"}
CONNECTION_VERBS = frozenset({"execute", "executemany", "commit", "rollback", "close"})
CURSOR_VERBS = frozenset({"fetchone", "fetchmany", "fetchall", "close"})


class Colour(StrEnum):
    """How a database is used: blocking or awaited."""

    SYNC = "sync"
    ASYNC = "async"

    @property
    def database(self) -> Any:
        """The database class of this colour."""
        if self is Colour.ASYNC:
            from sqliter.asyncio import AsyncSqliterDB

            return AsyncSqliterDB
        from sqliter import SqliterDB

        return SqliterDB

    @property
    def orm(self) -> SimpleNamespace:
        """The relation classes of this colour, under the names of `sqliter.orm`."""
        return _awaited_orm() if self is Colour.ASYNC else _blocking_orm()

    def many(self, handle: Any) -> Any:
        """`author.books` or `article.tags` with awaited verbs, whatever the colour."""
        return handle if self is Colour.ASYNC else BlockingRelation(handle)

    async def reach(self, related: Any) -> Any:
        """What a forward key gives to code of this colour: `book.author`, fetched."""
        if self is Colour.SYNC or related is None:
            return related
        return await related.fetch()

    def wrap(self, database: Any) -> Any:
        """The database as tests use it: every verb awaited, whatever the colour."""
        return database if self is Colour.ASYNC else BlockingDatabase(database)

    def apart(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        """Run the coroutine outside of all blocks: as a task, or in a thread."""
        if self is Colour.ASYNC:
            return asyncio.create_task(coroutine, context=contextvars.Context())
        return in_thread(coroutine)

    async def together(
        self, *coroutines: Coroutine[Any, Any, Any], return_exceptions: bool = False
    ) -> list[Any]:
        """Run the coroutines at once: as tasks, or with one thread (and one loop) for each."""
        if self is Colour.ASYNC:
            return await asyncio.gather(
                *coroutines, return_exceptions=return_exceptions
            )
        runs = [in_thread(coroutine) for coroutine in coroutines]
        return await asyncio.gather(*runs, return_exceptions=return_exceptions)


def _blocking_orm() -> SimpleNamespace:
    from sqliter import orm
    from sqliter.orm import fields, m2m, query

    return SimpleNamespace(
        BaseDBModel=orm.BaseDBModel,
        ForeignKey=orm.ForeignKey,
        ManyToMany=orm.ManyToMany,
        ReverseRelationship=orm.ReverseRelationship,
        ReverseManyToMany=orm.ReverseManyToMany,
        LazyLoader=fields.LazyLoader,
        ReverseQuery=query.ReverseQuery,
        PrefetchedResult=query.PrefetchedResult,
        ManyToManyManager=m2m.ManyToManyManager,
        PrefetchedM2MResult=m2m.PrefetchedM2MResult,
        fk_id=orm.fk_id,
    )


def _awaited_orm() -> SimpleNamespace:
    from sqliter.asyncio import orm

    return SimpleNamespace(
        BaseDBModel=orm.AsyncBaseDBModel,
        ForeignKey=orm.AsyncForeignKey,
        ManyToMany=orm.AsyncManyToMany,
        ReverseRelationship=orm.AsyncReverseRelationship,
        ReverseManyToMany=orm.AsyncReverseManyToMany,
        LazyLoader=orm.AsyncLazyLoader,
        ReverseQuery=orm.AsyncReverseQuery,
        PrefetchedResult=orm.AsyncPrefetchedResult,
        ManyToManyManager=orm.AsyncManyToManyManager,
        PrefetchedM2MResult=orm.AsyncPrefetchedM2MResult,
        fk_id=orm.fk_id,
    )


def in_thread(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
    """Run a coroutine in a fresh thread, with an empty context and a loop of its own."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Any] = loop.create_future()

    def deliver(setter: Callable[[Any], None], value: Any) -> None:
        if not outcome.done():
            setter(value)

    def report(setter: Callable[[Any], None], value: Any) -> None:
        with contextlib.suppress(
            RuntimeError
        ):  # the test failed and its loop is closed
            loop.call_soon_threadsafe(deliver, setter, value)

    def work() -> None:
        try:
            value = asyncio.run(coroutine)
        except BaseException as error:  # noqa: BLE001 - handed to the awaiting test
            report(outcome.set_exception, error)
        else:
            report(outcome.set_result, value)

    threading.Thread(target=work, daemon=True).start()
    return outcome


class Signal:
    """An event that tasks and threads can both wait for."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        while not self._event.is_set():
            await asyncio.sleep(0.001)


class Blocking:
    """A blocking object whose verbs are awaited; everything else passes through."""

    VERBS: frozenset[str] = frozenset()
    wrapped: Any

    def __init__(self, wrapped: Any) -> None:
        object.__setattr__(self, "wrapped", wrapped)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.wrapped, name)
        if not inspect.isroutine(value):
            return self._dress(value)
        return self._verb(value) if self._is_verb(name) else self._plain(value)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.wrapped, name, value)

    def __repr__(self) -> str:
        return f"<blocking {self.wrapped!r}>"

    def _is_verb(self, name: str) -> bool:
        return name in self.VERBS

    def _dress(self, value: Any) -> Any:
        """Give a value on its way to the test the proxy it needs, if any."""
        return self if value is self.wrapped else value

    def _verb(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            return self._dress(_call(function, args, kwargs))

        return call

    def _plain(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._dress(_call(function, args, kwargs))

        return call


class BlockingCursor(Blocking):
    VERBS = CURSOR_VERBS


class BlockingConnection(Blocking):
    VERBS = CONNECTION_VERBS

    def _dress(self, value: Any) -> Any:
        return (
            BlockingCursor(value)
            if hasattr(value, "fetchall")
            else super()._dress(value)
        )


class BlockingQuery(Blocking):
    """A query builder: chain methods give builders, terminals are awaited."""

    def _is_verb(self, name: str) -> bool:
        from sqliter.asyncio import AsyncQueryBuilder

        return name in QUERY_VERBS or _is_coroutine(AsyncQueryBuilder, name)

    def _dress(self, value: Any) -> Any:
        if value is self.wrapped:
            return self
        return BlockingQuery(value) if _is_query(value) else value

    def __copy__(self) -> BlockingQuery:
        return BlockingQuery(copy.copy(self.wrapped))


class BlockingRelation(BlockingQuery):
    """The many objects of a relation: chained, awaited, iterated like the async ones."""

    def _is_verb(self, name: str) -> bool:
        return name in RELATION_VERBS or super()._is_verb(name)

    def _dress(self, value: Any) -> Any:
        if value is self.wrapped:
            return self
        return BlockingRelation(value) if _is_query(value) else value

    async def __aiter__(self) -> AsyncIterator[Any]:
        for each in self.wrapped:
            yield each


class BlockingDatabase(Blocking):
    """A database: verbs are awaited, `async with` enters and leaves the blocking block."""

    def _is_verb(self, name: str) -> bool:
        from sqliter.asyncio import AsyncSqliterDB

        return name in DATABASE_VERBS or _is_coroutine(AsyncSqliterDB, name)

    def _dress(self, value: Any) -> Any:
        if _is_query(value):
            return BlockingQuery(value)
        if hasattr(value, "executescript"):
            return BlockingConnection(value)
        if type(value).__name__ == "Transaction":
            return BlockingBlock(value, self)
        return super()._dress(value)

    async def __aenter__(self) -> BlockingDatabase:
        self.wrapped.__enter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return self.wrapped.__exit__(*error)


class BlockingBlock:
    """What `db.transaction()` gives: `async with` enters and leaves the blocking block."""

    def __init__(self, block: Any, database: BlockingDatabase) -> None:
        self._block = block
        self._database = database

    async def __aenter__(self) -> Any:
        return self._database._dress(self._block.__enter__())

    async def __aexit__(self, *error: Any) -> Any:
        return self._block.__exit__(*error)


def unwrap(thing: Any) -> Any:
    """The library's own object behind a proxy (or the thing itself)."""
    # the type is asked, not the object: a lazy relation may load when it is looked at
    return thing.wrapped if issubclass(type(thing), Blocking) else thing


@contextlib.asynccontextmanager
async def snapshot(db: Any) -> AsyncIterator[None]:
    """A read-only transaction, in either colour."""
    block = unwrap(db).transaction(read_only=True)
    if hasattr(block, "__aenter__"):
        async with block:
            yield
    else:
        with block:
            yield


def _call(
    function: Callable[..., Any], args: Iterable[Any], kwargs: dict[str, Any]
) -> Any:
    return function(
        *map(unwrap, args), **{name: unwrap(value) for name, value in kwargs.items()}
    )


def _is_coroutine(owner: type, name: str) -> bool:
    return inspect.iscoroutinefunction(getattr(owner, name, None))


def _is_query(value: Any) -> bool:
    return hasattr(value, "fetch_all") and hasattr(value, "filter")


class StatementLog(logging.Handler):
    """A logger of its own that keeps the SQL a database says it runs."""

    PREFIX = "Executing SQL: "

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.logger = logging.Logger("statements", logging.DEBUG)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    @property
    def statements(self) -> list[str]:
        """The SQL texts, in the order they ran."""
        marked = (text for text in self.messages if text.startswith(self.PREFIX))
        return [text.removeprefix(self.PREFIX) for text in marked]

    def starting(self, *words: str) -> list[str]:
        """The statements that begin with one of the words, such as `SELECT`."""
        return [text for text in self.statements if text.upper().startswith(words)]

    def clear(self) -> None:
        self.messages.clear()

    @contextlib.contextmanager
    def watch(self) -> Iterator[StatementLog]:
        """Start from nothing; what is in the log afterwards ran inside the block."""
        self.clear()
        yield self


INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
"""Programs that begin with it hear Ctrl-C, even if those who run the tests ignore it."""


def run_python(
    code: str, *args: object, timeout: float = 30, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a program in another interpreter that can import what this one can."""
    completed = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, args)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check and completed.returncode:
        raise AssertionError(
            f"the program ended with {completed.returncode}:\n{completed.stderr}"
        )
    return completed


@contextlib.contextmanager
def outside(db: Any) -> Iterator[sqlite3.Connection]:
    """A plain connection to the database's file, as another program would open one."""
    connection = sqlite3.connect(db.filename, timeout=5, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def committed(db: Any, sql: str) -> list[Any]:
    """The first column of what another program reads from the database's file."""
    with outside(db) as connection:
        return [row[0] for row in connection.execute(sql)]


class Models(SimpleNamespace):
    """Models that belong together, in the order their tables are made."""

    async def create(self, db: Any) -> None:
        """Make the table of each."""
        for model in vars(self).values():
            await db.create_table(model)


async def values(rows: Any, field: str = "name") -> list[Any]:
    """One field of all objects of a relation or query, sorted."""
    return sorted(getattr(row, field) for row in await rows.fetch_all())


def assert_no_transaction_left(db: Any) -> None:
    """The caller is in no transaction, and no other writer is locked out."""
    assert not db.in_transaction
    if not db.is_memory:
        with outside(db) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
