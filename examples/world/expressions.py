"""Questions that SQLite computes something for, each written once for both colours.

Columns are read from the class, or named by ``F``: ``at.City.population > 10_000_000``,
``F("population") > 10_000_000``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sqliter.expressions import (
    F,
    Q,
    case,
    cast,
    coalesce,
    exists,
    func,
    outer,
    subquery,
)

from .answers import CITY, COUNTRY, PEOPLE, Answer, Column, Question
from .atlas import Atlas, City, Country
from .steps import Steps, Transaction

__all__ = ["QUESTIONS"]


def giants_and_outposts(at: Atlas) -> Steps[Answer]:
    """Say "or" and "not"; compare columns as Python compares values."""
    giants = Q(at.City.population > 15_000_000) & ~Q(at.City.is_capital)
    found: list[City] = yield (
        at.db.select(at.City)
        .filter(giants | Q(at.City.latitude < -54))
        .select_related("country")
        .order("-population")
        .fetch_all
    )
    rows = [(c.name, c.country.name, c.latitude, c.population) for c in found]
    return Answer((CITY, COUNTRY, Column("Latitude", ".2f"), PEOPLE), rows)


def sizes(at: Atlas) -> Steps[Answer]:
    """Group by what a row falls under."""
    size = case(
        (F("population") >= 5_000_000, "over 5 million"),
        (F("population") >= 1_000_000, "1 to 5 million"),
        (F("population") >= 100_000, "100,000 to 1 million"),
        otherwise="smaller",
    )
    groups: list[dict[str, Any]] = yield (
        at.db.select(at.City)
        .group_by(size=size)
        .annotate(cities=func.count(), people=func.sum("population"))
        .order(func.min("population").desc())
        .fetch_dicts
    )
    rows = [(each["size"], each["cities"], each["people"]) for each in groups]
    return Answer((Column("Size"), Column("Cities", ","), PEOPLE), rows)


def first_of_their_zone(at: Atlas) -> Steps[Answer]:
    """Look at the rows around each row: places, and shares of a sum."""
    zone = {"partition_by": "timezone"}
    share = F("population") * 1.0 / func.sum("population").over(**zone)
    found: list[dict[str, Any]] = yield partial(
        at.db.select(at.City)
        .filter(timezone__startswith="Africa/")
        .order(share.desc(), "name")
        .limit(6)
        .values,
        "name",
        "timezone",
        place=func.rank().over(**zone, order_by="-population"),
        share=share,
    )
    rows = [(e["name"], e["timezone"], e["place"], e["share"]) for e in found]
    columns = (CITY, Column("Time zone"), Column("Its place", ","))
    return Answer((*columns, Column("Of its people", ".1%")), rows)


def without_cities(at: Atlas) -> Steps[Answer]:
    """Ask whether another query gives anything, row by row."""
    cities = at.db.select(at.City).filter(F("country_id") == outer(at.Country.pk))
    lonely = at.db.select(at.Country).filter(~exists(cities))
    found: list[Country] = yield lonely.clone().order("-population").limit(6).fetch_all
    total: int = yield lonely.count
    rows = [(each.name, each.capital, each.population) for each in found]
    remark = f"{len(rows)} of {total} countries"
    return Answer((COUNTRY, Column("Capital"), PEOPLE), rows, remark)


def above_average(at: Atlas) -> Steps[Answer]:
    """Compare with what another query computes; fill in what is missing."""
    mean = subquery(at.db.select(at.Country), func.avg("density"))
    crowded = at.db.select(at.Country).filter(F("density") > mean)
    crowd: int = yield crowded.count
    total: int = yield at.db.select(at.Country).count
    average: float = yield partial(at.db.select(at.Country).avg, "density")
    zero: float = yield partial(
        at.db.select(at.Country).avg, coalesce(F("density"), 0.0)
    )
    rows = [(crowd, total, average, zero)]
    known = Column("People per km²", ",.1f")
    return Answer(
        (
            Column("Above average", ","),
            Column("Countries", ","),
            known,
            Column("Without an area: 0", ",.1f"),
        ),
        rows,
    )


def many_names(at: Atlas) -> Steps[Answer]:
    """Look into lists: how long they are, and what is in them."""
    city = partial(at.db.select, at.City)
    found: list[City] = yield (
        city().filter(alternate_names__len__gte=110).order("name").fetch_all
    )
    both: list[str] = yield partial(
        city().filter(alternate_names__contains_all=["Lutetia", "Parigi"]).scalars,
        "name",
    )
    rows = [(each.name, len(each.alternate_names)) for each in found]
    remark = f"called Lutetia and Parigi: {', '.join(both)}"
    return Answer((CITY, Column("Names", ",")), rows, remark)


def typed_by_people(at: Atlas, text: str) -> Steps[Answer]:
    """Search as people type it, the best matches first."""
    hits: list[Any] = yield partial(
        at.db.select(at.Country).search(text).fetch_hits, "name", before="[", after="]"
    )
    rows = [(hit.texts["name"], hit.instance.population) for hit in hits]
    return Answer((Column("Found"), PEOPLE), rows)


def one_but_not_the_other(at: Atlas) -> Steps[Answer]:
    """Put the answers of several queries together."""
    french: Any = at.db.select(at.Country).filter(languages__code="fr")
    arabic: Any = at.db.select(at.Country).filter(languages__code="ar")
    ways = {
        "French": french,
        "French or Arabic": french.clone().union(arabic),
        "French and Arabic": french.clone().intersect(arabic),
        "French, but no Arabic": french.clone().except_(arabic),
    }
    rows: list[tuple[str, int]] = []
    for way, query in ways.items():
        count: int = yield query.count
        rows.append((way, count))
    return Answer((Column("They speak"), Column("Countries", ",")), rows)


def page_by_page(at: Atlas, size: int) -> Steps[Answer]:
    """Walk through all rows in pages that begin behind the last row seen."""
    largest = at.db.select(at.City).filter(population__gte=2_000_000)
    query = largest.order("-population", "name")
    rows: list[tuple[int, str, str]] = []
    cursor: str | None = None
    while True:
        page: Any = yield partial(query.page_after, cursor, size)
        first, last = page.items[0], page.items[-1]
        rows.append((len(rows) + 1, first.name, last.name))
        cursor = page.next_cursor
        if cursor is None:
            break
    return Answer((Column("Page", ","), Column("From"), Column("To")), rows)


def with_their_counts(at: Atlas) -> Steps[Answer]:
    """Fetch objects with what is counted and computed beside them."""
    found: list[Any] = yield (
        at.db.select(at.Country)
        .with_count("cities", "n")
        .annotate(letters=func.length(F("name")))
        .order("-n")
        .limit(5)
        .fetch_annotated
    )
    rows = [
        (each.instance.name, each.values["n"], each.values["letters"]) for each in found
    ]
    return Answer((COUNTRY, Column("Cities", ","), Column("Letters", ",")), rows)


def grown_by_a_tenth(at: Atlas) -> Steps[Answer]:
    """Have SQLite compute what rows become, and give them back; take it back."""
    before, inside = yield Transaction(_grown(at))
    after: int = yield partial(
        at.db.select(at.City).filter(is_capital=True).sum, "population"
    )
    rows = (("before", before), ("inside", inside), ("after the rollback", after))
    return Answer((Column("People in capitals"), PEOPLE), rows)


def _grown(at: Atlas) -> Steps[tuple[int, int]]:
    """Let all capitals grow, and roll that back."""
    capitals = at.db.select(at.City).filter(is_capital=True)
    before: int = yield partial(capitals.sum, "population")
    more = cast(F("population") * 1.1, int)
    grown: list[City] = yield partial(capitals.update_returning, {"population": more})
    yield at.db.rollback
    return before, sum(each.population for each in grown)


QUESTIONS = (
    Question(
        "Which cities are giants but no capitals, or farthest south?",
        giants_and_outposts,
    ),
    Question("How many cities are there of each size?", sizes),
    Question("Which African cities dominate their time zone?", first_of_their_zone),
    Question("Which countries have no city at all?", without_cities),
    Question("How many countries are more crowded than the average?", above_average),
    Question("Which cities have the most names?", many_names),
    Question(
        "What do people mean by “guinea -equatorial”?",
        partial(typed_by_people, text="guinea -equatorial"),
    ),
    Question("Who speaks one language, and who the other?", one_but_not_the_other),
    Question(
        "All cities over two million, page by page?", partial(page_by_page, size=40)
    ),
    Question(
        "Which countries have the most cities, and how long a name?", with_their_counts
    ),
    Question("What if every capital grew by a tenth?", grown_by_a_tenth),
)
