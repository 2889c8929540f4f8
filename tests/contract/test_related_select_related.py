"""`select_related()`: the rows foreign keys lead to, in the same statement."""

from __future__ import annotations

from typing import Any

import pytest
from contract.library import initials, library, spell, stocked
from support import Colour, outside, unwrap

from sqliter.exceptions import InvalidProjectionError, InvalidRelationshipError


@pytest.fixture
def db(logged_db: Any) -> Any:
    """Every statement is seen, so nothing is loaded unnoticed."""
    return logged_db


async def test_one_hop(db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(db, colour)
    with statements.watch():
        books = await db.select(lib.Book).select_related("author").order().fetch_all()
        authors = [book.author for book in books]
        assert [author.name for author in authors] == ["Jane", "Stan", "Jane", "Stan"]
    assert len(statements.statements) == 1
    assert all(type(author) is lib.Author for author in authors)
    assert authors[0] == await db.get(lib.Author, 1)
    assert authors[0].db_context is unwrap(db)


async def test_several_hops(db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Comment).select_related("book__author__country")
    with statements.watch():
        comment = await query.filter(pk=3).fetch_one()
        book = comment.book
        assert (book.title, book.pages, book.author_id) == ("Solaris", 200, 2)
        assert (book.author.name, book.author.age) == ("Stan", None)
        assert book.author.country.name == "Poland"
    assert len(statements.statements) == 1


async def test_a_relation_is_one_object_however_often_read(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    book = await db.select(lib.Book).select_related("author__country").fetch_first()
    assert book.author is book.author
    assert book.author.country is book.author.country
    assert book.__dict__["_fk_cache"]["author"] is book.author


async def test_calls_add_up(db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).select_related("author", "author__country")
    assert query.select_related("editor") is query
    assert query.select_related("author").select_related() is query
    with statements.watch():
        book = await query.filter(pk=4).fetch_one()
        assert book.author.country.name == "Poland"
        assert book.editor.name == "Jane"
    assert len(statements.statements) == 1


@pytest.mark.defect("D-06")
@pytest.mark.parametrize(
    "paths",
    [
        ("author", "author__country", "editor"),
        ("author__country", "editor__country"),
        ("editor__country", "author__country", "author"),
    ],
)
async def test_paths_that_share_their_beginning(
    db: Any, colour: Colour, paths: tuple[str, ...], statements: Any
) -> None:
    lib = await stocked(db, colour)
    with statements.watch():
        book = await db.select(lib.Book).select_related(*paths).filter(pk=4).fetch_one()
        assert (book.author.name, book.editor.name) == ("Stan", "Jane")
        assert book.author.country.name == "Poland"
    assert len(statements.statements) == 1


async def test_no_relation_is_none(db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(db, colour)
    with statements.watch():
        books = await db.select(lib.Book).select_related("editor").order().fetch_all()
        names = [book.editor and book.editor.name for book in books]
    assert names == ["Ada", None, None, "Jane"]
    assert len(statements.statements) == 1
    assert "editor" not in books[1].__dict__.get("_fk_cache", {})


@pytest.mark.defect("D-05")
@pytest.mark.parametrize(
    "paths", [("book__author",), ("book__author__country",), ("book", "book__editor")]
)
async def test_no_row_is_lost_behind_a_nullable_key(
    db: Any, colour: Colour, paths: tuple[str, ...]
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Comment).select_related(*paths).order("pk")
    comments = await query.fetch_all()
    assert [comment.pk for comment in comments] == [1, 2, 3, 4, 5]
    assert await query.count() == 5
    assert comments[3].book is None
    assert comments[4].book.title == "Fiasco"


@pytest.mark.defect("D-05")
@pytest.mark.only("file")
async def test_no_row_is_lost_by_a_key_that_leads_nowhere(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    with outside(db) as connection:
        connection.execute("UPDATE books SET author_id = 99 WHERE title = 'Emma'")
    query = db.select(lib.Book).select_related("author__country").order("pk")
    books = await query.fetch_all()
    assert spell(books) == "ESPF"
    assert books[0].author_id == 99
    assert books[1].author.country.name == "Poland"
    assert await query.count() == 4


async def test_beside_the_rest_of_a_query(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).select_related("author").order("-pages")
    query.filter(pages__gte=300)
    books = await query.clone().offset(1).limit(2).fetch_all()
    assert [(b.title, b.author.name) for b in books] == [
        ("Fiasco", "Stan"),
        ("Persuasion", "Jane"),
    ]
    for terminal, name in (
        ("fetch_one", "Jane"),
        ("fetch_first", "Jane"),
        ("fetch_last", "Jane"),
    ):
        book = await getattr(query, terminal)()
        assert book.author.name == name
    last = await db.select(lib.Book).select_related("author").fetch_last()
    assert (last.pk, last.author.name) == (4, "Stan")
    assert (
        await db.select(lib.Book).select_related("author").filter(pk=9).fetch_all()
        == []
    )
    assert await query.count() == 3
    assert await query.exists()


async def test_in_a_tree(db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(db, colour)
    with statements.watch():
        query = db.select(lib.Node).select_related("parent__parent").order("pk")
        trunk, left, _, seed = await query.fetch_all()
        assert trunk.parent is None
        assert (left.parent.name, left.parent.parent) == ("trunk", None)
        assert (seed.parent.name, seed.parent.parent.name) == ("left", "trunk")
    assert len(statements.statements) == 1


async def test_a_new_key_forgets_the_row(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    book = await db.select(lib.Book).select_related("author").fetch_first()
    book.author_id = 2
    assert (await db.load(book.author)).name == "Stan"


# With chosen fields


async def test_chosen_fields_and_whole_related_rows(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    for choose in (
        lambda query: query.fields(["title"]),
        lambda query: query.only("title"),
        lambda query: query.fields(["title", "author_id"]),
        lambda query: query.exclude(["pages", "author_id"]),
    ):
        with statements.watch():
            query = choose(db.select(lib.Book)).select_related("author__country")
            book = await query.filter(pk=2).fetch_one()
            assert (book.title, book.pk) == ("Solaris", 2)
            assert (book.author.name, book.author.age) == ("Stan", None)
            assert book.author.country.name == "Poland"
        assert len(statements.statements) == 1
        with pytest.raises(AttributeError):
            _ = book.pages


async def test_a_filter_beside_chosen_fields_only_filters(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).only("title").filter(author__name="Stan")
    assert await initials(query) == "SF"
    book = await query.fetch_first()
    with pytest.raises(AttributeError):
        _ = book.pages


@pytest.mark.defect("D-44")
@pytest.mark.parametrize("name", ["author", "editor"])
async def test_a_relation_whose_key_was_not_selected(
    db: Any, colour: Colour, name: str
) -> None:
    lib = await stocked(db, colour)
    for query in (
        db.select(lib.Book).only("title"),
        db.select(lib.Book).exclude([f"{name}_id"]),
    ):
        book = await query.filter(pk=4).fetch_one()
        with pytest.raises(AttributeError, match="selected") as caught:
            getattr(book, name)
        assert name in str(caught.value)


async def test_a_relation_whose_key_was_selected(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    book = await db.select(lib.Book).only("author_id").filter(pk=4).fetch_one()
    assert (await db.load(book.author)).name == "Stan"


# What is refused


@pytest.mark.parametrize(
    ("path", "segment", "model"),
    [
        ("nope", "nope", "Book"),
        ("title", "title", "Book"),
        ("author_id", "author_id", "Book"),
        ("tags", "tags", "Book"),
        ("comments", "comments", "Book"),
        ("author__nope", "nope", "Author"),
        ("author__name", "name", "Author"),
        ("author__books", "books", "Author"),
        ("author__country__authors", "authors", "Country"),
    ],
)
async def test_what_is_no_foreign_key(
    db: Any, colour: Colour, path: str, segment: str, model: str
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book)
    with pytest.raises(InvalidRelationshipError) as caught:
        query.select_related("editor", path)
    assert str(caught.value) == (
        f"Invalid relationship path '{path}': field '{segment}' is not a valid "
        f"foreign key relationship on model {model}"
    )
    assert " JOIN " not in query.to_sql()[0]  # the failed call left no trace


async def test_groups_have_no_related_rows(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    for chain in (
        lambda query: query.select_related("author").group_by("pages"),
        lambda query: query.group_by("pages").select_related("author"),
        lambda query: query.select_related("author").with_count("comments"),
    ):
        with pytest.raises(InvalidProjectionError):
            await chain(db.select(lib.Book)).fetch_dicts()


def test_nothing_is_run_while_building(
    db: Any, colour: Colour, statements: Any
) -> None:
    db.select(library(colour).Book).select_related("author__country")
    assert statements.statements == []
