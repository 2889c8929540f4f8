"""The stand-in for an object that is not loaded: in both colours, and the blocking one."""

import copy
import sqlite3

import pytest
from support import Colour, unwrap

from sqliter.exceptions import RecordFetchError

NOTHING = "on None \\(FK is null or object not found\\)"
SYNC = pytest.mark.only("sync")


def loader(orm, library, key, context=None):
    book = library.Book(title="x", author_id=1)
    return orm.LazyLoader(book, library.Author, key, unwrap(context))


# --- both colours ------------------------------------------------------------------------


async def test_what_is_not_loaded_is_a_loader(db, orm, shelf, colour):
    book = await shelf(db)
    assert type(book.author) is orm.LazyLoader
    assert vars(book)["_fk_cache"]["author"] is book.author
    assert book.author.db_context is unwrap(db)


@pytest.mark.only("memory")
def test_a_loader_is_kept_without_a_database_too(orm, library):
    book = library.Book(title="x", author_id=1)
    assert type(book.author) is orm.LazyLoader
    assert book.author is book.author


async def test_the_text_of_a_loader(db, orm, library, shelf, reach):
    book = await shelf(db)
    held = book.author
    name = orm.LazyLoader.__name__
    assert repr(held) == f"<{name} unloaded for Author id=1>"
    _ = (await reach(held)).name
    assert repr(held).startswith(f"<{name} loaded: ")
    assert "Ada" in repr(held)


async def test_loading_goes_through_get(db, shelf, reach, library, monkeypatch, colour):
    book = await shelf(db)
    asked = []

    def found(model, key):
        asked.append((model, key))
        return library.Author(name="stub", pk=1)

    async def found_later(model, key):
        return found(model, key)

    stub = found if colour is Colour.SYNC else found_later
    monkeypatch.setattr(unwrap(db), "get", lambda model, key, **_: stub(model, key))
    assert (await reach(book.author)).name == "stub"
    assert asked == [(library.Author, 1)]


async def test_the_cache_of_the_database_answers(
    make_db, statements, shelf, reach, library
):
    db = make_db(debug=True, logger=statements.logger, cache_enabled=True)
    book = await shelf(db)
    await db.get(library.Author, 1)
    with statements.watch():
        assert (await reach(book.author)).name == "Ada"
    assert statements.starting("SELECT") == []


async def test_a_deleted_target_stays_what_it_was_if_loaded(db, shelf, reach):
    book = await shelf(db)
    assert (await reach(book.author)).name == "Ada"
    await db.execute("DELETE FROM authors")
    assert (await reach(book.author)).name == "Ada"


# --- sync: attributes load ---------------------------------------------------------------


@SYNC
async def test_a_proxy_is_asked_like_the_object(db, shelf, orm, library):
    book = await shelf(db)
    assert book.author.name == "Ada"
    assert book.author.model_dump()["name"] == "Ada"
    assert type(vars(book)["_fk_cache"]["author"]) is orm.LazyLoader


@SYNC
async def test_keys_of_keys_load(db, orm, library, shelf):
    class Page(orm.BaseDBModel):
        book: orm.ForeignKey[library.Book] = orm.ForeignKey(library.Book)

    await shelf(db)
    await db.create_table(Page)
    page = await db.insert(Page(book=1))
    page = await db.get(Page, page.pk)
    assert page.book.author.name == "Ada"


@SYNC
async def test_a_proxy_equals_its_object(db, shelf, orm, library):
    book = await shelf(db)
    ada = await db.get(library.Author, 1)
    twin = (await db.get(library.Book, book.pk)).author
    assert book.author == ada
    assert book.author == twin
    assert book.author != library.Author(name="Bob")
    assert (book.author == None) is False  # noqa: E711 - the comparison is the subject


@SYNC
@pytest.mark.only("memory")
def test_a_proxy_of_nothing_equals_none(orm, library):
    assert loader(orm, library, None) == None  # noqa: E711 - the comparison is the subject


@SYNC
async def test_a_proxy_has_no_hash(db, shelf):
    book = await shelf(db)
    with pytest.raises(TypeError, match="unhashable type: 'LazyLoader'"):
        hash(book.author)


@SYNC
@pytest.mark.only("memory")
@pytest.mark.parametrize("key", [None, 1])
def test_a_proxy_without_a_key_or_a_database_has_nothing(orm, library, key):
    with pytest.raises(AttributeError, match=f"Cannot access name {NOTHING}"):
        _ = loader(orm, library, key).name


@SYNC
@pytest.mark.defect("O-43")
async def test_a_missing_row_is_looked_up_once(logged_db, statements, shelf):
    book = await shelf(logged_db)
    await logged_db.execute("DELETE FROM authors")
    with statements.watch():
        for _ in range(3):
            with pytest.raises(AttributeError, match=f"Cannot access name {NOTHING}"):
                _ = book.author.name
    assert len(statements.starting("SELECT")) == 1


@SYNC
@pytest.mark.defect("O-43")
async def test_a_missing_table_is_told_as_the_cause(db, shelf):
    book = await shelf(db)
    await db.execute("DELETE FROM authors")
    await db.execute("DROP TABLE authors")
    with pytest.raises(AttributeError, match="Cannot access name") as caught:
        _ = book.author.name
    assert isinstance(caught.value.__cause__, RecordFetchError)
    assert isinstance(caught.value.__cause__.__cause__, sqlite3.OperationalError)


@SYNC
@pytest.mark.defect("O-13")
async def test_a_write_through_a_proxy_reaches_the_object(db, shelf, library):
    book = await shelf(db)
    author = book.author
    author.name = "Countess"
    assert book.author.name == "Countess"
    await db.update(book.author)
    assert (await db.get(library.Author, 1)).name == "Countess"


@SYNC
@pytest.mark.defect("O-13")
async def test_copies_of_a_proxy(db, shelf):
    book = await shelf(db)
    for copied in (copy.copy(book.author), copy.deepcopy(book.author)):
        assert copied.name == "Ada"


@SYNC
@pytest.mark.defect("O-13")
async def test_a_proxy_may_be_the_related_object_of_another(db, shelf, library):
    book = await shelf(db)
    other = await db.insert(library.Book(title="y", author=book.author))
    assert (await db.get(library.Book, other.pk)).author_id == 1


@SYNC
def test_anything_with_a_pk_has_a_pk(library):
    from sqliter.orm.fields import HasPK

    assert isinstance(library.Author(name="Ada"), HasPK)
    assert not isinstance(5, HasPK)
    assert not isinstance(object(), HasPK)
