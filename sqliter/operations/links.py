"""Many-to-many links: added, removed, replaced. Each is one atomic operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.faults import reported_as
from sqliter.core.statement import Statement
from sqliter.core.steps import Operation, Steps, ask, ask_all, reads, writes_shortly
from sqliter.exceptions import JunctionTableError, RecordFetchError
from sqliter.model.relations import Junction
from sqliter.operations.schema import known_junction
from sqliter.planning import links as planning

__all__ = ["Links", "Shown", "add", "clear", "count", "remove", "replace"]


class Shown(NamedTuple):
    """A list that shows what is linked, and how it is read again."""

    items: list[Any]
    read: Callable[[], Operation[list[Any]]]


class Links(NamedTuple):
    """The links of one row: their table, its key there, all tables that matter.

    ``shown`` shows the new state as soon as it is written, and the old one if that is
    rolled back.
    """

    junction: Junction
    key: int
    tables: tuple[str, ...]
    shown: Shown | None = None


def add(links: Links, keys: Sequence[int], context: Context) -> Operation[None]:
    """Link the row with these; those that are linked already stay so."""
    statements = planning.insert(links.junction, links.key, keys)
    return _written(links, statements, context)


def remove(links: Links, keys: Sequence[int], context: Context) -> Operation[None]:
    """Unlink the row from these; those that are not linked do not matter."""
    statements = planning.delete(links.junction, links.key, keys)
    return _written(links, statements, context)


def clear(links: Links, context: Context) -> Operation[None]:
    """Unlink the row from all."""
    statements = planning.delete_all(links.junction, links.key)
    return _written(links, statements, context)


def replace(links: Links, keys: Sequence[int], context: Context) -> Operation[None]:
    """Have the row linked with exactly these."""
    junction, key = links.junction, links.key
    others = planning.delete_all(junction, key, but=keys)
    statements = [*others, *planning.insert(junction, key, keys)]
    return _written(links, statements, context)


@reads
def count(links: Links, context: Context) -> Steps[int]:
    """Return how many links the row has."""
    with reported_as(RecordFetchError, links.junction.name):
        yield from known_junction(links.junction, context)
        result = yield from ask(planning.count(links.junction, links.key))
    return int(result.rows[0][0] or 0)


def _written(
    links: Links, statements: Iterable[Statement], context: Context
) -> Operation[None]:
    operation = _write(links, list(statements), context)
    if links.shown is None:
        return operation
    # What is written and what is shown then are one: both or nothing.
    return operation._replace(is_unit=True, again=None)


@writes_shortly
def _write(
    effects: Effects, links: Links, statements: Sequence[Statement], context: Context
) -> Steps[None]:
    if not statements:
        return
    effects.touch((links.junction.name, *links.tables))
    with reported_as(JunctionTableError, links.junction.name):
        yield from known_junction(links.junction, context)
        yield from ask_all(statements)
    if links.shown is not None:
        yield from _show(effects, links.shown)


def _show(effects: Effects, shown: Shown) -> Steps[None]:
    """Read what is linked now; the list shows it until that is rolled back."""
    items = shown.items
    found = yield from shown.read().steps
    before = list(items)

    def restore() -> None:
        items[:] = before

    effects.on_undo(restore)
    items[:] = found
