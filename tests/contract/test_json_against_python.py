"""Random documents and random questions about them: SQLite must answer as Python does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from sqliter import SqliterDB
from sqliter.exceptions import InvalidFilterError, RecordUpdateError
from sqliter.expressions import Append, Q, Remove, json_path
from sqliter.model import BaseDBModel


class Paper(BaseDBModel):
    doc: dict[str, Any]

    class Meta:
        indexes = ["doc__a", "doc__gt__0"]


KEYS = ("a", "b", "0", "a.b", "gt", "len", "é'", "x[0]", "_ _", "x__gt__")
TEXTS = ("", "a", "b", "ab", "A", "[1]", "{}", "é", "1", "'", "null", '["a"]')
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([-0.5, 0.0, 0.25, 1.0, 2.0, 1e300]),
    st.sampled_from(TEXTS),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    ),
    max_leaves=8,
)
ROOTS = st.dictionaries(st.sampled_from(KEYS), DOCUMENTS, max_size=4)
STEPS = st.one_of(st.sampled_from(KEYS), st.integers(-2, 2))
PATHS = st.builds(
    lambda first, others: (first, *others),
    st.sampled_from(KEYS),
    st.lists(STEPS, max_size=2),
)


class Condition(NamedTuple):
    path: tuple[Any, ...]
    operator: str
    value: Any

    @property
    def keyword(self) -> str:
        return f"{json_path('doc', *self.path)}__{self.operator}"


def conditions() -> st.SearchStrategy[Condition]:
    some = SCALARS.filter(lambda value: value is not None)
    numbers = st.sampled_from([-1, 0, True, 0.25, 1, 2])
    texts = st.sampled_from(TEXTS)
    values = {
        ("eq", "ne", "contains", "not_contains"): SCALARS,
        ("lt", "lte", "gt", "gte"): some,
        ("in", "not_in", "contains_all", "contains_any"): st.lists(SCALARS, max_size=3),
        ("isnull", "notnull"): st.booleans(),
        ("range", "not_range"): st.tuples(numbers, numbers) | st.tuples(texts, texts),
        ("startswith", "not_endswith", "icontains"): texts,
        ("len", "len__gt"): st.integers(0, 3),
    }
    return st.one_of(
        *(
            st.builds(Condition, PATHS, st.just(operator), strategy)
            for operators, strategy in values.items()
            for operator in operators
        )
    )


def reached(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        try:
            is_fit = isinstance(value, dict if isinstance(step, str) else list)
            value = value[step] if is_fit else None
        except LookupError:
            return None
    return value


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def comparable(a: Any, b: Any) -> bool:
    return (isinstance(a, str) and isinstance(b, str)) or (
        is_number(a) and is_number(b)
    )


def has(x: Any, value: Any, *, texts: bool = True) -> bool:
    if isinstance(x, str):
        return texts and isinstance(value, str) and value in x
    return isinstance(x, (list, dict)) and value in x


COMPARE = {
    "eq": lambda x, v: x == v,
    "ne": lambda x, v: x is not None and x != v,
    "lt": lambda x, v: comparable(x, v) and x < v,
    "lte": lambda x, v: comparable(x, v) and x <= v,
    "gt": lambda x, v: comparable(x, v) and x > v,
    "gte": lambda x, v: comparable(x, v) and x >= v,
    "in": lambda x, v: x in v,
    # as always: NULL is in no list, and outside of the empty one alone
    "not_in": lambda x, v: x not in v and (x is not None or not v),
    "isnull": lambda x, v: (x is None) is v,
    "notnull": lambda x, v: (x is not None) is v,
    "range": lambda x, v: comparable(x, v[0]) and v[0] <= x <= v[1],
    "not_range": lambda x, v: comparable(x, v[0]) and not v[0] <= x <= v[1],
    "startswith": lambda x, v: isinstance(x, str) and x.startswith(v),
    "not_endswith": lambda x, v: isinstance(x, str) and not x.endswith(v),
    "icontains": lambda x, v: isinstance(x, str) and v.casefold() in x.casefold(),
    "len": lambda x, v: isinstance(x, (str, list, dict)) and len(x) == v,
    "len__gt": lambda x, v: isinstance(x, (str, list, dict)) and len(x) > v,
    "contains": has,
    "not_contains": lambda x, v: (
        (isinstance(x, (list, dict)) or (isinstance(x, str) and isinstance(v, str)))
        and not has(x, v)
    ),
    "contains_all": lambda x, v: (
        isinstance(x, (list, dict)) and all(has(x, each) for each in v)
    ),
    "contains_any": lambda x, v: any(has(x, each, texts=False) for each in v),
}  # fmt: skip


def holds(doc: Any, condition: Condition) -> bool:
    return COMPARE[condition.operator](reached(doc, condition.path), condition.value)


@pytest.fixture(scope="module")
def db() -> Iterator[SqliterDB]:
    with closing(SqliterDB(memory=True)) as opened:
        opened.create_table(Paper)
        yield opened


quick = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@quick
@example([{}], [Condition(("a",), "in", [None, "[1]"])])
@given(
    st.lists(ROOTS, min_size=1, max_size=5),
    st.lists(conditions(), min_size=1, max_size=6),
)
def test_conditions_mean_what_they_mean_in_python(
    db: SqliterDB, docs: list[dict[str, Any]], asked: list[Condition]
) -> None:
    db.select(Paper).delete()
    db.bulk_insert([Paper(doc=doc) for doc in docs])
    papers = db.select(Paper).order("pk").fetch_all()
    assert [paper.doc for paper in papers] == docs
    for each in asked:
        query = db.select(Paper).filter(**{each.keyword: each.value})
        expected = {paper.pk for paper in papers if holds(paper.doc, each)}
        assert {paper.pk for paper in query.fetch_all()} == expected, each
        others = db.select(Paper).filter(~Q(**{each.keyword: each.value}))
        assert others.count() == len(papers) - len(expected)


CHANGES = st.one_of(DOCUMENTS, st.builds(Append, DOCUMENTS), st.builds(Remove))


def changed(doc: Any, path: tuple[Any, ...], value: Any) -> Any:
    """What the document becomes, or a `LookupError` if it has no such place."""
    doc = deepcopy(doc)
    parent = reached(doc, path[:-1])
    step = path[-1]
    if isinstance(value, Append):
        found = reached(doc, path)
        if not isinstance(found, list):
            raise LookupError
        found.append(value.value)
    elif not isinstance(parent, dict if isinstance(step, str) else list):
        raise LookupError
    elif isinstance(value, Remove):
        parent.pop(step, None)
    else:
        if isinstance(parent, list):
            parent[step]  # noqa: B018 - it must be there
        parent[step] = value
    return doc


@quick
@given(st.lists(ROOTS, min_size=1, max_size=3), PATHS, CHANGES)
def test_parts_become_what_they_become_in_python(
    db: SqliterDB, docs: list[dict[str, Any]], path: tuple[Any, ...], value: Any
) -> None:
    assume(not (isinstance(value, Remove) and isinstance(path[-1], int)))
    db.select(Paper).delete()
    db.bulk_insert([Paper(doc=doc) for doc in docs])
    try:
        expected = [changed(doc, path, value) for doc in docs]
    except LookupError:
        with pytest.raises(RecordUpdateError, match="no place"):
            db.select(Paper).update({json_path("doc", *path): value})
        expected = docs
    else:
        assert db.select(Paper).update({json_path("doc", *path): value}) == len(docs)
    papers = db.select(Paper).order("pk").fetch_all()
    assert repr([paper.doc for paper in papers]) == repr(expected)


ANY_TEXTS = st.text(max_size=4) | st.text("$\"\\\0_é.[]\ud800'", max_size=4)


@quick
@given(st.lists(ANY_TEXTS, min_size=2, max_size=3, unique=True))
@example(["é", "\ud800"])
@example(['"', "a"])
@example(["$set", "a"])
@example(["__len", "a", "$"])
@example(["a", "b", "?"])
def test_keys_of_any_name_are_found_or_refused(db: SqliterDB, keys: list[str]) -> None:
    key, other, *outer = keys
    inner = {other: 2, key: 1}
    db.select(Paper).delete()
    db.insert(Paper(doc={outer[0]: inner} if outer else inner))
    is_kept = not any(each.startswith("$") for each in keys)
    is_fit = all(each.isprintable() and not set('"\\') & set(each) for each in keys)
    for keyword, value in (
        (json_path("doc", *outer, key), 1),
        (f"{json_path('doc', *outer)}__contains", key),
    ):
        try:
            found = db.select(Paper).filter(**{keyword: value}).count()
        except InvalidFilterError:
            assert not (is_fit and is_kept and all(keys))
        else:
            assert found == is_kept
