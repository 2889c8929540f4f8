"""Parts of dates and datetimes, asked of SQLite and of the values that are loaded.

In zones where clocks are put back at midnight, over midnight, by half an hour, or skip a day.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import NaiveDatetime

from sqliter import SqliterDB
from sqliter.model import BaseDBModel

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",  # until 2011 at one minute past midnight
    "America/Havana",  # at one o'clock, back to midnight
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Apia",  # no 30 December 2011
    "Asia/Kathmandu",
]

INSTANTS = [
    datetime(2010, 11, 7, 2, 30, 30, tzinfo=UTC),  # St. John's puts the clocks back
    datetime(2012, 11, 4, 5, tzinfo=UTC),  # Havana does
    datetime(2011, 12, 30, 10, tzinfo=UTC),  # Apia skips a day
    datetime(2012, 4, 7, 15, tzinfo=UTC),  # Lord Howe
    datetime(2024, 10, 27, 1, tzinfo=UTC),  # Berlin
    datetime(2000, 1, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1, 1, 1, 12, tzinfo=UTC),
    datetime(9999, 12, 31, 11, tzinfo=UTC),
]
SHIFTS = [timedelta(minutes=minutes) for minutes in range(-1500, 1501, 187)]


class Moment(BaseDBModel):
    at: datetime | None
    clock: NaiveDatetime | None
    day: date | None

    class Meta:
        table_name = "moments"
        indexes = ["at", "day"]


def instants() -> Iterator[datetime]:
    for instant in INSTANTS:
        for shift in SHIFTS:
            try:
                moved = instant + shift
            except OverflowError:
                continue
            yield moved
            if 1800 < moved.year < 2200:
                yield moved - timedelta(microseconds=1)


@pytest.fixture(scope="module", params=ZONES)
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of a process cannot be set here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.fixture(scope="module", params=[True, False], ids=["local", "utc"])
def db(zone: str, request: pytest.FixtureRequest) -> Iterator[SqliterDB]:
    with closing(SqliterDB(memory=True, return_local_time=request.param)) as db:
        db.create_table(Moment)
        rows = [
            Moment(
                at=instant,
                clock=instant.astimezone().replace(tzinfo=None)
                if 1 < instant.year < 9999
                else None,
                day=instant.date(),
            )
            for instant in instants()
        ]
        db.bulk_insert([*rows, Moment(at=None, clock=None, day=None)])
        yield db


Part = Callable[[Any], Any]
OF_DAYS: dict[str, Part] = {
    "year": lambda value: value.year,
    "month": lambda value: value.month,
    "day": lambda value: value.day,
    "week_day": lambda value: value.isoweekday(),
    "date": lambda value: date(value.year, value.month, value.day),
}
OF_INSTANTS: dict[str, Part] = {
    **OF_DAYS,
    "hour": lambda value: value.hour,
    "minute": lambda value: value.minute,
}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "": operator.eq,
    "__ne": operator.ne,
    "__lt": operator.lt,
    "__gte": operator.ge,
    "__in": lambda part, given: part in given,
    "__not_in": lambda part, given: part not in given,
    "__range": lambda part, given: given[0] <= part <= given[1],
    "__not_range": lambda part, given: not given[0] <= part <= given[1],
}

days = (
    st.sampled_from(
        sorted(
            {
                (i + n * timedelta(days=1)).date()
                for i in INSTANTS[:7]
                for n in (-1, 0, 1)
            }
        )
    )
    | st.dates()
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "year": st.sampled_from([0, 1, 1969, 1970, 1999, 2000, 2010, 2012, 9999, 10_000]),
    "month": st.integers(1, 12),
    "day": st.integers(1, 31),
    "week_day": st.integers(0, 8),
    "date": days,
    "hour": st.integers(0, 24),
    "minute": st.integers(0, 60),
}


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, str, str, Any]:
    """A field, a part of it, an operator and what that takes."""
    field = draw(st.sampled_from(["at", "clock", "day"]))
    part = draw(st.sampled_from([*(OF_DAYS if field == "day" else OF_INSTANTS)]))
    suffix = draw(st.sampled_from([*OPERATORS]))
    values = VALUES[part]
    if suffix in ("__in", "__not_in"):
        values = st.lists(VALUES[part], min_size=1, max_size=3)
    elif "range" in suffix:
        values = st.tuples(VALUES[part], VALUES[part])
    return field, part, suffix, draw(values)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(conditions())
def test_parts_mean_what_they_mean_in_python(
    db: SqliterDB, chosen: tuple[str, str, str, Any]
) -> None:
    field, part, suffix, value = chosen
    expected = [
        row.pk
        for row in loaded(db)
        if (stored := getattr(row, field)) is not None
        and OPERATORS[suffix](OF_INSTANTS[part](stored), value)
    ]
    found = db.select(Moment).filter(**{f"{field}__{part}{suffix}": value}).order("pk")
    assert [row.pk for row in found.fetch_all()] == expected


def test_every_year_and_day_that_occurs(db: SqliterDB) -> None:
    for field in ("at", "clock", "day"):
        for part in ("year", "date"):
            pks: dict[Any, list[int]] = {}
            for row in loaded(db):
                if (stored := getattr(row, field)) is not None:
                    pks.setdefault(OF_DAYS[part](stored), []).append(row.pk)
            for value, expected in pks.items():
                query = db.select(Moment).filter(**{f"{field}__{part}": value})
                assert [row.pk for row in query.order("pk").fetch_all()] == expected


def loaded(db: SqliterDB) -> list[Moment]:
    return db.select(Moment).order("pk").fetch_all()
