"""What may be asked of a database, and what comes back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

Value: TypeAlias = int | float | str | bytes | None
"""What SQLite keeps in a column."""

Row: TypeAlias = tuple[Value, ...]

_VERB = re.compile(r"(?s)(?:[\s;\ufeff]|--[^\n]*\n|/\*.*?\*/)*([A-Za-z]*)")


def verb_of(sql: str) -> str:
    """Return the first word of a statement in capitals, behind space and comments."""
    match = _VERB.match(sql)
    return match.group(1).upper() if match else ""


class Statement(NamedTuple):
    """One SQL text with ``?`` placeholders, and the values for them.

    ``rows`` is how many it must write; anything else is a fault.
    """

    sql: str
    params: Sequence[Value] = ()
    rows: int | None = None


class Result(NamedTuple):
    """What one statement gave.

    ``rows`` are tuples in column order, ``rowcount`` the rows written (-1 for
    a query), ``lastrowid`` the key of the last row inserted.
    """

    rows: list[Row]
    rowcount: int
    lastrowid: int | None
    columns: tuple[str, ...] = ()


class Memo(NamedTuple):
    """How the answer to a query may be remembered.

    ``table`` owns the entry (limits are per table), ``tables`` are all tables
    the answer was built from. ``keep_empty`` also remembers "no such row".
    """

    key: object
    table: str
    tables: tuple[str, ...]
    ttl: float | None = None
    keep_empty: bool = True


class Request(NamedTuple):
    """Everything a step may yield: one or more statements to be run.

    ``atomic`` asks for all or none. ``foreign_keys=False`` asks for the
    statements to run without foreign key enforcement, which an engine can
    only grant outside a transaction. ``named`` asks for column names.
    ``memo`` lets an engine answer a single query from its cache. ``internal``
    marks the library's own bookkeeping, which is not logged. ``outside`` asks
    for no transaction around it; where one is open, that is a fault.
    """

    statements: tuple[Statement, ...]
    atomic: bool = False
    foreign_keys: bool = True
    named: bool = False
    memo: Memo | None = None
    internal: bool = False
    outside: bool = False
