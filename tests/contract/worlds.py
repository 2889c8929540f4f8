"""Small random worlds of related rows, and what a filter means in them, in plain Python.

A path through a missing row gives `None`. A path to many rows asks for one of them that meets all
conditions of the same call.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

NAMES = ["a", "b", "A"]
FIELDS: dict[str, tuple[str, ...]] = {
    "Country": ("name", "code"),
    "Author": ("name", "age"),
    "Tag": ("name",),
    "Book": ("title", "pages"),
    "Comment": ("text", "stars"),
    "Person": ("name",),
    "Node": ("name",),
}
NUMERIC = ("age", "pages", "stars")
FORWARD = {
    "Author": {"country": "Country"},
    "Book": {"author": "Author", "editor": "Author"},
    "Comment": {"book": "Book"},
    "Node": {"parent": "Node"},
}
BACKWARD = {
    "Country": {"authors": ("Author", "country")},
    "Author": {"books": ("Book", "author"), "edited": ("Book", "editor")},
    "Book": {"comments": ("Comment", "book")},
    "Node": {"children": ("Node", "parent")},
}
LINKED = {
    "Book": {"tags": "Tag"},
    "Tag": {"books": "Book"},
    "Person": {"follows": "Person", "followers": "Person", "friends": "Person"},
}


class World(NamedTuple):
    """Rows by model (a row's key is its place, from 1) and links by relation."""

    rows: dict[str, list[dict[str, Any]]]
    links: dict[str, set[tuple[int, int]]]

    def row(self, model: str, key: int | None) -> dict[str, Any] | None:
        return None if key is None else self.rows[model][key - 1]

    def one(self, model: str, row: dict[str, Any] | None, name: str) -> Any:
        return row and self.row(FORWARD[model][name], row[f"{name}_id"])

    def many(self, model: str, row: dict[str, Any] | None, name: str) -> list[Any]:
        if row is None:
            return []
        if name in BACKWARD.get(model, {}):
            target, key = BACKWARD[model][name]
            return [r for r in self.rows[target] if r[f"{key}_id"] == row["pk"]]
        target = LINKED[model][name]
        ends = {end for start, end in self.pairs(model, name) if start == row["pk"]}
        return [r for r in self.rows[target] if r["pk"] in ends]

    def pairs(self, model: str, name: str) -> set[tuple[int, int]]:
        turned = {(b, a) for a, b in self.links[name]} if name in self.links else set()
        if name == "followers":
            return {(b, a) for a, b in self.links["follows"]}
        if (model, name) == ("Tag", "books"):
            return {(b, a) for a, b in self.links["tags"]}
        return self.links[name] | turned if name == "friends" else self.links[name]


def target_of(model: str, name: str) -> str:
    if name in FORWARD.get(model, {}):
        return FORWARD[model][name]
    if name in BACKWARD.get(model, {}):
        return BACKWARD[model][name][0]
    return LINKED[model][name]


# What a condition means


def compared(function: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda have, value: have is not None and function(have, value)


def unequal(have: Any, value: Any) -> bool:
    return have is not None and (value is None or have != value)


def outside_of(have: Any, values: list[Any]) -> bool:
    if not values:
        return True
    if have is None:
        return False
    return have not in values


MEANINGS: dict[str, Callable[[Any, Any], bool]] = {
    "": operator.eq,
    "__ne": unequal,
    "__in": lambda have, values: have in values,
    "__not_in": outside_of,
    "__isnull": lambda have, value: (have is None) is value,
    "__notnull": lambda have, value: (have is not None) is value,
    "__lt": compared(operator.lt),
    "__gte": compared(operator.ge),
}


class Condition(NamedTuple):
    """`path` ends in a field, or (with `__isnull`) in a relation."""

    path: tuple[str, ...]
    suffix: str
    value: Any

    @property
    def key(self) -> str:
        return "__".join(self.path) + self.suffix

    def inner(self) -> Condition:
        return self._replace(path=self.path[1:])


def holds(world: World, model: str, row: Any, conditions: Sequence[Condition]) -> bool:
    """Whether a row (or a missing one) meets all conditions of one call."""
    beyond: dict[str, list[Condition]] = defaultdict(list)
    for condition in conditions:
        name = condition.path[0]
        if len(condition.path) > 1:
            beyond[name].append(condition.inner())
        elif not meets(have(world, model, row, name), condition):
            return False
    return all(
        any(holds(world, target_of(model, name), each, inner) for each in found)
        for name, inner in beyond.items()
        for found in [reached(world, model, row, name)]
    )


def meets(value: Any, condition: Condition) -> bool:
    return MEANINGS[condition.suffix](value, condition.value)


def have(world: World, model: str, row: Any, name: str) -> Any:
    """A field, the key of a related row, or something if there are many."""
    if name in FIELDS[model] or name == "pk":
        return row and row[name]
    if name in FORWARD.get(model, {}):
        return row and row[f"{name}_id"]
    return world.many(model, row, name) or None


def reached(world: World, model: str, row: Any, name: str) -> list[Any]:
    if name in FORWARD.get(model, {}):
        return [world.one(model, row, name)]
    return world.many(model, row, name)


# Random worlds and questions


def row_of(model: str, sizes: dict[str, int]) -> st.SearchStrategy[dict[str, Any]]:
    parts: dict[str, st.SearchStrategy[Any]] = {}
    for field in FIELDS[model]:
        values: st.SearchStrategy[Any]
        values = st.integers(0, 2) if field in NUMERIC else st.sampled_from(NAMES)
        nullable = field in ("age", "stars", "code")
        parts[field] = values | st.none() if nullable else values
    for name, target in FORWARD.get(model, {}).items():
        known = st.integers(1, sizes[target]) if sizes[target] else st.nothing()
        nullable = (model, name) not in (("Author", "country"), ("Book", "author"))
        parts[f"{name}_id"] = known | st.none() if nullable else known
    return st.fixed_dictionaries(parts)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    rows: dict[str, list[dict[str, Any]]] = {}
    sizes = defaultdict(int)
    for model in FIELDS:
        needed = {"Author": "Country", "Book": "Author"}.get(model)
        most = 4 if needed is None or sizes[needed] else 0
        size = draw(st.integers(0, most))
        for index in range(size):
            row = draw(row_of(model, sizes))
            rows.setdefault(model, []).append({"pk": index + 1, **row})
            sizes[model] = index + 1  # a node's parent stands before it
        rows.setdefault(model, [])
    links = {}
    for name, (one, two) in {
        "tags": ("Book", "Tag"),
        "follows": ("Person", "Person"),
        "friends": ("Person", "Person"),
    }.items():
        if sizes[one] and sizes[two]:
            pairs = st.tuples(st.integers(1, sizes[one]), st.integers(1, sizes[two]))
            if name == "friends":
                pairs = pairs.map(lambda pair: (min(pair), max(pair)))
            links[name] = draw(st.sets(pairs, max_size=6))
        else:
            links[name] = set()
    return World(rows, links)


def relations(model: str) -> list[str]:
    return [
        *FORWARD.get(model, {}), *BACKWARD.get(model, {}), *LINKED.get(model, {})
    ]  # fmt: skip


@st.composite
def conditions(draw: st.DrawFn, start: str) -> Condition:
    path: list[str] = []
    model = start
    for _ in range(draw(st.integers(0, 3))):
        names = relations(model)
        if not names:
            break
        name = draw(st.sampled_from(names))
        path.append(name)
        model = target_of(model, name)
    if path and draw(st.integers(0, 4)) == 0:
        return Condition(tuple(path), "__isnull", draw(st.booleans()))
    field = draw(st.sampled_from([*FIELDS[model], "pk"]))
    numeric = field in (*NUMERIC, "pk")
    values = st.integers(0, 3) if numeric else st.sampled_from(NAMES)
    suffix = draw(st.sampled_from(list(MEANINGS)))
    if suffix in ("__in", "__not_in"):
        value: Any = draw(st.lists(values | st.none(), max_size=3))
    elif suffix in ("__isnull", "__notnull"):
        value = draw(st.booleans())
    else:
        value = draw(values | st.none() if suffix in ("", "__ne") else values)
    return Condition((*path, field), suffix, value)


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, list[list[Condition]]]:
    """A model, and the conditions of each call of `filter()`."""
    model = draw(st.sampled_from(list(FIELDS)))
    calls = st.lists(conditions(model), max_size=3, unique_by=lambda c: c.key)
    return model, draw(st.lists(calls, min_size=1, max_size=2))
