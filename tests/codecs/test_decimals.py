"""Decimals: every digit is kept, and SQL sees numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Context, Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqliter.model.codecs import (
    DECIMAL_COLLATION,
    DecimalAvg,
    DecimalSum,
    codec_for,
    compare_decimal,
)

CODEC = codec_for(Decimal)
NewColumn = Callable[..., Any]
finite = st.decimals(allow_nan=False, allow_infinity=False)


@given(value=st.decimals(allow_nan=False))
def test_every_digit(value: Decimal) -> None:
    loaded = CODEC.load(CODEC.store(value))
    assert loaded.as_tuple() == value.as_tuple()


@given(a=st.decimals(allow_nan=False), b=st.decimals(allow_nan=False))
def test_compares_as_python_does(a: Decimal, b: Decimal) -> None:
    assert compare_decimal(str(a), str(b)) == (a > b) - (a < b)


@given(texts=st.lists(st.text("0123456789.-eEx", max_size=5), min_size=3, max_size=3))
def test_order_is_total(texts: list[str]) -> None:
    a, b, c = texts
    assert compare_decimal(a, b) == -compare_decimal(b, a)
    assert compare_decimal(a, a) == 0
    if compare_decimal(a, b) <= 0 and compare_decimal(b, c) <= 0:
        assert compare_decimal(a, c) <= 0


def test_orders_and_finds_numbers(column: NewColumn) -> None:
    table = column(CODEC)
    values = [Decimal(x) for x in ("-10", "-9.5", "0", "9", "10", "1E+2", "Infinity")]
    for value in reversed(values):
        table.put(value)
    collated = f"v COLLATE {DECIMAL_COLLATION}"
    assert CODEC.collation == DECIMAL_COLLATION
    assert table.read(f"SELECT v FROM t ORDER BY {collated}") == values
    assert table.raw(f"SELECT v FROM t WHERE {collated} = '100.0'") == ["1E+2"]
    assert table.raw(f"SELECT max({collated}) FROM t") == ["Infinity"]


def test_text_that_is_no_number_goes_last() -> None:
    texts = sorted(["NaN", "x", "", "5"], key=lambda text: (text != "5", text))
    assert all(compare_decimal(a, b) < 0 for a, b in pairwise(texts))


def test_sums_are_exact(column: NewColumn) -> None:
    table = column(CODEC)
    for text in ("0.1", "0.2", "1E+30", "-1E+30", "0.00"):
        table.put(Decimal(text))
    table.put(None)
    assert CODEC.adds
    assert table.read("SELECT decimal_sum(v) FROM t") == [Decimal("0.30")]
    assert table.read("SELECT decimal_avg(v) FROM t") == [Decimal("0.06")]


def test_sums_of_nothing_are_null(column: NewColumn) -> None:
    table = column(CODEC)
    assert table.raw("SELECT decimal_sum(v) FROM t") == [None]
    assert table.raw("SELECT decimal_avg(v) FROM t") == [None]


def test_sums_take_numbers_of_old_files() -> None:
    total = DecimalSum()
    for value in (1, 0.1, "0.2", None):
        total.step(value)
    assert total.finalize() == "1.3"


def test_sums_that_cannot_be_exact_fail(column: NewColumn) -> None:
    table = column(CODEC)
    table.put(Decimal("1E+400000"))
    table.put(Decimal("1"))
    with pytest.raises(sqlite3.OperationalError):
        table.raw("SELECT decimal_sum(v) FROM t")


@given(values=st.lists(finite, min_size=1, max_size=5))
def test_sum_is_the_exact_sum(values: list[Decimal]) -> None:
    wide = Context(prec=20_000, Emax=10**6, Emin=-(10**6))
    expected = Decimal(0)
    total = DecimalSum()
    for value in values:
        expected = wide.add(expected, value)
        total.step(str(value))
    found = total.finalize()
    assert found is not None
    assert Decimal(found) == expected


def test_average_has_at_least_28_digits() -> None:
    mean = DecimalAvg()
    for value in ("1", "1", "0"):
        mean.step(value)
    assert mean.finalize() == "0." + "6" * 27 + "7"
