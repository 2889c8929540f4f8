"""What a SELECT reads from: a table, joined along foreign keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqliter.model.relations import Junction, forward_of
from sqliter.model.search import SearchIndex
from sqliter.model.table import Table

__all__ = ["Beside", "Frame", "JoinInfo", "Path", "Reads"]

Path: TypeAlias = tuple[str, ...]
"""Names of foreign keys, one after another; ``()`` is the table itself."""


@dataclass(frozen=True)
class JoinInfo:
    """One joined table: where it comes from, and how."""

    alias: str
    table_name: str
    model_class: type[Any]
    fk_field: str
    parent_alias: str
    fk_column: str
    join_type: Literal["INNER", "LEFT"]
    path: str
    is_nullable: bool


JoinInfo.__module__ = "sqliter.query.query"  # where users import it from


@dataclass(frozen=True)
class Beside:
    """The search index of a table, whose entries stand beside the rows."""

    index: SearchIndex
    alias: str


class Reads:
    """What one statement reads, sub-selects included; counts its aliases."""

    __slots__ = ("_count", "indexes", "junctions", "tables")

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self.junctions: list[Junction] = []
        self.indexes: list[SearchIndex] = []
        self._count = 0

    def next_alias(self) -> str:
        """Return an alias that nothing else in the statement has."""
        self._count += 1
        return f"t{self._count - 1}"

    @property
    def everything(self) -> list[object]:
        """All that has to be compared with the file before it can be read."""
        return [*self.tables, *self.junctions, *self.indexes]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tables, each once; an index is a part of its table."""
        names = (table.name for table in self.tables)
        links = (junction.name for junction in self.junctions)
        return tuple(dict.fromkeys((*names, *links)))


class Frame:
    """The FROM clause of one SELECT, and how columns are named in it.

    A table alone keeps its name; with joins every table gets an alias, counted
    through the whole statement. A join never adds rows. It loses rows only where a
    condition would: on required keys that are ``filtered`` by. Along ``loose`` paths
    some condition looks, but may hold where nothing is. ``around`` is the frame of the
    query that this one stands in.
    """

    def __init__(
        self,
        table: Table,
        filtered: Iterable[Path] = (),
        others: Iterable[Path] = (),
        *,
        loose: Iterable[Path] = (),
        aliased: bool = False,
        beside: Beside | None = None,
        around: Frame | None = None,
    ) -> None:
        self.table = table
        self.around = around
        self.beside = beside
        self.reads: Reads = around.reads if around else Reads()
        self.reads.tables.append(table)
        self.joins: dict[Path, JoinInfo] = {}
        self.sql = table.sql
        self._aliases: dict[Path, str] = {}
        needed = set(_prefixes(filtered))
        paths = dict.fromkeys(_prefixes([*others, *sorted(needed), *loose]))
        if aliased or paths or beside:
            self._take_alias()
        for path in paths:
            self._join(path, is_filtered=path in needed)

    def prefix(self, path: Path) -> str:
        """Return what stands before a column of the table at the end of a path."""
        alias = self._aliases.get(path)
        return f"{alias}." if alias else ""

    def inner(
        self, table: Table, filtered: Iterable[Path], loose: Iterable[Path]
    ) -> Frame:
        """Return the frame of a sub-select, with aliases of its own."""
        return Frame(table, filtered, loose=loose, aliased=True, around=self)

    def model_at(self, path: Path) -> type[Any]:
        """Return the model at the end of a path."""
        model: type[Any] = self.joins[path].model_class if path else self.table.model
        return model

    def alias_of(self, table: Table) -> str:
        """Return a new alias for a table that is read, too."""
        self.reads.tables.append(table)
        return self.reads.next_alias()

    def alias_of_junction(self, junction: Junction) -> str:
        """Return a new alias for a table of links that is read, too."""
        self.reads.junctions.append(junction)
        return self.reads.next_alias()

    def _take_alias(self) -> None:
        alias = self._aliases[()] = self.reads.next_alias()
        self.sql = f"{self.table.sql} AS {alias}"
        if self.beside:  # before any LEFT JOIN: SQLite moves no table past those
            other = self.beside.alias
            self.sql += f" JOIN {self.beside.index.sql} AS {other}"
            self.sql += f" ON {other}.rowid = {alias}.{self.table.pk.sql}"

    def _join(self, path: Path, *, is_filtered: bool) -> None:
        parent = path[:-1]
        relation = forward_of(self.model_at(parent), path[-1])
        self.reads.tables.append(relation.target_table)
        above = self.joins[parent].join_type if parent else "INNER"
        keeps = is_filtered and relation.is_required and above == "INNER"
        join = JoinInfo(
            alias=self.reads.next_alias(),
            table_name=relation.target_table.name,
            model_class=relation.target,
            fk_field=relation.name,
            parent_alias=self._aliases[parent],
            fk_column=relation.source_column.name,
            join_type="INNER" if keeps else "LEFT",
            path="__".join(path),
            is_nullable=not relation.is_required,
        )
        self.joins[path] = join
        self._aliases[path] = join.alias
        self.sql += (
            f" {join.join_type} JOIN {relation.target_table.sql} AS {join.alias}"
            f" ON {join.parent_alias}.{relation.source_column.sql}"
            f" = {join.alias}.{relation.target_column.sql}"
        )


def _prefixes(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield every path with the shorter ones it goes through before it."""
    for path in paths:
        for length in range(1, len(path) + 1):
            yield path[:length]
