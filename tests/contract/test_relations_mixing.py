"""Blocking and awaited relations: which pairs work, and that the others fail with one clear error."""

import gc
import warnings
from types import SimpleNamespace

import pytest
from support import Colour, Models, values

from sqliter.exceptions import DatabaseKindError, SqliterError
from sqliter.model import BaseDBModel as PlainModel

OTHER = {Colour.SYNC: Colour.ASYNC, Colour.ASYNC: Colour.SYNC}


@pytest.fixture
def foreign(orm, colour):
    """Models of the other colour than the database's, and a row of each."""
    theirs = OTHER[colour].orm

    class Author(theirs.BaseDBModel):
        name: str

    class Book(theirs.BaseDBModel):
        title: str
        author: theirs.ForeignKey[Author] = theirs.ForeignKey(
            Author, related_name="books"
        )
        editor: theirs.ForeignKey[Author | None] = theirs.ForeignKey(
            Author, null=True, related_name="edited"
        )
        fans: theirs.ManyToMany[Author] = theirs.ManyToMany(
            Author, related_name="liked"
        )

    async def fill(db):
        await Models(Author=Author, Book=Book).create(db)
        author = await db.insert(Author(name="Ada"))
        await db.insert(Book(title="x", author=author))
        return await db.get(Author, 1), await db.get(Book, 1)

    return SimpleNamespace(Author=Author, Book=Book, fill=fill)


async def use(call):
    """Do what a user of either colour would; a coroutine is awaited."""
    result = call()
    return await result if hasattr(result, "__await__") else result


def read(related, colour):
    return related.fetch() if colour is Colour.ASYNC else related.name


USES = {
    "book.author": lambda author, book, colour: read(book.author, colour),
    "author.books all": lambda author, book, colour: author.books.fetch_all(),
    "author.books count": lambda author, book, colour: author.books.count(),
    "author.books filter": lambda author, book, colour: author.books.filter(
        title="x"
    ).exists(),
    "book.fans all": lambda author, book, colour: book.fans.fetch_all(),
    "book.fans filter": lambda author, book, colour: book.fans.filter(
        name="x"
    ).fetch_all(),
    "book.fans add": lambda author, book, colour: book.fans.add(author),
    "book.fans set": lambda author, book, colour: book.fans.set(),
    "author.liked clear": lambda author, book, colour: author.liked.clear(),
}


@pytest.mark.defect("O-35")
@pytest.mark.parametrize("name", USES)
async def test_a_wrong_pair_is_one_error_that_names_both_sides(
    db, foreign, colour, name
):
    author, book = await foreign.fill(db)
    with pytest.raises(DatabaseKindError) as caught:
        await use(lambda: USES[name](author, book, OTHER[colour]))
    assert isinstance(caught.value, SqliterError)
    assert isinstance(caught.value, TypeError)
    text = str(caught.value)
    assert name.split()[0].split(".")[1] in text
    assert colour.database.__name__ in text


@pytest.mark.defect("O-35")
@pytest.mark.parametrize("name", USES)
async def test_a_wrong_pair_leaves_no_coroutine_behind(db, foreign, colour, name):
    author, book = await foreign.fill(db)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(DatabaseKindError):
            await use(lambda: USES[name](author, book, OTHER[colour]))
        gc.collect()
    assert [
        str(each.message) for each in caught if each.category is RuntimeWarning
    ] == []


async def test_a_wrong_pair_still_reads_what_is_loaded(db, foreign):
    await foreign.fill(db)
    book = await db.select(foreign.Book).select_related("author", "editor").fetch_one()
    assert (book.author.name, book.editor) == ("Ada", None)
    assert await db.select(foreign.Book).filter(author__name="Ada").count() == 1


async def test_a_wrong_pair_keeps_empty_keys_and_ids(db, foreign):
    _, book = await foreign.fill(db)
    assert book.editor is None
    assert foreign.Book.author.id_of(book) == 1


# --- declarations of two colours ---------------------------------------------------------


@pytest.fixture(params=["base", "descriptor", "both"])
def awaited(orm, request):
    """Models that are awaited because of their base, their descriptors, or both."""
    ours, theirs = Colour.ASYNC.orm, Colour.SYNC.orm
    base = theirs if request.param == "descriptor" else ours
    kind = theirs if request.param == "base" else ours

    class Author(base.BaseDBModel):
        name: str

    class Book(base.BaseDBModel):
        title: str
        author: kind.ForeignKey[Author] = kind.ForeignKey(Author, related_name="books")
        fans: kind.ManyToMany[Author] = kind.ManyToMany(Author, related_name="liked")

    return Models(Author=Author, Book=Book)


@pytest.mark.only("async")
@pytest.mark.defect("O-35")
async def test_one_awaited_part_makes_the_relation_awaited(db, awaited):
    await awaited.create(db)
    ada = await db.insert(awaited.Author(name="Ada"))
    await db.insert(awaited.Book(title="x", author=ada))
    book = await db.select(awaited.Book).fetch_one()
    assert (await book.author.fetch()).name == "Ada"
    assert await values(ada.books, "title") == ["x"]
    await book.fans.add(ada)
    assert await values(book.fans) == ["Ada"]
    assert await ada.liked.count() == 1


@pytest.mark.only("sync")
@pytest.mark.defect("O-35")
async def test_one_awaited_part_refuses_a_blocking_database(db, awaited):
    await awaited.create(db)
    ada = await db.insert(awaited.Author(name="Ada"))
    await db.insert(awaited.Book(title="x", author=ada))
    book = await db.select(awaited.Book).fetch_one()
    for call in (
        lambda: book.author.fetch(),
        lambda: ada.books.fetch_all(),
        lambda: book.fans.add(ada),
        lambda: ada.liked.count(),
    ):
        with pytest.raises(DatabaseKindError, match="SqliterDB"):
            await use(call)


@pytest.mark.only("async")
@pytest.mark.defect("O-27")
async def test_a_late_blocking_target_has_an_awaited_other_side(db, declare):
    shop = declare("""
        class Early(BaseDBModel):
            lates: ManyToMany["Late"] = ManyToMany("Late", related_name="earlies")
            late: ForeignKey["Late | None"] = ForeignKey("Late", null=True, related_name="early")

        import sqliter.orm
        class Late(sqliter.orm.BaseDBModel):
            name: str
    """)
    await db.create_table(shop.Late)
    await db.create_table(shop.Early)
    late = await db.insert(shop.Late(name="l"))
    early = await db.insert(shop.Early(late=late))
    await late.earlies.add(early)
    assert await late.earlies.fetch_all() == [early]
    assert await late.early.fetch_all() == [early]


# --- plain targets -----------------------------------------------------------------------


@pytest.fixture
def plain(orm):
    """A model with relations to one that has none."""

    class Place(PlainModel):
        name: str

    class Visit(orm.BaseDBModel):
        place: orm.ForeignKey[Place] = orm.ForeignKey(Place, related_name="visits")

    return Models(Place=Place, Visit=Visit)


async def test_a_key_to_a_plain_model_loads(db, plain, reach):
    await plain.create(db)
    place = await db.insert(plain.Place(name="Kiel"))
    visit = await db.insert(plain.Visit(place=place))
    visit = await db.get(plain.Visit, visit.pk)
    assert (await db.load(visit.place)).name == "Kiel"
    (found,) = await db.select(plain.Visit).filter(place__name="Kiel").fetch_all()
    assert found == visit


@pytest.mark.defect("O-28")
async def test_a_key_to_a_plain_model_loads_eagerly(db, plain):
    await plain.create(db)
    place = await db.insert(plain.Place(name="Kiel"))
    await db.insert(plain.Visit(place=place))
    visit = await db.select(plain.Visit).select_related("place").fetch_one()
    assert visit.place == place
