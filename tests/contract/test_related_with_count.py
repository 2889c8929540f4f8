"""`with_count()`: how many rows a path leads to, beside each row."""

from __future__ import annotations

from typing import Any

import pytest
from contract.library import Library, library, stocked
from support import Colour

from sqliter.exceptions import InvalidProjectionError, InvalidRelationshipError
from sqliter.query import func

pytestmark = pytest.mark.only("memory")  # what is asked is the same in a file


async def counts(query: Any, alias: str = "count") -> dict[str, int]:
    """The first letters of the rows and what is counted for each."""
    rows = await query.fetch_dicts()
    label = "title" if "author_id" in rows[0] else "name"
    found = {row[label][0]: row[alias] for row in rows}
    assert len(found) == len(rows)
    return found


PATHS = [
    ("Author", "books", {"J": 2, "S": 2, "A": 0}, {"J": 2, "S": 2, "A": 0}),
    ("Author", "edited", {"J": 1, "S": 0, "A": 1}, {"J": 1, "S": 0, "A": 1}),
    ("Author", "books__comments", {"J": 2, "S": 2, "A": 0}, {"J": 2, "S": 2, "A": 0}),
    ("Author", "books__tags", {"J": 1, "S": 3, "A": 0}, {"J": 1, "S": 2, "A": 0}),
    ("Author", "country__authors", {"J": 2, "S": 1, "A": 2}, {"J": 2, "S": 1, "A": 2}),
    ("Country", "authors", {"E": 2, "P": 1}, {"E": 2, "P": 1}),
    ("Country", "authors__books__tags", {"E": 1, "P": 3}, {"E": 1, "P": 2}),
    ("Book", "tags", {"E": 1, "S": 2, "P": 0, "F": 1}, {"E": 1, "S": 2, "P": 0, "F": 1}),
    ("Book", "comments", {"E": 2, "S": 1, "P": 0, "F": 1}, {"E": 2, "S": 1, "P": 0, "F": 1}),
    ("Book", "author__books", {"E": 2, "S": 2, "P": 2, "F": 2}, {"E": 2, "S": 2, "P": 2, "F": 2}),
    ("Book", "editor__books", {"E": 0, "S": 0, "P": 0, "F": 2}, {"E": 0, "S": 0, "P": 0, "F": 2}),
    ("Book", "tags__books", {"E": 2, "S": 4, "P": 0, "F": 2}, {"E": 2, "S": 3, "P": 0, "F": 2}),
    ("Tag", "books", {"c": 2, "s": 2, "u": 0}, {"c": 2, "s": 2, "u": 0}),
    ("Node", "children", {"t": 2, "l": 1, "r": 0, "s": 0}, {"t": 2, "l": 1, "r": 0, "s": 0}),
    ("Node", "children__children", {"t": 1, "l": 0, "r": 0, "s": 0}, {"t": 1, "l": 0, "r": 0, "s": 0}),
    ("Node", "parent__children", {"t": 0, "l": 2, "r": 2, "s": 1}, {"t": 0, "l": 2, "r": 2, "s": 1}),
    ("Person", "follows", {"P": 2, "Q": 1, "R": 1, "S": 0}, {"P": 2, "Q": 1, "R": 1, "S": 0}),
    ("Person", "followers", {"P": 1, "Q": 1, "R": 2, "S": 0}, {"P": 1, "Q": 1, "R": 2, "S": 0}),
    ("Person", "follows__follows", {"P": 2, "Q": 2, "R": 1, "S": 0}, {"P": 2, "Q": 2, "R": 1, "S": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "path", "rows", "distinct"), PATHS)
async def test_rows_and_distinct_rows_at_the_end_of_a_path(
    db: Any,
    colour: Colour,
    model: str,
    path: str,
    rows: dict[str, int],
    distinct: dict[str, int],
) -> None:
    lib = await stocked(db, colour)
    model = getattr(lib, model)
    assert await counts(db.select(model).with_count(path)) == rows
    assert await counts(db.select(model).with_count(path, distinct=True)) == distinct


@pytest.mark.defect("D-16")
async def test_friends_are_counted_both_ways(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    found = await counts(db.select(lib.Person).with_count("friends"))
    assert found == {"P": 3, "Q": 2, "R": 2, "S": 0}
    for person in await db.select(lib.Person).fetch_all():
        assert await lib.many(person.friends).count() == found[person.name[0]]


@pytest.mark.defect("D-16")
async def test_friends_of_friends(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Person).with_count("friends__friends", "all")
    query.with_count("friends__friends", "different", distinct=True)
    assert await counts(query, "all") == {"P": 7, "Q": 5, "R": 5, "S": 0}
    assert await counts(query, "different") == {"P": 3, "Q": 3, "R": 3, "S": 0}


@pytest.mark.defect("D-18")
async def test_counts_do_not_multiply_each_other(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).with_count("books", "b")
    query.with_count("books__comments", "c").with_count("edited", "e")
    query.with_count("books__tags", "t").with_count("books", "again")
    assert await counts(query, "b") == {"J": 2, "S": 2, "A": 0}
    assert await counts(query, "c") == {"J": 2, "S": 2, "A": 0}
    assert await counts(query, "e") == {"J": 1, "S": 0, "A": 1}
    assert await counts(query, "t") == {"J": 1, "S": 3, "A": 0}
    assert await counts(query, "again") == {"J": 2, "S": 2, "A": 0}


@pytest.mark.defect("D-18")
async def test_counts_leave_sums_alone(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).with_count("comments", "c").with_count("tags", "t")
    query.annotate(total=func.sum("pages"), rows=func.count())
    pages = {"E": 400, "S": 200, "P": 300, "F": 350}
    assert await counts(query, "total") == pages
    assert await counts(query, "rows") == {"E": 1, "S": 1, "P": 1, "F": 1}
    assert await counts(query, "c") == {"E": 2, "S": 1, "P": 0, "F": 1}


@pytest.mark.defect("D-05")
async def test_who_has_nothing_on_the_way_stays(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).with_count("books__author__books")
    assert await counts(query) == {"J": 4, "S": 4, "A": 0}
    query = db.select(lib.Comment).with_count("book__author__books")
    assert [row["count"] for row in await query.order("pk").fetch_dicts()] == [
        2, 2, 2, 0, 2,
    ]  # fmt: skip


async def namesakes(db: Any, colour: Colour) -> Library:
    lib = await stocked(db, colour)
    jane = await db.insert(lib.Author(name="Jane", country_id=2))
    await db.insert(lib.Book(title="Third", author=jane))
    return lib


@pytest.mark.defect("D-34")
@pytest.mark.parametrize(
    "choose",
    [
        lambda db, lib: db.select(lib.Author, fields=["name"]),
        lambda db, lib: db.select(lib.Author).fields(["name"]),
        lambda db, lib: db.select(lib.Author).only("name"),
        lambda db, lib: db.select(lib.Author),
    ],
)
async def test_namesakes_are_different_rows(
    db: Any, colour: Colour, choose: Any
) -> None:
    lib = await namesakes(db, colour)
    query = choose(db, lib).filter(name="Jane").with_count("books")
    assert sorted(row["count"] for row in await query.fetch_dicts()) == [1, 2]


async def test_namesakes_are_one_group_if_asked_for(db: Any, colour: Colour) -> None:
    lib = await namesakes(db, colour)
    query = db.select(lib.Author).group_by("name").with_count("books").order("name")
    assert await query.fetch_dicts() == [
        {"name": "Ada", "count": 0},
        {"name": "Jane", "count": 3},
        {"name": "Stan", "count": 2},
    ]


async def test_a_group_counts_only_the_rows_that_are_asked_for(
    db: Any, colour: Colour
) -> None:
    lib = await namesakes(db, colour)
    query = db.select(lib.Author).filter(country_id=1).group_by("name")
    assert await counts(query.with_count("books")) == {"J": 2, "A": 0}


@pytest.mark.defect("D-38")
async def test_the_row_comes_along(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).filter(pk=2).with_count("books", "n")
    (row,) = await query.fetch_dicts()
    assert list(row) == [*lib.Author.model_fields, "n"]
    assert set(row) == {
        "pk", "created_at", "updated_at", "name", "age", "country_id", "n",
    }  # fmt: skip
    assert (row["name"], row["age"], row["n"]) == ("Stan", None, 2)


async def test_order_having_and_window(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).with_count("comments", "n")
    assert list(await counts(query.clone().order("-n", "title"), "n")) == list("EFSP")
    assert await counts(query.clone().having(n__gte=2), "n") == {"E": 2}
    assert await counts(query.clone().having(n=0), "n") == {"P": 0}
    window = query.clone().order("-n", "title").limit(2).offset(1)
    assert list(await counts(window, "n")) == list("FS")
    assert await counts(query.clone().filter(pages__lt=300), "n") == {"S": 1}
    stan = await db.get(lib.Author, 2)
    assert await counts(query.clone().filter(author=stan), "n") == {"S": 1, "F": 1}


@pytest.mark.defect("D-19")
async def test_an_alias_may_be_called_like_a_related_column(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).with_count("books__tags", "title").order("title")
    assert list(await counts(query, "title")) == list("AJS")
    assert await counts(query.having(title__gt=1), "title") == {"S": 3}


async def test_one_statement(logged_db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(logged_db, colour)
    query = logged_db.select(lib.Author).with_count("books", "b")
    query.with_count("books__tags", "t").with_count("country__authors", "c")
    with statements.watch():
        await query.fetch_dicts()
    assert len(statements.statements) == 1


# What is refused


@pytest.mark.parametrize(
    ("path", "segment", "model"),
    [
        ("", "", "Author"),
        ("nope", "nope", "Author"),
        ("name", "name", "Author"),
        ("Meta", "Meta", "Author"),
        ("country_id", "country_id", "Author"),
        ("books__missing", "missing", "Book"),
        ("books__tags__name", "name", "Tag"),
        ("books____tags", "books____tags", "Author"),
        ("books__", "books__", "Author"),
    ],
)
async def test_what_is_no_relation(
    db: Any, colour: Colour, path: str, segment: str, model: str
) -> None:
    query = db.select(library(colour).Author)
    with pytest.raises(InvalidRelationshipError) as caught:
        query.with_count(path)
    assert str(caught.value) == (
        f"Invalid relationship path '{path}': field '{segment}' is not a valid "
        f"foreign key relationship on model {model}"
    )


@pytest.mark.parametrize("path", ["country", "books__author", "books__editor"])
async def test_a_path_to_one_row_is_not_counted(
    db: Any, colour: Colour, path: str
) -> None:
    refusal = "with_count\\(\\) terminal relationship must be to-many"
    with pytest.raises(InvalidProjectionError, match=refusal):
        db.select(library(colour).Author).with_count(path)


@pytest.mark.parametrize(
    ("alias", "text"),
    [
        (" ", "Aggregate alias cannot be empty."),
        ('a"b', 'Aggregate alias "a"b" cannot contain the " character.'),
        ("name", "Aggregate alias 'name' conflicts with model field 'name'."),
        ("taken", "Aggregate alias 'taken' is already defined."),
    ],
)
async def test_aliases_that_cannot_be(
    db: Any, colour: Colour, alias: str, text: str
) -> None:
    query = db.select(library(colour).Author).with_count("books", "taken")
    with pytest.raises(InvalidProjectionError) as caught:
        query.with_count("edited", alias)
    assert text in str(caught.value)


async def test_a_failed_count_leaves_no_trace(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author)
    for path, alias in (("nope", "a"), ("country", "a"), ("books", "name")):
        with pytest.raises((InvalidProjectionError, InvalidRelationshipError)):
            query.with_count(path, alias)
    assert not query.projection_mode
    assert await query.count() == 3
