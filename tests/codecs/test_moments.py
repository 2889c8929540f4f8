"""Instants and days: exact, in every zone, at both ends of the calendar."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sqliter.model.codecs import Codec, UnstorableValue, codec_for

RoundTrip = Callable[[Codec, Any], Any]
SetZone = Callable[[str], None]

MOMENT = codec_for(datetime)
NAIVE = codec_for(pydantic.NaiveDatetime)
DAY = codec_for(date)
ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Monrovia",
]
FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
relaxed = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), -1),
        (datetime(1969, 12, 31, 23, 59, 58, 500000, tzinfo=UTC), -1.5),
        (datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC), 1704067200.000001),
        (datetime(2100, 1, 1, tzinfo=timezone(timedelta(hours=14))), 4102394400),
        (FIRST, -62135596800),
        (LAST, 253402300799),
    ],
)
def test_stored_form(value: datetime, stored: float) -> None:
    encoded = MOMENT.store(value)
    assert encoded == stored
    assert type(encoded) is type(stored)
    assert MOMENT.load(encoded, utc=True) == value


@pytest.mark.parametrize("name", ZONES)
@given(
    value=st.datetimes(
        datetime(1700, 1, 2), datetime(2239, 1, 1), timezones=st.timezones()
    )
)
@relaxed
def test_every_microsecond(name: str, zone: SetZone, value: datetime) -> None:
    zone(name)
    stored = MOMENT.store(value)
    instant = value.astimezone(UTC)
    for loaded in (MOMENT.load(stored), MOMENT.load(stored, utc=True)):
        assert loaded.astimezone(UTC) == instant
        assert MOMENT.store(loaded) == stored
    assert MOMENT.load(stored, utc=True).tzinfo is UTC


@pytest.mark.parametrize("name", ZONES)
@given(seconds=st.integers(int(FIRST.timestamp()), int(LAST.timestamp())))
@relaxed
def test_every_second(name: str, zone: SetZone, seconds: int) -> None:
    zone(name)
    loaded = MOMENT.load(seconds)
    assert loaded == FIRST + timedelta(seconds=seconds + 62135596800)
    assert MOMENT.store(loaded) == seconds


@pytest.mark.parametrize("name", ZONES)
@given(seconds=st.integers(-(2**32), 2**33))
@relaxed
def test_local_is_what_astimezone_gives(name: str, zone: SetZone, seconds: int) -> None:
    zone(name)
    expected = datetime.fromtimestamp(seconds, UTC).astimezone()
    loaded = MOMENT.load(seconds)
    assert loaded.replace(tzinfo=None) == expected.replace(tzinfo=None)
    assert (loaded.utcoffset(), loaded.tzname()) == (
        expected.utcoffset(),
        expected.tzname(),
    )


@given(value=st.datetimes(timezones=st.just(UTC)))
def test_exact_or_refused(value: datetime) -> None:
    try:
        stored = MOMENT.store(value)
    except UnstorableValue:
        assert value.microsecond
        assert not 1700 <= value.year <= 2238
    else:
        assert MOMENT.load(stored, utc=True) == value


@pytest.mark.parametrize("name", ZONES)
@given(value=st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)))
@relaxed
def test_naive_means_local(name: str, zone: SetZone, value: datetime) -> None:
    zone(name)
    assert MOMENT.load(MOMENT.store(value)) == value.astimezone(UTC)


@pytest.mark.parametrize("name", ZONES)
@given(
    value=st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)), fold=st.booleans()
)
@relaxed
def test_naive_fields_come_back_naive(
    name: str, zone: SetZone, value: datetime, fold: bool
) -> None:
    zone(name)
    value = value.replace(fold=int(fold))
    there = value.astimezone(UTC).astimezone().replace(tzinfo=None)
    assume(there == value)  # a time the clocks jumped over is refused, see below
    stored = NAIVE.store(value)
    loaded = NAIVE.load(stored)
    assert loaded.tzinfo is None
    assert loaded == value
    assert NAIVE.store(loaded) == stored


@pytest.mark.parametrize(
    ("name", "value", "gap"),
    [
        ("America/New_York", datetime(2024, 11, 3, 1, 30), 3600),
        ("Europe/Berlin", datetime(2024, 10, 27, 2, 30), 3600),
        ("Australia/Lord_Howe", datetime(2024, 4, 7, 1, 45), 1800),
    ],
)
def test_repeated_hours(name: str, zone: SetZone, value: datetime, gap: int) -> None:
    zone(name)
    early, late = (MOMENT.store(value.replace(fold=fold)) for fold in (0, 1))
    assert late - early == gap  # type: ignore[operator]
    for stored, fold in ((early, 0), (late, 1)):
        assert MOMENT.load(stored).replace(tzinfo=None) == value
        assert NAIVE.load(stored) == value
        assert NAIVE.load(stored).fold == fold


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("America/New_York", datetime(2024, 3, 10, 2, 30)),
        ("Europe/Berlin", datetime(2024, 3, 31, 2, 30)),
        ("Australia/Lord_Howe", datetime(2024, 10, 6, 2, 15)),
    ],
)
def test_hours_that_do_not_exist(name: str, zone: SetZone, value: datetime) -> None:
    zone(name)
    assert MOMENT.load(MOMENT.store(value)) == value.astimezone(UTC)
    with pytest.raises(UnstorableValue, match="does not exist"):
        NAIVE.store(value)


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("change", [1710054000, 1711846800, 1712415600, 1728142200])
def test_both_sides_of_a_change(name: str, zone: SetZone, change: int) -> None:
    zone(name)
    for seconds in range(change - 1801, change + 1802, 60):
        expected = datetime.fromtimestamp(seconds, UTC).astimezone()
        for _ in range(2):  # the second answer is the remembered one
            loaded = MOMENT.load(seconds)
            assert loaded.utcoffset() == expected.utcoffset()


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("value", [datetime.min, datetime(9999, 12, 31, 23, 59, 59)])
def test_both_ends_of_the_calendar(name: str, zone: SetZone, value: datetime) -> None:
    zone(name)
    try:
        stored = MOMENT.store(value)
    except UnstorableValue as error:
        assert "years 1 to 9999" in str(error)
        assert name != "UTC"
    else:
        assert MOMENT.load(stored).replace(tzinfo=None) == value
        assert NAIVE.load(NAIVE.store(value)) == value


def test_ends_in_a_zone_where_local_time_leaves_the_calendar(zone: SetZone) -> None:
    zone("America/New_York")
    assert MOMENT.load(MOMENT.store(FIRST)) == FIRST
    zone("Asia/Kathmandu")
    assert MOMENT.load(MOMENT.store(LAST)) == LAST


def test_a_changed_zone_is_noticed(zone: SetZone) -> None:
    zone("Europe/Berlin")
    assert MOMENT.load(0).hour == 1
    zone("America/New_York")
    assert MOMENT.load(0).hour == 19
    zone("America/Toronto")  # same names and offsets, other rules before 1974
    assert clock.tzname == ("EST", "EDT")
    assert MOMENT.load(-(10**9)).utcoffset() == (
        datetime.fromtimestamp(-(10**9), UTC).astimezone().utcoffset()
    )
    zone("UTC")
    assert MOMENT.load(0).hour == 0


def test_many_quarters_do_not_pile_up(zone: SetZone) -> None:
    from sqliter.model.codecs import zones

    zone("Europe/Berlin")
    for bucket in range(10_000):
        MOMENT.load(bucket * zones.BUCKET)
    assert len(zones._zone.epochs) <= 4096


@pytest.mark.parametrize("name", ZONES)
def test_a_day_never_drifts(name: str, zone: SetZone, round_trip: RoundTrip) -> None:
    zone(name)
    for day in (date(2024, 3, 10), date.min, date.max, date(1969, 12, 31)):
        loaded = day
        for _ in range(3):
            loaded = round_trip(DAY, loaded)
        assert loaded == day
        assert type(loaded) is date


@given(value=st.dates())
def test_every_day(value: date) -> None:
    stored = DAY.store(value)
    assert DAY.load(stored) == value
    assert stored == (value - date(1970, 1, 1)).days * 86400


@pytest.mark.parametrize(
    "annotation",
    [
        datetime,
        datetime | None,
        pydantic.AwareDatetime,
        pydantic.PastDatetime,
        pydantic.FutureDatetime,
        datetime | str,
    ],
)
def test_kinds_of_datetimes(annotation: Any, zone: SetZone) -> None:
    zone("Europe/Berlin")
    codec = codec_for(annotation)
    value = datetime(2700, 1, 1, tzinfo=UTC)
    stored = codec.store(value)
    assert codec.load(stored) == value
    assert codec.decode_utc is not None
    assert codec.decode_utc(stored).tzinfo is UTC
    assert codec.load(stored).utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize("annotation", [pydantic.PastDate, pydantic.FutureDate])
def test_kinds_of_dates(annotation: Any) -> None:
    assert codec_for(annotation).store(date(1970, 1, 2)) == 86400


def test_sums_of_durations(column: Callable[..., Any]) -> None:
    codec = codec_for(timedelta)
    table = column(codec)
    table.put(timedelta(seconds=1))
    table.put(timedelta(seconds=2))
    assert codec.adds
    assert codec.load(*table.raw("SELECT sum(v) FROM t")) == timedelta(seconds=3)
    assert codec.load(*table.raw("SELECT avg(v) FROM t")) == timedelta(seconds=1.5)
    assert codec.load(*table.raw("SELECT total(v) FROM t")) == timedelta(seconds=3)
