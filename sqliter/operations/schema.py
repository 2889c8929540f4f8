"""What operations need to know about the schema of the file."""

from __future__ import annotations

from collections.abc import Sequence

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault
from sqliter.core.statement import Statement
from sqliter.core.steps import Steps, ask_all, look_up
from sqliter.exceptions import SqlExecutionError, TableCreationError
from sqliter.model.naming import other_spellings
from sqliter.model.relations import Junction
from sqliter.model.search import SearchIndex
from sqliter.model.table import Table
from sqliter.planning.frame import Reads
from sqliter.schema import inspection

__all__ = [
    "all_known",
    "columns_of",
    "compare",
    "compare_generated",
    "known",
    "known_index",
    "known_junction",
    "other_spelling",
    "run_ddl",
    "touch",
]


def known(table: Table, context: Context) -> Steps[None]:
    """Make sure, once, that the file's table has the model's columns.

    SQLite reads an unknown name in double quotes as a string, so a missing column
    would show up as a value.
    """
    if table in context.known:
        return
    columns = yield from columns_of(table)
    if columns:
        compare(table, columns)
        yield from compare_generated(table)
        context.known.add(table)
        return
    other = yield from other_spelling(table)
    if other is not None:
        raise Fault(
            f"no such table: {table.name}. The file has '{other}'; if that is the one, "
            f"give {table.model.__name__} a Meta with table_name = '{other}'"
        )


def all_known(reads: Reads, context: Context) -> Steps[None]:
    """Make sure of every table that a statement reads."""
    for table in reads.tables:
        if table not in context.known:
            yield from known(table, context)
    for junction in reads.junctions:
        yield from known_junction(junction, context)
    for index in reads.indexes:
        yield from known_index(index, context)


def known_junction(junction: Junction, context: Context) -> Steps[None]:
    """Make sure, once, that a table of links has the columns it must have."""
    if junction in context.known:
        return
    result = yield from look_up(inspection.columns_of(junction.name))
    present = {str(name) for (name,) in result.rows}
    missing = sorted({junction.source, junction.target} - present)
    if present and missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise Fault(
            f"table '{junction.name}' has no column {names}, so it does not keep the "
            "links of this relation; give the relation another 'through'"
        )
    if present:
        context.known.add(junction)


def known_index(index: SearchIndex, context: Context) -> Steps[None]:
    """Make sure, once, that the file has a search index of these fields."""
    if index in context.known:
        return
    result = yield from look_up(inspection.columns_of(index.name))
    present = {str(name) for (name,) in result.rows}
    if not present.issuperset(column.name for column in index.columns):
        model = index.table.model.__name__
        state = "is older than its model" if present else "is missing"
        raise Fault(
            f"the search index of '{index.table.name}' {state}; "
            f"create_table({model}) makes and fills it"
        )
    context.known.add(index)


def columns_of(table: Table) -> Steps[set[str]]:
    """Return the columns the file's table has; none if there is no table."""
    result = yield from look_up(inspection.columns_of(table.name))
    return {str(name) for (name,) in result.rows}


def compare(table: Table, columns: set[str]) -> None:
    """Raise a ``Fault`` if the file's table lacks columns of the model."""
    present = {name.lower() for name in columns}
    missing = [c.name for c in table.columns if c.name.lower() not in present]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise Fault(
            f"table '{table.name}' has no column {names}, which model "
            f"{table.model.__name__} declares; add it with ALTER TABLE, or make the "
            "table anew with create_table(..., force=True)"
        )


def compare_generated(table: Table) -> Steps[None]:
    """Raise a ``Fault`` if the file's table does not compute what the model says."""
    if not table.generated:
        return
    result = yield from look_up(inspection.generated_columns_of(table.name))
    present = {str(name).lower() for (name,) in result.rows}
    for column in table.columns:
        if column.is_generated and column.name.lower() not in present:
            raise Fault(
                f"column '{column.name}' of table '{table.name}' is written by others, "
                f"but model {table.model.__name__} says it is generated; make the "
                "table anew with create_table(..., force=True)"
            )


def run_ddl(
    name: str, statements: Sequence[Statement], *, foreign_keys: bool = True
) -> Steps[None]:
    """Run the statements that make a table, all or none.

    Reports what fails: the table, or one of its indexes.
    """
    try:
        yield from ask_all(statements, foreign_keys=foreign_keys)
    except Fault as fault:
        sql = fault.sql or "CREATE TABLE"
        if sql.startswith("CREATE TABLE"):
            error = fault.report(TableCreationError, (name,))
        else:
            error = fault.report(SqlExecutionError, (sql,))
        raise error from error.__cause__


def touch(
    effects: Effects, table: Table, context: Context, *, deletes: bool = False
) -> Steps[None]:
    """Note which tables an operation changes, cascades and triggers included."""
    effects.touch((table.name,))
    if not context.cache.enabled:
        return
    known = context.known_reach()
    if table.name not in known:
        result = yield from look_up(inspection.reach_of(table.name))
        names = [name for (name,) in result.rows]
        known[table.name] = None if None in names else frozenset(map(str, names))
    reach = known[table.name]
    if reach is None:
        effects.touch_everything()
    elif deletes:
        effects.touch(reach)


def other_spelling(table: Table) -> Steps[str | None]:
    """Return a table that other rules of inferring names may have made."""
    if getattr(table.model.Meta, "table_name", None) is not None:
        return None
    result = yield from look_up(inspection.user_tables())
    spellings = other_spellings(table.model.__name__) - {table.name}
    found = sorted({str(name) for (name,) in result.rows} & spellings)
    return found[0] if found else None
