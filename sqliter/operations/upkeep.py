"""Keeping a database in order: what plain SQL can do of it."""

from __future__ import annotations

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault, FileFault, InTransactionFault, reported_as
from sqliter.core.health import Condition, Health
from sqliter.core.statement import Result, Row, Statement
from sqliter.core.steps import (
    Steps,
    ask,
    ask_outside,
    look_up,
    reads,
    runs_outside,
    writes,
)
from sqliter.exceptions import SqlExecutionError, TransactionError

__all__ = ["checkpoint", "health", "integrity_check", "optimize", "vacuum"]

_CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)"
_INTEGRITY = "PRAGMA integrity_check"
_FOREIGN_KEYS = "PRAGMA foreign_key_check"
_FIGURES = (
    "SELECT page_count, page_size, freelist_count, journal_mode "
    "FROM pragma_page_count, pragma_page_size, pragma_freelist_count, "
    "pragma_journal_mode"
)
_OPTIMIZE = (
    "PRAGMA analysis_limit = 1000",  # rows per index: the time does not grow with them
    "ANALYZE",
    "PRAGMA optimize",
)


@runs_outside
def checkpoint(context: Context) -> Steps[bool]:
    """Write the WAL into the file, and truncate it; whether all of it was written."""
    result = yield from _outside("checkpoint()", _CHECKPOINT)
    busy, pages, written = result.rows[0]
    return busy == 0 and pages == written


@runs_outside
def vacuum(context: Context) -> Steps[None]:
    """Rebuild the file."""
    yield from _outside("vacuum()", "VACUUM")


@writes
def optimize(effects: Effects, context: Context) -> Steps[None]:
    """Bring the statistics up to date that SQLite plans queries with."""
    for sql in _OPTIMIZE:
        with reported_as(SqlExecutionError, sql):
            yield from ask(Statement(sql))


@reads
def integrity_check(context: Context) -> Steps[list[str]]:
    """Return what is wrong, in words; nothing for a sound database."""
    pages = yield from _problems(_INTEGRITY)
    found = [str(row[0]) for row in pages if row[0] != "ok"]
    rows = yield from _problems(_FOREIGN_KEYS)
    return found + [str(row[0]) if len(row) == 1 else _dangling(row) for row in rows]


@reads
def health(condition: Condition, context: Context) -> Steps[Health]:
    """Return what SQLite, the engine and the cache say about themselves."""
    with reported_as(SqlExecutionError, _FIGURES):
        result = yield from look_up(Statement(_FIGURES))
    pages, size, free, journal = result.rows[0]
    return Health(
        page_count=int(pages or 0),
        page_size=int(size or 0),
        free_pages=int(free or 0),
        journal_mode=str(journal),
        cache=context.cache.stats(),
        **condition._asdict(),
    )


def _outside(verb: str, sql: str) -> Steps[Result]:
    with reported_as(SqlExecutionError, sql):
        try:
            return (yield from ask_outside(Statement(sql)))
        except InTransactionFault as fault:
            raise TransactionError(f"{verb}: {fault}") from None


def _problems(sql: str) -> Steps[list[Row]]:
    """Return the rows of a check; damage that ends the check is one more."""
    with reported_as(SqlExecutionError, sql):
        try:
            result = yield from ask(Statement(sql))
        except Fault as fault:
            if type(fault) not in (Fault, FileFault):
                raise
            return [(str(fault.original or fault),)]
    return result.rows


def _dangling(row: Row) -> str:
    table, rowid, parent = row[:3]
    which = "a row" if rowid is None else f"row {rowid!r}"  # tables WITHOUT ROWID
    return f"{which} of '{table!s}' refers to a row that '{parent!s}' does not have"
