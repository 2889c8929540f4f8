"""``SqliterDB``: a database file and everything that can be done with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, overload

from sqliter.core.asked import Batches, Question
from sqliter.core.health import Health
from sqliter.core.settings import MEMORY, Options
from sqliter.database import BaseDatabase
from sqliter.engines.blocking import BlockingEngine
from sqliter.engines.condition import condition_of
from sqliter.engines.copies import Backup, Progress, Restore
from sqliter.model.index import IndexEntry
from sqliter.model.keys import actual, fetched
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
from sqliter.query.query import QueryBuilder
from sqliter.transaction import Transaction
from sqliter.writing import Writing

__all__ = ["SqliterDB"]

M = TypeVar("M", bound=BaseDBModel)
R = TypeVar("R")
L = TypeVar("L", bound=BaseDBModel | None)


class SqliterDB(Writing):
    __doc__ = f"""A database in a file, or in memory.

    Every operation connects when it has to. ``with db:`` makes everything inside one
    transaction; inner blocks are savepoints. May be used from many threads: a block
    belongs to the thread that opened it, writes of others wait for their turn.

    {BaseDatabase.__doc__}
    Example:
        >>> db = SqliterDB("app.db")
        >>> db.create_table(User)
        >>> ada = db.insert(User(name="Ada"))
        >>> db.select(User).filter(name="Ada").fetch_one()
    """

    MEMORY_DB = MEMORY

    reset: bool

    def _start(self, *, reset: bool) -> None:
        self._engine = BlockingEngine(self.context)
        self.reset = reset
        if reset:
            self.reset_database()

    @classmethod
    def create(
        cls, db_filename: str | Path | None = None, **options: Unpack[Options]
    ) -> Self:
        """Return a database object that is connected; takes what the class takes."""
        db = cls(db_filename, **options)
        db._engine.open()
        return db

    # --- state ---

    @property
    def auto_commit(self) -> bool:
        """Whether writes outside a block are committed at once; may be changed."""
        return self.context.settings.auto_commit

    @auto_commit.setter
    def auto_commit(self, value: bool) -> None:
        self.context.settings.auto_commit = value

    @property
    def debug(self) -> bool:
        """Whether statements are logged; may be changed."""
        return self.context.log.debug

    @debug.setter
    def debug(self, value: bool) -> None:
        self.context.log.debug = value

    @property
    def conn(self) -> sqlite3.Connection | None:
        """The driver's connection that writes, or ``None`` if there is none."""
        return self._engine.hand_out()

    @property
    def table_names(self) -> list[str]:
        """The names of all tables but SQLite's own."""
        return self.get_table_names()

    # --- connection and transactions ---

    def connect(self) -> sqlite3.Connection:
        """Open the database; raises ``DatabaseConnectionError``."""
        return self._engine.connect()

    def close(self) -> None:
        """Close the database; a later operation opens it again.

        What was not committed is lost. Raises ``TransactionError`` inside a block.
        """
        self._engine.close()
        self.context.forget_schema()

    def commit(self) -> None:
        """Commit what is open; a block goes on with a new transaction."""
        self._engine.commit()

    def rollback(self) -> None:
        """Take back what the innermost block, or ``auto_commit=False``, collected."""
        self._engine.rollback()

    def __enter__(self) -> Self:
        self._engine.enter(self._engine.mode())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._engine.leave(keep=kind is None)

    def transaction(
        self,
        *,
        read_only: bool = False,
        timeout: float | None = None,
        immediate: bool | None = None,
    ) -> Transaction[Self]:
        """Return a block with options; ``with db:`` is one without.

        ``read_only``: all reads inside see one state, and wait for nobody. ``timeout``:
        seconds for all of the block. ``immediate``: whether it takes the write lock at
        once, or with the first write. Raises ``ValueError``, and inside
        ``OperationTimeoutError``, ``TransactionError``.

        Example:
            >>> with db.transaction(read_only=True):
            ...     authors = db.select(Author).count()
            ...     books = db.select(Book).count()
        """
        return Transaction(
            self,
            self._engine,
            read_only=read_only,
            timeout=timeout,
            immediate=immediate,
        )

    def on_commit(self, callback: Callable[[], object]) -> None:
        """Have it called when the outermost block is committed, never on rollback.

        At once where nothing is open.
        """
        self._engine.on_commit(callback)

    def stream(
        self,
        question: Question[list[R]],
        size: int,
        part: int,
        seconds: float | None = None,
    ) -> Batches[R]:
        """Yield what a question gives in batches; ``iterate()`` of queries uses it."""
        return self._engine.stream(question, size, part, seconds)

    # --- tables ---

    def get_table_names(self) -> list[str]:
        """Return the names of all tables but SQLite's own."""
        return self._engine.visit(tables.names(self.context))

    def create_table(
        self,
        model_class: type[BaseDBModel],
        *,
        exists_ok: bool = True,
        force: bool = False,
    ) -> None:
        """Create the table of a model, and its indexes.

        ``force`` drops an existing table first; rows of other tables stay. Raises
        ``TableCreationError`` (also if the table exists with other columns),
        ``InvalidIndexError``, ``SqlExecutionError`` for a failing index.
        """
        self.run(
            tables.create(model_class, self.context, exists_ok=exists_ok, force=force)
        )

    def create_indexes(
        self,
        model_class: type[BaseDBModel],
        indexes: Sequence[IndexEntry],
        *,
        unique: bool = False,
    ) -> None:
        """Create indexes of an existing table; takes what ``Meta.indexes`` takes."""
        self.run(
            tables.create_indexes(model_class, indexes, self.context, unique=unique)
        )

    def create_m2m_junction_tables(self, model_class: type[BaseDBModel]) -> None:
        """Create the tables of a model's many-to-many relations.

        ``create_table`` does so, too, as soon as both sides exist.
        """
        self.run(tables.create_junctions(model_class, self.context))

    def drop_table(self, model_class: type[BaseDBModel]) -> None:
        """Drop the table of a model, if it exists; raises ``TableDeletionError``."""
        self.run(tables.drop(model_class, self.context))

    def rebuild_search(self, model_class: type[BaseDBModel]) -> None:
        """Fill the search index of a model anew from its table.

        Only needed after rows were changed past the triggers. Raises
        ``InvalidSearchError`` for a model without one, ``SqlExecutionError``.
        """
        self.run(search.rebuild(model_class, self.context))

    def reset_database(self) -> None:
        """Drop every table but SQLite's own; raises ``TableDeletionError``."""
        self.run(tables.reset(self.context))

    # --- records ---

    def insert(
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
        return self.run(
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

    def bulk_insert(
        self, instances: Sequence[M], *, timestamp_override: bool = False
    ) -> list[M]:
        """Insert records of one model, all or none; returns the same instances.

        Raises ``TypeError`` for mixed models, else as ``insert``.
        """
        return self.run(
            many.bulk_insert(
                instances, self.context, timestamp_override=timestamp_override
            )
        )

    def get(
        self,
        model_class: type[M],
        primary_key_value: object,
        *,
        bypass_cache: bool = False,
        cache_ttl: float | None = None,
    ) -> M | None:
        """Return the record with this key, or ``None``.

        ``cache_ttl`` (seconds) remembers this answer for as long, also if there is no
        such record. Raises ``RecordFetchError``.
        """
        return self.run(
            records.get(
                model_class,
                primary_key_value,
                self.context,
                bypass_cache=bypass_cache,
                cache_ttl=cache_ttl,
            )
        )

    def update(
        self, model_instance: BaseDBModel, fields: Iterable[str] | None = None
    ) -> None:
        """Write a record: what was changed in it, or these fields, and ``updated_at``.

        Only the fields it has, if it was fetched in part. Raises
        ``RecordNotFoundError``, ``RecordUpdateError``, ``ValueError`` for names that
        are no fields.
        """
        self.run(records.update(actual(model_instance), self.context, fields))

    def load(self, related: L) -> L:
        """Return what a foreign key leads to: the object itself, loaded if need be.

        ``None`` stays ``None``. Raises ``RecordFetchError``.

        Example:
            >>> editor = db.load(book.editor)  # Author | None
        """
        return fetched(related, self)

    def update_where(
        self,
        model_class: type[BaseDBModel],
        where: dict[str, Any],
        values: dict[str, Any],
    ) -> int:
        """Write values to all rows that match; returns how many there were."""
        return self.select(model_class).filter(**where).update(values)

    def delete(self, model_class: type[BaseDBModel], primary_key_value: object) -> None:
        """Delete the record with this key.

        Raises ``RecordNotFoundError``, ``ForeignKeyConstraintError``,
        ``RecordDeletionError``.
        """
        self.run(records.delete(model_class, primary_key_value, self.context))

    def select(
        self,
        model_class: type[M],
        fields: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
    ) -> QueryBuilder[M]:
        """Return a query over a model."""
        return QueryBuilder(self, model_class, fields, exclude)

    # --- SQL ---

    def execute(self, sql: str, params: Iterable[Any] = ()) -> ExecutionResult:
        """Run one statement; returns ``rowcount`` and ``lastrowid``.

        ``params`` has a value for each ``?``. Raises ``SqlExecutionError``.
        """
        return self.run(raw.execute(sql, params, self.context))

    @overload
    def fetch(self, sql: str, params: Iterable[Any] = ()) -> list[dict[str, Any]]: ...
    @overload
    def fetch(
        self, sql: str, params: Iterable[Any] = (), *, model: type[M]
    ) -> list[M]: ...
    def fetch(
        self, sql: str, params: Iterable[Any] = (), *, model: type[M] | None = None
    ) -> list[dict[str, Any]] | list[M]:
        """Return the rows of a query as dicts, or as instances of ``model``.

        Columns are matched with fields by name; fields that are missing are absent.
        Raises ``SqlExecutionError``, ``RecordFetchError``.
        """
        if model is None:
            return self.run(raw.fetch_dicts(sql, params, self.context))
        return self.run(raw.fetch_models(sql, params, model, self.context))

    # --- upkeep ---

    def backup(self, path: str | Path, *, progress: Progress | None = None) -> None:
        """Copy the database to a file; others go on reading and writing.

        The file appears, or replaces an older one, when it is complete and checked.
        ``progress`` is called with the pages left and the pages in all. Raises
        ``BackupError``, ``TransactionError`` inside a block.
        """
        self._engine.back_up(Backup(self.context, path, progress))

    def restore(self, path: str | Path) -> None:
        """Replace all there is by the content of a backup, which is checked first.

        Raises ``RestoreError``, ``TransactionError`` inside a transaction.
        """
        self._engine.restore(Restore(self.context, path))

    def checkpoint(self) -> bool:
        """Write the WAL into the file and empty it; returns whether all of it went.

        Raises ``TransactionError`` inside a transaction.
        """
        return self.run(upkeep.checkpoint(self.context))

    def vacuum(self) -> None:
        """Rebuild the file without free pages; needs its size twice on the disk.

        Raises ``TransactionError`` inside a transaction.
        """
        self.run(upkeep.vacuum(self.context))

    def optimize(self) -> None:
        """Have SQLite look at the tables, so that it chooses indexes well."""
        self.run(upkeep.optimize(self.context))

    def integrity_check(self) -> list[str]:
        """Return what is wrong with the file, dangling foreign keys included."""
        return self.run(upkeep.integrity_check(self.context))

    def health(self) -> Health:
        """Return size, journal, who is writing, who waits, and the cache's counters."""
        return self.run(upkeep.health(condition_of(self._engine), self.context))
