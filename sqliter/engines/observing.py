"""Measures a statement for those who want to know about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from sqliter.core.events import Trace
from sqliter.core.faults import Fault
from sqliter.core.statement import Result, Statement, verb_of

_PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES")
_WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE")


def observed(
    run: Callable[[], Result],
    statement: Statement,
    raw: sqlite3.Connection,
    trace: Trace,
) -> Result:
    """Run a statement, and tell how that went."""

    def tell(rows: int, error: BaseException | None = None) -> None:
        seconds = perf_counter() - started
        trace.tell(statement, seconds, rows, error, lambda: plan_of(statement, raw))

    trace.served()
    started = perf_counter()
    try:
        result = run()
    except Fault as fault:
        tell(0, fault.original or fault)
        raise
    tell(max(len(result.rows), result.rowcount, 0))
    return result


@contextmanager
def locking(sql: str, trace: Trace) -> Iterator[None]:
    """Around the beginning of a transaction; told only if it does not succeed."""
    trace.served()
    started = perf_counter()
    try:
        yield
    except Fault as fault:
        trace.lock += perf_counter() - started
        trace.tell(Statement(sql), 0.0, error=fault.original or fault)
        raise
    trace.lock += perf_counter() - started


def writes_alone(statement: Statement, raw: sqlite3.Connection) -> bool:
    """Whether SQLite would begin a transaction for it, and wait for others inside."""
    return not raw.in_transaction and verb_of(statement.sql) in _WRITING


def plan_of(statement: Statement, raw: sqlite3.Connection) -> list[str]:
    """Return the lines of ``EXPLAIN QUERY PLAN``, indented; none if it has no plan."""
    if verb_of(statement.sql) not in _PLANNED:
        return []
    try:
        (version,) = raw.execute("PRAGMA schema_version").fetchone()
        # A prepared EXPLAIN does not notice new indexes: another text is prepared anew.
        sql = f"EXPLAIN QUERY PLAN /* schema {version} */ {statement.sql}"
        return _indented(raw.execute(sql, statement.params).fetchall())
    except (sqlite3.Error, OverflowError, ValueError):
        return []


def _indented(rows: list[tuple[int, int, int, str]]) -> list[str]:
    depths = {0: -1}
    for key, parent, _, _ in rows:
        depths[key] = depths.get(parent, -1) + 1
    return [f"{'  ' * depths[key]}{detail}" for key, _, _, detail in rows]
