"""Grouping, aggregates and conditions on groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqliter.exceptions import InvalidForeignKeyError, InvalidProjectionError
from sqliter.model.relations import ManyLink, Relation
from sqliter.model.table import Column, Table
from sqliter.planning.aggregates import AggregateSpec, aggregate_sql, is_decoded
from sqliter.planning.comparing import looked
from sqliter.planning.computed import Built, Computed, Level, Names, collated
from sqliter.planning.counting import RelatedCount
from sqliter.planning.filters import Side
from sqliter.planning.operands import encode_scalar, operand_of
from sqliter.planning.paths import follow
from sqliter.planning.spec import Aggregate, Condition, Order, QuerySpec
from sqliter.sql.lookups import Operand, find_lookup, splits
from sqliter.terms.q import Q
from sqliter.terms.term import Term, term_of

__all__ = [
    "aggregate_output",
    "aggregates",
    "computed_aggregate",
    "grouped",
    "grouping",
    "having",
    "is_aggregate",
    "ordered_by",
    "related_count",
]

_ROW_IDS = {"rowid", "oid", "_rowid_"}


def grouping(table: Table, fields: Iterable[str]) -> list[Column]:
    """Return the columns to group by."""
    names = list(fields)
    for name in names:
        if name not in table.by_field:
            model = table.model.__name__
            raise InvalidProjectionError(
                f"Cannot group by unknown field '{name}' on model {model}."
            )
    return [table.by_field[name] for name in names]


def aggregates(
    names: Names, spec: QuerySpec[Any], given: dict[str, Any]
) -> tuple[tuple[str, Aggregate], ...]:
    """Return the aggregates with their aliases, checked against the query."""
    found = dict(spec.aggregates)
    for raw_alias, aggregate in given.items():
        alias = raw_alias.strip()
        _check_alias(spec.table, alias, found)
        found[alias] = _aggregate(names, alias, aggregate)
    return tuple(found.items())


def grouped(
    names: Names, spec: QuerySpec[Any], given: dict[str, Any]
) -> QuerySpec[Any]:
    """Return the query, grouped by expressions under these names."""
    terms = {alias: term_of(each) for alias, each in given.items()}
    found = aggregates(names, spec, terms)
    for alias, each in found[len(spec.aggregates) :]:
        if getattr(each, "level", Level.GROUP) is not Level.ROW:
            msg = f"'{alias}' is an aggregate: groups are made of values of rows"
            raise InvalidProjectionError(msg)
    return spec.but(
        aggregates=found,
        grouped=(*spec.grouped, *(alias.strip() for alias in given)),
        is_projection=True,
    )


def _aggregate(names: Names, alias: str, given: Any) -> Aggregate:
    """Return an aggregate of a field, or any other term that is one value per group."""
    given = term_of(given) if isinstance(given, Q) else given
    if not isinstance(given, Term) or isinstance(given, AggregateSpec):
        _check_aggregate(names.table, alias, given)
        return given
    try:
        found = names.computed(given)
    except ValueError as error:
        raise InvalidProjectionError(f"'{alias}': {error}") from error
    if found.paths:
        msg = f"'{alias}' looks along foreign keys, which groups cannot"
        raise InvalidProjectionError(msg)
    return found


def computed_aggregate(names: Names, aggregate: Aggregate) -> Computed:
    """Return an aggregate as a part of other terms."""
    if isinstance(aggregate, RelatedCount):
        return Built((aggregate.sql,), int, own_level=Level.GROUP)
    return names.computed(aggregate) if isinstance(aggregate, Term) else aggregate


def having(
    spec: QuerySpec[Any], keywords: dict[str, Any], *, local: bool
) -> tuple[Condition, ...]:
    """Return conditions on grouped fields and aggregates."""
    if not spec.is_projection:
        msg = "having() requires projection mode. Use group_by/annotate."
        raise InvalidProjectionError(msg)
    return tuple(
        _having(spec, key, value, local=local) for key, value in keywords.items()
    )


def ordered_by(spec: QuerySpec[Any], name: str) -> Order | None:
    """Return what an aggregate is ordered by, or ``None`` for an unknown alias."""
    aggregate = dict(spec.aggregates).get(name)
    if aggregate is None:
        return None
    if isinstance(aggregate, RelatedCount):
        return Order(aggregate.sql, path=None)
    if isinstance(aggregate, AggregateSpec):
        sql = _aggregate_operand(spec.table, name, aggregate).compared
        return Order(sql, path=None)
    return Order(name, path=None, computed=collated(aggregate))


def aggregate_output(
    table: Table, aggregate: AggregateSpec
) -> tuple[str, Column | None]:
    """Return the SQL of an aggregate, and the column that decodes its values."""
    return _aggregate_sql(table, aggregate), _decoding_column(table, aggregate)


def related_count(
    spec: QuerySpec[Any], path: str, alias: str, *, distinct: bool
) -> QuerySpec[Any]:
    """Return the query with a count of the rows at the end of a path."""
    relations = _counted(spec.table, path)
    name = alias.strip()
    _check_alias(spec.table, name, dict(spec.aggregates))
    count = RelatedCount(relations, _label(spec.table, name), distinct)
    groups = spec.group_by or _row_columns(spec)
    aggregates = (*spec.aggregates, (name, count))
    return spec.but(group_by=groups, aggregates=aggregates, is_projection=True)


def _counted(table: Table, path: str) -> tuple[Relation, ...]:
    relations: list[Relation] = []
    try:
        for relation in follow(table, path):
            relations.append(relation)
            relation.target_table  # noqa: B018 - it must exist
    except InvalidForeignKeyError as error:
        many = "many-to-many " if isinstance(relations[-1], ManyLink) else ""
        msg = f"Cannot resolve SQL metadata for {many}relationship '{path}'."
        raise InvalidProjectionError(msg, original=error) from error
    if not relations[-1].to_many:
        msg = (
            "with_count() terminal relationship must be to-many "
            "(reverse FK or many-to-many)."
        )
        raise InvalidProjectionError(msg)
    return tuple(relations)


def _row_columns(spec: QuerySpec[Any]) -> tuple[Column, ...]:
    if spec.selection is None:
        return spec.table.columns
    return tuple(spec.table.by_field[field] for field in spec.selection.loaded)


def _label(table: Table, alias: str) -> str:
    """Return a name for the value that SQLite takes for no column of the table."""
    taken = {column.name.lower() for column in table.columns} | _ROW_IDS
    return f"{alias} (count)" if alias.lower() in taken else alias


def _column(table: Table, aggregate: AggregateSpec) -> Column | None:
    return table.by_field[aggregate.field] if aggregate.field else None


def _aggregate_sql(table: Table, aggregate: AggregateSpec) -> str:
    return aggregate_sql(aggregate, _column(table, aggregate))


def _decoding_column(table: Table, aggregate: AggregateSpec) -> Column | None:
    column = _column(table, aggregate)
    return column if is_decoded(aggregate, column) else None


def _having(spec: QuerySpec[Any], key: str, value: Any, *, local: bool) -> Condition:
    name, suffix = _named(spec, key)
    lookup = find_lookup(suffix)
    assert lookup is not None
    aggregate = dict(spec.aggregates).get(name)
    if aggregate is not None and not isinstance(
        aggregate, (AggregateSpec, RelatedCount)
    ):
        return looked(name, aggregate, lookup, value)
    operand = _having_operand(spec, name, local=local)
    return Side(operand, lookup).compared(value)._replace(path=None)


def _named(spec: QuerySpec[Any], key: str) -> tuple[str, str]:
    """Take a keyword apart; exact names win over operators."""
    name, suffix = key, "__eq"
    if not _is_known(spec, key):
        for name, suffix in splits(key):  # noqa: B007 - the last one is reported
            if _is_known(spec, name):
                break
    return name, suffix


def is_aggregate(spec: QuerySpec[Any], key: str) -> bool:
    """Return whether a keyword is about an aggregate of the query."""
    return _named(spec, key)[0] in dict(spec.aggregates)


def _is_known(spec: QuerySpec[Any], name: str) -> bool:
    return name in dict(spec.aggregates) or any(c.field == name for c in spec.group_by)


def _having_operand(spec: QuerySpec[Any], name: str, *, local: bool) -> Operand:
    for column in spec.group_by:
        if column.field == name:
            return operand_of(spec.table, column, local=local)
    aggregate = dict(spec.aggregates).get(name)
    if aggregate is None:
        raise InvalidProjectionError(
            f"HAVING field '{name}' must be a grouped field or an aggregate alias. "
            "Aggregate aliases must be defined via annotate()/with_count() before "
            "calling having()."
        )
    if isinstance(aggregate, RelatedCount):
        return Operand(name, aggregate.sql, "BLOB", encode_scalar)
    assert isinstance(aggregate, AggregateSpec)
    return _aggregate_operand(spec.table, name, aggregate, local=local)


def _aggregate_operand(
    table: Table, name: str, aggregate: AggregateSpec, *, local: bool = True
) -> Operand:
    sql = _aggregate_sql(table, aggregate)
    column = _decoding_column(table, aggregate)
    if column is None:
        return Operand(name, sql, "BLOB", encode_scalar)
    operand = operand_of(table, column, name, local=local)
    return operand._replace(sql=sql, storage="BLOB", holds_int=False)


def _check_alias(table: Table, alias: str, found: dict[str, Aggregate]) -> None:
    if not alias:
        msg = "Aggregate alias cannot be empty."
    elif '"' in alias:
        msg = f'Aggregate alias "{alias}" cannot contain the " character.'
    elif alias in table.by_field:
        msg = f"Aggregate alias '{alias}' conflicts with model field '{alias}'."
    elif alias in found:
        msg = f"Aggregate alias '{alias}' is already defined."
    else:
        return
    raise InvalidProjectionError(msg)


def _check_aggregate(table: Table, alias: str, aggregate: Any) -> None:
    if not isinstance(aggregate, AggregateSpec):
        msg = (
            "annotate() values must be AggregateSpec instances, got "
            f"{type(aggregate).__name__} for alias '{alias}'."
        )
        raise TypeError(msg)
    field = aggregate.field
    if field is not None and field not in table.by_field:
        raise InvalidProjectionError(
            f"Aggregate field '{field}' is not a field on model {table.model.__name__}."
        )
    if field is None and aggregate.distinct:
        raise InvalidProjectionError(
            f"Aggregate alias '{alias}' uses DISTINCT with COUNT(*) which is not "
            "supported."
        )
