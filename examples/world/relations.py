"""Questions that follow relations, each written once for both colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from heapq import nlargest
from typing import Any

from sqliter.orm import Prefetch

from .answers import CITY, COUNTRY, PEOPLE, Answer, Column, Question
from .atlas import Atlas, City, Continent, Country
from .steps import Steps, Transaction

__all__ = ["QUESTIONS"]

_CONTINENT = Column("Continent")


def speakers(at: Atlas, language: str) -> Steps[Answer]:
    """Filter through a many-to-many relation."""
    countries: list[Country] = yield (
        at.db.select(at.Country)
        .filter(languages__code=language)
        .select_related("continent")
        .order("-population")
        .fetch_all
    )
    rows = [(c.name, c.continent.name, c.population) for c in countries[:8]]
    remark = f"{len(rows)} of {len(countries)} countries"
    return Answer((COUNTRY, _CONTINENT, PEOPLE), rows, remark)


def neighbours(at: Atlas, code: str) -> Steps[Answer]:
    """Ask an object for what it is linked to, in a certain order."""
    country: Country = yield at.db.select(at.Country).filter(code=code).fetch_one
    found: list[Country] = yield country.neighbours.order("-population").fetch_all
    rows = [(each.name, each.capital, each.population) for each in found]
    return Answer((Column("Neighbour"), Column("Capital"), PEOPLE), rows)


def neighbours_of_neighbours(at: Atlas, code: str) -> Steps[Answer]:
    """Fetch two levels along: a statement for each, then reading costs nothing."""
    by_name = at.db.select(at.Country).order("name")
    country: Country = yield (
        at.db.select(at.Country)
        .filter(code=code)
        .prefetch_related(Prefetch("neighbours", by_name), "neighbours__neighbours")
        .fetch_one
    )
    rows: list[tuple[str, str | None]] = []
    near: list[Country] = yield country.neighbours.fetch_all
    for each in near:
        others: list[Country] = yield each.neighbours.fetch_all
        names = sorted(other.name for other in others if other.pk != country.pk)
        rows.append((each.name, ", ".join(names) or None))
    return Answer((Column("Neighbour"), Column("Borders, too")), rows)


def islands(at: Atlas) -> Steps[Answer]:
    """Filter by having nothing linked."""
    alone = at.db.select(at.Country).filter(neighbours__isnull=True)
    top = alone.clone().select_related("continent").order("-population").limit(6)
    countries: list[Country] = yield top.fetch_all
    total: int = yield alone.count
    rows = [(each.name, each.continent.name, each.population) for each in countries]
    remark = f"{len(rows)} of {total} countries"
    return Answer((COUNTRY, _CONTINENT, PEOPLE), rows, remark)


def two_borders_away(at: Atlas, code: str) -> Steps[Answer]:
    """Filter through the same relation twice; compare with objects."""
    country: Country = yield at.db.select(at.Country).filter(code=code).fetch_one
    near: list[Country] = yield country.neighbours.fetch_all
    found: list[Country] = yield (
        at.db.select(at.Country)
        .filter(neighbours__neighbours=country)
        .filter(pk__not_in=[each.pk for each in (country, *near)])
        .order("name")
        .fetch_all
    )
    names = ", ".join(each.name for each in found)
    return Answer((Column("Countries", ","), Column("Names")), [(len(found), names)])


def largest_cities_and_where(at: Atlas) -> Steps[Answer]:
    """Fetch objects at the other end of two foreign keys with a join."""
    cities: list[City] = yield (
        at.db.select(at.City)
        .select_related("country__continent")
        .order("-population")
        .limit(8)
        .fetch_all
    )
    rows = [
        (c.name, c.country.name, c.country.continent.name, c.population) for c in cities
    ]
    return Answer((CITY, COUNTRY, _CONTINENT, PEOPLE), rows)


def largest_cities_by_continent(at: Atlas, size: int) -> Steps[Answer]:
    """Prefetch the first few of each: no city but these is read.

    A continent's largest cities are among the largest of its countries.
    """
    largest = at.db.select(at.City).order("-population").limit(size)
    continents: list[Continent] = yield (
        at.db.select(at.Continent)
        .order("name")
        .prefetch_related(Prefetch("countries__cities", largest))
        .fetch_all
    )
    rows: list[tuple[str, str]] = []
    for continent in continents:
        cities: list[City] = []
        countries: list[Country] = yield continent.countries.fetch_all
        for country in countries:
            cities += yield country.cities.fetch_all
        first = nlargest(size, cities, key=lambda city: city.population)
        rows.append((continent.name, ", ".join(city.name for city in first)))
    return Answer((_CONTINENT, Column("Largest cities")), rows)


def most_neighbours(at: Atlas) -> Steps[Answer]:
    """Count what is linked, of two relations at once."""
    counts: list[dict[str, Any]] = yield (
        at.db.select(at.Country, fields=["name"])
        .with_count("neighbours", "borders")
        .with_count("languages", "spoken")
        .order("-borders", "-spoken")
        .limit(8)
        .fetch_dicts
    )
    rows = [(each["name"], each["borders"], each["spoken"]) for each in counts]
    return Answer((COUNTRY, Column("Neighbours", ","), Column("Languages", ",")), rows)


def most_spoken(at: Atlas) -> Steps[Answer]:
    """Count along a path of relations; keep the large counts."""
    counts: list[dict[str, Any]] = yield (
        at.db.select(at.Language, fields=["name"])
        .with_count("countries", "countries")
        .with_count("countries__cities", "cities")
        .having(countries__gte=10)
        .order("-cities")
        .limit(8)
        .fetch_dicts
    )
    rows = [(each["name"], each["countries"], each["cities"]) for each in counts]
    columns = (
        Column("Language"),
        Column("Countries", ","),
        Column("Cities there", ","),
    )
    return Answer(columns, rows)


def across_the_border(at: Atlas, language: str, code: str) -> Steps[Answer]:
    """Filter through a foreign key, and from there through two relations."""
    found = at.db.select(at.City).filter(
        country__languages__code=language, country__neighbours__code=code
    )
    largest = found.clone().select_related("country").order("-population").limit(8)
    cities: list[City] = yield largest.fetch_all
    total: int = yield found.count
    rows = [(each.name, each.country.name, each.population) for each in cities]
    return Answer((CITY, COUNTRY, PEOPLE), rows, f"{len(rows)} of {total:,} cities")


def lazy_or_eager(at: Atlas, size: int) -> Steps[Answer]:
    """Read the same relation in four ways, and count what each one sends."""
    largest = at.db.select(at.City).order("-population").limit(size)
    ways = {
        "as it comes": largest,
        "share_lazy()": largest.clone().share_lazy(),
        'prefetch_related("country")': largest.clone().prefetch_related("country"),
        'select_related("country")': largest.clone().select_related("country"),
    }
    rows: list[tuple[str, int, str]] = []
    for way, query in ways.items():
        before = at.statements.count
        cities: list[City] = yield query.fetch_all
        names = yield from _country_names(at, cities)
        sent = at.statements.count - before
        most = ", ".join(f"{n} {name}" for name, n in Counter(names).most_common(3))
        rows.append((way, sent, most))
    columns = (Column("Way"), Column("Statements", ","), Column("Most of them"))
    return Answer(columns, rows)


def german_time(at: Atlas, code: str, timezone: str) -> Steps[Answer]:
    """Change what a path of relations leads to, in one statement; take it back."""
    zone = at.db.select(at.City).filter(timezone=timezone)
    before: int = yield zone.count
    changed, inside = yield Transaction(_under_one_clock(at, code, timezone))
    after: int = yield zone.count
    rows = (
        ("before", before),
        ("inside the transaction", inside),
        ("after the rollback", after),
    )
    remark = f"{changed:,} changed, {'all' if before == after else 'not all'} restored"
    return Answer((Column("Cities there"), Column(timezone, ",")), rows, remark)


def _country_names(at: Atlas, cities: Sequence[City]) -> Steps[list[str]]:
    """Return the names of their countries, loaded if they are not there."""
    names: list[str] = []
    for each in cities:
        country: Country = yield partial(at.db.load, each.country)
        names.append(country.name)
    return names


def _under_one_clock(at: Atlas, code: str, timezone: str) -> Steps[tuple[int, int]]:
    """Set the clocks of all neighbours, count, and roll everything back."""
    abroad = at.db.select(at.City).filter(country__neighbours__code=code)
    changed: int = yield partial(abroad.update, {"timezone": timezone})
    inside: int = yield at.db.select(at.City).filter(timezone=timezone).count
    yield at.db.rollback
    return changed, inside


QUESTIONS = (
    Question("Which countries speak Spanish?", partial(speakers, language="es")),
    Question("Which countries border Germany?", partial(neighbours, code="DE")),
    Question("And whom do these border?", partial(neighbours_of_neighbours, code="DE")),
    Question(
        "Which countries are two borders away?", partial(two_borders_away, code="DE")
    ),
    Question("Which countries have no neighbours?", islands),
    Question("Where are the largest cities?", largest_cities_and_where),
    Question(
        "Which are the five largest cities of each continent?",
        partial(largest_cities_by_continent, size=5),
    ),
    Question("Which countries have the most neighbours?", most_neighbours),
    Question(
        "Which languages of ten or more countries reach the most cities?", most_spoken
    ),
    Question(
        "Which cities are in countries that speak French and border Germany?",
        partial(across_the_border, language="fr", code="DE"),
    ),
    Question(
        "What does it take to name the countries of 100 cities?",
        partial(lazy_or_eager, size=100),
    ),
    Question(
        "What if Germany's neighbours lived by its clocks?",
        partial(german_time, code="DE", timezone="Europe/Berlin"),
    ),
)
