"""The questions, each written once for both colours; see ``steps``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqliter.query.aggregates import func

from .models import City, Continent, Country
from .steps import Database, Steps, Transaction

__all__ = ["QUESTIONS", "Answer", "Column", "Question"]


@dataclass(frozen=True)
class Column:
    """A column of an answer; ``form`` is how its numbers are written, if it has any."""

    title: str
    form: str = ""


@dataclass(frozen=True)
class Answer:
    """A table, and perhaps a remark below it."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    remark: str = ""


@dataclass(frozen=True)
class Question:
    """What a person would ask, and the steps that find the answer."""

    text: str
    ask: Callable[[Database], Steps[Answer]]


_PEOPLE = Column("People", ",")
_CITY = Column("City")
_COUNTRY = Column("Country")


def largest_cities(db: Database, code: str) -> Steps[Answer]:
    """Filter, order by a field downwards, limit."""
    country: Country = yield db.select(Country).filter(code=code).fetch_one
    cities: list[City] = yield (
        db.select(City)
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
    return Answer((_CITY, _PEOPLE, share, Column("Time zone")), rows)


def densest_countries(db: Database) -> Steps[Answer]:
    """Order with NULLs last; only some of the columns are read."""
    countries: list[Country] = yield (
        db.select(Country)
        .fields(["name", "density", "area", "population"])
        .order("-density", nulls="last")
        .limit(8)
        .fetch_all
    )
    rows = [(c.name, c.density, c.area, c.population) for c in countries]
    area, density = Column("Area km²", ","), Column("People per km²", ",.0f")
    return Answer((_COUNTRY, density, area, _PEOPLE), rows)


def named_like(db: Database, part: str) -> Steps[Answer]:
    """Search in a column that holds lists."""
    found = db.select(City).filter(alternate_names__contains=part).order("-population")
    cities: list[City] = yield found.clone().limit(8).fetch_all
    total: int = yield found.count
    names = yield from _countries(db, (each.country_id for each in cities))
    rows = [
        (each.name, names[each.country_id], each.population, _with(part, each))
        for each in cities
    ]
    remark = f"{len(rows)} of {total} cities"
    return Answer((_CITY, _COUNTRY, _PEOPLE, Column("Is called")), rows, remark)


def people_by_continent(db: Database) -> Steps[Answer]:
    """Group, add up, keep the groups that are large enough."""
    groups: list[dict[str, Any]] = yield (
        db.select(Country)
        .group_by("continent_id")
        .annotate(countries=func.count(), people=func.sum("population"))
        .having(people__gte=1_000_000)
        .order("-people")
        .fetch_dicts
    )
    continents: list[Continent] = yield db.select(Continent).fetch_all
    names = {each.pk: each.name for each in continents}
    rows = [(names[g["continent_id"]], g["countries"], g["people"]) for g in groups]
    return Answer((Column("Continent"), Column("Countries", ","), _PEOPLE), rows)


def page_of_cities(db: Database, number: int, size: int = 8) -> Steps[Answer]:
    """Order by several fields, then skip and limit."""
    millions = db.select(City).filter(population__gte=1_000_000)
    first = (number - 1) * size
    page = millions.clone().order("timezone", "-population", "name")
    cities: list[City] = yield page.offset(first).limit(size).fetch_all
    total: int = yield millions.count
    rows = [
        (first + i, c.timezone, c.name, c.population) for i, c in enumerate(cities, 1)
    ]
    remark = f"rows {first + 1} to {first + len(rows)} of {total:,}"
    return Answer((Column("#", ","), Column("Time zone"), _CITY, _PEOPLE), rows, remark)


def busiest_timezones(db: Database) -> Steps[Answer]:
    """Group by an indexed field; several aggregates at once."""
    groups: list[dict[str, Any]] = yield (
        db.select(City)
        .group_by("timezone")
        .annotate(cities=func.count(), people=func.sum("population"))
        .order("-cities", "timezone")
        .limit(8)
        .fetch_dicts
    )
    rows = [(group["timezone"], group["cities"], group["people"]) for group in groups]
    in_cities = Column("People in cities", ",")
    return Answer((Column("Time zone"), Column("Cities", ","), in_cities), rows)


def most_cities(db: Database) -> Steps[Answer]:
    """Compare groups with the whole."""
    total: int = yield db.select(City).count
    groups: list[dict[str, Any]] = yield (
        db.select(City)
        .group_by("country_id")
        .annotate(cities=func.count(), average=func.avg("population"))
        .order("-cities")
        .limit(8)
        .fetch_dicts
    )
    names = yield from _countries(db, (group["country_id"] for group in groups))
    rows = [
        (names[g["country_id"]], g["cities"], g["cities"] / total, g["average"])
        for g in groups
    ]
    share, average = Column("Of all cities", ".1%"), Column("Average size", ",.0f")
    return Answer((_COUNTRY, Column("Cities", ","), share, average), rows)


def yes_and_how_many(db: Database) -> Steps[Answer]:
    """Ask for a number, or only whether there is any."""
    city = partial(db.select, City)
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


def largest_capitals(db: Database) -> Steps[Answer]:
    """Filter by a flag; look the referred rows up with one ``pk__in``."""
    capitals: list[City] = yield (
        db.select(City).filter(is_capital=True).order("-population").limit(8).fetch_all
    )
    names = yield from _countries(db, (each.country_id for each in capitals))
    rows = [
        (c.name, names[c.country_id], c.population, c.latitude, c.longitude)
        for c in capitals
    ]
    places = (Column("Latitude", ".2f"), Column("Longitude", ".2f"))
    return Answer((Column("Capital"), _COUNTRY, _PEOPLE, *places), rows)


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


def outgrown_capitals(db: Database) -> Steps[Answer]:
    """Write the SQL yourself: a join of three tables and a window function."""
    found: list[dict[str, Any]] = yield partial(db.fetch, _OUTGROWN, (1, 8))
    titles = (_COUNTRY, Column("Largest city"), _PEOPLE, Column("Capital"))
    return Answer(
        (*titles, Column("Its place", ",")), [tuple(r.values()) for r in found]
    )


def lutetia(db: Database) -> Steps[Answer]:
    """Change rows in a transaction, look, and take it back."""
    before = yield from _how_many(db, "Paris", "Lutetia")
    inside: tuple[int, ...] = yield Transaction(_renamed(db, "Paris", "Lutetia"))
    after = yield from _how_many(db, "Paris", "Lutetia")
    rows = (
        ("before", *before),
        ("inside the transaction", *inside),
        ("after the rollback", *after),
    )
    columns = (Column("Cities named"), Column("Paris", ","), Column("Lutetia", ","))
    remark = "nothing has changed" if before == after else "the file has changed!"
    return Answer(columns, rows, remark)


def plans(db: Database) -> Steps[Answer]:
    """Ask SQLite how it finds the rows."""
    by_country = (
        db.select(City).filter(country_id=1861060).order("-population").limit(6)
    )
    by_zone = db.select(City).filter(timezone="Asia/Tokyo")
    by_name = db.select(City).filter(alternate_names__contains="京")
    rows = []
    for text, query in (
        ("largest of a country", by_country),
        ("in a time zone", by_zone),
        ("called something with 京", by_name),
    ):
        lines: list[str] = yield query.explain
        rows.append((text, "\n".join(lines)))
    return Answer((Column("Cities"), Column("SQLite's plan")), rows)


def _countries(db: Database, keys: Iterable[int]) -> Steps[dict[int, str]]:
    """Return the names of countries by key, with one query."""
    query = db.select(Country).filter(pk__in=sorted(set(keys))).only("name")
    found: list[Country] = yield query.fetch_all
    return {each.pk: each.name for each in found}


def _how_many(db: Database, *names: str) -> Steps[tuple[int, ...]]:
    """Return how many cities have each name."""
    counts = []
    for name in names:
        count: int = yield db.select(City).filter(name=name).count
        counts.append(count)
    return tuple(counts)


def _renamed(db: Database, old: str, new: str) -> Steps[tuple[int, ...]]:
    """Rename cities, count both names, and roll everything back."""
    yield partial(db.select(City).filter(name=old).update, {"name": new})
    counts = yield from _how_many(db, old, new)
    yield db.rollback
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
