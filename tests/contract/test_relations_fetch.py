"""The awaited loader: `await book.author.fetch()`, before, during and after."""

import asyncio
import inspect

import pytest
from support import unwrap

from sqliter.exceptions import DetachedInstanceError, RecordFetchError

pytestmark = pytest.mark.only("async")


def loader(orm, library, key, context=None):
    book = library.Book(title="x", author_id=1)
    return orm.LazyLoader(book, library.Author, key, unwrap(context))


async def test_a_loader_fetches_its_object(db, shelf, library):
    book = await shelf(db)
    fetched = await book.author.fetch()
    assert isinstance(fetched, library.Author)
    assert fetched == await db.get(library.Author, 1)


async def test_a_loader_knows_its_key(db, shelf):
    assert (await shelf(db)).author.pk == 1


@pytest.mark.defect("O-29")
@pytest.mark.parametrize("how", ["eager", "assigned", "fetched"])
async def test_a_loaded_object_fetches_itself(db, shelf, library, how):
    book = await shelf(db)
    if how == "eager":
        book = await db.select(library.Book).select_related("author").fetch_one()
    elif how == "assigned":
        book.author = await db.get(library.Author, 1)
    else:
        await book.author.fetch()
    assert await book.author.fetch() is book.author


@pytest.mark.defect("O-30")
async def test_after_the_fetch_the_object_stands_there(db, shelf, library):
    book = await shelf(db)
    held = book.author
    fetched = await held.fetch()
    assert book.author is fetched
    assert book.author.name == "Ada"
    assert await held.fetch() is fetched


@pytest.mark.defect("O-30")
async def test_an_attribute_before_the_fetch_names_relation_and_attribute(db, shelf):
    book = await shelf(db)
    with pytest.raises(
        AttributeError, match=r"not loaded.*await relation\.fetch\(\)"
    ) as caught:
        _ = book.author.name
    assert "author" in str(caught.value)
    assert "name" in str(caught.value)


@pytest.mark.defect("O-31")
async def test_an_empty_key_is_none(db, shelf, orm, library):
    book = await shelf(db)
    assert book.editor is None
    for key in (None, 0):
        assert await loader(orm, library, key, db).fetch() is None


@pytest.mark.defect("O-32")
@pytest.mark.only("memory")
async def test_a_loader_without_a_database_says_so(orm, library):
    book = library.Book(title="x", author_id=1)
    with pytest.raises(DetachedInstanceError, match="author"):
        await book.author.fetch()
    with pytest.raises(DetachedInstanceError):
        await loader(orm, library, 1).fetch()


@pytest.mark.defect("O-33")
@pytest.mark.parametrize("missing", [False, True])
async def test_a_loader_asks_once(logged_db, statements, shelf, missing):
    book = await shelf(logged_db)
    if missing:
        await logged_db.execute("DELETE FROM authors")
    held = book.author
    with statements.watch():
        fetched = await asyncio.gather(*(held.fetch() for _ in range(5)))
        fetched.append(await held.fetch())
    assert len(statements.starting("SELECT")) == 1
    assert all(each is fetched[0] for each in fetched)
    assert (fetched[0] is None) is missing


async def test_a_cancelled_fetch_spoils_no_other(db, shelf):
    held = (await shelf(db)).author
    first, second = (asyncio.ensure_future(held.fetch()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).name == "Ada"
    assert (await held.fetch()).name == "Ada"


async def test_a_database_error_is_not_hidden(db, shelf):
    book = await shelf(db)
    await db.execute("DELETE FROM authors")
    await db.execute("DROP TABLE authors")
    with pytest.raises(RecordFetchError):
        await book.author.fetch()


@pytest.mark.only("memory")
def test_a_loader_is_true_hashable_and_not_awaitable(orm, library):
    held = loader(orm, library, 1)
    assert bool(held)
    assert isinstance(hash(held), int)
    assert not inspect.isawaitable(held)


@pytest.mark.only("memory")
def test_the_descriptor_gives_what_is_kept(library):
    book = library.Book(title="x", author_id=1)
    held = library.Book.author.__get__(book, library.Book)
    assert held is book.author
    assert library.Book.editor.__get__(book, library.Book) is None
    assert library.Book.author.__get__(None, library.Book) is library.Book.author
