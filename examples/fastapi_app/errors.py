"""Errors of the library as answers of HTTP."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import JSONResponse

from sqliter.exceptions import DatabaseBusyError, RecordNotFoundError

__all__ = ["explain"]

_CONFLICTS = {
    "unique": "another record has this value already",
    "foreign_key": "a record refers to one that does not exist, or is referred to",
}


async def explain(_: Request, error: Exception) -> JSONResponse:
    """Answer with 404, 409 or 503; what is none of these goes on as it is."""
    conflict = _CONFLICTS.get(getattr(error, "kind", ""))
    if conflict:
        return _answer(409, conflict)
    if isinstance(error, RecordNotFoundError):
        return _answer(404, f"there is no record {error.args[0]}")
    if isinstance(error, DatabaseBusyError):
        return _answer(503, "the database is busy, try again", {"Retry-After": "1"})
    raise error


def _answer(
    status: int, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)
