"""What the atlas keeps. Keys are the ids that GeoNames gave to each place."""

from __future__ import annotations

from typing import Annotated

from sqliter.model import BaseDBModel, ForeignKey, unique

__all__ = ["City", "Continent", "Country", "Load"]


class Continent(BaseDBModel):
    """One of seven."""

    code: Annotated[str, unique()]
    name: str

    class Meta(BaseDBModel.Meta):
        """Names are given here because SQL is written against them, too."""

        table_name = "continents"


class Country(BaseDBModel):
    """A country or a territory with an ISO code of its own."""

    code: Annotated[str, unique()]
    name: str
    continent_id: int = ForeignKey(Continent)
    capital: str | None
    area: int
    """Square kilometres; 0 for the smallest."""
    population: int
    density: float | None
    """People per square kilometre; ``None`` without an area."""

    class Meta(BaseDBModel.Meta):
        """Countries are ranked by density."""

        table_name = "countries"
        indexes = ("density",)


class City(BaseDBModel):
    """A populated place, under every name that people call it."""

    name: str
    country_id: int = ForeignKey(Country)
    latitude: float
    longitude: float
    population: int
    timezone: str
    is_capital: bool
    alternate_names: list[str]

    class Meta(BaseDBModel.Meta):
        """The index over two fields finds the largest cities of a country."""

        table_name = "cities"
        indexes = (("country_id", "population"), "population", "timezone")


class Load(BaseDBModel):
    """The marker: what was to be loaded, and whether all of it has arrived."""

    source: str
    smallest: int
    cities: int
    complete: bool = False

    class Meta(BaseDBModel.Meta):
        """Whether this table exists tells an atlas from other files."""

        table_name = "atlas_loads"
