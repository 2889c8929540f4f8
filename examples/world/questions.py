"""Questions about one table at a time, each written once for both colours.

How that works is told in ``steps``; ``relations`` has the questions about several.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sqliter.query.aggregates import func

from .answers import CITY, COUNTRY, PEOPLE, Answer, Column, Question
from .atlas import Atlas, City, Continent, Country
from .steps import Steps, Transaction

__all__ = ["QUESTIONS"]


def largest_cities(at: Atlas, code: str) -> Steps[Answer]:
    """Filter, order by a field downwards, limit."""
    country: Country = yield at.db.select(at.Country).filter(code=code).fetch_one
    cities: list[City] = yield (
        at.db.select(at.City)
        .filter(country_id=country.pk)
        .order("-population")
        .limit(6)
        .fetch_all
    )
    rows = [
        (
            each.name,
            each.population,
            each.population / country.population,
            each.timezone,
        )
        for each in cities
    ]
    share = Column("Of the country", ".1%")
    return Answer((CITY, PEOPLE, share, Column("Time zone")), rows)


def densest_countries(at: Atlas) -> Steps[Answer]:
    """Order with NULLs last; only some of the columns are read."""
    countries: list[Country] = yield (
        at.db.select(at.Country)
        .fields(["name", "density", "area", "population"])
        .order("-density", nulls="last")
        .limit(8)
        .fetch_all
    )
    rows = [(c.name, c.density, c.area, c.population) for c in countries]
    area, density = Column("Area km²", ","), Column("People per km²", ",.0f")
    return Answer((COUNTRY, density, area, PEOPLE), rows)


def named_like(at: Atlas, part: str) -> Steps[Answer]:
    """Search in a column that holds lists."""
    found = (
        at.db.select(at.City)
        .filter(alternate_names__icontains=part)
        .order("-population")
    )
    top = found.clone().select_related("country").limit(8)
    cities: list[City] = yield top.fetch_all
    total: int = yield found.count
    rows = [
        (each.name, each.country.name, each.population, _with(part, each))
        for each in cities
    ]
    remark = f"{len(rows)} of {total} cities"
    return Answer((CITY, COUNTRY, PEOPLE, Column("Is called")), rows, remark)


def people_by_continent(at: Atlas) -> Steps[Answer]:
    """Group, add up, keep the groups that are large enough."""
    groups: list[dict[str, Any]] = yield (
        at.db.select(at.Country)
        .group_by("continent_id")
        .annotate(countries=func.count(), people=func.sum("population"))
        .having(people__gte=1_000_000)
        .order("-people")
        .fetch_dicts
    )
    continents: list[Continent] = yield at.db.select(at.Continent).fetch_all
    names = {each.pk: each.name for each in continents}
    rows = [(names[g["continent_id"]], g["countries"], g["people"]) for g in groups]
    return Answer((Column("Continent"), Column("Countries", ","), PEOPLE), rows)


def page_of_cities(at: Atlas, number: int, size: int = 8) -> Steps[Answer]:
    """Order by several fields, then skip and limit."""
    millions = at.db.select(at.City).filter(population__gte=1_000_000)
    first = (number - 1) * size
    page = millions.clone().order("timezone", "-population", "name")
    cities: list[City] = yield page.offset(first).limit(size).fetch_all
    total: int = yield millions.count
    rows = [
        (first + i, c.timezone, c.name, c.population) for i, c in enumerate(cities, 1)
    ]
    remark = f"rows {first + 1} to {first + len(rows)} of {total:,}"
    return Answer((Column("#", ","), Column("Time zone"), CITY, PEOPLE), rows, remark)


def busiest_timezones(at: Atlas) -> Steps[Answer]:
    """Group by an indexed field; several aggregates at once."""
    groups: list[dict[str, Any]] = yield (
        at.db.select(at.City)
        .group_by("timezone")
        .annotate(cities=func.count(), people=func.sum("population"))
        .order("-cities", "timezone")
        .limit(8)
        .fetch_dicts
    )
    rows = [(group["timezone"], group["cities"], group["people"]) for group in groups]
    in_cities = Column("People in cities", ",")
    return Answer((Column("Time zone"), Column("Cities", ","), in_cities), rows)


def most_cities(at: Atlas) -> Steps[Answer]:
    """Compare groups with the whole; look names up with one ``pk__in``."""
    total: int = yield at.db.select(at.City).count
    groups: list[dict[str, Any]] = yield (
        at.db.select(at.City)
        .group_by("country_id")
        .annotate(cities=func.count(), average=func.avg("population"))
        .order("-cities")
        .limit(8)
        .fetch_dicts
    )
    keys = [group["country_id"] for group in groups]
    countries: list[Country] = yield (
        at.db.select(at.Country).filter(pk__in=keys).only("name").fetch_all
    )
    names = {each.pk: each.name for each in countries}
    rows = [
        (names[g["country_id"]], g["cities"], g["cities"] / total, g["average"])
        for g in groups
    ]
    share, average = Column("Of all cities", ".1%"), Column("Average size", ",.0f")
    return Answer((COUNTRY, Column("Cities", ","), share, average), rows)


def yes_and_how_many(at: Atlas) -> Steps[Answer]:
    """Ask for a number, or only whether there is any."""
    city = partial(at.db.select, at.City)
    north: int = yield city().filter(latitude__gt=66.5628).count
    south: int = yield city().filter(latitude__lt=-50).count
    springfields: int = yield city().filter(name="Springfield").count
    atlantis: bool = yield city().filter(name__icontains="atlantis").exists
    rows = (
        ("How many cities lie beyond the Arctic Circle?", f"{north:,}"),
        ("How many lie south of 50° S?", f"{south:,}"),
        ("How many are named Springfield?", f"{springfields:,}"),
        ("Does any name contain “atlantis”?", "yes" if atlantis else "no"),
    )
    return Answer((Column("Question"), Column("Answer")), rows)


def largest_capitals(at: Atlas) -> Steps[Answer]:
    """Filter by a flag; the referred rows come in the same statement."""
    capitals: list[City] = yield (
        at.db.select(at.City)
        .filter(is_capital=True)
        .select_related("country")
        .order("-population")
        .limit(8)
        .fetch_all
    )
    rows = [
        (c.name, c.country.name, c.population, c.latitude, c.longitude)
        for c in capitals
    ]
    places = (Column("Latitude", ".2f"), Column("Longitude", ".2f"))
    return Answer((Column("Capital"), COUNTRY, PEOPLE, *places), rows)


_OUTGROWN = """
WITH ranked AS (
    SELECT name, country_id, population, is_capital,
           row_number() OVER (PARTITION BY country_id ORDER BY population DESC) AS place
    FROM cities
)
SELECT countries.name AS country, largest.name AS largest, largest.population AS people,
       capital.name AS capital, capital.place AS place
FROM ranked AS capital
JOIN ranked AS largest ON largest.country_id = capital.country_id AND largest.place = 1
JOIN countries ON countries.pk = capital.country_id
WHERE capital.is_capital AND capital.place > ?
ORDER BY largest.population DESC
LIMIT ?
"""


def outgrown_capitals(at: Atlas) -> Steps[Answer]:
    """Write the SQL yourself: a join of three tables and a window function."""
    found: list[dict[str, Any]] = yield partial(at.db.fetch, _OUTGROWN, (1, 8))
    titles = (COUNTRY, Column("Largest city"), PEOPLE, Column("Capital"))
    return Answer(
        (*titles, Column("Its place", ",")), [tuple(r.values()) for r in found]
    )


def lutetia(at: Atlas) -> Steps[Answer]:
    """Change rows in a transaction, look, and take it back."""
    before = yield from _how_many(at, "Paris", "Lutetia")
    inside: tuple[int, ...] = yield Transaction(_renamed(at, "Paris", "Lutetia"))
    after = yield from _how_many(at, "Paris", "Lutetia")
    rows = (
        ("before", *before),
        ("inside the transaction", *inside),
        ("after the rollback", *after),
    )
    columns = (Column("Cities named"), Column("Paris", ","), Column("Lutetia", ","))
    remark = "nothing has changed" if before == after else "the file has changed!"
    return Answer(columns, rows, remark)


def plans(at: Atlas) -> Steps[Answer]:
    """Ask SQLite how it finds the rows."""
    by_country = (
        at.db.select(at.City).filter(country_id=1861060).order("-population").limit(6)
    )
    by_zone = at.db.select(at.City).filter(timezone="Asia/Tokyo")
    by_name = at.db.select(at.City).filter(alternate_names__icontains="京")
    rows = []
    for text, query in (
        ("largest of a country", by_country),
        ("in a time zone", by_zone),
        ("called something with 京", by_name),
    ):
        lines: list[str] = yield query.explain
        rows.append((text, "\n".join(lines)))
    return Answer((Column("Cities"), Column("SQLite's plan")), rows)


def _how_many(at: Atlas, *names: str) -> Steps[tuple[int, ...]]:
    """Return how many cities have each name."""
    counts = []
    for name in names:
        count: int = yield at.db.select(at.City).filter(name=name).count
        counts.append(count)
    return tuple(counts)


def _renamed(at: Atlas, old: str, new: str) -> Steps[tuple[int, ...]]:
    """Rename cities, count both names, and roll everything back."""
    yield partial(at.db.select(at.City).filter(name=old).update, {"name": new})
    counts = yield from _how_many(at, old, new)
    yield at.db.rollback
    return counts


def _with(part: str, city: City) -> str:
    """Return the names that contain the part, shortest first."""
    names = sorted((n for n in city.alternate_names if part in n), key=len)
    return ", ".join(names[:3])


QUESTIONS = (
    Question(
        "Which are the largest cities of China?", partial(largest_cities, code="CN")
    ),
    Question(
        "Which are the largest cities of Japan?", partial(largest_cities, code="JP")
    ),
    Question("Which countries are the most crowded?", densest_countries),
    Question(
        "Which cities have 京 in one of their names?", partial(named_like, part="京")
    ),
    Question("How many people live on each continent?", people_by_continent),
    Question(
        "Page 3 of all cities over a million, by time zone?",
        partial(page_of_cities, number=3),
    ),
    Question("Which time zones have the most cities?", busiest_timezones),
    Question("Which countries have the highest share of all cities?", most_cities),
    Question("How many, and is there any?", yes_and_how_many),
    Question("Which are the largest capitals?", largest_capitals),
    Question(
        "Which capitals are not the largest city of their country?", outgrown_capitals
    ),
    Question("What if Paris were called Lutetia again?", lutetia),
    Question("How does SQLite find all this?", plans),
)
