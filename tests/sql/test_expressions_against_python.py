"""Random expressions, computed by SQLite and by Python: for every row the same.

In Python `None` is NULL: what is computed with it is NULL, and no comparison with it holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqliter import SqliterDB
from sqliter.expressions import F, Q, case, coalesce, func
from sqliter.model import BaseDBModel


class Line(BaseDBModel):
    whole: int
    part: float
    text: str
    maybe_whole: int | None = None
    maybe_part: float | None = None
    maybe_text: str | None = None

    class Meta:
        table_name = "lines"


class Made(NamedTuple):
    """An expression, and what it is of a row in Python."""

    term: Any
    of: Callable[[Line], Any]


WHOLES, PARTS, TEXTS = (-3, 0, 7), (-0.5, 0.0, 2.25), ("", "Ab c", " b'%")
numbers = st.sampled_from([*WHOLES, *PARTS, 2])
texts = st.sampled_from([*TEXTS, "A", "b", "_"])


def lifted(function: Callable[..., Any], *made: Made) -> Callable[[Line], Any]:
    """Return a function of rows: NULL where one of its arguments is."""

    def of(row: Line) -> Any:
        values = [each.of(row) for each in made]
        return None if None in values else function(*values)

    return of


def constant(value: Any) -> Made:
    return Made(value, lambda _: value)


def field(name: str) -> Made:
    return Made(F(name), lambda row: getattr(row, name))


def calculated(operator: str, one: Made, two: Made) -> Made:
    a, b = one.term, two.term
    return {
        "+": lambda: Made(a + b, lifted(lambda x, y: x + y, one, two)),
        "-": lambda: Made(a - b, lifted(lambda x, y: x - y, one, two)),
        "*": lambda: Made(a * b, lifted(lambda x, y: x * y, one, two)),
        "/": lambda: Made(a / b, lifted(lambda x, y: x / y if y else None, one, two)),
    }[operator]()


def first(one: Made, two: Made) -> Made:
    def of(row: Line) -> Any:
        value = one.of(row)
        return two.of(row) if value is None else value

    return Made(coalesce(one.term, two.term), of)


def unless(one: Made, two: Made) -> Made:
    def of(row: Line) -> Any:
        value = one.of(row)
        return None if value == two.of(row) else value

    return Made(func.nullif(one.term, two.term), of)


def chosen(condition: Made, one: Made, two: Made) -> Made:
    def of(row: Line) -> Any:
        return one.of(row) if condition.of(row) else two.of(row)

    return Made(case((condition.term, one.term), otherwise=two.term), of)


def called(name: str, function: Callable[..., Any], *made: Made) -> Made:
    return Made(getattr(func, name)(*(m.term for m in made)), lifted(function, *made))


def substr(text: str, start: int, length: int) -> str:
    return text[start - 1 : start - 1 + length]


@st.composite
def number(draw: st.DrawFn, depth: int = 3) -> Made:
    """A number; of a row, so no plain value."""
    kind = draw(st.integers(0, 7)) if depth else 0
    if kind == 0:
        names = ["whole", "part", "maybe_whole", "maybe_part"]
        return field(draw(st.sampled_from(names)))
    one = draw(number(depth - 1))
    two = draw(number(depth - 1) | numbers.map(constant))
    if kind <= 2:
        return calculated(draw(st.sampled_from("+-*/")), one, two)
    if kind == 5:
        return chosen(draw(condition(depth - 1)), one, two)
    if kind == 6:
        return called("length", len, draw(text(depth - 1)))
    if kind == 7:
        return called("abs", abs, one)
    making: Any = st.sampled_from([first, unless])
    extreme = st.sampled_from([("min", min), ("max", max)])
    if kind == 3:
        return draw(making)(one, two)
    name, function = draw(extreme)
    return called(name, function, one, two)


@st.composite
def text(draw: st.DrawFn, depth: int = 2) -> Made:
    """A text of a row."""
    kind = draw(st.integers(0, 7)) if depth else 0
    if kind == 0:
        return field(draw(st.sampled_from(["text", "maybe_text"])))
    one = draw(text(depth - 1))
    two = draw(text(depth - 1) | texts.map(constant))
    places = [constant(draw(st.integers(1, 3))) for _ in range(2)]
    return {
        1: lambda: calculated("+", one, two),
        2: lambda: first(one, two),
        3: lambda: unless(one, two),
        4: lambda: called(*draw(st.sampled_from(CASES)), one),
        5: lambda: called("substr", substr, one, *places),
        6: lambda: called("replace", str.replace, one, constant("b"), two),
        7: lambda: chosen(draw(condition(depth - 1)), one, two),
    }[kind]()


CASES = [
    ("upper", str.upper),
    ("lower", str.lower),
    ("trim", lambda value: value.strip(" ")),
]


@st.composite
def condition(draw: st.DrawFn, depth: int = 2) -> Made:
    """A condition of a row; in Python false where SQL would not know."""
    kind = draw(st.integers(0, 9)) if depth else draw(st.integers(0, 5))
    if kind >= 6:
        one = draw(condition(depth - 1))
        if kind == 6:
            return Made(~one.term, lambda row: not one.of(row))
        two = draw(condition(depth - 1))
        if kind == 7:
            return Made(one.term & two.term, lambda r: bool(one.of(r) and two.of(r)))
        return Made(Q(one.term) | two.term, lambda r: bool(one.of(r) or two.of(r)))
    is_text = draw(st.booleans())
    value: Any = texts if is_text else numbers
    left = draw(text(depth) if is_text else number(depth))
    other: Any = text(depth) if is_text else number(depth)
    right = draw(other | value.map(constant))
    if kind == 3:
        given = draw(st.lists(value, min_size=1, max_size=3))
        return Made(left.term.in_(given), holds(lambda x: x in given, left))
    if kind == 4:
        low, high = draw(value), draw(value)
        return Made(
            left.term.between(low, high), holds(lambda x: low <= x <= high, left)
        )
    if kind == 5:
        return Made(left.term.is_null(), lambda row: left.of(row) is None)
    name, compare = draw(st.sampled_from(COMPARISONS))
    term = getattr(left.term, name)(right.term)
    return Made(term, holds(compare, left, right))


def holds(function: Callable[..., bool], *made: Made) -> Callable[[Line], bool]:
    lift = lifted(function, *made)
    return lambda row: bool(lift(row))


COMPARISONS: list[tuple[str, Callable[[Any, Any], bool]]] = [
    ("__eq__", lambda x, y: x == y),
    ("__ne__", lambda x, y: x != y),
    ("__lt__", lambda x, y: x < y),
    ("__ge__", lambda x, y: x >= y),
]


@pytest.fixture(scope="module")
def db() -> Iterator[SqliterDB]:
    """One table of values in every combination that matters."""
    with closing(SqliterDB(memory=True)) as db:
        db.create_table(Line)
        rows = [
            Line(
                whole=whole,
                part=part,
                text=TEXTS[index % 3],
                maybe_whole=(None, 7, 2)[index % 3],
                maybe_part=(2.25, None)[index % 2],
                maybe_text=(None, *TEXTS)[index % 4],
            )
            for index, (whole, part) in enumerate(itertools.product(WHOLES, PARTS))
        ]
        db.bulk_insert(rows)
        yield db


quick = settings(
    max_examples=120, deadline=None, suppress_health_check=list(HealthCheck)
)


@quick
@given(number() | text())
def test_terms_are_what_they_are_in_python(db: SqliterDB, made: Made) -> None:
    rows = db.select(Line).order("pk").fetch_all()
    expected = [made.of(row) for row in rows]
    assert db.select(Line).order("pk").scalars(made.term) == expected
    present = [pair for pair in zip(expected, rows, strict=True) if pair[0] is not None]
    present.sort(key=lambda pair: (pair[0], pair[1].pk))
    query = db.select(Line).filter(made.term.is_not_null()).order(made.term, "pk")
    assert [row.pk for row in query.fetch_all()] == [row.pk for _, row in present]
    assert db.select(Line).max(made.term) == max([p[0] for p in present], default=None)


@quick
@given(condition())
def test_conditions_hold_where_they_do_in_python(db: SqliterDB, made: Made) -> None:
    rows = db.select(Line).order("pk").fetch_all()
    expected = [row.pk for row in rows if made.of(row)]
    query = db.select(Line).filter(made.term).order("pk")
    assert [row.pk for row in query.fetch_all()] == expected
    assert query.count() == len(expected)
    truths = db.select(Line).order("pk").scalars(made.term)
    assert [bool(truth) for truth in truths] == [row.pk in expected for row in rows]
    others = db.select(Line).exclude_where(made.term).count()
    assert others + len(expected) == len(rows)
