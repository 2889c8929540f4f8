"""Every error the library raises on purpose.

All derive from ``SqliterError``. An error that wraps another one (from SQLite,
from Pydantic …) names it in a second line of its text and keeps it in
``original_exception``. Whatever the error knows (``table``, ``key``, ``sql``,
``fields``, ``kind`` …) is an attribute; errors pickle with all of it.
"""

from __future__ import annotations

import sqlite3
from typing import Any, ClassVar

__all__ = [
    "AbstractModelError",
    "BackupError",
    "CheckConstraintError",
    "CheckInsertionError",
    "CheckUpdateError",
    "DatabaseBusyError",
    "DatabaseConnectionError",
    "DatabaseKindError",
    "DetachedInstanceError",
    "ForeignKeyConstraintError",
    "ForeignKeyDeletionError",
    "ForeignKeyError",
    "ForeignKeyInsertionError",
    "ForeignKeyLinkError",
    "ForeignKeyUpdateError",
    "InvalidCursorError",
    "InvalidFilterError",
    "InvalidForeignKeyError",
    "InvalidIndexError",
    "InvalidOffsetError",
    "InvalidOrderError",
    "InvalidPrefetchError",
    "InvalidProjectionError",
    "InvalidRelationshipError",
    "InvalidSchemaError",
    "InvalidSearchError",
    "InvalidUpdateError",
    "JunctionTableError",
    "LazyLoadError",
    "ManyToManyError",
    "ManyToManyIntegrityError",
    "OperationTimeoutError",
    "RecordDeletionError",
    "RecordFetchError",
    "RecordInsertionError",
    "RecordNotFoundError",
    "RecordUpdateError",
    "RestoreError",
    "SqlExecutionError",
    "SqliterError",
    "StaleRecordError",
    "TableCreationError",
    "TableDeletionError",
    "TransactionError",
    "UnstorableTypeError",
]


class SqliterError(Exception):
    """Base of all errors of this library.

    Positional arguments fill the placeholders of ``message_template`` and are
    kept under the names that the class gives them (``arguments=``). ``message``
    replaces the template's text, ``original`` is the error that caused this one,
    and further keywords become attributes.
    """

    message_template: ClassVar[str] = "An error occurred in the SQLiter package."
    argument_names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, arguments: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.argument_names = arguments or cls.argument_names

    def __init__(
        self,
        *arguments: Any,
        message: str | None = None,
        original: BaseException | None = None,
        **details: Any,
    ) -> None:
        self.arguments = arguments
        self._message = message
        self._origin = ""
        vars(self).update(zip(self.argument_names, arguments, strict=False))
        vars(self).update(details)
        super().__init__(message or self._format(arguments))
        if original is not None:
            self.__cause__ = original

    @property
    def original_exception(self) -> BaseException | None:
        """The error behind this one, or ``None``."""
        return self.__cause__

    def __str__(self) -> str:
        return f"{self.args[0]}{self._origin_line()}"

    def __reduce__(self) -> tuple[Any, ...]:
        state = {**vars(self), "_origin": self._origin_line()}
        return _rebuild, (type(self), self.args), state

    def _format(self, arguments: tuple[Any, ...]) -> str:
        if arguments:
            return self.message_template.format(*arguments)
        return self.message_template.replace("'{}'", "").replace("{}", "").strip(" :")

    def _origin_line(self) -> str:
        cause = self.__cause__
        if cause is None:
            return self._origin
        kind = type(cause)
        return f"\n  --> {kind.__module__}.{kind.__qualname__}: {cause}"


def _rebuild(cls: type[SqliterError], args: tuple[Any, ...]) -> SqliterError:
    error = cls.__new__(cls)
    error.args = args
    return error


# --- the database -----------------------------------------------------------


class DatabaseConnectionError(SqliterError, arguments=("filename",)):
    """The file cannot be opened, or is no database."""

    message_template = "Failed to connect to the database: '{}'"


class DatabaseBusyError(SqliterError, arguments=("reason",)):
    """Another transaction held the database for longer than ``busy_timeout``."""

    message_template = "The database is busy: {}"


class OperationTimeoutError(SqliterError, TimeoutError):
    """An operation took longer than ``timeout()`` allows; it was stopped."""

    message_template = (
        "The operation did not end within its timeout, and was stopped. "
        "Give it more time, or less to do."
    )


class TransactionError(SqliterError, arguments=("reason",)):
    """A transaction was used in a way that would lose data."""

    message_template = "Transaction error: {}"


class SqlExecutionError(SqliterError, arguments=("sql",)):
    """A statement failed."""

    message_template = "Failed to execute SQL: '{}'"


class TableCreationError(SqliterError, arguments=("table",)):
    """A table cannot be created, or exists with other columns."""

    message_template = "Failed to create the table: '{}'"


class TableDeletionError(SqliterError, arguments=("table",)):
    """A table cannot be dropped."""

    message_template = "Failed to delete the table: '{}'"


class AbstractModelError(SqliterError, TypeError, arguments=("model",)):
    """A model was used that has no table, because it is a base of others."""

    message_template = (
        "'{}' is abstract: it has no table. Use a model that derives from it"
    )


class InvalidSchemaError(SqliterError, ValueError, arguments=("reason",)):
    """A model describes its table in a way that cannot be."""

    message_template = "Invalid description of a table: {}"


class BackupError(SqliterError, arguments=("path",)):
    """A copy of the database cannot be made, or does not come out sound."""

    message_template = "Failed to back up the database to: '{}'"


class RestoreError(BackupError):
    """A backup cannot be read, is damaged, or cannot replace the content."""

    message_template = "Failed to restore the database from: '{}'"


# --- records ----------------------------------------------------------------


class RecordInsertionError(SqliterError, arguments=("table",)):
    """A row cannot be inserted; ``kind`` names a violated constraint."""

    message_template = "Failed to insert record into table: '{}'"


class RecordUpdateError(SqliterError, arguments=("table",)):
    """Rows cannot be updated; ``kind`` names a violated constraint."""

    message_template = "Failed to update record in table: '{}'"


class CheckConstraintError(SqliterError, arguments=("operation", "constraint")):
    """A row is not as a constraint of the table, called ``constraint``, demands."""

    message_template = "Check constraint violation: Cannot {} record - '{}' is not met"


class CheckInsertionError(CheckConstraintError, RecordInsertionError):
    """An inserted row is not as a constraint of the table demands."""


class CheckUpdateError(CheckConstraintError, RecordUpdateError):
    """An updated row would not be as a constraint of the table demands."""


class StaleRecordError(RecordUpdateError, arguments=("table", "key")):
    """A record was changed by others since it was read; see ``Meta.version``."""

    message_template = (
        "The record was changed by others since it was read, in table '{}' (key '{}'). "
        "refresh() it, and decide anew"
    )


class RecordFetchError(SqliterError, arguments=("table",)):
    """Rows cannot be read, or hold what the model cannot."""

    message_template = "Failed to fetch record from table: '{}'"


class RecordDeletionError(SqliterError, arguments=("table",)):
    """Rows cannot be deleted."""

    message_template = "Failed to delete record from table: '{}'"


class RecordNotFoundError(SqliterError, arguments=("key",)):
    """There is no row with that key."""

    message_template = "Failed to find that record in the table (key '{}') "


class UnstorableTypeError(SqliterError, TypeError):
    """A field is annotated with a type whose values no column can keep."""

    message_template = "{}"


# --- queries ----------------------------------------------------------------


class InvalidFilterError(SqliterError, arguments=("field",)):
    """A filter names an unknown field or operator, or an impossible value."""

    message_template = "Failed to apply filter: invalid field '{}'"


class InvalidOffsetError(SqliterError, arguments=("value",)):
    """An offset is negative."""

    message_template = "Invalid offset value: '{}'. Offset must be a positive integer."


class InvalidOrderError(SqliterError, arguments=("reason",)):
    """An order names an unknown field or direction."""

    message_template = "Invalid order value - {}"


class InvalidProjectionError(SqliterError, arguments=("reason",)):
    """Grouping, aggregates or their use are inconsistent."""

    message_template = "Invalid projection query operation: {}"


class InvalidUpdateError(SqliterError, arguments=("reason",)):
    """A bulk update names unknown fields or values the model refuses."""

    message_template = "Invalid update operation: {}"


class InvalidIndexError(SqliterError):
    """An index names fields the model does not have."""

    message_template = "Invalid fields for indexing in model '{}': {}"
    invalid_fields: list[str]
    model_class: str

    def __init__(
        self, invalid_fields: list[str], model_class: str, **details: Any
    ) -> None:
        super().__init__(model_class, ", ".join(invalid_fields), **details)
        self.invalid_fields = list(invalid_fields)
        self.model_class = model_class


class InvalidRelationshipError(SqliterError, arguments=("path", "field", "model")):
    """A path through relations names what is no relation."""

    message_template = (
        "Invalid relationship path '{}': field '{}' is not a valid "
        "foreign key relationship on model {}"
    )


class InvalidSearchError(SqliterError, arguments=("reason",)):
    """A search, or the search index of a model, is not what FTS5 can take."""

    message_template = "Invalid search: {}"


class InvalidCursorError(SqliterError, ValueError, arguments=("reason",)):
    """A text is no cursor that ``page_after()`` of this query has given."""

    message_template = "Invalid cursor: {}"


class InvalidPrefetchError(SqliterError, arguments=("path", "field", "model")):
    """A prefetch path names what cannot be prefetched."""

    message_template = (
        "Invalid prefetch path '{}': '{}' is not a reverse foreign key "
        "or many-to-many relationship on model {}"
    )


# --- foreign keys and many-to-many ------------------------------------------


class ForeignKeyError(SqliterError, arguments=("reason",)):
    """Base of foreign key errors."""

    message_template = "Foreign key error: {}"


class ForeignKeyConstraintError(ForeignKeyError, arguments=("operation", "reason")):
    """A row refers to one that does not exist, or is still referred to."""

    message_template = (
        "Foreign key constraint violation: Cannot {} record - referenced record {}"
    )


class ForeignKeyInsertionError(ForeignKeyConstraintError, RecordInsertionError):
    """An inserted row refers to one that does not exist."""


class ForeignKeyUpdateError(ForeignKeyConstraintError, RecordUpdateError):
    """An updated row would refer to one that does not exist."""


class ForeignKeyDeletionError(ForeignKeyConstraintError, RecordDeletionError):
    """A row to delete is still referred to."""


class InvalidForeignKeyError(ForeignKeyError, ValueError):
    """A foreign key is declared inconsistently."""

    message_template = "Invalid foreign key configuration: {}"


class ManyToManyError(SqliterError, arguments=("reason",)):
    """Base of many-to-many errors."""

    message_template = "Many-to-many error: {}"


class ManyToManyIntegrityError(ManyToManyError):
    """A many-to-many link cannot be read or written."""

    message_template = "Many-to-many integrity error: {}"


class ForeignKeyLinkError(
    ManyToManyIntegrityError,
    ForeignKeyConstraintError,
    arguments=("operation", "reason"),
):
    """A link would join a row that does not exist."""

    message_template = (
        "Many-to-many integrity error: Cannot {} record - referenced record {}"
    )


class JunctionTableError(ManyToManyError, sqlite3.OperationalError):
    """SQLite cannot write the table that keeps the links."""

    message_template = "Many-to-many error: Cannot write the links in table '{}'"


# --- reading relations ------------------------------------------------------


class DetachedInstanceError(SqliterError, arguments=("relation",)):
    """A relation is read of an object that belongs to no database."""

    message_template = (
        "Cannot load {}: the object has no database. Insert or fetch it first, "
        "or set its db_context"
    )


class DatabaseKindError(SqliterError, TypeError, arguments=("relation", "database")):
    """A relation to be awaited meets a blocking database, or the other way round."""

    message_template = "Cannot load {}, the object came from {}"


class LazyLoadError(SqliterError, arguments=("relation",)):
    """A relation was loaded row by row while ``db.forbid_lazy()`` is on."""

    message_template = (
        "Lazy loading is forbidden: {} was not loaded with the object; use "
        "select_related() or prefetch_related()"
    )
