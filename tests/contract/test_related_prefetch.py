"""`prefetch_related()`: the rows at the other end, for all rows of a result at once."""

from __future__ import annotations

from typing import Any

import pytest
from contract.library import Library, initial, library, spell, stocked
from support import Colour

from sqliter.exceptions import InvalidPrefetchError


@pytest.fixture
def db(logged_db: Any) -> Any:
    """Every statement is seen, so nothing is loaded unnoticed."""
    return logged_db


async def held(lib: Library, row: Any, name: str) -> str:
    """The first letters of a row's prefetched rows, sorted."""
    return "".join(sorted(map(initial, await lib.many(getattr(row, name)).fetch_all())))


async def table(lib: Library, rows: list[Any], name: str) -> dict[str, str]:
    return {initial(row): await held(lib, row, name) for row in rows}


ONE_LEVEL = [
    ("Author", "books", {"J": "EP", "S": "FS", "A": ""}),
    ("Author", "edited", {"J": "F", "S": "", "A": "E"}),
    ("Country", "authors", {"E": "AJ", "P": "S"}),
    ("Book", "tags", {"E": "c", "S": "cs", "P": "", "F": "s"}),
    ("Tag", "books", {"c": "ES", "s": "FS", "u": ""}),
    ("Node", "children", {"t": "lr", "l": "s", "r": "", "s": ""}),
]


@pytest.mark.parametrize(("model", "path", "expected"), ONE_LEVEL)
async def test_one_level(
    db: Any,
    colour: Colour,
    statements: Any,
    model: str,
    path: str,
    expected: dict[str, str],
) -> None:
    lib = await stocked(db, colour)
    query = db.select(getattr(lib, model)).prefetch_related(path)
    with statements.watch():
        assert await table(lib, await query.fetch_all(), path) == expected
    assert len(statements.statements) == 2


SELF = [
    ("follows", {"P": "QR", "Q": "P", "R": "R", "S": ""}),
    ("followers", {"P": "Q", "Q": "P", "R": "PR", "S": ""}),
    ("friends", {"P": "PQR", "Q": "PR", "R": "PQ", "S": ""}),
]


@pytest.mark.defect("D-15")
@pytest.mark.defect("D-17")
@pytest.mark.parametrize(("path", "expected"), SELF)
async def test_people_and_their_people(
    db: Any, colour: Colour, statements: Any, path: str, expected: dict[str, str]
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Person).prefetch_related(path)
    with statements.watch():
        people = await query.fetch_all()
        assert await table(lib, people, path) == expected
    assert len(statements.statements) == 2
    for person in await db.select(lib.Person).fetch_all():  # the same, one by one
        assert await held(lib, person, path) == expected[initial(person)]


async def test_both_directions_at_once(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Person).prefetch_related("follows", "followers", "friends")
    people = await query.fetch_all()
    for path, expected in SELF:
        assert await table(lib, people, path) == expected


async def test_nested(db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Country).prefetch_related("authors__books__comments")
    query.prefetch_related("authors__books__tags")
    with statements.watch():
        england = (await query.order("pk").fetch_all())[0]
        authors = await lib.many(england.authors).fetch_all()
        jane = next(author for author in authors if author.name == "Jane")
        assert await table(lib, authors, "books") == {"J": "EP", "A": ""}
        books = await lib.many(jane.books).fetch_all()
        assert await table(lib, books, "tags") == {"E": "c", "P": ""}
        emma = next(book for book in books if book.title == "Emma")
        comments = await lib.many(emma.comments).fetch_all()
        assert sorted(comment.stars for comment in comments) == [1, 5]
    assert len(statements.statements) == 5


async def test_forward_keys(db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).prefetch_related("author__country", "editor")
    with statements.watch():
        books = await query.order("pk").fetch_all()
        assert [book.author.name for book in books] == ["Jane", "Stan"] * 2
        assert [book.author.country.name for book in books] == ["England", "Poland"] * 2
        editors = [book.editor and book.editor.name for book in books]
        assert editors == ["Ada", None, None, "Jane"]
    assert len(statements.statements) == 4


async def test_forward_and_backward_mixed(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Comment).prefetch_related("book__author__books__tags")
    with statements.watch():
        comments = await query.order("pk").fetch_all()
        assert comments[3].book is None
        stan = comments[2].book.author
        books = await lib.many(stan.books).fetch_all()
        assert await table(lib, books, "tags") == {"S": "cs", "F": "s"}
    assert len(statements.statements) == 5


async def test_behind_select_related(db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).select_related("author").prefetch_related("comments")
    with statements.watch():
        emma = await query.filter(title="Emma").fetch_one()
        assert emma.author.name == "Jane"
        assert await lib.many(emma.comments).count() == 2
    assert len(statements.statements) == 2


@pytest.mark.parametrize("terminal", ["fetch_one", "fetch_first", "fetch_last"])
async def test_of_a_single_row(db: Any, colour: Colour, terminal: str) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).filter(name="Jane").prefetch_related("books")
    jane = await getattr(query, terminal)()
    assert await held(lib, jane, "books") == "EP"


async def test_of_chosen_fields(db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).only("title").prefetch_related("tags", "comments")
    with statements.watch():
        books = await query.fetch_all()
        assert await table(lib, books, "tags") == {
            "E": "c",
            "S": "cs",
            "P": "",
            "F": "s",
        }
    assert len(statements.statements) == 3


async def test_overlapping_paths_are_fetched_once(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).prefetch_related("books", "books__tags", "books")
    assert query.prefetch_related("books__tags") is query
    with statements.watch():
        await query.fetch_all()
    assert len(statements.statements) == 3


async def test_nothing_found_needs_no_more(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).prefetch_related("books__tags")
    with statements.watch():
        assert await query.filter(name="Nobody").fetch_all() == []
        assert await query.fetch_one() is None
    assert len(statements.statements) == 2


# Who knows whom


@pytest.mark.defect("D-30")
async def test_a_child_knows_its_parent(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).prefetch_related("books__comments")
    with statements.watch():
        for author in await query.fetch_all():
            for book in await lib.many(author.books).fetch_all():
                assert book.author is author
                for comment in await lib.many(book.comments).fetch_all():
                    assert comment.book is book
                    assert comment.book.author.name == author.name
    assert len(statements.statements) == 3


async def test_parents_share_a_child(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(pk__in=[1, 2]).prefetch_related("tags")
    emma, solaris = await query.order("pk").fetch_all()
    (classic,) = await lib.many(emma.tags).fetch_all()
    assert any(tag is classic for tag in await lib.many(solaris.tags).fetch_all())


async def test_a_row_prefetched_for_one_is_whole(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).prefetch_related("books").order("pk")
    jane = (await query.fetch_all())[0]
    books = await lib.many(jane.books).order("pk").fetch_all()
    assert books == await db.select(lib.Book).filter(author=1).order("pk").fetch_all()
    assert books[0].db_context is not None


# The wrappers


async def test_reads_need_no_statement(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).prefetch_related("comments", "tags").order("pk")
    emma, _, persuasion, _ = await query.fetch_all()
    with statements.watch():
        for name, amount in (("comments", 2), ("tags", 1)):
            handle = lib.many(getattr(emma, name))
            assert await handle.count() == amount
            assert await handle.exists()
            assert len(await handle.fetch_all()) == amount
            assert await handle.fetch_one() in await handle.fetch_all()
            empty = lib.many(getattr(persuasion, name))
            assert (await empty.count(), await empty.exists()) == (0, False)
            assert (await empty.fetch_all(), await empty.fetch_one()) == ([], None)
    assert statements.statements == []
    assert persuasion.__dict__["_prefetch_cache"] == {"comments": [], "tags": []}


async def test_each_answer_is_a_list_of_its_own(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    emma = await db.select(lib.Book).prefetch_related("comments").fetch_first()
    (await lib.many(emma.comments).fetch_all()).clear()
    assert await lib.many(emma.comments).count() == 2


async def test_a_filter_asks_the_database(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).prefetch_related("comments", "tags").order("pk")
    emma = await query.fetch_first()
    await db.insert(lib.Comment(text="new", stars=4, book=emma))
    with statements.watch():
        found = await lib.many(emma.comments).filter(stars__gte=4).fetch_all()
        tags = await lib.many(emma.tags).filter(name="classic").fetch_all()
    assert sorted(comment.stars for comment in found) == [4, 5]
    assert spell(tags) == "c"
    assert len(statements.statements) == 2


# What is refused


@pytest.mark.parametrize(
    ("path", "segment", "model"),
    [
        ("nope", "nope", "Author"),
        ("name", "name", "Author"),
        ("country_id", "country_id", "Author"),
        ("", "", "Author"),
        ("books__nope", "nope", "Book"),
        ("books__title", "title", "Book"),
        ("books__tags__name", "name", "Tag"),
    ],
)
async def test_what_is_no_relation(
    db: Any, colour: Colour, statements: Any, path: str, segment: str, model: str
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author)
    with pytest.raises(InvalidPrefetchError) as caught:
        query.prefetch_related("books", path)
    text = str(caught.value)
    assert text.startswith(f"Invalid prefetch path '{path}': '{segment}' is not a ")
    assert text.endswith(f" on model {model}")
    with statements.watch():
        await query.fetch_all()
    assert len(statements.statements) == 1  # the failed call left no trace


def test_the_paths_can_be_read(db: Any, colour: Colour) -> None:
    query = db.select(library(colour).Author).prefetch_related("books__tags", "edited")
    paths = query.prefetch_related_paths
    assert list(paths) == ["books__tags", "edited"]
    if isinstance(paths, list):
        paths.clear()
    assert list(query.prefetch_related_paths) == ["books__tags", "edited"]
