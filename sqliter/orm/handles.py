"""What an attribute hands out, for blocking use or to be awaited.

Attributes are the same for both. Each relation carries the set of classes that
its objects are opened with; the class that declares it says which.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqliter.exceptions import DatabaseKindError

__all__ = ["Handles", "check_kind"]


class Handles(NamedTuple):
    """The classes that relations are opened with."""

    is_async: bool
    loader: type[Any]
    query: type[Any]
    prefetched: type[Any]
    manager: type[Any]
    prefetched_links: type[Any]
    reverse_key: type[Any]
    reverse_link: type[Any]


def check_kind(database: Any, relation: str, *, is_async: bool) -> None:
    """Raise ``DatabaseKindError`` if the database cannot answer this relation."""
    if database.is_async is is_async:
        return
    kind, base, needed = (
        ("async", "sqliter.orm.BaseDBModel", "AsyncSqliterDB")
        if is_async
        else ("blocking", "sqliter.asyncio.orm.AsyncBaseDBModel", "SqliterDB")
    )
    found = type(database).__name__
    raise DatabaseKindError(
        relation,
        found,
        message=f"{relation} is {kind}, but the object came from {found}: use "
        f"{needed}, or derive the model from {base}",
    )
