"""Arbitrary trees of Python values, under Any and in bare containers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqliter.model.codecs import Codec, codec_for
from sqliter.model.codecs.likeness import same

RoundTrip = Callable[[Codec, Any], Any]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.complex_numbers(allow_nan=False)
)
keys = st.text("$ab", max_size=3) | st.integers() | st.sampled_from(["$dict", "$set"])
hashables = st.recursive(
    st.integers() | st.text() | st.dates(),
    lambda inner: st.lists(inner).map(tuple) | st.frozensets(inner),
    max_leaves=8,
)
trees = st.recursive(
    scalars | st.sets(hashables),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys, inner)
        | st.dictionaries(hashables, inner)
    ),
    max_leaves=15,
)
slow = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(value=trees)
@slow
def test_any(round_trip: RoundTrip, value: Any) -> None:
    if value is not None:
        assert same(round_trip(codec_for(Any), value), value)


@given(value=st.lists(trees))
@slow
def test_bare_and_typed(round_trip: RoundTrip, value: list[Any]) -> None:
    assert same(round_trip(codec_for(list), value), value)
    assert same(round_trip(codec_for(list[Any]), value), value)


@given(value=st.dictionaries(st.text(), st.sets(st.text())))
@slow
def test_plain_trees(round_trip: RoundTrip, value: dict[str, set[str]]) -> None:
    codec = codec_for(dict[str, set[str]])
    assert same(round_trip(codec, value), value)
    expected = {key: sorted(items) for key, items in value.items()}
    loaded = json.loads(str(codec.store(value)))
    assert {key: sorted(items) for key, items in loaded.items()} == expected


@given(items=st.lists(hashables, unique=True))
@slow
def test_equal_sets_are_equal_text(items: list[Any]) -> None:
    codec = codec_for(set)
    assert codec.store(set(items)) == codec.store(set(items[::-1]))


def test_the_comparison_itself_tells_types_apart() -> None:
    different = [
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ([1], (1,)),
        ({1}, {True}),
        ({1}, frozenset({1})),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([1], [1, 2]),
        (timedelta(1), timedelta(2)),
    ]
    for left, right in different:
        assert not same(left, right)
        assert same(left, left)
    assert same(float("nan"), float("nan"))


def test_an_int_may_come_back_as_the_equal_float() -> None:
    assert same([1.0], [1])
    assert not same([1], [1.0])
    assert not same(float(2**53), 2**53 + 1)
    assert not same(1.0, True)


@dataclass
class Share:
    part: float = 0


def test_a_default_that_is_an_int_is_kept_as_a_float() -> None:
    codec = codec_for(list[Share])
    assert codec.load(codec.store([Share()])) == [Share(0.0)]
