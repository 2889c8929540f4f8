"""`serialize_field` and `deserialize_field` called directly."""

import pickle
from datetime import date, datetime, timedelta, timezone

import pytest

from sqliter.model import BaseDBModel

UTC = timezone.utc


class Row(BaseDBModel):
    text: str = ""
    day: date = date(2000, 1, 1)
    at: datetime = datetime(2000, 1, 1)
    items: list = []
    mapping: dict = {}
    group: set = set()
    pair: tuple = ()
    typed: list[int] = []


def decode(field, value, *, local=False):
    return Row.deserialize_field(field, value, return_local_time=local)


@pytest.mark.parametrize("value", [5, "x", True, None, 1.5, b"raw"])
def test_plain_values_are_stored_unchanged(value):
    assert Row.serialize_field(value) == value


@pytest.mark.parametrize(
    "owner", [BaseDBModel, BaseDBModel()], ids=["class", "instance"]
)
def test_codec_methods_answer_on_class_and_instance(owner):
    assert owner.serialize_field("x") == "x"
    assert owner.deserialize_field("anything", "x", return_local_time=True) == "x"


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(2024, 3, 10, 12, 0, 1, tzinfo=UTC), 1710072001),
        (datetime(2024, 3, 10, 12, tzinfo=timezone(timedelta(hours=2))), 1710064800),
        (date(2024, 3, 10), 1710028800),
        (date(1969, 12, 31), -86400),
    ],
)
def test_dates_are_whole_unix_seconds(value, stored):
    result = Row.serialize_field(value)
    assert result == stored
    assert type(result) is int


def test_naive_datetime_is_local_time():
    naive = datetime(2024, 3, 10, 12)
    assert Row.serialize_field(naive) == int(naive.timestamp())


@pytest.mark.defect("D2")
def test_fractions_of_a_second_are_kept():
    moment = datetime(1969, 12, 31, 23, 59, 58, 500001, tzinfo=UTC)
    assert decode("at", Row.serialize_field(moment)) == moment


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("items", [1, "a", None, [2]]),
        ("items", []),
        ("mapping", {"a": {"b": 1}}),
        ("mapping", {}),
        ("group", {1, 2}),
        ("group", set()),
        ("pair", (1, "a", True)),
        ("pair", ()),
        ("typed", [1, 2]),
    ],
)
def test_containers_round_trip_with_their_type(field, value):
    result = decode(field, Row.serialize_field(value))
    assert result == value
    assert type(result) is type(value)


@pytest.mark.defect("D1")
@pytest.mark.parametrize("value", [[1], {"a": 1}, {1}, (1,)])
def test_containers_are_never_pickled(value):
    stored = Row.serialize_field(value)
    with pytest.raises(
        (pickle.UnpicklingError, TypeError, ValueError, EOFError, KeyError)
    ):
        pickle.loads(stored)  # noqa: S301 - this must fail


def test_none_decodes_to_none():
    assert decode("day", None) is None


def test_unknown_field_decodes_unchanged():
    assert decode("nowhere", "x") == "x"


def test_datetime_decodes_in_the_wanted_zone():
    moment = datetime(2024, 3, 10, 12, tzinfo=UTC)
    stored = int(moment.timestamp())
    assert decode("at", stored) == decode("at", stored, local=True) == moment
    assert decode("at", stored).utcoffset() == timedelta(0)
    assert decode("at", stored, local=True).tzinfo is not None


def test_zone_choice_has_no_default():
    with pytest.raises(TypeError):
        Row.deserialize_field("at", 0)


def test_undecodable_bytes_stay_bytes():
    assert decode("items", b"no container") == b"no container"


def test_blobs_of_older_files_are_read():
    assert decode("items", pickle.dumps([1, ("a", {2})])) == [1, ("a", {2})]
