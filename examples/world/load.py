"""Filling the file: in whole batches, once, and where it was left off."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .data import World
from .models import City, Continent, Country, Load
from .steps import Database, Steps, Transaction

__all__ = ["BATCH", "NotAnAtlasError", "find_load", "load", "start_anew"]

BATCH = 1_000
"""Cities per transaction."""

_PARENTS_FIRST = (Load, Continent, Country, City)


class NotAnAtlasError(Exception):
    """The file belongs to somebody else."""


def find_load(db: Database) -> Steps[Load | None]:
    """Return the marker of the last load, or ``None`` for a new file."""
    tables: list[str] = yield db.get_table_names
    if not tables:
        return None
    if Load.get_table_name() not in tables:
        raise NotAnAtlasError(f"{db.filename} holds other tables: {', '.join(tables)}")
    found: Load | None = yield db.select(Load).fetch_last
    return found


def start_anew(db: Database, world: World) -> Steps[Load]:
    """Make empty tables with all countries, and the marker of what is to come."""
    marker = Load(
        source=world.source, smallest=world.smallest, cities=world.city_count()
    )
    yield Transaction(_foundation(db, world, marker))
    return marker


def load(
    db: Database, world: World, marker: Load, advance: Callable[[int], None]
) -> Steps[None]:
    """Insert the cities that are missing; each batch is a transaction of its own.

    ``advance`` is told how many cities arrived, those of an earlier try included.
    """
    present: int = yield db.select(City).count
    advance(present)
    for batch in world.city_batches(BATCH, start=present):
        yield partial(db.bulk_insert, batch)
        advance(len(batch))
    marker.complete = True
    yield partial(db.update, marker)


def _foundation(db: Database, world: World, marker: Load) -> Steps[None]:
    for model in reversed(_PARENTS_FIRST):
        yield partial(db.drop_table, model)
    for model in _PARENTS_FIRST:
        yield partial(db.create_table, model)
    yield partial(db.bulk_insert, world.continents())
    yield partial(db.bulk_insert, world.countries())
    yield partial(db.insert, marker)
