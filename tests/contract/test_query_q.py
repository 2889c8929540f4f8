"""``Q``: and, or, not; compared with the same said in Python."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from sqliter import SqliterDB
from sqliter.exceptions import InvalidFilterError, InvalidProjectionError
from sqliter.expressions import Q
from sqliter.model import BaseDBModel
from sqliter.orm import BaseDBModel as OrmModel
from sqliter.orm import ForeignKey
from sqliter.query import func


class Person(BaseDBModel):
    name: str
    age: int | None = None
    score: float | None = None

    class Meta:
        table_name = "people"


PEOPLE = [
    Person(name=name, age=age, score=score)
    for name in ("Ann", "bob", "Émile")
    for age in (None, 0, 7)
    for score in (None, -1.5, 2.0)
]

Truth = bool | None
"""``None`` is what SQL says of NULLs."""

LEAVES: list[tuple[dict[str, Any], Callable[[Person], Truth]]] = [
    ({"name": "Ann"}, lambda p: p.name == "Ann"),
    ({"name__icontains": "É"}, lambda p: "é" in p.name.lower()),
    ({"age": 7}, lambda p: None if p.age is None else p.age == 7),
    ({"age": None}, lambda p: p.age is None),
    ({"age__ne": 7}, lambda p: None if p.age is None else p.age != 7),
    ({"age__lt": 5}, lambda p: None if p.age is None else p.age < 5),
    ({"age__in": [0, None]}, lambda p: p.age is None or p.age == 0),
    ({"age__not_in": [0]}, lambda p: None if p.age is None else p.age != 0),
    ({"score__gte": 0}, lambda p: None if p.score is None else p.score >= 0),
    ({"score__isnull": False}, lambda p: p.score is not None),
    (
        {"age__gt": 3, "score__gt": 0},
        lambda p: all_of([_greater(p.age, 3), _greater(p.score, 0)]),
    ),
]


def _greater(value: float | None, limit: float) -> Truth:
    return None if value is None else value > limit


def all_of(truths: list[Truth]) -> Truth:
    if False in truths:
        return False
    return None if None in truths else True


def any_of(truths: list[Truth]) -> Truth:
    if True in truths:
        return True
    return None if None in truths else False


Question = tuple[Q, Callable[[Person], Truth]]


def question(chance: random.Random, depth: int) -> Question:
    """Return a random condition, and the same in Python."""
    if depth == 0 or chance.random() < 0.2:
        keywords, holds = chance.choice(LEAVES)
        return Q(**keywords), holds
    parts = [question(chance, depth - 1) for _ in range(chance.randint(1, 3))]
    tests = [holds for _, holds in parts]
    found = parts[0][0]
    if chance.random() < 0.5:
        for q, _ in parts[1:]:
            found = found & q
        joined: Question = found, lambda p: all_of([test(p) for test in tests])
    else:
        for q, _ in parts[1:]:
            found = found | q
        joined = found, lambda p: any_of([test(p) for test in tests])
    return negated(joined) if chance.random() < 0.4 else joined


def negated(asked: Question) -> Question:
    q, holds = asked
    return ~q, lambda p: holds(p) is not True


async def names(query: Any) -> list[str]:
    return [each.name for each in await query.order("pk").fetch_all()]


@pytest.mark.parametrize("seed", range(8))
async def test_random_conditions_mean_what_they_do_in_python(
    db: Any, seed: int
) -> None:
    await fill(db)
    chance = random.Random(seed)
    for _ in range(40):
        q, holds = question(chance, 4)
        expected = [p.name for p in PEOPLE if holds(p) is True]
        query = db.select(Person).filter(q)
        assert await names(query) == expected, repr(q)
        assert await query.count() == len(expected)
        others = [p.name for p in PEOPLE if holds(p) is not True]
        assert await names(db.select(Person).exclude_where(q)) == others, repr(q)


async def fill(db: Any) -> None:
    await db.create_table(Person)
    await db.bulk_insert([person.model_copy() for person in PEOPLE])


async def test_keywords_and_several_q_must_all_hold(db: Any) -> None:
    await fill(db)
    query = db.select(Person).filter(Q(age=7) | Q(age=0), Q(score=2.0), name="Ann")
    found = await query.order("age").fetch_all()
    assert [(p.age, p.score) for p in found] == [(0, 2.0), (7, 2.0)]


async def test_an_empty_q_is_neutral(db: Any) -> None:
    await fill(db)
    for empty in (Q(), ~Q(), Q(Q()), Q() | Q(), Q() & ~Q()):
        assert empty.is_empty
        assert await db.select(Person).filter(empty).count() == len(PEOPLE)
        assert await db.select(Person).filter(empty | Q(name="Ann")).count() == 9
        assert await db.select(Person).filter(empty & Q(name="Ann")).count() == 9
    assert await db.select(Person).exclude_where().count() == len(PEOPLE)


async def test_thousands_of_conditions(db: Any) -> None:
    await fill(db)
    either, both = Q(), Q()
    for number in range(3000):
        either |= Q(age=number)
        both &= ~Q(age=number + 1)
    assert await db.select(Person).filter(either).count() == 18
    assert await db.select(Person).filter(both).count() == 18
    query = db.select(Person)
    for number in range(1500):
        query.filter(age__ne=number + 1)
    assert await query.count() == 9


async def test_update_and_delete(db: Any) -> None:
    await fill(db)
    q = Q(name="Ann") | Q(age=7)
    assert await db.select(Person).filter(q).update({"score": 9.0}) == 15
    assert await db.select(Person).filter(~q).delete() == 12
    assert await db.select(Person).count() == 15


async def test_having(db: Any) -> None:
    await fill(db)
    query = db.select(Person).group_by("age").annotate(count=func.count())
    found = await query.having(Q(age=7) | Q(age=None), count=9).fetch_dicts()
    assert [row["age"] for row in found] == [None, 7]


async def test_answers_are_remembered_apart(make_db: Any) -> None:
    db = make_db(cache_enabled=True)
    await fill(db)
    for _ in range(2):
        assert await db.select(Person).filter(Q(age=7) | Q(name="Ann")).count() == 15
        found = await db.select(Person).filter(Q(age=7) | Q(name="Ann")).fetch_all()
        assert len(found) == 15
        found = await db.select(Person).filter(Q(age=7) & Q(name="Ann")).fetch_all()
        assert len(found) == 3
        found = await db.select(Person).filter(~Q(age=7), name="Ann").fetch_all()
        assert len(found) == 6


@pytest.mark.only("sync", "memory")
def test_what_is_no_condition(db: Any) -> None:
    for bad in (1, True, "age", None, {"age": 1}):
        with pytest.raises(
            TypeError, match="Q objects, comparisons of columns, or keywords"
        ):
            db.select(Person).filter(bad)
        with pytest.raises(
            TypeError, match="Q objects, comparisons of columns, or keywords"
        ):
            Q(age=1) | bad
    with pytest.raises(TypeError, match="write & for and"):
        Q(age=1) and Q(age=2)
    query = db.select(Person)
    with pytest.raises(InvalidFilterError, match="nope"):
        query.filter(Q(age=1) | ~Q(nope=2))
    assert not query.filters


@pytest.mark.only("sync", "memory")
def test_combining_changes_nothing(db: Any) -> None:
    one, two = Q(age=1), Q(age=2)
    before = repr(one), repr(two)
    _ = one | two, one & two, ~one, Q(one, two)
    assert (repr(one), repr(two)) == before


@pytest.mark.parametrize(
    ("q", "text"),
    [
        (Q(age=1), "Q(age=1)"),
        (~Q(age=1, name="x"), "~Q(age=1, name='x')"),
        (Q(age=1) | Q(age=2) | ~Q(age=3), "Q(age=1) | Q(age=2) | ~Q(age=3)"),
        (~(Q(age=1) | Q(age=2)), "~(Q(age=1) | Q(age=2))"),
        (Q(Q(age=1) | Q(age=2), name="x"), "Q((Q(age=1) | Q(age=2)), name='x')"),
        (~~Q(age=1), "Q(age=1)"),
    ],
)
def test_repr(q: Q, text: str) -> None:
    assert repr(q) == text


class TestRelations:
    """A choice must not lose the rows that have nothing at the end of a path."""

    @pytest.fixture
    def models(self) -> tuple[Any, Any]:
        class Author(OrmModel):
            name: str

            class Meta:
                table_name = "authors"

        class Book(OrmModel):
            title: str
            author: ForeignKey[Author] = ForeignKey(Author, related_name="books")
            editor: ForeignKey[Author | None] = ForeignKey(
                Author, null=True, related_name="edited"
            )

            class Meta:
                table_name = "books"

        return Author, Book

    def test_choices(self, models: tuple[Any, Any]) -> None:
        author, book = models
        db = SqliterDB(memory=True)
        for model in models:
            db.create_table(model)
        ann, bob = db.bulk_insert([author(name="Ann"), author(name="Bob")])
        db.insert(book(title="A", author=ann, editor=bob))
        db.insert(book(title="B", author=bob))
        db.execute("PRAGMA foreign_keys = 0")
        db.execute("INSERT INTO books VALUES (9, 0, 0, 'C', 99, NULL)")

        def titles(*parts: Q, **keywords: Any) -> list[str]:
            query = db.select(book).filter(*parts, **keywords).order("title")
            return [each.title for each in query.fetch_all()]

        assert titles(Q(author__name="Ann") | Q(title="C")) == ["A", "C"]
        assert titles(Q(editor__name="Bob") | Q(author__name="Bob")) == ["A", "B"]
        assert titles(~Q(author__name="Ann")) == ["B", "C"]
        assert titles(~Q(editor__name="Bob"), author__name="Bob") == ["B"]
        assert titles(Q(author=ann) | Q(editor=None)) == ["A", "B", "C"]

        def names(*parts: Q) -> list[str]:
            query = db.select(author).filter(*parts).order("name")
            return [each.name for each in query.fetch_all()]

        assert names(Q(books__title="A") | Q(edited__title="A")) == ["Ann", "Bob"]
        assert names(~Q(books__title="A")) == ["Bob"]
        assert names(Q(books__title="B", books__author__name="Bob")) == ["Bob"]
        changed = db.select(book).filter(Q(author__name="Ann") | Q(title="C"))
        assert changed.update({"title": "X"}) == 2
        found = bob.books.filter(Q(title="B") | Q(title="Z")).fetch_all()
        assert [each.title for each in found] == ["B"]
        assert bob.books.exclude_where(title="B").count() == 0
        with pytest.raises(InvalidProjectionError):
            db.select(book).group_by("title").filter(Q(author__name="x") | Q(title="x"))
