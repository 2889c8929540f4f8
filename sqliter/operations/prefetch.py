"""Related rows for many instances at once: a statement for each level of a path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqliter.core.context import Context
from sqliter.core.statement import Value
from sqliter.core.steps import Steps, ask
from sqliter.exceptions import RecordFetchError
from sqliter.model.loaded import (
    known_list,
    known_object,
    remember,
    remember_many,
    remember_parent,
)
from sqliter.model.relations import ForwardKey, ReverseKey
from sqliter.operations.failures import reported_of
from sqliter.operations.schema import all_known
from sqliter.planning.children import plan_children
from sqliter.planning.spec import PrefetchNode, QuerySpec

__all__ = ["prefetch"]


def prefetch(
    instances: Sequence[Any],
    nodes: Iterable[PrefetchNode],
    parent: QuerySpec[Any],
    context: Context,
) -> Steps[None]:
    """Fetch these relations of all instances, and theirs in turn."""
    for node in nodes:
        if not instances:
            return
        relation = node.relation
        if isinstance(relation, ForwardKey):
            found = yield from _forward(instances, node, relation, parent, context)
        else:
            found = yield from _to_many(instances, node, parent, context)
        deeper = (*node.children, *(node.query.prefetch if node.query else ()))
        yield from prefetch(found, deeper, parent, context)


def _forward(
    instances: Sequence[Any],
    node: PrefetchNode,
    relation: ForwardKey,
    parent: QuerySpec[Any],
    context: Context,
) -> Steps[list[Any]]:
    loaded = [known_object(each, relation.name) for each in instances]
    missing = [
        each for each, known in zip(instances, loaded, strict=True) if known is None
    ]
    keys = {key for each in missing if (key := vars(each)[relation.field])}
    by_key = yield from _children(keys, node, parent, context)
    for each in missing:
        for child in by_key.get(vars(each)[relation.field], ()):
            remember(each, relation.name, child)
    fetched = [child for children in by_key.values() for child in children]
    return [*(each for each in loaded if each is not None), *fetched]


def _to_many(
    instances: Sequence[Any],
    node: PrefetchNode,
    parent: QuerySpec[Any],
    context: Context,
) -> Steps[list[Any]]:
    relation = node.relation
    # A path may lead back to objects whose rows were fetched further up.
    missing = [each for each in instances if known_list(each, relation.name) is None]
    by_key = yield from _children({each.pk for each in missing}, node, parent, context)
    for each in missing:
        children = by_key.get(each.pk, [])
        remember_many(each, relation.name, children)
        if isinstance(relation, ReverseKey):
            remember_parent(children, relation.forward.name, each)
    if not (node.children or (node.query and node.query.prefetch)):
        return []  # nobody goes on from there
    lists = (known_list(each, relation.name) or () for each in instances)
    found = (child for children in lists for child in children)
    return list({id(child): child for child in found}.values())


def _children(
    keys: set[int], node: PrefetchNode, parent: QuerySpec[Any], context: Context
) -> Steps[dict[Value, list[Any]]]:
    if not keys:
        return {}
    plan = plan_children(node, sorted(keys), parent, context)
    spec = node.query or QuerySpec(node.relation.target_table)
    with reported_of(spec, RecordFetchError):
        yield from all_known(plan.reads, context)
        result = yield from ask(plan.statement, memo=plan.memo)
        return plan.load(result.rows, context)
