"""Random rows and random questions about their relations: SQLite must answer as Python does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import pytest
from contract.library import Library, library
from contract.worlds import (
    FIELDS,
    FORWARD,
    Condition,
    World,
    holds,
    questions,
    reached,
    target_of,
    worlds,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support import Colour

from sqliter import SqliterDB


class Home(NamedTuple):
    """The one database of a test, refilled for each example."""

    db: SqliterDB
    lib: Library

    def model(self, name: str) -> Any:
        return getattr(self.lib, name)

    def fill(self, world: World) -> None:
        with self.db:
            tables = "books_tags", "followings", "friendships", "comments", "books"
            for table in (*tables, "tags", "authors", "countries", "people"):
                self.db.execute(f"DELETE FROM {table}")
            self.db.select(self.lib.Node).update({"parent_id": None})
            self.db.select(self.lib.Node).delete()
            for name, rows in world.rows.items():
                model = self.model(name)
                self.db.bulk_insert([model(**row) for row in rows])
            self.link("books_tags", ("books_pk", "tags_pk"), world.links["tags"])
            both = ("people_pk_left", "people_pk_right")
            self.link("followings", both, world.links["follows"])
            self.link("friendships", both, world.links["friends"])

    def link(
        self, table: str, columns: tuple[str, str], pairs: set[tuple[int, int]]
    ) -> None:
        for pair in sorted(pairs):
            text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES (?, ?)"
            self.db.execute(text, pair)


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with closing(SqliterDB(memory=True)) as db:
        lib = library(Colour.SYNC)
        for model in lib.models:
            db.create_table(model)
        yield Home(db, lib)


quick = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
EMPTY: dict[str, set[tuple[int, int]]] = {
    "tags": set(),
    "follows": set(),
    "friends": set(),
}
LONELY = World(
    {name: [] for name in FIELDS}
    | {
        "Comment": [{"pk": 1, "text": "a", "stars": None, "book_id": None}],
        "Node": [
            {"pk": 1, "name": "a", "parent_id": None},
            {"pk": 2, "name": "b", "parent_id": 1},
        ],
    },
    EMPTY,
)


@quick
@given(worlds(), questions())
@example(LONELY, ("Comment", [[Condition(("book", "comments"), "__isnull", True)]]))
@example(LONELY, ("Node", [[Condition(("parent", "children"), "__isnull", True)]]))
@example(LONELY, ("Node", [[Condition(("children",), "__isnull", True)]]))
def test_filters_mean_what_they_mean_in_python(
    home: Home, world: World, question: tuple[str, list[list[Condition]]]
) -> None:
    home.fill(world)
    model, calls = question
    query = home.db.select(home.model(model))
    for call in calls:
        query.filter(**{condition.key: condition.value for condition in call})
    expected = [
        row["pk"]
        for row in world.rows[model]
        if all(holds(world, model, row, call) for call in calls)
    ]
    rows = query.clone().order("pk").fetch_all()
    assert [row.pk for row in rows] == expected
    assert query.count() == len(expected)
    assert query.exists() is bool(expected)
    assert query.update({"updated_at": 1}) == len(expected)


PATHS = [
    ("Country", "authors"), ("Country", "authors__books__tags"), ("Author", "books__comments"),
    ("Author", "country__authors"), ("Book", "tags__books"), ("Book", "editor__edited"),
    ("Tag", "books__author__books"), ("Comment", "book__tags"), ("Person", "friends"),
    ("Person", "followers__friends"), ("Person", "follows__followers"),
    ("Node", "children__children"), ("Node", "parent__children"),
]  # fmt: skip


def ends(world: World, model: str, row: Any, path: Sequence[str]) -> list[Any]:
    if not path:
        return [row]
    found = [each for each in reached(world, model, row, path[0]) if each]
    target = target_of(model, path[0])
    return [end for each in found for end in ends(world, target, each, path[1:])]


@quick
@given(worlds(), st.lists(st.sampled_from(PATHS), min_size=1, max_size=4))
def test_counts_mean_what_they_mean_in_python(
    home: Home, world: World, chosen: list[tuple[str, str]]
) -> None:
    home.fill(world)
    model = chosen[0][0]
    paths = [path for each, path in PATHS if each == model]
    query = home.db.select(home.model(model))
    for path in paths:
        query.with_count(path, f"{path} rows")
        query.with_count(path, f"{path} distinct", distinct=True)
    found = query.order("pk").fetch_dicts()
    assert [each["pk"] for each in found] == [row["pk"] for row in world.rows[model]]
    for each, row in zip(found, world.rows[model], strict=True):
        for path in paths:
            reach = ends(world, model, row, path.split("__"))
            assert each[f"{path} rows"] == len(reach)
            assert each[f"{path} distinct"] == len({end["pk"] for end in reach})


def tree(world: World, model: str, row: Any, path: Sequence[str]) -> Any:
    """The key of a row and what is prefetched below it."""
    if row is None or not path:
        return row and row["pk"]
    target = target_of(model, path[0])
    below = [
        tree(world, target, r, path[1:]) for r in reached(world, model, row, path[0])
    ]
    return row["pk"], sorted(below, key=repr)


def held(model: str, row: Any, path: Sequence[str]) -> Any:
    """The same of instances."""
    if row is None or not path:
        return row and row.pk
    related = getattr(row, path[0])
    is_one = path[0] in FORWARD.get(model, {})
    rows = [related] if is_one else related.fetch_all()
    below = [held(target_of(model, path[0]), each, path[1:]) for each in rows]
    return row.pk, sorted(below, key=repr)


@quick
@given(worlds(), st.sampled_from(PATHS))
def test_prefetched_rows_are_those_of_python(
    home: Home, world: World, chosen: tuple[str, str]
) -> None:
    home.fill(world)
    model, path = chosen
    segments = path.split("__")
    query = home.db.select(home.model(model)).prefetch_related(path).order("pk")
    rows = query.fetch_all()
    assert [held(model, row, segments) for row in rows] == [
        tree(world, model, row, segments) for row in world.rows[model]
    ]


@quick
@given(
    worlds(),
    st.sampled_from(
        ["author__name", "author__age", "author__country__code", "editor__age"]
    ),
    st.booleans(),
    st.sampled_from(["first", "last", None]),
    st.integers(0, 5),
)
def test_orders_are_those_of_python(
    home: Home, world: World, name: str, down: bool, nulls: Any, limit: int
) -> None:
    home.fill(world)

    def value(row: dict[str, Any]) -> Any:
        model, found = "Book", row
        *path, field = name.split("__")
        for segment in path:
            found = world.one(model, found, segment)
            model = FORWARD[model][segment]
        return found and found[field]

    books = world.rows["Book"]
    missing = [row for row in books if value(row) is None]
    present = sorted(
        (r for r in books if value(r) is not None), key=value, reverse=down
    )
    first = nulls == "first" if nulls else not down
    expected = [
        row["pk"] for row in (missing + present if first else present + missing)
    ]
    order = f"-{name}" if down else name
    query = home.db.select(home.lib.Book).order(order, "pk", nulls=nulls).limit(limit)
    assert [row.pk for row in query.fetch_all()] == expected[:limit]
    last = query.fetch_last()
    assert (last and last.pk) == (expected[:limit][-1] if expected[:limit] else None)
