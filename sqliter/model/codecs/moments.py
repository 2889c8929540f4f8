"""Dates, datetimes, times of day and durations.

A datetime is an instant in Unix seconds (INTEGER, or REAL where it has a fraction),
a date is midnight UTC in Unix seconds, a duration counts microseconds, a time of day
is ISO text.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from math import floor
from typing import Any

from pydantic import (
    AwareDatetime,
    FutureDate,
    FutureDatetime,
    NaiveDatetime,
    PastDate,
    PastDatetime,
)

from .codec import Codec, UnstorableValue, shown
from .scalars import INT_MAX, INT_MIN
from .zones import EPOCH, local_epoch, local_offset

_MILLION = 1_000_000
DAY = 86_400
EPOCH_DAY = EPOCH.toordinal()
_NAIVE_EPOCH = datetime(1970, 1, 1)
_FIRST = (datetime.min - _NAIVE_EPOCH) // timedelta(microseconds=1)
_LAST = (datetime.max - _NAIVE_EPOCH) // timedelta(microseconds=1)
_EDGE = timedelta(days=3)


def encode_datetime(value: datetime) -> int | float:
    """Unix seconds of a datetime, naive ones being local; exact or refused."""
    micros = _micros(value)
    if not _FIRST <= micros <= _LAST:
        raise UnstorableValue(f"{value} is outside the years 1 to 9999 in UTC")
    whole, rest = divmod(micros, _MILLION)
    if not rest:
        return whole
    stored = micros / _MILLION
    if _split(stored) != (whole, rest):
        raise UnstorableValue(
            f"{value} cannot be kept to the microsecond as Unix time (possible from"
            " about 1700 to 2240); use whole seconds or a str field"
        )
    return stored


def decode_utc(stored: float) -> datetime:
    """Read an instant as an aware datetime in UTC."""
    whole, micros = (stored, 0) if type(stored) is int else _split(stored)
    try:
        return EPOCH + timedelta(0, whole, micros)
    except OverflowError:
        raise ValueError(f"{stored} is outside the years 1 to 9999") from None


def decode_local(stored: float) -> datetime:
    """Read an instant as an aware datetime in the local zone.

    In UTC where the local time would be outside the years 1 to 9999.
    """
    whole, micros = (stored, 0) if type(stored) is int else _split(stored)
    try:
        return local_epoch(whole) + timedelta(0, whole, micros)
    except OverflowError:
        return decode_utc(stored)


def local_clock(stored: float) -> int:
    """Whole seconds that show in UTC what `decode_local` shows of an instant."""
    whole = stored if type(stored) is int else _split(stored)[0]
    if not _FIRST <= whole * _MILLION <= _LAST:
        raise ValueError(f"{stored} is outside the years 1 to 9999")
    clock = whole + local_offset(whole)
    return clock if _FIRST <= clock * _MILLION <= _LAST else whole


def encode_naive(value: datetime) -> int | float:
    """Unix seconds of a naive local time that exists and so comes back as it was."""
    if value.tzinfo is not None:
        raise UnstorableValue(f"{value} is aware, the field is naive; drop the tzinfo")
    stored = encode_datetime(value)
    if decode_naive(stored) != value:
        raise UnstorableValue(
            f"{value} does not exist here, the clocks were put forward; use an"
            " AwareDatetime field or a time that exists"
        )
    return stored


def decode_naive(stored: float) -> datetime:
    """Read an instant as a naive local time, with `fold` set where it is needed."""
    aware = decode_local(stored)
    naive = aware.replace(tzinfo=None)
    delta = aware - EPOCH
    return naive if _local_delta(naive) == delta else naive.replace(fold=1)


def encode_date(value: date) -> int:
    """Unix seconds of midnight UTC."""
    if isinstance(value, datetime):
        raise UnstorableValue(f"{value} is a datetime, the field a date; use .date()")
    return (value.toordinal() - EPOCH_DAY) * DAY


def decode_date(stored: int) -> date:
    """Read a day; it has no zone, so it is never shifted."""
    try:
        return date.fromordinal(stored // DAY + EPOCH_DAY)
    except (OverflowError, ValueError):
        raise ValueError(f"{stored} is outside the years 1 to 9999") from None


def encode_time(value: time) -> str:
    """ISO text; a zone whose offset depends on the date is refused."""
    if value.tzinfo is not None and value.utcoffset() is None:
        raise UnstorableValue(
            f"{value!r} has an offset that depends on the date; use a naive time or"
            " datetime.timezone"
        )
    return value.isoformat()


def encode_timedelta(value: timedelta) -> int:
    """Count microseconds; beyond 64 bits (about 292,000 years) is refused."""
    micros = timedelta_micros(value)
    if not INT_MIN <= micros <= INT_MAX:
        raise UnstorableValue(f"{value} is longer than about 292,000 years")
    return micros


def decode_timedelta(stored: float) -> timedelta:
    """Read microseconds; an average is rounded to whole ones."""
    try:
        return timedelta(microseconds=stored)
    except OverflowError:
        raise ValueError(f"{shown(stored)} microseconds is too long") from None


def timedelta_micros(value: timedelta) -> int:
    """Microseconds of a duration, exact."""
    return (value.days * DAY + value.seconds) * _MILLION + value.microseconds


def _micros(value: datetime) -> int:
    """Microseconds since the epoch, by integers only."""
    if value.utcoffset() is None:
        return timedelta_micros(_local_delta(value.replace(tzinfo=None)))
    return timedelta_micros(value - EPOCH)


def _local_delta(naive: datetime) -> timedelta:
    """Time since the epoch of a naive local time."""
    # Python probes a day around; at both ends of the calendar ask a few days inwards
    if naive.year == 1 and naive.month == 1:
        return (naive + _EDGE).astimezone(UTC) - EPOCH - _EDGE
    if naive.year == 9999 and naive.month == 12:
        return (naive - _EDGE).astimezone(UTC) - EPOCH + _EDGE
    return naive.astimezone(UTC) - EPOCH


def _split(seconds: float) -> tuple[int, int]:
    """Whole seconds and microseconds of float Unix time."""
    try:
        whole = floor(seconds)
    except (OverflowError, ValueError):
        raise ValueError(f"{seconds} is no Unix time") from None
    micros = round((seconds - whole) * _MILLION)
    return (whole, micros) if micros < _MILLION else (whole + 1, 0)


_NUMBERS = frozenset({int, float})
DATE = Codec("INTEGER", (date,), frozenset({int}), encode_date, decode_date)
DATETIME = Codec(
    "INTEGER", (datetime,), _NUMBERS, encode_datetime, decode_local, decode_utc
)
NAIVE = Codec("INTEGER", (datetime,), _NUMBERS, encode_naive, decode_naive)
TIME = Codec("TEXT", (time,), frozenset({str}), encode_time, time.fromisoformat)
TIMEDELTA = Codec(
    "INTEGER",
    (timedelta,),
    frozenset({int}),
    encode_timedelta,
    decode_timedelta,
    adds=True,
)

MOMENTS: dict[Any, Codec] = {
    date: DATE,
    PastDate: DATE,
    FutureDate: DATE,
    datetime: DATETIME,
    AwareDatetime: DATETIME,
    PastDatetime: DATETIME,
    FutureDatetime: DATETIME,
    NaiveDatetime: NAIVE,
    time: TIME,
    timedelta: TIMEDELTA,
}
