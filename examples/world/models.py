"""What the atlas keeps of each place; ``blocking`` and ``awaiting`` add relations.

These are mere fields: a relation is of one colour, and so is a model that has any.
Keys are the ids that GeoNames gave to each place; languages are numbered.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel

from sqliter.model import BaseDBModel, unique

__all__ = ["CityFields", "ContinentFields", "CountryFields", "LanguageFields", "Load"]


class ContinentFields(BaseModel):
    """One of seven."""

    code: Annotated[str, unique()]
    name: str

    class Meta:
        """Names are given here because SQL is written against them, too."""

        table_name = "continents"


class LanguageFields(BaseModel):
    """A language, whatever its regional varieties."""

    code: Annotated[str, unique()]
    name: str

    class Meta:
        """Named like the others."""

        table_name = "languages"


class CountryFields(BaseModel):
    """A country or a territory with an ISO code of its own."""

    code: Annotated[str, unique()]
    name: str
    continent_id: int
    capital: str | None
    area: int
    """Square kilometres; 0 for the smallest."""
    population: int
    density: float | None
    """People per square kilometre; ``None`` without an area."""

    class Meta:
        """Countries are ranked by density, and searched for by name."""

        table_name = "countries"
        indexes = ("density",)
        fts = ("name",)


class CityFields(BaseModel):
    """A populated place, under every name that people call it."""

    name: str
    country_id: int
    latitude: float
    longitude: float
    population: int
    timezone: str
    is_capital: bool
    alternate_names: list[str]

    class Meta:
        """The index over two fields finds the largest cities of a country."""

        table_name = "cities"
        indexes = (("country_id", "population"), "population", "timezone")


class Load(BaseDBModel):
    """The marker: what was to be loaded, and whether all of it has arrived."""

    source: str
    smallest: int
    cities: int
    complete: bool = False

    class Meta:
        """Whether this table exists tells an atlas from other files."""

        table_name = "atlas_loads"
