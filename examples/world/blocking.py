"""How places relate, for ``SqliterDB``: ``city.country.name``."""

from __future__ import annotations

from typing import ClassVar

from sqliter.orm import (
    BaseDBModel,
    ForeignKey,
    ManyToMany,
    ReverseManyToMany,
    ReverseRelationship,
)

from .models import CityFields, ContinentFields, CountryFields, LanguageFields

__all__ = ["MODELS", "City", "Continent", "Country", "Language"]


class Continent(ContinentFields, BaseDBModel):
    """A continent has countries."""

    countries: ClassVar[ReverseRelationship[Country]]

    class Meta(ContinentFields.Meta):
        pass


class Language(LanguageFields, BaseDBModel):
    """A language is spoken in countries."""

    countries: ClassVar[ReverseManyToMany[Country]]

    class Meta(LanguageFields.Meta):
        pass


class Country(CountryFields, BaseDBModel):
    """A country has a continent, languages, neighbours and cities."""

    continent: ForeignKey[Continent] = ForeignKey(Continent, related_name="countries")
    languages: ManyToMany[Language] = ManyToMany(Language, related_name="countries")
    neighbours: ManyToMany[Country] = ManyToMany("Country", symmetrical=True)
    cities: ClassVar[ReverseRelationship[City]]

    class Meta(CountryFields.Meta):
        pass


class City(CityFields, BaseDBModel):
    """A city has a country."""

    country: ForeignKey[Country] = ForeignKey(Country, related_name="cities")

    class Meta(CityFields.Meta):
        pass


MODELS = (Continent, Language, Country, City)
"""Parents first."""
