"""`filter()` along foreign keys: every operator at every depth, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from contract.library import initials, keys, library, stocked
from support import Colour

from sqliter.exceptions import (
    InvalidFilterError,
    InvalidProjectionError,
    InvalidRelationshipError,
    SqliterError,
)

pytestmark = pytest.mark.only("memory")  # what is asked is the same in a file

# Emma and Persuasion are by Jane of England, Solaris and Fiasco by Stan of Poland,
# whose age nobody knows; Ada edited Emma, Jane edited Fiasco.

ONE_HOP = [
    ({"author__name": "Jane"}, "EP"),
    ({"author__name__eq": "Jane"}, "EP"),
    ({"author__name": "jane"}, ""),
    ({"author__name": None}, ""),
    ({"author__name__ne": "Jane"}, "SF"),
    ({"author__name__in": ["Jane", "Nobody"]}, "EP"),
    ({"author__name__in": []}, ""),
    ({"author__name__not_in": ["Jane"]}, "SF"),
    ({"author__name__not_in": []}, "ESPF"),
    ({"author__name__like": "j%"}, "EP"),
    ({"author__name__startswith": "St"}, "SF"),
    ({"author__name__endswith": "ne"}, "EP"),
    ({"author__name__contains": "a"}, "ESPF"),
    ({"author__name__contains": "A"}, ""),
    ({"author__name__istartswith": "sT"}, "SF"),
    ({"author__name__iendswith": "NE"}, "EP"),
    ({"author__name__icontains": "TA"}, "SF"),
    ({"author__age": 41}, "EP"),
    ({"author__age__gt": 40}, "EP"),
    ({"author__age__gte": 41}, "EP"),
    ({"author__age__lt": 41}, ""),
    ({"author__age__lte": 41}, "EP"),
    ({"author__pk": 2}, "SF"),
    ({"author__pk__in": [1]}, "EP"),
    ({"author__created_at__gt": 0}, "ESPF"),
    ({"author__country_id": 2}, "SF"),
]


@pytest.mark.parametrize(("conditions", "expected"), ONE_HOP)
async def test_one_hop(
    db: Any, colour: Colour, conditions: dict[str, Any], expected: str
) -> None:
    lib = await stocked(db, colour)
    assert await initials(db.select(lib.Book).filter(**conditions)) == expected


NULLS = [
    ({"author__age": None}, "SF"),
    ({"author__age__isnull": True}, "SF"),
    ({"author__age__isnull": False}, "EP"),
    ({"author__age__notnull": True}, "EP"),
    ({"author__age__notnull": False}, "SF"),
    ({"author__age__ne": 7}, "EP"),
    ({"author__age__ne": 41}, ""),
    ({"author__age__ne": None}, "EP"),
    ({"author__age__in": [41, None]}, "ESPF"),
    ({"author__age__in": [None]}, "SF"),
    ({"author__age__not_in": [41]}, ""),
    ({"author__age__not_in": [7, None]}, "EP"),
    ({"author__country__code": None}, "SF"),
    ({"author__country__code__isnull": False}, "EP"),
]


@pytest.mark.defect("D-41")
@pytest.mark.parametrize(("conditions", "expected"), NULLS)
async def test_null_of_the_related_row(
    db: Any, colour: Colour, conditions: dict[str, Any], expected: str
) -> None:
    lib = await stocked(db, colour)
    assert await initials(db.select(lib.Book).filter(**conditions)) == expected


NULLABLE = [
    ({"editor__name": "Ada"}, "E"),
    ({"editor__name__ne": "Ada"}, "F"),
    ({"editor__name__not_in": ["Ada"]}, "F"),
    ({"editor__name__not_in": []}, "ESPF"),
    ({"editor__name__in": ["Ada", None]}, "ESP"),
    ({"editor__name": None}, "SP"),
    ({"editor__name__isnull": True}, "SP"),
    ({"editor__name__isnull": False}, "EF"),
    ({"editor__name__notnull": True}, "EF"),
    ({"editor__age__gt": 36}, "F"),
    ({"editor__country__name": "England"}, "EF"),
    ({"editor__country__name": None}, "SP"),
    ({"editor__country__code__isnull": True}, "SP"),
    ({"editor__country__code__notnull": True}, "EF"),
]


@pytest.mark.defect("D-41")
@pytest.mark.parametrize(("conditions", "expected"), NULLABLE)
async def test_a_row_without_relation_counts_as_null(
    db: Any, colour: Colour, conditions: dict[str, Any], expected: str
) -> None:
    lib = await stocked(db, colour)
    assert await initials(db.select(lib.Book).filter(**conditions)) == expected


DEEP = [
    ({"book__title": "Emma"}, [1, 2]),
    ({"book__published": date(1961, 1, 1)}, [3]),
    ({"book__published__gte": date(1961, 1, 1)}, [3, 5]),
    ({"book__published__in": [date(1987, 5, 1), None]}, [4, 5]),
    ({"book__author__name": "Jane"}, [1, 2]),
    ({"book__author__country__name": "Poland"}, [3, 5]),
    ({"book__author__country__name__startswith": "Eng"}, [1, 2]),
    ({"book__author__country__code": None}, [3, 4, 5]),
    ({"book__editor__country__name": "England"}, [1, 2, 5]),
    ({"book__editor__name__isnull": True}, [3, 4]),
    ({"book__author__country_id__in": [2]}, [3, 5]),
]


@pytest.mark.parametrize(("conditions", "expected"), DEEP)
async def test_any_depth(
    db: Any, colour: Colour, conditions: dict[str, Any], expected: list[int]
) -> None:
    lib = await stocked(db, colour)
    assert await keys(db.select(lib.Comment).filter(**conditions)) == expected


TOGETHER = [
    ({"author__name": "Jane", "pages__gt": 300}, "E"),
    ({"author__name": "Jane", "author__age": 41}, "EP"),
    ({"author__name": "Stan", "editor__name": "Jane"}, "F"),
    ({"author__name": "Jane", "editor__name": None}, "P"),
    ({"author__country__name": "England", "editor__country__name": "England"}, "E"),
    ({"author_id": 2, "author__country__name": "Poland", "pk": 4}, "F"),
]


@pytest.mark.parametrize(("conditions", "expected"), TOGETHER)
async def test_conditions_of_several_tables(
    db: Any, colour: Colour, conditions: dict[str, Any], expected: str
) -> None:
    lib = await stocked(db, colour)
    assert await initials(db.select(lib.Book).filter(**conditions)) == expected
    query = db.select(lib.Book)
    for key, value in conditions.items():
        query.filter(**{key: value})
    assert await initials(query) == expected


@pytest.mark.defect("D-06")
async def test_paths_that_share_their_beginning(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(author__name="Stan")
    query.filter(author__country__name="Poland").filter(editor__name="Jane")
    query.filter(editor__country__name="England")
    assert await initials(query) == "F"
    assert await query.count() == 1


async def test_a_tree_is_climbed(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    assert await initials(db.select(lib.Node).filter(parent__name="trunk")) == "lr"
    query = db.select(lib.Node).filter(parent__parent__name="trunk")
    assert await initials(query) == "s"
    assert await initials(db.select(lib.Node).filter(parent__name=None)) == "t"


async def test_what_is_filtered_by_is_loaded(
    logged_db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(logged_db, colour)
    query = logged_db.select(lib.Book).filter(author__country__name="Poland")
    with statements.watch():
        book = await query.order("pk").fetch_first()
        assert (book.author.name, book.author.country.name) == ("Stan", "Poland")
    assert len(statements.starting("SELECT")) == 1


# What is refused


def refused(db: Any, model: Any, key: str) -> tuple[type[Exception], str]:
    with pytest.raises(SqliterError) as caught:
        db.select(model).filter(**{key: "x"})
    return type(caught.value), str(caught.value)


RELATIONSHIP = (
    "Invalid relationship path '{}': field '{}' is not a valid foreign key "
    "relationship on model {}"
)


@pytest.mark.parametrize(
    ("key", "arguments"),
    [
        ("nope__name", ("nope", "nope", "Book")),
        ("nope__country__name", ("nope__country", "nope", "Book")),
        ("author__nope__name", ("author__nope", "nope", "Author")),
        ("author__country__nope__x__in", ("author__country__nope", "nope", "Country")),
    ],
)
def test_a_path_that_leads_nowhere(
    db: Any, colour: Colour, key: str, arguments: tuple[str, str, str]
) -> None:
    error, text = refused(db, library(colour).Book, key)
    assert issubclass(error, InvalidRelationshipError)
    assert text == RELATIONSHIP.format(*arguments)


@pytest.mark.parametrize(
    ("key", "path", "field", "model"),
    [
        ("author__nope", "author__nope", "nope", "Author"),
        ("author__country__nope", "author__country__nope", "nope", "Country"),
    ],
)
def test_an_unknown_field_at_the_end(
    db: Any, colour: Colour, key: str, path: str, field: str, model: str
) -> None:
    error, text = refused(db, library(colour).Book, key)
    assert issubclass(error, InvalidFilterError)
    assert f"{path} - field '{field}' not found in {model}" in text


@pytest.mark.defect("D-43")
def test_an_unknown_operator_along_a_path_is_named(db: Any, colour: Colour) -> None:
    for key in ("author__name__ilike", "author__country__name__ilike"):
        _, text = refused(db, library(colour).Book, key)
        assert "unknown operator 'ilike'" in text


@pytest.mark.defect("D-45")
@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("author__name__in", "x", "name requires a list for '__in'"),
        ("author__name", ["x"], "name requires scalar for '__eq', not list"),
        ("author__age__gt", [1], "age requires scalar for '__gt', not list"),
        ("author__name__like", 1, "name requires a string value for '__like'"),
        ("author__country__name__in", 1, "name requires a list for '__in'"),
    ],
)
def test_errors_name_fields_not_sql(
    db: Any, colour: Colour, key: str, value: Any, text: str
) -> None:
    with pytest.raises(TypeError) as caught:
        db.select(library(colour).Book).filter(**{key: value})
    path = key.partition("__name")[0].partition("__age")[0]
    assert str(caught.value) in (text, f"{path}__{text}")


async def test_a_failed_filter_leaves_no_trace(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book)
    for key in ("author__nope", "author__country__nope__x", "editor__name__in"):
        with pytest.raises((SqliterError, TypeError)):
            query.filter(pages=200, **{key: 7})
    assert await initials(query) == "ESPF"
    assert await query.count() == 4


async def test_groups_are_not_filtered_along_paths(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    refusal = "Relationship filter traversal is not supported in projection mode"
    with pytest.raises(InvalidProjectionError, match=refusal):
        db.select(lib.Book).group_by("pages").filter(author__name="Jane")
    query = db.select(lib.Book).filter(author__name="Jane")
    with pytest.raises(
        InvalidProjectionError, match="do not support relationship traversal"
    ):
        await query.group_by("pages").fetch_dicts()


async def test_groups_are_filtered_by_what_they_are_linked_with(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    rows = await db.select(lib.Book).filter(tags__isnull=False).fetch_all()
    query = db.select(lib.Book).group_by("pages").filter(tags__isnull=False)
    found = {row["pages"] for row in await query.fetch_dicts()}
    assert found == {row.pages for row in rows}
    assert found


@pytest.mark.defect("D-38")
async def test_the_database_of_an_object_is_no_field(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    for book in (await db.get(lib.Book, 1), lib.Book(title="x", author=1)):
        assert "db_context" not in repr(book)
    columns = await db.fetch("SELECT name FROM pragma_table_info('books')")
    assert "db_context" not in [row["name"] for row in columns]
    query = db.select(lib.Book)
    for key in ("db_context", "db_context__isnull", "author__db_context"):
        with pytest.raises(InvalidFilterError):
            query.filter(**{key: None})
    with pytest.raises(InvalidProjectionError):
        query.group_by("db_context")
