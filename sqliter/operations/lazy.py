"""A foreign key of many instances, loaded when the first of them needs it."""

from __future__ import annotations

from typing import Any

from sqliter.core.context import Context
from sqliter.core.steps import Steps, reads
from sqliter.model.loaded import known_object, siblings_of
from sqliter.model.relations import ForwardKey
from sqliter.model.table import table_of
from sqliter.operations.prefetch import prefetch
from sqliter.planning.spec import PrefetchNode, QuerySpec

__all__ = ["load_together"]


@reads
def load_together(instance: Any, relation: ForwardKey, context: Context) -> Steps[Any]:
    """Load a foreign key of all instances of one result; return that of one."""
    spec: QuerySpec[Any] = QuerySpec(table_of(relation.owner))
    together = siblings_of(instance)
    living = together.living() if together else [instance]
    siblings = [each for each in living if relation.field in vars(each)]
    yield from prefetch(siblings, (PrefetchNode(relation),), spec, context)
    return known_object(instance, relation.name)
