"""``"author__country"``: from names to relations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqliter.exceptions import (
    InvalidForeignKeyError,
    InvalidPrefetchError,
    InvalidRelationshipError,
)
from sqliter.model.relations import Relation, relation_of
from sqliter.model.table import Column, Table
from sqliter.planning.frame import Path
from sqliter.planning.spec import PrefetchNode, QuerySpec

__all__ = ["follow", "forward_column", "forward_end", "forward_path", "prefetch_nodes"]


def follow(table: Table, path: str) -> Iterator[Relation]:
    """Yield the relations along a path, each before its target is looked at.

    Raises ``InvalidRelationshipError`` for a segment that is none.
    """
    if "" in path.split("__"):
        raise InvalidRelationshipError(path, path, table.model.__name__)
    for segment in path.split("__"):
        relation = relation_of(table.model, segment)
        if relation is None:
            model = table.model.__name__
            raise InvalidRelationshipError(path, segment, model)
        yield relation
        table = relation.target_table


def forward_path(table: Table, path: str) -> Path:
    """Return a path of foreign keys; anything else is an error, as in ``follow``."""
    names = []
    for relation in follow(table, path):
        if relation.to_many:
            model = relation.owner.__name__
            raise InvalidRelationshipError(path, relation.name, model)
        relation.target_table  # noqa: B018 - it must exist
        names.append(relation.name)
    return tuple(names)


def forward_column(table: Table, key: str) -> tuple[Path, Column] | None:
    """Return the column that ``"author__name"`` means, or ``None``."""
    found = forward_end(table, key)
    return found and (found[0], found[2])


def forward_end(table: Table, key: str) -> tuple[Path, Table, Column] | None:
    """Return the same, and the table that the column is of."""
    names: list[str] = []
    while key not in table.by_field:
        head, _, key = key.partition("__")
        relation = relation_of(table.model, head)
        if relation is None or relation.to_many or not key:
            return None
        names.append(head)
        table = relation.target_table
    return tuple(names), table, table.by_field[key]


def prefetch_nodes(
    nodes: tuple[PrefetchNode, ...],
    table: Table,
    path: str,
    query: QuerySpec[Any] | None = None,
) -> tuple[PrefetchNode, ...]:
    """Return the nodes with one more path; ``query`` narrows its last relation.

    Raises ``InvalidPrefetchError`` for a segment that is no relation, or whose
    target is not defined yet.
    """
    return _merged(nodes, _prefetched(table, path), query)


def _prefetched(table: Table, path: str) -> list[Relation]:
    relations: list[Relation] = []
    try:
        for relation in follow(table, path):
            relations.append(relation)
            relation.target_table  # noqa: B018 - it must exist
    except InvalidRelationshipError as error:
        raise InvalidPrefetchError(
            path, error.arguments[1], error.arguments[2]
        ) from None
    except InvalidForeignKeyError as error:
        last = relations[-1]
        owner = last.owner.__name__
        raise InvalidPrefetchError(path, last.name, owner, original=error) from error
    return relations


def _merged(
    nodes: tuple[PrefetchNode, ...],
    relations: list[Relation],
    query: QuerySpec[Any] | None,
) -> tuple[PrefetchNode, ...]:
    head, *rest = relations
    known = {node.relation: node for node in nodes}
    node = known.get(head, PrefetchNode(head))
    if rest:
        node = replace(node, children=_merged(node.children, rest, query))
    elif query is not None:
        node = replace(node, query=query)
    known[head] = node
    return tuple(known.values())
