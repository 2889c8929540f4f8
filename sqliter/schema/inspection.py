"""Questions about the schema of the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqliter.core.statement import Row, Statement

__all__ = [
    "columns_of",
    "dropping_order",
    "generated_columns_of",
    "indexes_named",
    "reach_of",
    "references",
    "search_indexes",
    "unique_indexes",
    "user_tables",
]

# A trigger of this name says that the table of the other name is a search index.
_INDEXES = (
    "SELECT tbl_name || '_fts' FROM sqlite_master "
    "WHERE type = 'trigger' AND name = tbl_name || '_fts_insert'"
)
# What FTS5 keeps its own data in. Without content of its own it has no such table.
_SHADOWS = (
    "SELECT v.name || s.column1 FROM sqlite_master AS v, (VALUES ('_data'), ('_idx'), "
    "('_content'), ('_docsize'), ('_config')) AS s "
    "WHERE v.sql LIKE 'CREATE VIRTUAL TABLE%USING%fts5%' "
    "AND (s.column1 <> '_content' OR v.sql NOT LIKE '%content%=%')"
)


def user_tables() -> Statement:
    """Ask for the names of all tables that are not SQLite's own, nor search indexes."""
    return Statement(
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
        f"AND name NOT IN ({_INDEXES}) AND name NOT IN ({_SHADOWS})"
    )


def search_indexes() -> Statement:
    """Ask for the names of all search indexes that models have made."""
    return Statement(_INDEXES)


def columns_of(table: str) -> Statement:
    """Ask for the column names of a table; no rows if there is none.

    Columns that virtual tables hide do not count, those that are generated do.
    """
    return Statement(
        "SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1", (table,)
    )


def generated_columns_of(table: str) -> Statement:
    """Ask for the names of the columns that SQLite computes."""
    return Statement(
        "SELECT name FROM pragma_table_xinfo(?) WHERE hidden IN (2, 3)", (table,)
    )


def indexes_named(names: Sequence[str]) -> Statement:
    """Ask for what these indexes are, a row for each of their columns in order.

    ``(name, table, unique, partial, sql, column, descending, collation)``.
    """
    marks = ", ".join("?" * len(names))
    return Statement(
        'SELECT i.name, i.tbl_name, l."unique", l.partial, i.sql, '
        'c.name, c."desc", c.coll FROM sqlite_master AS i '
        "JOIN pragma_index_list(i.tbl_name) AS l ON l.name = i.name "
        "JOIN pragma_index_xinfo(i.name) AS c "
        f"WHERE i.type = 'index' AND c.key AND i.name IN ({marks}) "
        "ORDER BY i.name, c.seqno",
        tuple(names),
    )


def unique_indexes(table: str) -> Statement:
    """Ask for ``(index, column)`` of all that is unique without a condition.

    The column is ``NULL`` where it is an expression.
    """
    return Statement(
        "SELECT l.name, c.name FROM pragma_index_list(?) AS l "
        "JOIN pragma_index_info(l.name) AS c "
        'WHERE l."unique" AND NOT l.partial ORDER BY l.name, c.seqno',
        (table,),
    )


def references() -> Statement:
    """Ask for ``(child, parent)`` of every foreign key between tables."""
    return Statement(
        'SELECT DISTINCT m.name, f."table" FROM sqlite_master AS m '
        "JOIN pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table'"
    )


def reach_of(table: str) -> Statement:
    """Ask for the tables that change when rows of one are deleted.

    A row of ``NULL`` among them says that triggers make it impossible to tell; those
    of a search index change nothing else.
    """
    return Statement(
        "WITH RECURSIVE reach(name) AS (SELECT ? UNION "
        "SELECT m.name FROM reach AS r, sqlite_master AS m "
        "JOIN pragma_foreign_key_list(m.name) AS f "
        "WHERE m.type = 'table' AND lower(f.\"table\") = lower(r.name) "
        "AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')) "
        "SELECT name FROM reach UNION ALL "
        "SELECT NULL FROM sqlite_master WHERE type = 'trigger' AND name NOT IN "
        "(tbl_name || '_fts_insert', tbl_name || '_fts_update', "
        "tbl_name || '_fts_delete')",
        (table,),
    )


def dropping_order(tables: Iterable[str], foreign_keys: Iterable[Row]) -> list[str]:
    """Return the tables with children before their parents, where that is possible."""
    left = list(tables)
    pairs = [(str(c), str(p).lower()) for c, p in foreign_keys]
    pairs = [(child, parent) for child, parent in pairs if child.lower() != parent]
    ordered: list[str] = []
    while left:
        free = [
            table
            for table in left
            if not any(p == table.lower() and c in left for c, p in pairs)
        ]
        chosen = free or left[:1]  # a cycle has no beginning
        ordered += chosen
        left = [table for table in left if table not in chosen]
    return ordered
