"""Random conditions, asked of SQLite and of Python: the same rows must come back.

Python stands in for the documentation: NULL satisfies no comparison, text compares by code point,
`i…` operators fold case by Unicode, `None` in a list means the NULL rows, and NULL is matched by no
opposite of anything.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sqliter import SqliterDB
from sqliter.model import BaseDBModel


class Row(BaseDBModel):
    text: str
    number: int
    real: float
    flag: bool
    maybe_text: str | None = None
    maybe_number: int | None = None
    maybe_real: float | None = None
    maybe_flag: bool | None = None

    class Meta:
        table_name = "rows"


TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "b",
    "é",
    "É",
    "ß",
    "SS",
    "a\x00b",
    "\x00",
    "%",
    "_",
    "*",
    "[a]",
    "\\",
]
NUMBERS = [0, 1, -1, 9, 10, 2**53 + 1, 2**63 - 1, -(2**63)]
REALS = [0.0, -0.5, 0.1, 9.0, 10.25, 1e300, float("inf"), float("-inf")]

texts = st.sampled_from(TEXTS) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=4
)
numbers = st.sampled_from(NUMBERS) | st.integers(-(2**63), 2**63 - 1)
lengths = st.integers(-1, 5)
patterns = st.sampled_from(["", "^a", "b$", "[A-Z]", r"\W", ".b", "^$", "a|é", "\x00"])
reals = st.sampled_from(REALS) | st.floats(allow_nan=False)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "number": numbers,
    "real": reals,
    "flag": st.booleans(),
}
NULLABLE = [f"maybe_{name}" for name in VALUES]


def compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda stored, given: stored is not None and compare(stored, given)


def not_equal(stored: Any, given: Any) -> bool:
    return stored is not None and (given is None or stored != given)


def not_in(stored: Any, given: list[Any]) -> bool:
    return not given or (stored is not None and stored not in given)


SCALAR: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda stored, given: stored == given,
    "__eq": lambda stored, given: stored == given,
    "__ne": not_equal,
}
ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "__lt": compared(operator.lt),
    "__lte": compared(operator.le),
    "__gt": compared(operator.gt),
    "__gte": compared(operator.ge),
}
LISTS: dict[str, Callable[[Any, Any], bool]] = {
    "__in": lambda stored, given: stored in given,
    "__not_in": not_in,
}
NULLS: dict[str, Callable[[Any, Any], bool]] = {
    "__isnull": lambda stored, given: (stored is None) is given,
    "__notnull": lambda stored, given: (stored is not None) is given,
}


def folded(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return compared(lambda stored, given: test(stored.casefold(), given.casefold()))


PATTERNS: dict[str, Callable[[Any, Any], bool]] = {
    "__contains": compared(lambda stored, given: given in stored),
    "__startswith": compared(str.startswith),
    "__endswith": compared(str.endswith),
    "__icontains": folded(lambda stored, given: given in stored),
    "__istartswith": folded(str.startswith),
    "__iendswith": folded(str.endswith),
}
RANGES: dict[str, Callable[[Any, Any], bool]] = {
    "__range": compared(lambda stored, given: given[0] <= stored <= given[1]),
    "__between": compared(lambda stored, given: given[0] <= stored <= given[1]),
}
REGEXES: dict[str, Callable[[Any, Any], bool]] = {
    "__regex": compared(lambda stored, given: bool(re.search(given, stored))),
    "__iregex": compared(
        lambda stored, given: bool(re.search(given, stored, re.IGNORECASE))
    ),
}


def negated(
    meanings: dict[str, Callable[[Any, Any], bool]],
) -> dict[str, Callable[[Any, Any], bool]]:
    return {
        f"__not_{suffix[2:]}": compared(lambda stored, given, m=m: not m(stored, given))
        for suffix, m in meanings.items()
    }


def of_length(meaning: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda stored, given: meaning(None if stored is None else len(stored), given)


PATTERNS["__iexact"] = folded(operator.eq)
PATTERNS |= negated(PATTERNS)
RANGES |= negated(RANGES)
REGEXES |= negated(REGEXES)
LENGTHS = {
    f"__len{suffix}": of_length(meaning)
    for suffix, meaning in (SCALAR | ORDERED | LISTS | NULLS | RANGES).items()
}
MEANINGS = SCALAR | ORDERED | LISTS | NULLS | PATTERNS | RANGES | REGEXES | LENGTHS


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A field, an operator it takes and a value of the field's type."""
    kind = draw(st.sampled_from(sorted(VALUES)))
    field = draw(st.sampled_from([kind, f"maybe_{kind}"]))
    values = VALUES[kind]
    operators = [*SCALAR, *ORDERED, *LISTS, *NULLS, *RANGES]
    if kind == "text":
        operators += [*PATTERNS, *REGEXES, *LENGTHS]
    suffix = draw(st.sampled_from(operators))
    if suffix in LENGTHS:
        return field, suffix, draw(given_to(suffix.removeprefix("__len"), lengths))
    return field, suffix, draw(given_to(suffix, values))


def given_to(suffix: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What an operator takes, for values like these."""
    if suffix in LISTS:
        return st.lists(values | st.none(), max_size=5)
    if suffix in NULLS:
        return st.booleans()
    if suffix in RANGES:
        return st.tuples(values, values)
    if suffix in REGEXES:
        return patterns | values.map(re.escape)
    return values | st.none() if suffix in SCALAR else values


@pytest.fixture(scope="module")
def db() -> Iterator[SqliterDB]:
    """One table of odd values in every combination that matters."""
    with closing(SqliterDB(memory=True)) as db:
        db.create_table(Row)
        rows = [
            Row(
                text=text,
                number=NUMBERS[index % len(NUMBERS)],
                real=REALS[index % len(REALS)],
                flag=index % 2 == 0,
                maybe_text=None if index % 3 == 0 else TEXTS[index - 1],
                maybe_number=None
                if index % 4 == 1
                else NUMBERS[(index + 3) % len(NUMBERS)],
                maybe_real=None if index % 5 == 2 else REALS[(index + 1) % len(REALS)],
                maybe_flag=(None, True, False)[index % 3],
            )
            for index, text in enumerate(TEXTS)
        ]
        db.bulk_insert(rows)
        yield db


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(conditions(), min_size=1, max_size=3))
@example([("maybe_text", "__ne", None)])
@example([("maybe_text", "__not_in", ["a", None])])
@example([("maybe_text", "__not_in", [])])
@example([("maybe_number", "__in", [None])])
@example([("text", "__contains", "\x00"), ("flag", "", True)])
@example([("text", "__iendswith", "ss")])
@example([("maybe_text", "__not_contains", "")])
@example([("maybe_text", "__not_iexact", "ss"), ("text", "__len__not_range", (0, 1))])
@example([("maybe_text", "__not_regex", "^a"), ("maybe_text", "__len", None)])
def test_conditions_mean_what_they_mean_in_python(
    db: SqliterDB, chosen: list[tuple[str, str, Any]]
) -> None:
    query = db.select(Row)
    for field, suffix, value in chosen:
        query.filter(**{f"{field}{suffix}": value})
    expected = [
        row.pk
        for row in db.select(Row).order("pk").fetch_all()
        if all(
            MEANINGS[suffix](getattr(row, field), value)
            for field, suffix, value in chosen
        )
    ]
    assert [row.pk for row in query.order("pk").fetch_all()] == expected
    assert query.count() == len(expected)
    assert query.exists() is bool(expected)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([*VALUES, *NULLABLE]), st.booleans()),
        min_size=1,
        max_size=3,
        unique_by=lambda choice: choice[0],
    ),
    st.booleans(),
    st.sampled_from([None, "first", "last"]),
    st.none() | st.integers(-1, 20),
    st.integers(0, 20),
)
def test_orders_and_windows_mean_what_they_mean_in_python(
    db: SqliterDB,
    chosen: list[tuple[str, bool]],
    reverse: bool,
    nulls: Any,
    limit: int | None,
    offset: int,
) -> None:
    rows = sorted(
        db.select(Row).fetch_all(), key=lambda row: -row.pk if reverse else row.pk
    )
    for field, minus in reversed(chosen):
        down = minus is not reverse
        rows = arranged(rows, field, down=down, nulls=nulls)
    end = len(rows) if limit is None or limit < 0 else offset + limit
    expected = [row.pk for row in rows[offset:end]]
    names = [f"-{field}" if minus else field for field, minus in chosen]
    query = db.select(Row).order(*names, "pk", reverse=reverse, nulls=nulls)
    query.limit(limit).offset(offset)
    assert [row.pk for row in query.fetch_all()] == expected
    assert query.count() == len(expected)
    first, last = query.fetch_first(), query.fetch_last()
    assert [row and row.pk for row in (first, last)] == (
        [expected[0], expected[-1]] if expected else [None, None]
    )


def arranged(
    rows: list[Row], field: str, *, down: bool, nulls: str | None
) -> list[Row]:
    """Sort by one field and keep the order of equals, NULLs where they belong."""
    missing = [row for row in rows if getattr(row, field) is None]
    present = [row for row in rows if getattr(row, field) is not None]
    present.sort(key=lambda row: getattr(row, field), reverse=down)
    first = nulls == "first" if nulls else not down
    return [*missing, *present] if first else [*present, *missing]
