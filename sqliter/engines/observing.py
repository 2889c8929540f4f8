"""Tells of statements to those who want to know about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from sqliter.core.events import Trace
from sqliter.core.faults import Fault
from sqliter.core.statement import Result, Statement, verb_of

_PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES")


def observed(
    run: Callable[[], Result],
    statement: Statement,
    raw: sqlite3.Connection,
    trace: Trace,
) -> Result:
    """Run a statement and tell how that went, unless it will be run once more."""
    trace.start()
    try:
        result = run()
    except Fault as fault:
        error = answer_in(fault)
        trace.tell(statement, error=error, plan=lambda: plan_of(statement, raw))
        raise
    rows = max(len(result.rows), result.rowcount, 0)
    trace.tell(statement, rows, plan=lambda: plan_of(statement, raw))
    return result


def answer_in(fault: Fault) -> BaseException:
    """Return what SQLite had answered, where it did."""
    return fault.original or fault.__cause__ or fault.__context__ or fault


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
