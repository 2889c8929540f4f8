"""INSERT ... ON CONFLICT: what makes a row the same, and what becomes of it then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from sqliter.core.faults import Fault
from sqliter.core.statement import Result, Row, Statement, Value
from sqliter.model.table import PathColumn, Table
from sqliter.planning import write

__all__ = [
    "Batch",
    "Conflict",
    "Stored",
    "own_target",
    "returned_fields",
    "select_statement",
    "targets_of",
    "upsert_statement",
    "written_fields",
]

Stored: TypeAlias = dict[str, Value]
"""A row as it is stored, by field."""


class Conflict(NamedTuple):
    """The fields that make a row the same, and those that are written to it then.

    Nothing is written to a row that exists if no fields are.
    """

    target: tuple[str, ...]
    written: tuple[str, ...]


def targets_of(table: Table) -> list[tuple[str, ...]]:
    """Return the sets of fields that the model says are unique, but the key."""
    columns = [(column.field,) for column in table.columns if column.unique]
    indexes = [
        tuple(column.field for column in index.columns)
        for index in table.indexes()
        if index.unique and not any(isinstance(c, PathColumn) for c in index.columns)
    ]
    return list({frozenset(each): each for each in (*columns, *indexes)}.values())


def own_target(table: Table) -> tuple[str, ...]:
    """Return the only one; raises ``ValueError`` if there is none, or several."""
    targets = targets_of(table)
    if len(targets) == 1:
        return targets[0]
    model = table.model.__name__
    if not targets:
        msg = (
            f"{model} has no unique field that says which row is meant: give the "
            "record its pk, or mark a field with unique()"
        )
        raise ValueError(msg)
    choices = " or ".join(f"conflict={list(each)}" for each in targets)
    msg = f"{model} has several unique fields; say which are meant: {choices}"
    raise ValueError(msg)


def written_fields(
    table: Table, target: tuple[str, ...], chosen: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Return what is written to a row that exists; ``None`` chooses all that can be."""
    if chosen is None:
        kept = {*_kept(table), *target}
        return tuple(field for field in table.fields if field not in kept)
    if not chosen:
        return ()
    refused = [field for field in chosen if field in _kept(table)]
    if refused:
        msg = f"an existing row keeps its {' and '.join(refused)}: leave that out"
        raise ValueError(msg)
    return tuple(dict.fromkeys((*chosen, "updated_at")))


def returned_fields(table: Table, conflict: Conflict) -> tuple[str, ...]:
    """Return what only the row knows: all that was not written for certain."""
    return tuple(field for field in table.fields if field not in conflict.written)


def upsert_statement(
    table: Table,
    fields: tuple[str, ...],
    conflict: Conflict,
    rows: Sequence[Sequence[Value]],
) -> Statement:
    """Return one INSERT for all these rows; it returns those written, in order."""
    insert = write.insert_statement(table, fields, rows)
    ending = table.prepare(_on_conflict, conflict)
    count = insert.rows if conflict.written else None
    return insert._replace(sql=insert.sql + ending, rows=count)


def select_statement(
    table: Table, target: tuple[str, ...], values: Sequence[Sequence[Value]]
) -> Statement:
    """Return the SELECT of the rows with these values, each behind its number."""
    params = [each for number, row in enumerate(values) for each in (number, *row)]
    return Statement(table.prepare(_select_sql, target, len(values)), params)


class Batch(NamedTuple):
    """Rows to be inserted by one statement."""

    table: Table
    fields: tuple[str, ...]
    rows: Sequence[Sequence[Value]]
    conflict: Conflict

    def statements(self) -> Iterator[Statement]:
        """Yield the INSERT, and the SELECT of the rows that it leaves alone."""
        table, conflict = self.table, self.conflict
        yield upsert_statement(table, self.fields, conflict, self.rows)
        if not conflict.written:
            places = [self.fields.index(field) for field in conflict.target]
            targets = [[row[place] for place in places] for row in self.rows]
            yield select_statement(table, conflict.target, targets)

    def stored(self, results: Iterator[Result]) -> Iterator[Stored]:
        """Yield each row as it is stored now."""
        returned = returned_fields(self.table, self.conflict)
        inserted = next(results).rows
        if not self.conflict.written:
            inserted = self._found(inserted, next(results))
        for row, rest in zip(self.rows, inserted, strict=True):
            sent = dict(zip(self.fields, row, strict=True))
            yield {**sent, **dict(zip(returned, rest, strict=True))}

    def _found(self, inserted: Sequence[Row], result: Result) -> list[Row]:
        """Return the rows that exist, new or not; those with NULLs equal no other."""
        fields = self.table.fields
        places = [fields.index(field) for field in self.conflict.target]
        unequal = (row for row in inserted if None in [row[place] for place in places])
        found = {row[0]: row[1:] for row in result.rows}
        rows = [found.get(n) or next(unequal, ()) for n in range(len(self.rows))]
        if () in rows:
            msg = f"{rows.count(())} rows were neither inserted nor found: a trigger?"
            raise Fault(msg)
        return rows


def _on_conflict(table: Table, conflict: Conflict) -> str:
    columns = table.by_field
    target = ", ".join(columns[field].sql for field in conflict.target)
    names = [columns[field].sql for field in conflict.written]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    if changes and table.version is not None:
        changes += f", {write.counting(table.version)}"
    action = f"UPDATE SET {changes}" if changes else "NOTHING"
    returned = returned_fields(table, conflict)
    listed = ", ".join(columns[field].selected for field in returned)
    return f" ON CONFLICT ({target}) DO {action} RETURNING {listed}"


def _kept(table: Table) -> tuple[str, ...]:
    """Return what an existing row keeps in any case, or counts by itself."""
    version = table.version
    return ("pk", "created_at", *([version.field] if version else ()))


def _select_sql(table: Table, target: tuple[str, ...], count: int) -> str:
    listed = ", ".join(f"t.{column.sql}" for column in table.columns)
    tests = " AND ".join(
        f"t.{table.by_field[field].sql} = v.column{place}"
        for place, field in enumerate(target, 2)
    )
    marks = "(" + ", ".join("?" * (len(target) + 1)) + ")"
    # CROSS JOIN is what keeps SQLite from reading the table first.
    return (
        f"SELECT v.column1, {listed} FROM (VALUES {', '.join([marks] * count)}) AS v "
        f"CROSS JOIN {table.sql} AS t WHERE {tests}"
    )
