"""The atlas that a question is put to: a database, and the models of its colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sqliter.model import BaseDBModel

from . import awaiting, blocking
from .counter import StatementCounter
from .models import Load
from .steps import Database

__all__ = ["Atlas", "City", "Continent", "Country", "Language"]

Continent: TypeAlias = blocking.Continent | awaiting.Continent
Language: TypeAlias = blocking.Language | awaiting.Language
Country: TypeAlias = blocking.Country | awaiting.Country
City: TypeAlias = blocking.City | awaiting.City


@dataclass(frozen=True)
class Atlas:
    """Made as ``Atlas(db, counter, *blocking.MODELS)`` or ``*awaiting.MODELS``."""

    db: Database
    statements: StatementCounter
    Continent: type[blocking.Continent | awaiting.Continent]
    Language: type[blocking.Language | awaiting.Language]
    Country: type[blocking.Country | awaiting.Country]
    City: type[blocking.City | awaiting.City]

    @property
    def models(self) -> tuple[type[BaseDBModel], ...]:
        """All of them, parents first."""
        return Load, self.Continent, self.Language, self.Country, self.City
