"""Many-to-many links: added, removed, replaced. Each is one atomic operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import reported_as
from sqliter.core.statement import Statement
from sqliter.core.steps import Steps, ask, ask_all, reads, writes, writes_shortly
from sqliter.exceptions import JunctionTableError, RecordFetchError
from sqliter.model.relations import Junction
from sqliter.operations.schema import known_junction
from sqliter.planning import links as planning

__all__ = ["Links", "add", "clear", "count", "remove", "replace"]


class Links(NamedTuple):
    """The links of one row: their table, its key there, all tables that matter.

    ``undo`` is called if what was written is rolled back.
    """

    junction: Junction
    key: int
    tables: tuple[str, ...]
    undo: Callable[[], None] | None = None


@writes_shortly
def add(
    effects: Effects, links: Links, keys: Sequence[int], context: Context
) -> Steps[None]:
    """Link the row with these; those that are linked already stay so."""
    statements = planning.insert(links.junction, links.key, keys)
    yield from _write(effects, links, statements, context)


@writes_shortly
def remove(
    effects: Effects, links: Links, keys: Sequence[int], context: Context
) -> Steps[None]:
    """Unlink the row from these; those that are not linked do not matter."""
    statements = planning.delete(links.junction, links.key, keys)
    yield from _write(effects, links, statements, context)


@writes
def clear(effects: Effects, links: Links, context: Context) -> Steps[None]:
    """Unlink the row from all."""
    statements = planning.delete_all(links.junction, links.key)
    yield from _write(effects, links, statements, context)


@writes
def replace(
    effects: Effects, links: Links, keys: Sequence[int], context: Context
) -> Steps[None]:
    """Have the row linked with exactly these."""
    junction, key = links.junction, links.key
    others = planning.delete_all(junction, key, but=keys)
    statements = [*others, *planning.insert(junction, key, keys)]
    yield from _write(effects, links, statements, context)


@reads
def count(links: Links, context: Context) -> Steps[int]:
    """Return how many links the row has."""
    with reported_as(RecordFetchError, links.junction.name):
        yield from known_junction(links.junction, context)
        result = yield from ask(planning.count(links.junction, links.key))
    return int(result.rows[0][0] or 0)


def _write(
    effects: Effects,
    links: Links,
    statements: Iterable[Statement],
    context: Context,
) -> Steps[None]:
    asked = list(statements)
    if not asked:
        return
    effects.touch((links.junction.name, *links.tables))
    if links.undo is not None:
        effects.on_undo(links.undo)
    with reported_as(JunctionTableError, links.junction.name):
        yield from known_junction(links.junction, context)
        yield from ask_all(asked)
