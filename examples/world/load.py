"""Filling the file: in whole batches, once, and where it was left off."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .atlas import Atlas, Country, Language
from .data import World
from .models import Load
from .steps import Steps, Transaction

__all__ = [
    "BATCH",
    "NotAnAtlasError",
    "OldAtlasError",
    "find_load",
    "load",
    "start_anew",
]

BATCH = 1_000
"""Cities per transaction."""


class NotAnAtlasError(Exception):
    """The file belongs to somebody else."""


class OldAtlasError(Exception):
    """The file was made by an earlier version, which kept less."""


def find_load(at: Atlas, *, fresh: bool) -> Steps[Load | None]:
    """Return the marker of the last load, or ``None`` where there is nothing to use.

    ``fresh`` means not to use what there is, as long as it is an atlas.
    """
    tables: list[str] = yield at.db.get_table_names
    if tables and Load.get_table_name() not in tables:
        raise NotAnAtlasError(
            f"{at.db.filename} holds other tables: {', '.join(tables)}"
        )
    if not tables or fresh:
        return None
    missing = {model.get_table_name() for model in at.models} - set(tables)
    if missing:
        raise OldAtlasError(
            f"{at.db.filename} is an atlas of an earlier version, without "
            f"{', '.join(sorted(missing))}.\nUse --fresh to load it again."
        )
    found: Load | None = yield at.db.select(Load).fetch_last
    return found


def start_anew(at: Atlas, world: World) -> Steps[Load]:
    """Make empty tables with all countries, and the marker of what is to come."""
    marker = Load(
        source=world.source, smallest=world.smallest, cities=world.city_count()
    )
    yield Transaction(_foundation(at, world, marker))
    return marker


def load(
    at: Atlas, world: World, marker: Load, advance: Callable[[int], None]
) -> Steps[None]:
    """Insert the cities that are missing; each batch is a transaction of its own.

    ``advance`` is told how many cities arrived, those of an earlier try included.
    """
    present: int = yield at.db.select(at.City).count
    advance(present)
    for batch in world.city_batches(at, BATCH, start=present):
        yield partial(at.db.bulk_insert, batch)
        advance(len(batch))
    marker.complete = True
    yield partial(at.db.update, marker)


def _foundation(at: Atlas, world: World, marker: Load) -> Steps[None]:
    for link in (at.Country.languages, at.Country.neighbours):
        # Tables of links outlive the tables of models.
        yield partial(at.db.execute, f'DROP TABLE IF EXISTS "{link.junction_table}"')
    for model in reversed(at.models):
        yield partial(at.db.drop_table, model)
    for model in at.models:
        yield partial(at.db.create_table, model)
    yield partial(at.db.bulk_insert, world.continents(at))
    languages: list[Language]
    languages = yield partial(at.db.bulk_insert, world.languages(at))
    countries: list[Country]
    countries = yield partial(at.db.bulk_insert, world.countries(at))
    yield from _link(world, languages, countries)
    yield partial(at.db.insert, marker)


def _link(
    world: World, languages: list[Language], countries: list[Country]
) -> Steps[None]:
    """Say which languages a country speaks, and which others it borders."""
    spoken, borders = world.spoken(), world.borders()
    # They are all of one colour, which type checkers cannot know.
    language: dict[str, Any] = {each.code: each for each in languages}
    country: dict[str, Any] = {each.code: each for each in countries}
    for each in countries:
        yield partial(each.languages.add, *(language[c] for c in spoken[each.code]))
        yield partial(each.neighbours.add, *(country[c] for c in borders[each.code]))
