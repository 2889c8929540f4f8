"""What both database objects are made of: options, properties, the cache."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    NoReturn,
    TypeVar,
    overload,
)

from sqliter.core.cache import Cache, CacheLimits, CacheStats
from sqliter.core.context import Context
from sqliter.core.events import Hook, Hooked
from sqliter.core.hooks import Change, WriteEvent
from sqliter.core.logs import StatementLog
from sqliter.core.settings import (
    Begin,
    Durability,
    JournalMode,
    Pragmas,
    Settings,
    filename_for,
)
from sqliter.core.slow import SlowQueries
from sqliter.core.stop import TimeLimit
from sqliter.engines.local import LocalEngine
from sqliter.model.model import BaseDBModel
from sqliter.operations.hooks import subscribe

if TYPE_CHECKING:
    import logging

__all__ = ["BaseDatabase"]

E = TypeVar("E", bound=LocalEngine)
M = TypeVar("M", bound=BaseDBModel)


class BaseDatabase(Generic[E]):
    """Options and state of a database object; see ``SqliterDB``.

    Nothing is opened before the first operation.

    Args:
        db_filename: the file; ``":memory:"`` keeps everything in memory.
        memory: use memory, whatever ``db_filename`` says.
        auto_commit: commit each write made outside a ``with`` block. If false,
            writes collect in one transaction until ``commit()`` or ``rollback()``.
        debug: log every statement.
        logger: where to log; a logger named ``sqliter`` if not given.
        reset: drop all tables at once.
        return_local_time: give datetimes in the local zone, else in UTC.
        cache_enabled: remember results until one of their tables changes.
        cache_max_size: entries per table.
        cache_ttl: seconds an entry lives; ``None``: until a table changes.
        cache_max_memory_mb: megabytes per table.
        durability: ``"normal"`` survives a crash of the program, ``"full"`` a loss
            of power, too.
        busy_timeout: seconds to wait for others before ``DatabaseBusyError``.
        journal_mode: SQLite's journal; ``"wal"`` lets readers and a writer work
            at the same time.
        foreign_keys: whether SQLite enforces foreign keys.
        begin: how transactions start; ``"immediate"`` takes the write lock at once.
        pragmas: further pragmas for every connection.
        inline: asyncio only: do what is short on the event loop's thread, for less than
            a millisecond at a time; if false, threads do everything.
        slow_query: log a warning, with the query plan, for each statement that keeps
            SQLite busy for so many seconds; ``None``: never.

    Raises:
        ValueError: for options that cannot be.
    """

    is_async: ClassVar[bool] = False
    _engine: E

    def __init__(
        self,
        db_filename: str | Path | None = None,
        *,
        memory: bool = False,
        auto_commit: bool = True,
        debug: bool = False,
        logger: logging.Logger | None = None,
        reset: bool = False,
        return_local_time: bool = True,
        cache_enabled: bool = False,
        cache_max_size: int = 1000,
        cache_ttl: float | None = None,
        cache_max_memory_mb: float | None = None,
        durability: Durability = "normal",
        busy_timeout: float = 5.0,
        journal_mode: JournalMode = "wal",
        foreign_keys: bool = True,
        begin: Begin = "immediate",
        pragmas: Pragmas | None = None,
        inline: bool = True,
        slow_query: float | None = None,
    ) -> None:
        settings = Settings(
            filename_for(db_filename, memory=memory),
            auto_commit=auto_commit,
            return_local_time=return_local_time,
            durability=durability,
            busy_timeout=busy_timeout,
            journal_mode=journal_mode,
            foreign_keys=foreign_keys,
            begin=begin,
            pragmas=pragmas or {},
            inline=inline,
        )
        limits = CacheLimits(cache_max_size, cache_ttl, cache_max_memory_mb)
        cache = Cache(limits, enabled=cache_enabled)
        self.context = Context(settings, cache, StatementLog(logger, debug=debug))
        self.context.owner = weakref.ref(self)
        self.context.hooks.are_awaited = self.is_async
        self._slow_queries = SlowQueries(
            self.context.log, self.context.observers, slow_query
        )
        self._start(reset=reset)

    def _start(self, *, reset: bool) -> None:
        """Make the engine; ``reset`` drops all tables at once."""
        raise NotImplementedError

    def __reduce__(self) -> NoReturn:
        msg = (
            f"{type(self).__name__} objects cannot be pickled or copied: pass the file "
            "name, and make a database object of it where it is needed"
        )
        raise TypeError(msg)

    # --- options ---

    @property
    def db_filename(self) -> str | Path:
        """The file as it was given, or ``":memory:"``."""
        return self.context.settings.filename

    @property
    def filename(self) -> str | Path | None:
        """The file, or ``None`` for a database in memory."""
        return None if self.is_memory else self.db_filename

    @property
    def is_memory(self) -> bool:
        """Whether the database lives in memory."""
        return self.context.settings.is_memory

    @property
    def is_autocommit(self) -> bool:
        """Whether writes outside a block are committed at once."""
        return self.context.settings.auto_commit

    @property
    def return_local_time(self) -> bool:
        """Whether datetimes are given in the local zone."""
        return self.context.settings.return_local_time

    @property
    def logger(self) -> logging.Logger | None:
        """Where statements are logged, if anywhere."""
        return self.context.log.logger

    # --- state ---

    @property
    def auto_commit(self) -> bool:
        """Whether writes outside a block are committed at once."""
        return self.context.settings.auto_commit

    @property
    def debug(self) -> bool:
        """Whether statements are logged."""
        return self.context.log.debug

    @property
    def is_connected(self) -> bool:
        """Whether the database is open."""
        return self._engine.writer_connection is not None

    @property
    def in_transaction(self) -> bool:
        """Whether the running task or thread is in a ``with db:`` block."""
        return self._engine.in_block

    def timeout(self, seconds: float) -> AbstractContextManager[None]:
        """Have all that is asked of the database inside end within so many seconds.

        What takes longer is stopped and raises ``OperationTimeoutError``. Raises
        ``ValueError`` unless the number is positive.

        Example:
            >>> with db.timeout(0.5):  # the same in both colours
            ...     found = db.select(Book).fetch_all()
        """
        return TimeLimit(self._engine.token, seconds)

    # --- watching it ---

    def on_statement(self, hook: Hook) -> Callable[[], None]:
        """Call a function with a ``StatementEvent`` after every statement.

        It is called in the thread that ran the statement, before anything else goes on
        there, with the context variables of the code that asked. What it raises is
        logged. Returns a function that ends this; raises ``TypeError`` for what is no
        plain function.

        Example:
            >>> stop = db.on_statement(lambda event: print(event.run, event.sql))
        """
        return self.context.observers.add(Hooked(hook))

    @overload
    def on(
        self,
        model_class: type[M],
        event: WriteEvent,
        callback: Callable[[M], object],
    ) -> Callable[[], None]: ...
    @overload
    def on(
        self,
        model_class: type[M],
        event: Literal["after_commit"],
        callback: Callable[[M, Change], object],
    ) -> Callable[[], None]: ...
    def on(
        self,
        model_class: type[BaseDBModel],
        event: str,
        callback: Callable[..., object],
    ) -> Callable[[], None]:
        """Call a function with each instance of a model that is written here.

        ``event`` is ``before_insert``, ``after_insert``, the same with ``update`` and
        ``delete``, or ``after_commit``, which also tells what was done: ``"insert"``,
        ``"update"`` or ``"delete"``. Models that inherit from it are meant, too. With
        asyncio it may be a coroutine function. Returns a function that ends this;
        raises ``TypeError``, ``ValueError`` for what is no event.

        Example:
            >>> stop = db.on(User, "after_insert", lambda user: print(user.pk))
        """
        return subscribe(model_class, event, callback, self.context)

    @property
    def slow_query(self) -> float | None:
        """Seconds after which a statement is logged as slow; may be changed."""
        return self._slow_queries.threshold

    @slow_query.setter
    def slow_query(self, seconds: float | None) -> None:
        self._slow_queries.threshold = seconds

    # --- lazy loads ---

    def forbid_lazy(self, *, on: bool = True) -> None:
        """Have every lazy load of a foreign key raise ``LazyLoadError``; for tests."""
        self.context.lazy.are_forbidden = on

    def warn_lazy(self, *, on: bool = True) -> None:
        """Log a warning, once per place, where foreign keys are loaded in a loop."""
        self.context.lazy.are_watched = on

    # --- the cache ---

    def clear_cache(self) -> None:
        """Forget every result; the statistics stay."""
        self.context.cache.forget_everything()

    def get_cache_stats(self) -> CacheStats:
        """Return ``hits``, ``misses``, ``total`` and ``hit_rate`` (percent)."""
        return self.context.cache.stats()

    def reset_cache_stats(self) -> None:
        """Set the statistics to zero."""
        self.context.cache.reset_stats()

    def invalidate_table_cache(self, table_name: str) -> None:
        """Forget every result that was built from a table."""
        self.context.cache.forget((table_name,))

    def cache_get(self, table_name: str, cache_key: object) -> tuple[bool, Any]:
        """Return ``(found, value)`` of an entry made by ``cache_set``."""
        return self.context.cache.get(table_name, cache_key)

    def cache_set(
        self, table_name: str, cache_key: object, result: Any, ttl: float | None = None
    ) -> None:
        """Remember any value until the table changes or ``ttl`` seconds pass.

        Inside a ``with`` block nothing is remembered: it may still be undone.
        """
        if not self.in_transaction:
            self.context.cache.put(table_name, cache_key, result, ttl)
