"""How places relate, for ``AsyncSqliterDB``: ``(await city.country.fetch()).name``."""

from __future__ import annotations

from typing import ClassVar

from sqliter.asyncio.orm import (
    AsyncBaseDBModel,
    AsyncForeignKey,
    AsyncManyToMany,
    AsyncReverseManyToMany,
    AsyncReverseRelationship,
)

from .models import CityFields, ContinentFields, CountryFields, LanguageFields

__all__ = ["MODELS", "City", "Continent", "Country", "Language"]


class Continent(ContinentFields, AsyncBaseDBModel):
    """A continent has countries."""

    countries: ClassVar[AsyncReverseRelationship[Country]]

    class Meta(ContinentFields.Meta):
        pass


class Language(LanguageFields, AsyncBaseDBModel):
    """A language is spoken in countries."""

    countries: ClassVar[AsyncReverseManyToMany[Country]]

    class Meta(LanguageFields.Meta):
        pass


class Country(CountryFields, AsyncBaseDBModel):
    """A country has a continent, languages, neighbours and cities."""

    continent: AsyncForeignKey[Continent] = AsyncForeignKey(
        Continent, related_name="countries"
    )
    languages: AsyncManyToMany[Language] = AsyncManyToMany(
        Language, related_name="countries"
    )
    neighbours: AsyncManyToMany[Country] = AsyncManyToMany("Country", symmetrical=True)
    cities: ClassVar[AsyncReverseRelationship[City]]

    class Meta(CountryFields.Meta):
        pass


class City(CityFields, AsyncBaseDBModel):
    """A city has a country."""

    country: AsyncForeignKey[Country] = AsyncForeignKey(Country, related_name="cities")

    class Meta(CityFields.Meta):
        pass


MODELS = (Continent, Language, Country, City)
"""Parents first."""
