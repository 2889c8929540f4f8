"""The search index of a table: a table of FTS5, and triggers that keep it in step.

The index holds no copy of the text (``content=``): it reads the table itself. What it
is told of a row that goes must therefore be what it was told when the row came.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqliter.core.statement import Statement
from sqliter.helpers import quote_identifier
from sqliter.model.search import SearchIndex

__all__ = [
    "create_index",
    "drop_index",
    "fill",
    "has_fts5",
    "index_name",
    "parts_of",
    "rebuild",
    "trigger_names",
]

EVENTS = ("insert", "update", "delete")


def index_name(table: str) -> str:
    """Return the name of a table's search index."""
    return f"{table}_fts"


def trigger_names(table: str) -> list[str]:
    """Return the names of the triggers; the first one says whose the index is."""
    return [f"{index_name(table)}_{event}" for event in EVENTS]


def has_fts5() -> Statement:
    """Ask whether SQLite has FTS5; no rows if not."""
    return Statement("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'")


def parts_of(table: str) -> Statement:
    """Ask for ``(name, table, sql)`` of all that is named like a part of an index."""
    names = (index_name(table), *trigger_names(table))
    marks = ", ".join("?" * len(names))
    return Statement(
        "SELECT name, tbl_name, sql FROM sqlite_master "
        f"WHERE name COLLATE NOCASE IN ({marks})",
        names,
    )


def create_index(index: SearchIndex) -> list[Statement]:
    """Return what creates an empty index, and its triggers in the order of names."""
    bodies = {
        "insert": _added(index),
        "update": f"{_removed(index)} {_added(index)}",
        "delete": _removed(index),
    }
    conditions = {"update": f" WHEN {_changed(index)}"}
    names = map(quote_identifier, trigger_names(index.table.name))
    triggers = [
        Statement(
            f"CREATE TRIGGER {name} AFTER {event.upper()} ON {index.table.sql}"
            f"{conditions.get(event, '')} BEGIN {bodies[event]} END"
        )
        for name, event in zip(names, EVENTS, strict=True)
    ]
    return [_create(index), *triggers]


def drop_index(table: str) -> list[Statement]:
    """Return what drops the index of a table; what is missing is fine."""
    triggers = map(quote_identifier, trigger_names(table))
    return [
        *(Statement(f"DROP TRIGGER IF EXISTS {name}") for name in triggers),
        Statement(f"DROP TABLE IF EXISTS {quote_identifier(index_name(table))}"),
    ]


def fill(index: SearchIndex) -> Statement:
    """Return what fills an empty index from the table.

    FTS5's own command 'rebuild' goes on reading when it is done. Until it is told
    that the transaction ends, an interruption then stops every statement that comes,
    ROLLBACK included.
    """
    columns = (index.table.pk, *index.columns)
    names = ", ".join(["rowid", *(column.sql for column in index.columns)])
    values = ", ".join(column.sql for column in columns)
    select = f"SELECT {values} FROM {index.table.sql}"
    return Statement(f"INSERT INTO {index.sql} ({names}) {select}")


def rebuild(index: SearchIndex) -> list[Statement]:
    """Return what fills the index anew from the table."""
    empty = f"INSERT INTO {index.sql} ({index.sql}) VALUES ('delete-all')"
    return [Statement(empty), fill(index)]


def _create(index: SearchIndex) -> Statement:
    arguments = ", ".join(
        [
            *(column.sql for column in index.columns),
            f"content={index.table.sql}",
            f"content_rowid={index.table.pk.sql}",
            *_options(index),
        ]
    )
    return Statement(f"CREATE VIRTUAL TABLE {index.sql} USING fts5({arguments})")


def _options(index: SearchIndex) -> Iterator[str]:
    options = index.options
    stemmer = "porter " if options.tokenizer == "porter" else ""
    level = 2 if options.remove_diacritics else 0  # 1 misses some, for old files' sake
    yield f'tokenize="{stemmer}unicode61 remove_diacritics {level}"'
    if options.prefixes:
        yield f'prefix="{" ".join(map(str, options.prefixes))}"'


def _added(index: SearchIndex) -> str:
    """Return the statements of a trigger for a row that came.

    REPLACE removes rows without telling triggers, so the index would keep their words.
    """
    names = ", ".join(column.sql for column in index.columns)
    rows = quote_identifier(f"{index.name}_docsize")
    text = (
        f"the search index {index.name} still has the row that is replaced here: use "
        "ON CONFLICT DO UPDATE, or PRAGMA recursive_triggers = ON"
    )
    return (
        f"SELECT RAISE(ABORT, '{text}') WHERE EXISTS "
        f"(SELECT 1 FROM {rows} WHERE id = new.{index.table.pk.sql}); "
        f"INSERT INTO {index.sql} (rowid, {names}) VALUES ({_values(index, 'new')});"
    )


def _removed(index: SearchIndex) -> str:
    """Return the statement of a trigger for a row that went."""
    names = ", ".join(column.sql for column in index.columns)
    return (
        f"INSERT INTO {index.sql} ({index.sql}, rowid, {names}) "
        f"VALUES ('delete', {_values(index, 'old')});"
    )


def _values(index: SearchIndex, row: str) -> str:
    columns = (index.table.pk, *index.columns)
    return ", ".join(f"{row}.{column.sql}" for column in columns)


def _changed(index: SearchIndex) -> str:
    columns = (index.table.pk, *index.columns)
    return " OR ".join(
        f"old.{each.sql} IS NOT new.{each.sql} COLLATE BINARY" for each in columns
    )
