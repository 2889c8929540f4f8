"""Loaders where promises meet: shared loads, kinds, pickles, event loops, collection."""

import asyncio
import copy
import gc
import pickle
import warnings
import weakref

import pytest
from support import Colour, Models

from sqliter.exceptions import DatabaseKindError, DetachedInstanceError

pytestmark = pytest.mark.only("memory")


# --- shared loads ------------------------------------------------------------------------


async def test_a_held_loader_of_a_shared_result_gives_its_own_row(
    db, seeded, library, reach
):
    ada, bob, _ = await seeded(db)
    await db.insert(library.Book(title="y", author=ada))
    book, other = await db.select(library.Book).share_lazy().order("pk").fetch_all()
    held = book.author
    book.author_id = bob.pk
    assert held.pk == ada.pk
    assert (await reach(held)).name == "Ada"
    assert (await reach(book.author)).name == "Bob"
    assert (await reach(other.author)).name == "Ada"


@pytest.mark.only("async")
async def test_fetches_at_once_share_a_statement_and_the_objects(
    logged_db, statements, library
):
    await library.create(logged_db)
    authors = [library.Author(name=str(number)) for number in range(20)]
    await logged_db.bulk_insert(authors)
    rows = [library.Book(title=each.name, author_id=each.pk) for each in authors]
    await logged_db.bulk_insert(rows)
    books = await logged_db.select(library.Book).share_lazy().fetch_all()
    with statements.watch():
        found = await asyncio.gather(*(book.author.fetch() for book in books))
    assert len(statements.starting("SELECT")) == 1
    assert [each.name for each in found] == [book.title for book in books]
    assert all(each is book.author for each, book in zip(found, books, strict=True))


# --- loaders -----------------------------------------------------------------------------


async def test_load_refuses_relations_of_the_other_kind(db, library, colour, orm):
    other = next(each for each in Colour if each is not colour).orm

    class Note(other.BaseDBModel):
        author: other.ForeignKey[library.Author] = other.ForeignKey(
            library.Author, related_name=False
        )

    await Models(Author=library.Author, Note=Note).create(db)
    ada = await db.insert(library.Author(name="Ada"))
    note = await db.get(Note, (await db.insert(Note(author_id=ada.pk))).pk)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(DatabaseKindError):
            await db.load(note.author)
        gc.collect()
    assert caught == []


SHOP = """
class Author(BaseDBModel):
    name: str
class Book(BaseDBModel):
    author: ForeignKey[Author] = ForeignKey(Author, related_name="books")
"""


@pytest.fixture
def related(declare):
    """`await related(db)` gives an author, and what a fetched book gives for it."""

    async def make(db):
        shop = declare(SHOP)
        for model in (shop.Author, shop.Book):
            await db.create_table(model)
        ada = await db.insert(shop.Author(name="Ada"))
        make.book = await db.get(
            shop.Book, (await db.insert(shop.Book(author_id=1))).pk
        )
        return ada, make.book.author

    return make


@pytest.mark.only("sync")
async def test_the_pickle_of_a_loader_is_the_object(db, related):
    ada, loader = await related(db)
    twin = pickle.loads(pickle.dumps(loader))
    assert type(twin) is type(ada)
    assert twin == ada


@pytest.mark.only("async")
async def test_the_pickle_of_an_unloaded_loader_is_a_detached_one(db, related, orm):
    ada, loader = await related(db)
    twin = pickle.loads(pickle.dumps(loader))
    assert isinstance(twin, orm.LazyLoader)
    assert (twin.pk, twin.db_context) == (ada.pk, None)
    with pytest.raises(DetachedInstanceError):
        await twin.fetch()
    assert await db.load(twin) == ada


async def test_a_deep_copy_of_what_holds_a_loader(db, related, reach):
    ada, loader = await related(db)
    twin = copy.deepcopy({"author": loader})["author"]
    assert await reach(twin) == ada


@pytest.mark.only("async")
def test_a_loader_works_in_a_second_loop_after_a_cancelled_crowd(
    colour, library, tmp_path
):
    db = colour.database(str(tmp_path / "loops.db"))

    async def make():
        await library.create(db)
        ada = await db.insert(library.Author(name="Ada"))
        await db.insert(library.Book(title="x", author=ada))
        return await db.get(library.Book, 1, bypass_cache=True)

    async def cancel(loader):
        crowd = [asyncio.create_task(loader.fetch()) for _ in range(3)]
        await asyncio.sleep(0)
        for task in crowd:
            task.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)

    async def fetch(loader):
        found = await asyncio.gather(*(loader.fetch() for _ in range(3)))
        await db.close()
        return [each.name for each in found]

    book = asyncio.run(make())
    held = book.author
    asyncio.run(cancel(held))
    assert asyncio.run(fetch(held)) == ["Ada"] * 3


# --- collection --------------------------------------------------------------------------


async def is_freed(reference):
    """Whether an object is gone; a worker of the database may hold it a moment longer."""
    for _ in range(1000):
        if reference() is None:
            return True
        await asyncio.sleep(0.001)
    return False


@pytest.mark.parametrize("is_loaded", [False, True], ids=["unloaded", "loaded"])
async def test_an_object_whose_key_was_read_needs_no_collector(
    db, seeded, library, reach, is_loaded
):
    await seeded(db)
    gc.disable()
    try:
        book = await db.select(library.Book).fetch_one()
        related = book.author
        if is_loaded:
            assert (await reach(related)).name == "Ada"
        dead = weakref.ref(book)
        del book
        assert await is_freed(dead)
    finally:
        gc.enable()
    assert related.pk == 1
