"""What can go wrong below an operation, as data, and the one border to public errors.

Engines and codecs raise faults; ``reported_as`` turns a fault into the public
error of the operation it happened in.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from sqliter.exceptions import (
    CheckInsertionError,
    CheckUpdateError,
    DatabaseBusyError,
    DatabaseConnectionError,
    ForeignKeyDeletionError,
    ForeignKeyInsertionError,
    ForeignKeyLinkError,
    ForeignKeyUpdateError,
    JunctionTableError,
    OperationTimeoutError,
    RecordDeletionError,
    RecordInsertionError,
    RecordUpdateError,
    SqlExecutionError,
    SqliterError,
)

_MISSING = "does not exist in referenced table"
_REFERENCED = "is still referenced by other records"

_FOREIGN_KEY_ERRORS: dict[type[SqliterError], tuple[type[SqliterError], str, str]] = {
    RecordInsertionError: (ForeignKeyInsertionError, "insert", _MISSING),
    RecordUpdateError: (ForeignKeyUpdateError, "update", _MISSING),
    RecordDeletionError: (ForeignKeyDeletionError, "delete", _REFERENCED),
    JunctionTableError: (ForeignKeyLinkError, "link", _MISSING),
}

_CHECK_ERRORS: dict[type[SqliterError], tuple[type[SqliterError], str]] = {
    RecordInsertionError: (CheckInsertionError, "insert"),
    RecordUpdateError: (CheckUpdateError, "update"),
}


class Fault(Exception):
    """Something below an operation failed."""

    def __init__(self, text: str, original: BaseException | None = None) -> None:
        super().__init__(text)
        self.original = original
        self.sql: str | None = None  # the statement that failed, where known

    def report(
        self, error: type[SqliterError], arguments: tuple[Any, ...]
    ) -> SqliterError:
        """Return the public error for this fault."""
        if error is SqlExecutionError and self.sql is not None:
            arguments = (self.sql,)
        return error(*arguments, original=self.original or self._explained())

    def __copy__(self) -> Fault:
        # By its attributes: subclasses are made of other arguments.
        twin = type(self).__new__(type(self), *self.args)
        vars(twin).update(vars(self))
        return twin

    def _explained(self) -> BaseException | None:
        return ValueError(str(self))


class ConstraintFault(Fault):
    """A constraint was violated.

    ``kind`` is one of ``unique``, ``primary_key``, ``foreign_key``,
    ``not_null``, ``check``, ``datatype``, ``other``. A check has a name: that of the
    ``constraint``, or its SQL if it was given none.
    """

    def __init__(
        self,
        kind: str,
        text: str,
        original: BaseException,
        constraint: str | None = None,
    ) -> None:
        super().__init__(text, original)
        self.kind = kind
        self.constraint = constraint

    def report(
        self, error: type[SqliterError], arguments: tuple[Any, ...]
    ) -> SqliterError:
        details: dict[str, Any] = {"original": self.original, "kind": self.kind}
        if self.kind == "foreign_key" and error in _FOREIGN_KEY_ERRORS:
            leaf, operation, reason = _FOREIGN_KEY_ERRORS[error]
            return leaf(operation, reason, table=arguments[0], **details)
        if self.constraint is None:
            return error(*arguments, **details)
        if error in _CHECK_ERRORS:
            leaf, operation = _CHECK_ERRORS[error]
            return leaf(operation, self.constraint, table=arguments[0], **details)
        return error(*arguments, constraint=self.constraint, **details)


class MisfitFault(Fault):
    """A stored value is none of its field."""

    def __init__(
        self, column: str, key: object, shown: str, original: Exception
    ) -> None:
        super().__init__(f"column '{column}' of pk {key} holds {shown}", original)
        self.column = column
        self.key = key

    def report(
        self, error: type[SqliterError], arguments: tuple[Any, ...]
    ) -> SqliterError:
        text = f"{error.message_template.format(*arguments)}, {self}"
        details = {"column": self.column, "key": self.key}
        return error(*arguments, message=text, original=self.original, **details)


class FileFault(Fault):
    """Something is wrong with the file or its disk; the text says what to do.

    ``kind`` is one of ``no_database``, ``damaged``, ``full``, ``disk``,
    ``read_only``, ``moved``, ``unreachable``, ``foreign``.
    """

    def __init__(
        self, text: str, original: BaseException | None, kind: str, filename: str
    ) -> None:
        super().__init__(text, original)
        self.kind = kind
        self.filename = filename

    def report(
        self, error: type[SqliterError], arguments: tuple[Any, ...]
    ) -> SqliterError:
        public = super().report(error, arguments)
        public.args = (f"{public.args[0]}. {self}",)
        vars(public).update(kind=self.kind, filename=self.filename)
        return public

    def _explained(self) -> None:
        """The text says it all."""


class BusyFault(Fault):
    """Somebody else holds the database."""

    def report(
        self, error: type[SqliterError], arguments: tuple[Any, ...]
    ) -> SqliterError:
        return DatabaseBusyError(str(self), original=self.original)


class LateFault(Fault):
    """The deadline has passed."""

    def __init__(self) -> None:
        super().__init__("the deadline has passed")

    def report(
        self, error: type[SqliterError], arguments: tuple[Any, ...]
    ) -> SqliterError:
        return OperationTimeoutError(original=self.original)


class InTransactionFault(Fault):
    """A transaction is open, in which this cannot be done."""


class ConnectionFault(FileFault):
    """The file cannot be opened."""

    def report(
        self, error: type[SqliterError], arguments: tuple[Any, ...]
    ) -> SqliterError:
        return super().report(DatabaseConnectionError, (self.filename,))


class reported_as:  # noqa: N801 - reads as a phrase: with reported_as(Error, table)
    """Turn a fault inside the block into this public error."""

    __slots__ = ("_arguments", "_error")

    def __init__(self, error: type[SqliterError], *arguments: Any) -> None:
        self._error = error
        self._arguments = arguments

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(fault, Fault):
            error = fault.report(self._error, self._arguments)
            raise error.with_traceback(traceback) from error.__cause__
