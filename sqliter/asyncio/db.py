"""``AsyncSqliterDB``: the same database object for asyncio."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, overload

from sqliter.asyncio.connection import AsyncConnection
from sqliter.asyncio.query import AsyncQueryBuilder
from sqliter.asyncio.transaction import AsyncTransaction
from sqliter.asyncio.writing import AsyncWriting
from sqliter.core.asked import AwaitedBatches, Question
from sqliter.core.health import Health
from sqliter.core.settings import Options
from sqliter.database import BaseDatabase
from sqliter.engines.condition import condition_of
from sqliter.engines.copies import Backup, Progress, Restore
from sqliter.model.index import IndexEntry
from sqliter.model.keys import Deferred, actual, row_of
from sqliter.model.model import BaseDBModel
from sqliter.operations import (
    many,
    raw,
    reading_back,
    records,
    search,
    tables,
    upkeep,
)
from sqliter.operations.raw import ExecutionResult

if TYPE_CHECKING:
    from sqliter.asyncio.orm.fields import AsyncLazyLoader

__all__ = ["AsyncSqliterDB"]

M = TypeVar("M", bound=BaseDBModel)
R = TypeVar("R")
L = TypeVar("L", bound=BaseDBModel | None)

_NO_RESET = (
    "reset=True is not supported in AsyncSqliterDB.__init__(). "
    "Use 'await AsyncSqliterDB.create(..., reset=True)' instead."
)


class AsyncSqliterDB(AsyncWriting):
    __doc__ = f"""A database in a file, or in memory, for asyncio.

    Works like ``SqliterDB``; what touches the file is awaited. ``async with db:``
    belongs to the task that opened it: tasks started inside join it, all others are
    outside, and their writes wait for their turn.

    {BaseDatabase.__doc__}
    Example:
        >>> db = AsyncSqliterDB("app.db")
        >>> await db.create_table(User)
        >>> ada = await db.insert(User(name="Ada"))
    """

    is_async = True

    def _start(self, *, reset: bool) -> None:
        # The event loop's machinery costs more to import than all of this library;
        # programs that come here have it already.
        from sqliter.engines import awaiting  # noqa: PLC0415

        if reset:
            raise ValueError(_NO_RESET)
        self._engine = awaiting.AwaitingEngine(self.context)
        self._conn = AsyncConnection(self._engine)

    @classmethod
    async def create(
        cls, db_filename: str | Path | None = None, **options: Unpack[Options]
    ) -> Self:
        """Return a database object that is connected; takes what the class takes."""
        reset = options.pop("reset", False)
        db = cls(db_filename, **options)
        await db.connect()
        if reset:
            await db.reset_database()
        return db

    # --- state ---

    @property
    def conn(self) -> AsyncConnection | None:
        """The connection that writes, or ``None`` if there is none."""
        return self._conn if self.is_connected else None

    def now(self) -> int:
        """Return the time as it is written to timestamps: whole Unix seconds."""
        return self.context.now()

    # --- connection and transactions ---

    async def connect(self) -> AsyncConnection:
        """Open the database; raises ``DatabaseConnectionError``."""
        await self._engine.on_writer(lambda _: None)
        return self._conn

    async def close(self) -> None:
        """Close the database; a later operation opens it again."""
        await self._engine.close()
        self.context.forget_schema()

    async def commit(self) -> None:
        """Commit what is open; a block goes on with a new transaction."""
        await self._engine.commit()

    async def rollback(self) -> None:
        """Take back what the innermost block, or ``auto_commit=False``, collected."""
        await self._engine.rollback()

    async def __aenter__(self) -> Self:
        await self._engine.enter(self._engine.mode())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._engine.leave(keep=kind is None)

    def transaction(
        self,
        *,
        read_only: bool = False,
        timeout: float | None = None,
        immediate: bool | None = None,
    ) -> AsyncTransaction[Self]:
        """Return a block with options; ``async with db:`` is one without.

        ``read_only``: all reads inside see one state, and wait for nobody. ``timeout``:
        seconds for all of the block. ``immediate``: whether it takes the write lock at
        once, or with the first write. Raises ``ValueError``, and inside
        ``OperationTimeoutError``, ``TransactionError``.

        Example:
            >>> async with db.transaction(read_only=True):
            ...     authors = await db.select(Author).count()
            ...     books = await db.select(Book).count()
        """
        return AsyncTransaction(
            self,
            self._engine,
            read_only=read_only,
            timeout=timeout,
            immediate=immediate,
        )

    async def on_commit(self, callback: Callable[[], object]) -> None:
        """Have it called when the outermost block is committed, never on rollback.

        At once where nothing is open. What it returns is awaited if it can be.
        """
        await self._engine.on_commit(callback)

    def stream(
        self,
        question: Question[list[R]],
        size: int,
        part: int,
        seconds: float | None = None,
    ) -> AwaitedBatches[R]:
        """Yield what a question gives in batches; ``iterate()`` of queries uses it."""
        return self._engine.stream(question, size, part, seconds)

    # --- tables ---

    async def get_table_names(self) -> list[str]:
        """Return the names of all tables but SQLite's own."""
        return await self._engine.visit(tables.names(self.context))

    async def create_table(
        self,
        model_class: type[BaseDBModel],
        *,
        exists_ok: bool = True,
        force: bool = False,
    ) -> None:
        """Create the table of a model, and its indexes."""
        await self.run(
            tables.create(model_class, self.context, exists_ok=exists_ok, force=force)
        )

    async def create_indexes(
        self,
        model_class: type[BaseDBModel],
        indexes: Sequence[IndexEntry],
        *,
        unique: bool = False,
    ) -> None:
        """Create indexes of an existing table; takes what ``Meta.indexes`` takes."""
        await self.run(
            tables.create_indexes(model_class, indexes, self.context, unique=unique)
        )

    async def create_m2m_junction_tables(self, model_class: type[BaseDBModel]) -> None:
        """Create the tables of a model's many-to-many relations."""
        await self.run(tables.create_junctions(model_class, self.context))

    async def drop_table(self, model_class: type[BaseDBModel]) -> None:
        """Drop the table of a model, if it exists."""
        await self.run(tables.drop(model_class, self.context))

    async def rebuild_search(self, model_class: type[BaseDBModel]) -> None:
        """Fill the search index of a model anew from its table.

        Only needed after rows were changed past the triggers. Raises
        ``InvalidSearchError`` for a model without one, ``SqlExecutionError``.
        """
        await self.run(search.rebuild(model_class, self.context))

    async def reset_database(self) -> None:
        """Drop every table but SQLite's own."""
        await self.run(tables.reset(self.context))

    # --- records ---

    async def insert(
        self,
        model_instance: M,
        *,
        timestamp_override: bool = False,
        returning: bool | Iterable[str] = False,
    ) -> M:
        """Insert a record; returns the same instance, with its key and timestamps.

        ``timestamp_override`` keeps timestamps that are not zero. ``returning=True``
        also reads what the row has in all fields once triggers have run, a list of
        names what it has in these. Raises ``RecordInsertionError``,
        ``ForeignKeyConstraintError``, ``ValueError`` for names that are no fields.
        """
        return await self.run(
            reading_back.insert(
                model_instance,
                returning,
                self.context,
                timestamp_override=timestamp_override,
            )
            if returning
            else records.insert(
                model_instance, self.context, timestamp_override=timestamp_override
            )
        )

    async def bulk_insert(
        self, instances: Sequence[M], *, timestamp_override: bool = False
    ) -> list[M]:
        """Insert records of one model, all or none; returns the same instances."""
        return await self.run(
            many.bulk_insert(
                instances, self.context, timestamp_override=timestamp_override
            )
        )

    async def get(
        self,
        model_class: type[M],
        primary_key_value: object,
        *,
        bypass_cache: bool = False,
        cache_ttl: float | None = None,
    ) -> M | None:
        """Return the record with this key, or ``None``."""
        return await self.run(
            records.get(
                model_class,
                primary_key_value,
                self.context,
                bypass_cache=bypass_cache,
                cache_ttl=cache_ttl,
            )
        )

    async def update(
        self, model_instance: BaseDBModel, fields: Iterable[str] | None = None
    ) -> None:
        """Write a record: what was changed in it, or these fields, and ``updated_at``.

        Only the fields it has, if it was fetched in part. Raises
        ``RecordNotFoundError``, ``RecordUpdateError``, ``ValueError`` for names that
        are no fields.
        """
        await self.run(records.update(actual(model_instance), self.context, fields))

    @overload
    async def load(self, related: AsyncLazyLoader[M]) -> M | None: ...
    @overload
    async def load(self, related: L) -> L: ...
    async def load(self, related: Any) -> Any:
        """Return what a foreign key leads to: the object itself, loaded if need be.

        ``None`` stays ``None``. Raises ``RecordFetchError``.

        Example:
            >>> editor = await db.load(book.editor)  # Author | None
        """
        return (
            await row_of(related).fetch(self)
            if isinstance(related, Deferred)
            else related
        )

    async def update_where(
        self,
        model_class: type[BaseDBModel],
        where: dict[str, Any],
        values: dict[str, Any],
    ) -> int:
        """Write values to all rows that match; returns how many there were."""
        return await self.select(model_class).filter(**where).update(values)

    async def delete(
        self, model_class: type[BaseDBModel], primary_key_value: object
    ) -> None:
        """Delete the record with this key."""
        await self.run(records.delete(model_class, primary_key_value, self.context))

    def select(
        self,
        model_class: type[M],
        fields: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
    ) -> AsyncQueryBuilder[M]:
        """Return a query over a model."""
        return AsyncQueryBuilder(self, model_class, fields, exclude)

    # --- SQL ---

    async def execute(self, sql: str, params: Iterable[Any] = ()) -> ExecutionResult:
        """Run one statement; returns ``rowcount`` and ``lastrowid``."""
        return await self.run(raw.execute(sql, params, self.context))

    @overload
    async def fetch(
        self, sql: str, params: Iterable[Any] = ()
    ) -> list[dict[str, Any]]: ...
    @overload
    async def fetch(
        self, sql: str, params: Iterable[Any] = (), *, model: type[M]
    ) -> list[M]: ...
    async def fetch(
        self, sql: str, params: Iterable[Any] = (), *, model: type[M] | None = None
    ) -> list[dict[str, Any]] | list[M]:
        """Return the rows of a query as dicts, or as instances of ``model``."""
        if model is None:
            return await self.run(raw.fetch_dicts(sql, params, self.context))
        return await self.run(raw.fetch_models(sql, params, model, self.context))

    # --- upkeep ---

    async def backup(
        self, path: str | Path, *, progress: Progress | None = None
    ) -> None:
        """Copy the database to a file; others go on reading and writing.

        The file appears, or replaces an older one, when it is complete and checked.
        ``progress`` is called with the pages left and the pages in all. Raises
        ``BackupError``, ``TransactionError`` inside a block.
        """
        await self._engine.back_up(Backup(self.context, path, progress))

    async def restore(self, path: str | Path) -> None:
        """Replace all there is by the content of a backup, which is checked first.

        Raises ``RestoreError``, ``TransactionError`` inside a transaction.
        """
        await self._engine.restore(Restore(self.context, path))

    async def checkpoint(self) -> bool:
        """Write the WAL into the file and empty it; returns whether all of it went.

        Raises ``TransactionError`` inside a transaction.
        """
        return await self.run(upkeep.checkpoint(self.context))

    async def vacuum(self) -> None:
        """Rebuild the file without free pages; needs its size twice on the disk.

        Raises ``TransactionError`` inside a transaction.
        """
        await self.run(upkeep.vacuum(self.context))

    async def optimize(self) -> None:
        """Have SQLite look at the tables, so that it chooses indexes well."""
        await self.run(upkeep.optimize(self.context))

    async def integrity_check(self) -> list[str]:
        """Return what is wrong with the file, dangling foreign keys included."""
        return await self.run(upkeep.integrity_check(self.context))

    async def health(self) -> Health:
        """Return size, journal, who is writing, who waits, and the cache's counters."""
        return await self.run(upkeep.health(condition_of(self._engine), self.context))
