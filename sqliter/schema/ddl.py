"""CREATE and DROP statements of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqliter.core.statement import Statement
from sqliter.exceptions import InvalidSchemaError
from sqliter.helpers import quote_identifier
from sqliter.model.index import IndexPart, TableIndex
from sqliter.model.options import column_name_of
from sqliter.model.primary_key import key_kind_of
from sqliter.model.relations import ManyLink, link_columns
from sqliter.model.table import Column, Table, table_of
from sqliter.sql.literals import literal

__all__ = [
    "create_index",
    "create_junction",
    "create_table",
    "drop_table",
    "index_body",
    "junction_columns",
    "junction_index_sqls",
    "junction_table_sql",
]


def create_table(
    table: Table, *, exists_ok: bool, checks: Mapping[str, str] | None = None
) -> Statement:
    """Return the CREATE TABLE statement; ``checks`` are conditions by name.

    Raises ``InvalidSchemaError``.
    """
    strict = bool(getattr(table.model.Meta, "strict", False))
    definitions = [_definition(column, strict=strict) for column in table.columns]
    definitions += [_reference(c) for c in table.columns if c.reference is not None]
    definitions += [_check(*each) for each in (checks or {}).items()]
    guard = "IF NOT EXISTS " if exists_ok else ""
    sql = f"CREATE TABLE {guard}{table.sql} ({', '.join(definitions)})"
    options = ["STRICT"] * strict + ["WITHOUT ROWID"] * _is_without_rowid(table)
    return Statement(f"{sql} {', '.join(options)}" if options else sql)


def _is_without_rowid(table: Table) -> bool:
    wanted = bool(getattr(table.model.Meta, "without_rowid", False))
    if wanted and not table.is_keyed:
        raise InvalidSchemaError(
            f"the table of {table.model.__name__} needs rowids, for SQLite gives its "
            "keys; without_rowid goes with keys that are no integers: see KeyedModel"
        )
    return wanted


def drop_table(name: str) -> Statement:
    """Return the DROP TABLE statement; a missing table is fine."""
    return Statement(f"DROP TABLE IF EXISTS {quote_identifier(name)}")


def create_index(table: Table, index: TableIndex) -> Statement:
    """Return the CREATE INDEX statement; the same index again is fine."""
    unique = "UNIQUE " if index.unique else ""
    return Statement(
        f"CREATE {unique}INDEX IF NOT EXISTS {_index_name(index)} "
        f"ON {table.sql} {index_body(index)}"
    )


def index_body(index: TableIndex) -> str:
    """Return what an index is over: the end of its CREATE INDEX statement."""
    indexed = index.expression or ", ".join(_part(part) for part in index.parts)
    return f"({indexed})" + (f" WHERE {index.where}" if index.where else "")


def create_junction(link: ManyLink) -> list[Statement]:
    """Return what creates the table of a many-to-many relation, and its indexes."""
    name, owner, target = link.junction_name, table_of(link.owner), link.target_table
    keys = {each.name: each.pk.name for each in (owner, target)}
    sql, columns = junction_table_sql(name, owner.name, target.name, keys)
    return [Statement(sql), *map(Statement, junction_index_sqls(name, columns))]


def junction_columns(table_a: str, table_b: str) -> tuple[str, str]:
    """Return the columns of a junction table, in the order of the tables' names."""
    return link_columns(*sorted([table_a, table_b]))


def junction_table_sql(
    junction: str, table_a: str, table_b: str, keys: Mapping[str, str] | None = None
) -> tuple[str, tuple[str, str]]:
    """Return the CREATE TABLE of a junction table, and its two columns.

    ``keys`` are the columns of the tables' primary keys, by table.
    """
    keys = keys or {}
    columns = junction_columns(table_a, table_b)
    quoted = [quote_identifier(column) for column in columns]
    references = [
        f"FOREIGN KEY ({column}) REFERENCES "
        f"{quote_identifier(table)}({quote_identifier(keys.get(table, 'pk'))}) "
        "ON DELETE CASCADE ON UPDATE CASCADE"
        for column, table in zip(quoted, sorted([table_a, table_b]), strict=True)
    ]
    definitions = [
        '"id" INTEGER PRIMARY KEY AUTOINCREMENT',
        *(f"{column} INTEGER NOT NULL" for column in quoted),
        *references,
        f"UNIQUE ({', '.join(quoted)})",
    ]
    name = quote_identifier(junction)
    return f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(definitions)})", columns


def junction_index_sqls(junction: str, columns: Iterable[str]) -> list[str]:
    """Return the CREATE INDEX of each column of a junction table."""
    return [
        f"CREATE INDEX IF NOT EXISTS {quote_identifier(f'idx_{junction}_{column}')} "
        f"ON {quote_identifier(junction)} ({quote_identifier(column)})"
        for column in columns
    ]


def _part(part: IndexPart) -> str:
    collation = f" COLLATE {part.collation}" if part.collation else ""
    return f"{part.column.sql}{collation}{' DESC' * part.descending}"


def _index_name(index: TableIndex) -> str:
    """Return the name as it was always spelled: in quotes for a foreign key."""
    is_reference = len(index.columns) == 1 and index.columns[0].reference is not None
    is_inferred = index.name.startswith("idx_") and index.name.isidentifier()
    plain = is_inferred and not is_reference
    return index.name if plain else quote_identifier(index.name)


def _definition(column: Column, *, strict: bool) -> str:
    if column.field == "pk":
        return _key(column)
    constraints = [" UNIQUE" * column.unique, " NOT NULL" * column.required]
    if column.reference is not None:  # the order in which they were always written
        constraints.reverse()
    kind = _STRICT.get(column.codec.reads, "ANY") if strict else column.codec.storage
    return f"{column.sql} {kind}{_options(column)}{''.join(constraints)}"


_STRICT: dict[frozenset[type], str] = {
    frozenset({int}): "INTEGER",
    frozenset({float}): "REAL",
    frozenset({str}): "TEXT",
    frozenset({bytes}): "BLOB",
}
"""The types of a strict table, by the storage classes of a column's values."""


def _options(column: Column) -> str:
    options = column.options
    if options is None:
        return ""
    text = f" COLLATE {options.collate}" if options.collate else ""
    if column.default is not None:
        text += f" DEFAULT {literal(column.default)}"
    if options.generated is not None:
        text += f" GENERATED ALWAYS AS ({options.generated})"
        text += " STORED" if options.stored else " VIRTUAL"
    return text


def _key(column: Column) -> str:
    if key_kind_of(column.codec) is int:
        return f"{column.sql} INTEGER PRIMARY KEY AUTOINCREMENT"
    return f"{column.sql} {column.codec.storage} PRIMARY KEY NOT NULL"


def _check(name: str, condition: str) -> str:
    return f"CONSTRAINT {quote_identifier(name)} CHECK ({condition})"


def _reference(column: Column) -> str:
    target = column.reference
    assert target is not None
    key = quote_identifier(column_name_of(target.model, "pk"))
    table = quote_identifier(target.table)
    return (
        f"FOREIGN KEY ({column.sql}) REFERENCES {table}({key}) "
        f"ON DELETE {target.on_delete} ON UPDATE {target.on_update}"
    )
