"""`filter()`: every operator on matching, missing, NULL and odd values, and what it refuses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from support import Strange

from sqliter.exceptions import (
    InvalidFilterError,
    InvalidRelationshipError,
    SqliterError,
)
from sqliter.model import BaseDBModel, ForeignKey


class Person(BaseDBModel):
    name: str
    age: int
    nick: str | None = None
    score: float | None = None
    active: bool = True

    class Meta:
        table_name = "people"


class Numbers(BaseDBModel):
    label: str
    maybe: int | None = None
    ratio: float | None = None
    either: int | float = 0

    class Meta:
        table_name = "numbers"


class Odd(BaseDBModel):
    """Field names that look like conditions."""

    is__in: bool
    a__b: int = 0
    name__like: str = ""

    class Meta:
        table_name = "odd"


class Words(BaseDBModel):
    """Names that are words of SQL."""

    select: str
    group: int = 0

    class Meta:
        table_name = "order"


class Author(BaseDBModel):
    name: str

    class Meta:
        table_name = "authors"


class Book(BaseDBModel):
    title: str
    author_id: int = ForeignKey(Author, db_column="writer")

    class Meta:
        table_name = "books"


async def seed(db: Any) -> None:
    await db.create_table(Person)
    await db.bulk_insert(
        [
            Person(name="ada", age=36, nick=None, score=1.5, active=True),
            Person(name="bob", age=9, nick="bo", score=None, active=False),
            Person(name="cyd", age=100, nick="", score=0.0, active=True),
            Person(name="dan", age=25, nick="Dan", score=-2.5, active=False),
        ]
    )


async def initials(query: Any) -> str:
    """The first letters of the people a query finds."""
    return "".join(person.name[0] for person in await query.order("pk").fetch_all())


COMPARISONS = [
    ({"age": 36}, "a"),
    ({"age__eq": 36}, "a"),
    ({"age": 37}, ""),
    ({"name": "ada"}, "a"),
    ({"name": "Ada"}, ""),
    ({"name": "ada "}, ""),
    ({"nick": ""}, "c"),
    ({"nick": None}, "a"),
    ({"nick__eq": None}, "a"),
    ({"age": None}, ""),
    ({"active": True}, "ac"),
    ({"active": False}, "bd"),
    ({"pk": 2}, "b"),
    ({"created_at__gt": 0}, "abcd"),
    ({"age__ne": 36}, "bcd"),
    ({"age__ne": 7}, "abcd"),
    ({"nick__ne": "bo"}, "cd"),
    ({"score__ne": 0.0}, "ad"),
    ({"active__ne": True}, "bd"),
    ({"age__lt": 25}, "b"),
    ({"age__lte": 25}, "bd"),
    ({"age__gt": 25}, "ac"),
    ({"age__gte": 25}, "acd"),
    ({"age__lt": 9}, ""),
    ({"age__gt": 100}, ""),
    ({"age__gt": 9.5}, "acd"),
    ({"score__lt": 0.0}, "d"),
    ({"score__lte": 0.0}, "cd"),
    ({"score__gt": 0.0}, "a"),
    ({"score__gte": 0.0}, "ac"),
    ({"score__lt": math.inf}, "acd"),
    ({"score__gt": -math.inf}, "acd"),
    ({"name__lt": "bob"}, "a"),
    ({"name__gte": "bob"}, "bcd"),
    ({"nick__gt": ""}, "bd"),
    ({"age": 2**63 - 1}, ""),
    ({"age__gt": -(2**63)}, "abcd"),
]


@pytest.mark.parametrize(("conditions", "expected"), COMPARISONS, ids=str)
async def test_comparisons(db: Any, conditions: dict[str, Any], expected: str) -> None:
    await seed(db)
    assert await initials(db.select(Person).filter(**conditions)) == expected


MEMBERSHIP = [
    ({"age__in": [36, 9]}, "ab"),
    ({"age__in": [9, 36, 7]}, "ab"),
    ({"age__in": [7]}, ""),
    ({"age__in": []}, ""),
    ({"age__in": [36, 36]}, "a"),
    ({"name__in": ["ada", "BOB"]}, "a"),
    ({"nick__in": ["bo", "Dan"]}, "bd"),
    ({"nick__in": []}, ""),
    ({"active__in": [False]}, "bd"),
    ({"score__in": [1.5, -2.5]}, "ad"),
    ({"age__in": [2**63 - 1, 100]}, "c"),
    ({"age__not_in": [36]}, "bcd"),
    ({"age__not_in": [36, 9, 100, 25]}, ""),
    ({"age__not_in": []}, "abcd"),
    ({"nick__not_in": []}, "abcd"),
    ({"nick__not_in": ["bo"]}, "cd"),
    ({"score__not_in": [0.0]}, "ad"),
]


@pytest.mark.parametrize(("conditions", "expected"), MEMBERSHIP, ids=str)
async def test_membership(db: Any, conditions: dict[str, Any], expected: str) -> None:
    await seed(db)
    assert await initials(db.select(Person).filter(**conditions)) == expected


@pytest.mark.parametrize("value", [True, "yes", 1, [0]], ids=repr)
async def test_isnull_with_a_true_value(db: Any, value: object) -> None:
    await seed(db)
    assert await initials(db.select(Person).filter(nick__isnull=value)) == "a"
    assert await initials(db.select(Person).filter(nick__notnull=value)) == "bcd"


@pytest.mark.parametrize("value", [False, None, 0, [], ""], ids=repr)
async def test_isnull_with_a_false_value(db: Any, value: object) -> None:
    await seed(db)
    assert await initials(db.select(Person).filter(nick__isnull=value)) == "bcd"
    assert await initials(db.select(Person).filter(nick__notnull=value)) == "a"


async def test_isnull_of_a_required_field(db: Any) -> None:
    await seed(db)
    assert await initials(db.select(Person).filter(age__isnull=True)) == ""
    assert await initials(db.select(Person).filter(age__notnull=True)) == "abcd"


@pytest.mark.defect("D-14")
@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"nick__ne": None}, "bcd"),
        ({"age__ne": None}, "abcd"),
        ({"nick__in": ["bo", None]}, "ab"),
        ({"nick__in": [None]}, "a"),
        ({"nick__in": [None, None]}, "a"),
        ({"nick__in": ["nobody", None]}, "a"),
        ({"age__in": [None]}, ""),
        ({"nick__not_in": ["bo", None]}, "cd"),
        ({"nick__not_in": [None]}, "bcd"),
        ({"nick__not_in": ["bo", "", "Dan", None]}, ""),
        ({"score__not_in": [None, 0.0]}, "ad"),
    ],
    ids=str,
)
async def test_none_means_the_null_rows(
    db: Any, conditions: dict[str, Any], expected: str
) -> None:
    await seed(db)
    assert await initials(db.select(Person).filter(**conditions)) == expected


@pytest.mark.defect("D-14")
@pytest.mark.parametrize("operator", ["__lt", "__lte", "__gt", "__gte"])
async def test_nothing_is_less_or_more_than_none(db: Any, operator: str) -> None:
    with pytest.raises(TypeError, match="score"):
        db.select(Person).filter(**{f"score{operator}": None})


async def test_conditions_are_joined_by_and(db: Any) -> None:
    await seed(db)
    assert await initials(db.select(Person).filter(active=True, age__gt=40)) == "c"
    assert (
        await initials(db.select(Person).filter(active=True).filter(age__gt=40)) == "c"
    )
    assert (
        await initials(db.select(Person).filter(age__gt=9).filter(age__lt=100)) == "ad"
    )
    assert await initials(db.select(Person).filter(age=9).filter(age=36)) == ""


async def test_an_operator_binds_to_its_own_condition(db: Any) -> None:
    """NULL handling inside IN must not leak over the AND beside it."""
    await seed(db)
    query = db.select(Person).filter(active=False, nick__in=["bo", None])
    assert await initials(query) == "b"
    query = db.select(Person).filter(nick__in=[None, "bo"], active=True)
    assert await initials(query) == "a"
    query = db.select(Person).filter(nick__not_in=[None, "bo"], active=True)
    assert await initials(query) == "c"


async def test_no_conditions_change_nothing(db: Any) -> None:
    await seed(db)
    query = db.select(Person)
    assert query.filter() is query
    assert await initials(query) == "abcd"


async def test_conditions_are_keywords_only(db: Any) -> None:
    with pytest.raises(TypeError):
        db.select(Person).filter({"name": "ada"})


# Iterables


@pytest.mark.defect("D-39")
@pytest.mark.parametrize(
    "make",
    [
        tuple,
        set,
        frozenset,
        iter,
        dict.fromkeys,
        lambda values: (value for value in values),
    ],
    ids=["tuple", "set", "frozenset", "iterator", "keys", "generator"],
)
async def test_in_takes_any_iterable(db: Any, make: Callable[[list[int]], Any]) -> None:
    await seed(db)
    values = make([36, 9])
    if isinstance(values, dict):
        values = values.keys()
    query = db.select(Person).filter(age__in=values)
    assert await initials(query) == "ab"
    assert await initials(query) == "ab"


@pytest.mark.defect("D-39")
async def test_not_in_takes_a_range(db: Any) -> None:
    await seed(db)
    assert await initials(db.select(Person).filter(age__not_in=range(20, 40))) == "bc"


async def test_the_list_of_a_condition_is_copied(db: Any) -> None:
    await seed(db)
    ages = [36]
    query = db.select(Person).filter(age__in=ages)
    ages.append(9)
    assert await initials(query) == "a"


@pytest.mark.defect("D-29")
@pytest.mark.parametrize("operator", ["__in", "__not_in"])
async def test_a_hundred_thousand_values(db: Any, operator: str) -> None:
    await seed(db)
    query = db.select(Person).filter(**{f"age{operator}": range(25, 100_025)})
    assert await initials(query) == ("acd" if operator == "__in" else "b")


@pytest.mark.defect("D-29")
async def test_a_hundred_thousand_texts_and_none(db: Any) -> None:
    await seed(db)
    nicks: list[str | None] = [f"nick {number}" for number in range(100_000)]
    assert (
        await initials(db.select(Person).filter(nick__in=[*nicks, "bo", None])) == "ab"
    )
    assert (
        await initials(db.select(Person).filter(nick__not_in=[*nicks, "bo", None]))
        == "cd"
    )


@pytest.mark.defect("D-29")
@pytest.mark.parametrize("filler", [0, 5, 50_000])
@pytest.mark.parametrize(
    "value",
    [
        0.1,
        1e-310,
        5e-324,
        1.7976931348623157e308,
        123456789.12345679,
        -0.3,
        1e22,
        math.inf,
    ],
    ids=repr,
)
async def test_in_is_exact_for_floats_however_long_the_list(
    db: Any, value: float, filler: int
) -> None:
    await db.create_table(Numbers)
    await db.insert(Numbers(label="it", ratio=value))
    await db.insert(Numbers(label="near", ratio=math.nextafter(value, 0.0)))
    values = [value, *(-1000.5 - number for number in range(filler))]
    rows = await db.select(Numbers).filter(ratio__in=values).fetch_all()
    assert [row.label for row in rows] == ["it"]


@pytest.mark.parametrize("filler", [0, 5, 50_000])
@pytest.mark.parametrize(
    "value",
    [
        "a\x00b",
        "\x00",
        'quote " and \\',
        "'",
        "\U0001f600",
        "\u2028",
        "\x7f\x1f",
        "[1]",
        "",
    ],
    ids=ascii,
)
async def test_in_is_exact_for_texts_however_long_the_list(
    db: Any, value: str, filler: int
) -> None:
    await db.create_table(Person)
    await db.insert(Person(name="it", age=1, nick=value))
    await db.insert(Person(name="other", age=1, nick=f"{value} "))
    values = [value, *(f"filler {number}" for number in range(filler))]
    rows = await db.select(Person).filter(nick__in=values).fetch_all()
    assert [row.name for row in rows] == ["it"]
    rows = await db.select(Person).filter(nick__not_in=values).fetch_all()
    assert [row.name for row in rows] == ["other"]


@pytest.mark.parametrize("filler", [0, 50_000])
async def test_in_is_exact_for_large_integers(db: Any, filler: int) -> None:
    await db.create_table(Numbers)
    for value in (2**53, 2**53 + 1, 2**63 - 1, -(2**63)):
        await db.insert(Numbers(label=str(value), maybe=value))
    for value in (2**53, 2**53 + 1, 2**63 - 1, -(2**63)):
        query = db.select(Numbers).filter(maybe__in=[value, *range(filler)])
        assert [row.label for row in await query.fetch_all()] == [str(value)]


# Numbers that may be NULL


@pytest.mark.defect("D-10")
@pytest.mark.parametrize("field", ["maybe", "ratio", "either"])
async def test_optional_numbers_compare_as_numbers(db: Any, field: str) -> None:
    await db.create_table(Numbers)
    for value in (5, 9, 10, 25, 100):
        await db.insert(Numbers(label=str(value), **{field: value}))

    async def labels(**conditions: Any) -> list[str]:
        rows = await db.select(Numbers).filter(**conditions).order(field).fetch_all()
        return [row.label for row in rows]

    assert await labels() == ["5", "9", "10", "25", "100"]
    assert await labels(**{f"{field}__gt": 9}) == ["10", "25", "100"]
    assert await labels(**{f"{field}__lte": 10}) == ["5", "9", "10"]
    assert await labels(**{field: 10}) == ["10"]
    assert await labels(**{field: 10.0}) == ["10"]
    assert await labels(**{f"{field}__in": [10, 100]}) == ["10", "100"]


# Names


async def test_an_unknown_field(db: Any) -> None:
    with pytest.raises(InvalidFilterError) as caught:
        db.select(Person).filter(zz=1)
    assert str(caught.value) == "Failed to apply filter: invalid field 'zz'"


@pytest.mark.parametrize("suffix", ["__gt", "__in", "__isnull", "__contains", "__eq"])
async def test_an_unknown_field_with_an_operator(db: Any, suffix: str) -> None:
    value = {"__in": [1], "__contains": "x"}.get(suffix, 1)
    with pytest.raises(InvalidFilterError, match="zz"):
        db.select(Person).filter(**{f"zz{suffix}": value})


@pytest.mark.parametrize(
    "name", ["", "__eq", "rowid", "_rowid_", "Name", "name ", 'na"me']
)
async def test_what_is_no_field_is_refused(db: Any, name: str) -> None:
    with pytest.raises(InvalidFilterError):
        db.select(Person).filter(**{name: 1})


@pytest.mark.defect("D-43")
@pytest.mark.parametrize("operator", ["ilike", "regexp", "IN", "isnul"])
async def test_an_unknown_operator_is_named(db: Any, operator: str) -> None:
    with pytest.raises(InvalidFilterError, match=f"unknown operator '{operator}'"):
        db.select(Person).filter(**{f"name__{operator}": "x"})


async def test_an_unknown_relation(db: Any) -> None:
    with pytest.raises(InvalidRelationshipError) as caught:
        db.select(Person).filter(nonexistent__name="x")
    assert str(caught.value) == (
        "Invalid relationship path 'nonexistent': field 'nonexistent' is not a valid foreign key "
        "relationship on model Person"
    )


async def test_a_plain_foreign_key_is_no_relation(db: Any) -> None:
    with pytest.raises(InvalidRelationshipError) as caught:
        db.select(Book).filter(author__name="x")
    assert str(caught.value) == (
        "Invalid relationship path 'author': field 'author' is not a valid foreign key "
        "relationship on model Book"
    )


@pytest.mark.defect("D-51")
async def test_exact_field_names_win_over_operators(db: Any) -> None:
    await db.create_table(Odd)
    await db.insert(Odd(is__in=True, a__b=1, name__like="x%"))
    await db.insert(Odd(is__in=False, a__b=2, name__like="xyz"))

    async def found(**conditions: Any) -> list[int]:
        return [
            row.a__b for row in await db.select(Odd).filter(**conditions).fetch_all()
        ]

    assert await found(is__in=True) == [1]
    assert await found(is__in__in=[False]) == [2]
    assert await found(a__b=2) == [2]
    assert await found(a__b__lt=2) == [1]
    assert await found(name__like="x%") == [1]
    assert sorted(await found(name__like__like="x%")) == [1, 2]


async def test_words_of_sql_are_ordinary_names(db: Any) -> None:
    await db.create_table(Words)
    await db.insert(Words(select="from", group=1))
    await db.insert(Words(select="where", group=2))
    query = db.select(Words).filter(select="from", group__lt=2).order("group")
    assert [row.select for row in await query.fetch_all()] == ["from"]
    assert await db.select(Words).filter(group=2).update({"select": "table"}) == 1
    assert await db.select(Words).filter(select="table").delete() == 1
    assert await db.select(Words).count() == 1


async def test_a_foreign_key_is_named_by_its_field(db: Any) -> None:
    await db.create_table(Author)
    await db.create_table(Book)
    first = await db.insert(Author(name="a"))
    second = await db.insert(Author(name="b"))
    await db.insert(Book(title="one", author_id=first.pk))
    await db.insert(Book(title="two", author_id=second.pk))

    async def titles(**conditions: Any) -> list[str]:
        rows = await db.select(Book).filter(**conditions).order("author_id").fetch_all()
        return [row.title for row in rows]

    assert await titles(author_id=second.pk) == ["two"]
    assert await titles(author_id__in=[first.pk, second.pk]) == ["one", "two"]
    assert await titles(author_id__gt=first.pk) == ["two"]
    assert await titles(author_id__isnull=True) == []
    assert await titles(author_id=None) == []
    with pytest.raises(InvalidFilterError, match="'writer'"):
        db.select(Book).filter(writer=1)


# Types of values


@pytest.mark.parametrize(
    "operator", ["", "__eq", "__ne", "__lt", "__lte", "__gt", "__gte"]
)
async def test_a_list_where_one_value_is_due(db: Any, operator: str) -> None:
    with pytest.raises(TypeError) as caught:
        db.select(Person).filter(**{f"age{operator}": [1]})
    assert (
        str(caught.value) == f"age requires scalar for '{operator or '__eq'}', not list"
    )


@pytest.mark.parametrize("operator", ["__in", "__not_in"])
@pytest.mark.parametrize(
    "value", ["text", b"bytes", {"a": 1}, 3, 1.5, True, None, Strange()], ids=repr
)
async def test_a_list_is_due(db: Any, operator: str, value: object) -> None:
    with pytest.raises(TypeError) as caught:
        db.select(Person).filter(**{f"name{operator}": value})
    assert str(caught.value) == f"name requires a list for '{operator}'"


TEXT_OPERATORS = [
    "__like",
    "__startswith",
    "__endswith",
    "__contains",
    "__istartswith",
    "__iendswith",
    "__icontains",
]


@pytest.mark.parametrize("operator", TEXT_OPERATORS)
@pytest.mark.parametrize("value", [None, 1, 1.5, True, ["x"], b"x", ("x",)], ids=repr)
async def test_a_text_is_due(db: Any, operator: str, value: object) -> None:
    with pytest.raises(TypeError) as caught:
        db.select(Person).filter(**{f"name{operator}": value})
    assert str(caught.value) == f"name requires a string value for '{operator}'"


@pytest.mark.defect("D-46")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("age", 2**63),
        ("age", -(2**63) - 1),
        ("age", 10**400),
        ("age", Strange()),
        ("age", {"a": 1}),
        ("age", (1, 2)),
        ("age", {1, 2}),
        ("score", math.nan),
        ("name", "\ud800"),
        ("name", "good \udfff bad"),
        ("name", Strange()),
        ("name", 2**64),
        ("active", Strange()),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("operator", ["", "__ne", "__gt", "__in", "__not_in"])
async def test_what_the_field_cannot_hold_is_refused_at_once(
    db: Any, field: str, value: object, operator: str
) -> None:
    given: object = [value] if "in" in operator else value
    with pytest.raises(InvalidFilterError, match=field):
        db.select(Person).filter(**{f"{field}{operator}": given})


@pytest.mark.defect("D-46")
@pytest.mark.parametrize("operator", TEXT_OPERATORS)
async def test_a_lone_surrogate_is_refused_by_text_operators(
    db: Any, operator: str
) -> None:
    with pytest.raises(InvalidFilterError, match="name"):
        db.select(Person).filter(**{f"name{operator}": "\ud800"})


@pytest.mark.defect("D-46")
async def test_one_bad_value_in_a_long_list(db: Any) -> None:
    values: Iterable[object] = [*range(1000), 2**63]
    with pytest.raises(InvalidFilterError, match="age"):
        db.select(Person).filter(age__in=values)


async def test_a_scalar_of_another_type_matches_by_sqlites_rules(db: Any) -> None:
    await seed(db)
    await db.insert(Person(name="42", age=1))
    assert await initials(db.select(Person).filter(name=42)) == "4"
    assert await initials(db.select(Person).filter(age="36")) == "a"
    assert await initials(db.select(Person).filter(age="x")) == ""
    assert await initials(db.select(Person).filter(age=36.0)) == "a"
    assert await initials(db.select(Person).filter(age=36.5)) == ""


async def test_values_are_bound_never_written_into_the_text(db: Any) -> None:
    await seed(db)
    hostile = "x'; DROP TABLE people; --"
    assert await initials(db.select(Person).filter(name=hostile)) == ""
    assert await initials(db.select(Person).filter(name__in=[hostile, "ada"])) == "a"
    await db.insert(Person(name=hostile, age=1))
    assert await initials(db.select(Person).filter(name=hostile)) == "x"
    text, parameters = db.select(Person).filter(name=hostile, age__in=[123456]).to_sql()
    assert "DROP" not in text
    assert "123456" not in text
    assert hostile in parameters


# A failed call


@pytest.mark.defect("D-23")
@pytest.mark.parametrize(
    "bad",
    [
        {"zz": 1},
        {"age__in": 3},
        {"nick__gt": None},
        {"age": 2**63},
        {"a__b": 1},
        {"age": [1]},
    ],
    ids=str,
)
async def test_a_failed_filter_leaves_no_trace(db: Any, bad: dict[str, Any]) -> None:
    await seed(db)
    query = db.select(Person).filter(age__gt=9)
    before = query.to_sql()
    with pytest.raises((SqliterError, TypeError)):
        query.filter(name="nobody", **bad)
    assert query.to_sql() == before
    assert await initials(query) == "acd"


@pytest.mark.defect("D-25")
async def test_one_field_may_be_filtered_with_values_of_several_types(db: Any) -> None:
    await seed(db)
    query = db.select(Person).filter(nick__ne="bo").filter(nick__ne=None)
    assert await initials(query) == "cd"
    assert await initials(db.select(Person).filter(name="ada").filter(name=42)) == ""


async def test_the_filters_are_public(db: Any) -> None:
    query = db.select(Person).filter(age__gt=30).filter(name="ada")
    assert [tuple(entry) for entry in query.filters] == [
        ("age", 30, "__gt"),
        ("name", "ada", "__eq"),
    ]
