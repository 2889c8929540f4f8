"""Columns that stand for a row where a value per group is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqliter.exceptions import InvalidProjectionError
from sqliter.planning.computed import Built, Computed, Level, Stored
from sqliter.planning.computing import Extracted
from sqliter.planning.spec import QuerySpec

__all__ = ["check_bare"]


def check_bare(spec: QuerySpec[Any], name: str, found: Computed) -> None:
    """Raise ``InvalidProjectionError`` if SQLite would take any row of the group."""
    if not (spec.group_by or spec.grouped) or spec.table.pk in spec.group_by:
        return
    known = [id(each) for alias, each in spec.aggregates if alias in spec.grouped]
    for column in _bare(found, known):
        if column.column not in spec.group_by:
            field = column.column.field
            text = f"{name}: '{field}' has many values per group; group by it, "
            raise InvalidProjectionError(f"{text}or say which by an aggregate")


def _bare(found: Computed, known: list[int]) -> Iterator[Stored]:
    """Yield the columns outside of aggregates and of what is grouped by."""
    if id(found) in known:
        return
    if isinstance(found, Stored):
        yield found
    if isinstance(found, Extracted):
        yield found.source
    if isinstance(found, Built) and found.own_level is not Level.GROUP:
        for each in _inner(found):
            yield from _bare(each, known)


def _inner(found: Built) -> list[Computed]:
    inner = [piece for piece in found.pieces if not isinstance(piece, str)]
    if found.own_level is not Level.WINDOW:
        return inner
    call, *others = inner  # over a window: an aggregate of groups, not of rows
    return [*(_inner(call) if isinstance(call, Built) else [call]), *others]
