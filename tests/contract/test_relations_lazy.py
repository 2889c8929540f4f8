"""Lazy loads in a loop: shared on request, reported on request, forbidden on request."""

import logging

import pytest
from support import Colour, Models

from sqliter.exceptions import LazyLoadError, SqliterError

HERE = "test_relations_lazy.py"


@pytest.fixture
def stock(library):
    """`await stock(db)` makes six books of three authors; every other one has an editor."""

    async def fill(db):
        await library.create(db)
        authors = [await db.insert(library.Author(name=name)) for name in "abc"]
        for number in range(6):
            await db.insert(
                library.Book(
                    title=str(number),
                    author=authors[number % 3],
                    editor=authors[0] if number % 2 else None,
                )
            )

    return fill


async def names(colour, books, relation="author"):
    """Load the relation of each book, one after the other, in this very line."""
    found = []
    for book in books:
        related = getattr(book, relation)
        if related is not None and colour is Colour.ASYNC:
            related = await related.fetch()
        found.append(related and related.name)
    return "".join(name or "-" for name in found)


# --- share_lazy --------------------------------------------------------------------------


async def test_objects_of_a_shared_result_load_together(
    logged_db, statements, library, stock, colour
):
    await stock(logged_db)
    books = await logged_db.select(library.Book).share_lazy().order("pk").fetch_all()
    with statements.watch():
        assert await names(colour, books) == "abcabc"
    assert len(statements.starting("SELECT")) == 1
    with statements.watch():
        assert await names(colour, books, "editor") == "-a-a-a"
        assert await names(colour, books) == "abcabc"
    assert len(statements.starting("SELECT")) == 1


async def test_without_sharing_each_object_loads_for_itself(
    logged_db, statements, library, stock, colour
):
    await stock(logged_db)
    books = await logged_db.select(library.Book).order("pk").fetch_all()
    with statements.watch():
        assert await names(colour, books) == "abcabc"
    assert len(statements.starting("SELECT")) == 6


async def test_a_changed_key_is_not_answered_by_the_shared_load(
    db, library, stock, colour
):
    await stock(db)
    books = await db.select(library.Book).share_lazy().order("pk").fetch_all()
    books[0].author_id = 3
    assert await names(colour, books) == "cbcabc"
    books[1].author_id = 1
    assert await names(colour, books) == "cacabc"


async def test_sharing_leaves_the_rows_as_they_are(db, library, stock):
    await stock(db)
    query = db.select(library.Book).filter(title__gt="2").order("-pk")
    plain = await query.clone().fetch_all()
    assert await query.share_lazy().fetch_all() == plain


async def test_sharing_loads_nothing_by_itself(logged_db, statements, library, stock):
    await stock(logged_db)
    with statements.watch():
        await logged_db.select(library.Book).share_lazy().fetch_all()
    assert len(statements.starting("SELECT")) == 1


async def test_shared_objects_know_their_database(
    logged_db, statements, library, stock, orm, colour
):
    class Page(orm.BaseDBModel):
        book: orm.ForeignKey[library.Book] = orm.ForeignKey(library.Book)

    await stock(logged_db)
    await Models(Page=Page).create(logged_db)
    for key in (1, 2, 3):
        await logged_db.insert(Page(book=key))
    pages = await logged_db.select(Page).share_lazy().order("pk").fetch_all()
    books = [await logged_db.load(page.book) for page in pages]
    assert await names(colour, books) == "abc"


# --- warn_lazy ---------------------------------------------------------------------------


@pytest.fixture
def warnings_of(caplog, monkeypatch):
    """`warnings_of()` gives what the library's logger has warned of."""
    logger = logging.getLogger("sqliter")
    monkeypatch.setattr(logger, "propagate", True)
    caplog.set_level(logging.WARNING, logger="sqliter")
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING
    ]


async def test_repeated_loads_are_reported_once_with_place_and_advice(
    db, library, stock, colour, warnings_of
):
    await stock(db)
    db.warn_lazy()
    for _ in range(3):
        await names(colour, await db.select(library.Book).fetch_all())
    (text,) = warnings_of()
    assert HERE in text
    assert "Book.author" in text
    assert "select_related('author')" in text


async def test_each_place_is_reported(db, library, stock, colour, warnings_of):
    await stock(db)
    db.warn_lazy()
    await names(colour, await db.select(library.Book).fetch_all())
    for book in await db.select(library.Book).fetch_all():
        related = book.author
        _ = (await related.fetch() if colour is Colour.ASYNC else related).name
    assert len(warnings_of()) == 2


async def test_silence_by_default(db, library, stock, colour, warnings_of):
    await stock(db)
    await names(colour, await db.select(library.Book).fetch_all())
    assert warnings_of() == []


async def test_one_load_and_eager_loads_are_not_reported(
    db, library, stock, colour, warnings_of
):
    await stock(db)
    db.warn_lazy()
    await names(colour, await db.select(library.Book).limit(1).fetch_all())
    query = db.select(library.Book).select_related("author", "editor")
    await names(colour, await query.fetch_all())
    await names(colour, await query.fetch_all(), "editor")
    assert warnings_of() == []


# --- forbid_lazy -------------------------------------------------------------------------


async def test_a_forbidden_load_is_an_error_that_names_the_relation(
    db, library, stock, colour
):
    await stock(db)
    db.forbid_lazy()
    books = await db.select(library.Book).order("pk").fetch_all()
    with pytest.raises(LazyLoadError, match="Book.author") as caught:
        await names(colour, books)
    assert isinstance(caught.value, SqliterError)
    assert "select_related" in str(caught.value)


async def test_load_is_forbidden_too(db, library, stock):
    await stock(db)
    db.forbid_lazy()
    book = await db.select(library.Book).fetch_one()
    with pytest.raises(LazyLoadError):
        await db.load(book.author)


async def test_what_needs_no_load_is_not_forbidden(db, library, stock, colour):
    await stock(db)
    db.forbid_lazy()
    query = db.select(library.Book).select_related("author").order("pk")
    books = await query.fetch_all()
    assert await names(colour, books) == "abcabc"
    assert books[0].editor is None
    assert library.Book.editor.id_of(books[1]) == 1


async def test_reverse_relations_are_not_forbidden(db, library, stock, many):
    await stock(db)
    db.forbid_lazy()
    author = await db.select(library.Author).order("pk").fetch_one()
    books = await many(author.books).fetch_all()
    assert len(books) == 2
    assert all(book.author is author for book in books)
