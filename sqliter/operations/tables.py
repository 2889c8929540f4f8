"""Tables and indexes: create, drop, list, reset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import InTransactionFault, reported_as
from sqliter.core.statement import Statement
from sqliter.core.steps import (
    Access,
    Operation,
    Steps,
    ask,
    ask_all,
    look_up,
    reads,
    writes,
)
from sqliter.exceptions import (
    SqlExecutionError,
    TableCreationError,
    TableDeletionError,
)
from sqliter.model.codecs import UnstorableTypeError
from sqliter.model.model import BaseDBModel
from sqliter.model.search import search_index_of
from sqliter.model.table import Index, PathColumn, Table, table_of
from sqliter.operations import junctions, search
from sqliter.operations.schema import columns_of, compare, other_spelling, run_ddl
from sqliter.schema import ddl, inspection

__all__ = [
    "create",
    "create_indexes",
    "create_junction",
    "create_junctions",
    "drop",
    "names",
    "reset",
]


def create(
    model: type[BaseDBModel],
    context: Context,
    *,
    exists_ok: bool = True,
    force: bool = False,
) -> Operation[None]:
    """Create the table of a model with indexes and tables of links, all or nothing."""
    effects = Effects()
    steps = _create(effects, model, context, exists_ok=exists_ok, force=force)
    return _as_one(steps, effects, foreign_keys=not force)


def create_junctions(model: type[BaseDBModel], context: Context) -> Operation[None]:
    """Create the tables of a model's many-to-many relations, all or nothing."""
    effects = Effects()
    return _as_one(_create_junctions(effects, model, context), effects)


def _as_one(
    steps: Steps[None], effects: Effects, *, foreign_keys: bool = True
) -> Operation[None]:
    return Operation(
        Access.WRITE, steps, effects, is_unit=True, foreign_keys=foreign_keys
    )


def _create(
    effects: Effects,
    model: type[BaseDBModel],
    context: Context,
    *,
    exists_ok: bool,
    force: bool,
) -> Steps[None]:
    table = _described(model)
    indexes = table.indexes()
    search_index_of(table)  # raises before anything is written
    _schema_changes(effects, context)
    exists = yield from _compared(table, context, replaces=force or not exists_ok)
    yield from _refuse_other_indexes(table, indexes, replaces=force)
    create_sql = ddl.create_table(table, exists_ok=exists_ok or force)
    statements = [create_sql, *(ddl.create_index(table, each) for each in indexes)]
    if exists and force:
        yield from _replace(table, statements)
    else:
        yield from run_ddl(table.name, statements)
    yield from search.create(table)
    yield from junctions.create_all(model, context, unlink=exists and force)


def _create_junctions(
    effects: Effects, model: type[BaseDBModel], context: Context
) -> Steps[None]:
    _schema_changes(effects, context)
    yield from junctions.create_all(model, context)


@writes
def create_junction(
    effects: Effects, name: str, table_a: str, table_b: str, context: Context
) -> Steps[None]:
    """Create a junction table between two tables."""
    _schema_changes(effects, context)
    sql, columns = ddl.junction_table_sql(name, table_a, table_b)
    indexes = ddl.junction_index_sqls(name, columns)
    with reported_as(TableCreationError, name):
        yield from ask_all(map(Statement, [sql, *indexes]))


@writes
def create_indexes(
    effects: Effects,
    model: type[BaseDBModel],
    entries: Iterable[str | Sequence[str]],
    context: Context,
    *,
    unique: bool = False,
) -> Steps[None]:
    """Create indexes on a table that exists."""
    table = table_of(model)
    indexes = table.index_list(entries, unique=unique)
    _schema_changes(effects, context)
    yield from _refuse_other_indexes(table, indexes)
    with reported_as(SqlExecutionError, "CREATE INDEX"):
        columns = yield from columns_of(table)
        if columns:
            compare(table, columns)
    yield from run_ddl(table.name, [ddl.create_index(table, each) for each in indexes])


@writes
def drop(effects: Effects, model: type[BaseDBModel], context: Context) -> Steps[None]:
    """Drop the table of a model; a missing one is fine."""
    name = model.get_table_name()
    _schema_changes(effects, context)
    with reported_as(TableDeletionError, name):
        orphans = yield from junctions.orphans(model)
        index = yield from search.drops(name)
        yield from ask_all([*map(ddl.drop_table, [*orphans, name]), *index])


@reads
def names(context: Context) -> Steps[list[str]]:
    """Return the names of the user's tables, in the order of their creation."""
    with reported_as(SqlExecutionError, "SELECT name FROM sqlite_master"):
        result = yield from ask(inspection.user_tables())
    return [str(name) for (name,) in result.rows]


@writes
def reset(effects: Effects, context: Context) -> Steps[None]:
    """Drop every table of the user, all or none."""
    _schema_changes(effects, context)
    with reported_as(TableDeletionError, "*"):
        tables = yield from look_up(inspection.user_tables())
        foreign_keys = yield from look_up(inspection.references())
        indexes = yield from look_up(inspection.search_indexes())
        ordered = inspection.dropping_order(
            (str(name) for (name,) in tables.rows), foreign_keys.rows
        )
        # Indexes go last: until then, triggers of their tables may write to them.
        last = [str(name) for (name,) in indexes.rows]
        statements = [ddl.drop_table(name) for name in (*ordered, *last)]
        try:
            yield from ask_all(statements, foreign_keys=False)
        except InTransactionFault:  # children go first, so that mostly works, too
            yield from ask_all(statements)
    context.log.note("Database reset: %s user-created tables dropped.", len(ordered))


def _schema_changes(effects: Effects, context: Context) -> None:
    effects.touch_everything()
    context.forget_schema()
    effects.on_undo(context.forget_schema)


def _described(model: type[BaseDBModel]) -> Table:
    try:
        return table_of(model)
    except UnstorableTypeError as error:
        raise TableCreationError(model.get_table_name(), original=error) from error


def _compared(table: Table, context: Context, *, replaces: bool) -> Steps[bool]:
    """Return whether the table exists; unless it is replaced, it must fit the model."""
    with reported_as(TableCreationError, table.name):
        columns = yield from columns_of(table)
        if not columns:
            yield from _mention_other_spelling(table, context)
        elif not replaces:
            compare(table, columns)
    return bool(columns)


def _mention_other_spelling(table: Table, context: Context) -> Steps[None]:
    other = yield from other_spelling(table)
    if other is not None:
        context.log.warning(
            "creating table '%s' beside '%s', which another version may have made for "
            "%s; Meta.table_name says which one is meant",
            table.name,
            other,
            table.model.__name__,
        )


def _replace(table: Table, statements: list[Statement]) -> Steps[None]:
    """Drop and create: without foreign keys, or rows of other tables would go, too."""
    with reported_as(TableCreationError, table.name):
        foreign_keys = yield from look_up(inspection.references())
        index = yield from search.drops(table.name)
    name = table.name.lower()
    is_parent = any(str(parent).lower() == name for _, parent in foreign_keys.rows)
    statements = [ddl.drop_table(table.name), *index, *statements]
    yield from run_ddl(table.name, statements, foreign_keys=not is_parent)


def _refuse_other_indexes(
    table: Table, indexes: Sequence[Index], *, replaces: bool = False
) -> Steps[None]:
    """Raise if an index of the same name means something else.

    ``IF NOT EXISTS`` would skip it silently: a unique index would not be enforced.
    Indexes of a table that is replaced do not count: they go with it.
    """
    wanted = {index.name: _meaning(table, index) for index in indexes}
    for index in indexes:
        if wanted[index.name] != _meaning(table, index):
            raise _other_index(table, index)
    result = yield from look_up(inspection.indexes_named(list(wanted)))
    existing: dict[str, list[object]] = {}
    for name, owner, unique, column in result.rows:
        if replaces and owner == table.name:
            continue
        existing.setdefault(str(name), [owner, bool(unique)]).append(column)
    for index in indexes:
        if existing.get(index.name, wanted[index.name]) != wanted[index.name]:
            raise _other_index(table, index)


def _meaning(table: Table, index: Index) -> list[object]:
    columns = [None if isinstance(c, PathColumn) else c.name for c in index.columns]
    return [table.name, index.unique, *columns]


def _other_index(table: Table, index: Index) -> SqlExecutionError:
    reason = ValueError(
        f"an index named {index.name} exists with another definition; rename a field, "
        "or drop that index first"
    )
    return SqlExecutionError(ddl.create_index(table, index).sql, original=reason)
