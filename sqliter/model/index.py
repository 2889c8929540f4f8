"""Indexes: what a model asks for, and what that means for the columns of its table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from sqliter.exceptions import InvalidIndexError, InvalidSchemaError
from sqliter.model.collations import checked_collation, holds_text
from sqliter.model.table import Column, PathColumn, Table

__all__ = [
    "Index",
    "IndexEntry",
    "IndexPart",
    "TableIndex",
    "index_list",
    "indexes_of",
]


class Conditional(Protocol):
    """A ``Q``."""

    @property
    def is_empty(self) -> bool: ...


class Index:
    """An index, for ``Meta.indexes``, where a field name or several are too little.

    Args:
        fields: names of fields; ``"-name"`` is descending.
        unique: whether it forbids duplicates.
        where: the rows that it has, as a ``Q`` or SQL; it is a partial index then.
        sql: what is indexed, in SQL, instead of fields.
        name: its name, if it is not to be made of the fields; needed with ``sql``. In a
            base of several models, it has ``{table}`` in it.
        collate: how texts are compared: ``"NOCASE"``, ``"RTRIM"`` or ``"BINARY"``.

    Raises ``ValueError`` and ``TypeError`` for what cannot be.

    Example:
        >>> class User(BaseDBModel):
        ...     email: str
        ...     active: bool = True
        ...     class Meta:
        ...         indexes = [Index("email", unique=True, where=Q(active=True))]
    """

    __slots__ = ("collate", "fields", "name", "sql", "unique", "where")

    def __init__(
        self,
        *fields: str,
        unique: bool = False,
        where: str | Conditional | None = None,
        sql: str | None = None,
        name: str | None = None,
        collate: str | None = None,
    ) -> None:
        _check_fields(fields)
        if bool(fields) == bool(sql and sql.strip()):
            msg = "an index is over fields, or over sql=..., which needs a name"
            raise ValueError(msg)
        if sql is not None and (name is None or collate is not None):
            msg = "an index with sql=... needs a name, and has its collation in the SQL"
            raise ValueError(msg)
        if name is not None:
            _check_name(name)
        self.fields = fields
        self.unique = unique
        self.where = where
        self.sql = sql
        self.name = name
        self.collate = None if collate is None else checked_collation(collate)

    def __repr__(self) -> str:
        options = ("unique", "where", "sql", "name", "collate")
        given = [(name, getattr(self, name)) for name in options]
        shown = [f"{name}={value!r}" for name, value in given if value not in _USUAL]
        return f"Index({', '.join([*map(repr, self.fields), *shown])})"


_USUAL = (None, False)

Index.__module__ = "sqliter.model"  # where users import it from

IndexEntry: TypeAlias = str | Sequence[str] | Index
"""What ``Meta.indexes`` may have: a field, several of them, or an ``Index``."""


class IndexPart(NamedTuple):
    """One column of an index."""

    column: Column
    descending: bool = False
    collation: str | None = None

    @property
    def label(self) -> str:
        """What the name of the index says of it."""
        collation = f"_{self.collation.lower()}" if self.collation else ""
        return f"{self.column.field}{collation}{'_desc' * self.descending}"


class TableIndex(NamedTuple):
    """An index of a table: over columns (``parts``), or over an ``expression``.

    A partial index has the rows ``where`` something holds: SQL, once it is rendered.
    """

    name: str
    parts: tuple[IndexPart, ...]
    unique: bool = False
    where: Any = None
    expression: str | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that it is over."""
        return tuple(part.column for part in self.parts)

    @property
    def is_plain(self) -> bool:
        """Whether it has all rows, and what is equal in it is equal in its columns."""
        if self.where is not None or self.expression is not None:
            return False
        return not any(
            p.collation or isinstance(p.column, PathColumn) for p in self.parts
        )


def indexes_of(table: Table) -> list[TableIndex]:
    """Return the indexes that foreign keys and ``Meta`` ask for, without repetition.

    Raises ``InvalidIndexError`` for fields the model does not have.
    """
    meta = table.model.Meta
    found = [
        TableIndex(f"idx_{table.name}_{column.name}", (IndexPart(column),))
        for column in table.columns
        if column.reference is not None
    ]
    found += index_list(table, getattr(meta, "indexes", None) or (), unique=False)
    found += index_list(table, getattr(meta, "unique_indexes", None) or (), unique=True)
    return list(dict.fromkeys(found))


def index_list(
    table: Table, entries: Iterable[IndexEntry], *, unique: bool
) -> list[TableIndex]:
    """Return the indexes these entries ask for; ``unique`` unless they say so, too."""
    return [_index(table, entry, unique=unique) for entry in entries]


def _index(table: Table, entry: IndexEntry, *, unique: bool) -> TableIndex:
    if not isinstance(entry, Index):
        parts = _parts(table, (entry,) if isinstance(entry, str) else entry)
        return TableIndex(_name(table, parts, unique=unique), parts, unique)
    unique = unique or entry.unique
    if entry.sql is not None:
        return TableIndex(_given_name(table, entry), (), unique, entry.where, entry.sql)
    fields = [field.removeprefix("-") for field in entry.fields]
    parts = tuple(
        part._replace(descending=given.startswith("-"), collation=entry.collate)
        for part, given in zip(_parts(table, fields), entry.fields, strict=True)
    )
    if entry.collate is not None:
        _check_texts(table, parts)
    inferred = _name(table, parts, unique=unique)
    if entry.where is not None:
        inferred += "_partial"
    name = _given_name(table, entry) or inferred
    return TableIndex(name, parts, unique, entry.where)


def _parts(table: Table, fields: Sequence[str]) -> tuple[IndexPart, ...]:
    columns = {field: table.indexed(field) for field in fields}
    unknown = [field for field, column in columns.items() if column is None]
    if unknown or not fields:
        raise InvalidIndexError(unknown or [""], table.model.__name__)
    return tuple(IndexPart(column) for column in columns.values() if column)


def _check_texts(table: Table, parts: Iterable[IndexPart]) -> None:
    for column in (part.column for part in parts):
        if not holds_text(column.codec):
            name = f"'{column.field}' of {table.model.__name__}"
            raise InvalidSchemaError(f"collate is for texts, which {name} is not")


def _name(table: Table, parts: Sequence[IndexPart], *, unique: bool) -> str:
    labels = "_".join(part.label for part in parts)
    return f"idx_{table.name}_{labels}{'_unique' if unique else ''}"


def _given_name(table: Table, entry: Index) -> str:
    """Return the name that an index is given; empty if none."""
    return (entry.name or "").replace("{table}", table.name)


def _check_fields(fields: Sequence[object]) -> None:
    for field in fields:
        if not isinstance(field, str):
            msg = f"an index takes names of fields one by one, not {field!r}"
            raise TypeError(msg)


def _check_name(name: object) -> None:
    is_name = isinstance(name, str) and name.strip() != "" and "\0" not in name
    if not is_name or str(name).lower().startswith("sqlite_"):
        msg = f"{name!r} is no name that an index can have"
        raise ValueError(msg)
