"""CREATE and DROP statements of a table."""

from __future__ import annotations

from sqliter.core.statement import Statement
from sqliter.helpers import quote_identifier
from sqliter.model.table import Column, Index, Table

__all__ = ["create_index", "create_table", "drop_table"]


def create_table(table: Table, *, exists_ok: bool) -> Statement:
    """Return the CREATE TABLE statement."""
    definitions = [_definition(column) for column in table.columns]
    definitions += [_reference(c) for c in table.columns if c.reference is not None]
    guard = "IF NOT EXISTS " if exists_ok else ""
    return Statement(f"CREATE TABLE {guard}{table.sql} ({', '.join(definitions)})")


def drop_table(name: str) -> Statement:
    """Return the DROP TABLE statement; a missing table is fine."""
    return Statement(f"DROP TABLE IF EXISTS {quote_identifier(name)}")


def create_index(table: Table, index: Index) -> Statement:
    """Return the CREATE INDEX statement; the same index again is fine."""
    unique = "UNIQUE " if index.unique else ""
    columns = ", ".join(column.sql for column in index.columns)
    return Statement(
        f"CREATE {unique}INDEX IF NOT EXISTS {_index_name(index)} "
        f"ON {table.sql} ({columns})"
    )


def _index_name(index: Index) -> str:
    """Return the name as it was always spelled: in quotes for a foreign key."""
    is_reference = len(index.columns) == 1 and index.columns[0].reference is not None
    plain = index.name.isidentifier() and not is_reference
    return index.name if plain else quote_identifier(index.name)


def _definition(column: Column) -> str:
    if column.field == "pk":
        return f"{column.sql} INTEGER PRIMARY KEY AUTOINCREMENT"
    constraints = [" UNIQUE" * column.unique, " NOT NULL" * column.required]
    if column.reference is not None:  # the order in which they were always written
        constraints.reverse()
    return f"{column.sql} {column.codec.storage}{''.join(constraints)}"


def _reference(column: Column) -> str:
    target = column.reference
    assert target is not None
    return (
        f'FOREIGN KEY ({column.sql}) REFERENCES {quote_identifier(target.table)}("pk") '
        f"ON DELETE {target.on_delete} ON UPDATE {target.on_update}"
    )
