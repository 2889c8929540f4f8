"""What is reported when a query fails: mostly its verb's error."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from sqliter.core.faults import Fault, reported_as
from sqliter.exceptions import InvalidSearchError, SqliterError
from sqliter.planning.search import Matches
from sqliter.planning.spec import QuerySpec

__all__ = ["reported_of"]

_ERROR = 1  # SQLite's code for what it cannot make sense of


class _SearchReport(reported_as):
    """The same for a query that searches in FTS5's own syntax, which may be wrong."""

    __slots__ = ("_given",)

    def __init__(self, error: type[SqliterError], table: str, given: str) -> None:
        super().__init__(error, table)
        self._given = given

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if type(fault) is Fault and _is_refused(fault):
            error = InvalidSearchError(
                f"FTS5 cannot take {self._given!r}; write what its syntax allows, or "
                "leave raw=True out to have the text taken as people type it",
                original=fault.original,
            )
            raise error.with_traceback(traceback) from fault.original
        super().__exit__(kind, fault, traceback)


def reported_of(spec: QuerySpec[Any], error: type[SqliterError]) -> reported_as:
    """Return what turns a fault of this query into the public error."""
    raw = [
        each for each in spec.conditions if isinstance(each, Matches) and each.is_raw
    ]
    if not raw:
        return reported_as(error, spec.table.name)
    given = " and ".join(each.given for each in raw)
    return _SearchReport(error, spec.table.name, given)


def _is_refused(fault: Fault) -> bool:
    return getattr(fault.original, "sqlite_errorcode", None) == _ERROR
