"""Objects with relations stay plain data: dumps, equality, copies, pickles, older tables."""

import copy
import json
import pickle

import pytest
from support import Colour, unwrap, values

import sqliter.asyncio.orm
import sqliter.orm


class Pen(sqliter.orm.BaseDBModel):
    name: str


class Ink(sqliter.orm.BaseDBModel):
    shade: str
    pen: sqliter.orm.ForeignKey[Pen] = sqliter.orm.ForeignKey(Pen, related_name="inks")


class AsyncPen(sqliter.asyncio.orm.AsyncBaseDBModel):
    name: str


class AsyncInk(sqliter.asyncio.orm.AsyncBaseDBModel):
    shade: str
    pen: sqliter.asyncio.orm.AsyncForeignKey[AsyncPen] = (
        sqliter.asyncio.orm.AsyncForeignKey(AsyncPen, related_name="inks")
    )


@pytest.fixture
def desk(colour):
    """`await desk(db)` gives an ink with its pen loaded, of classes that can be pickled."""
    pen_class, ink_class = (Pen, Ink) if colour is Colour.SYNC else (AsyncPen, AsyncInk)

    async def make(db):
        await db.create_table(pen_class)
        await db.create_table(ink_class)
        pen = await db.insert(pen_class(name="goose"))
        await db.insert(pen_class(name="steel"))
        await db.insert(ink_class(shade="blue", pen=pen))
        return await db.select(ink_class).select_related("pen").fetch_one()

    return make


# --- db_context --------------------------------------------------------------------------


@pytest.mark.defect("O-01")
async def test_the_database_is_no_data(db, library, seeded):
    _, _, book = await seeded(db)
    assert book.db_context is unwrap(db)
    assert "db_context" not in library.Book.model_fields
    assert "db_context" not in repr(book)
    assert "db_context" not in book.model_dump()
    assert "db_context" not in json.loads(book.model_dump_json())
    assert "db_context" not in json.dumps(library.Book.model_json_schema())
    rows = await db.fetch("SELECT name FROM pragma_table_info('books')")
    assert "db_context" not in [row["name"] for row in rows]


@pytest.mark.defect("O-01")
async def test_the_database_is_no_part_of_equality(db, make_db, library, seeded):
    _, _, book = await seeded(db)
    assert library.Book(**book.model_dump()) == book
    assert await db.get(library.Book, book.pk) == book
    other = make_db()
    await library.create(other)
    again = library.Book(**book.model_dump(), db_context=unwrap(other))
    assert again == book


@pytest.mark.defect("O-01")
@pytest.mark.parametrize("eager", [False, True])
async def test_what_is_loaded_is_no_part_of_equality(db, library, seeded, reach, eager):
    _, _, book = await seeded(db)
    query = db.select(library.Book)
    found = await (query.select_related("author") if eager else query).fetch_one()
    _ = (await reach(found.author)).name
    assert found == book
    assert found.model_dump() == book.model_dump()


@pytest.mark.only("memory")
def test_an_object_built_by_hand_has_no_database(library):
    assert library.Author(name="Ada").db_context is None
    assert library.Author.model_validate({"name": "Ada"}).db_context is None


async def test_every_object_from_a_database_knows_it(db, library, seeded):
    ada, *_ = await seeded(db)
    query = db.select(library.Author)
    found = [
        ada,
        *await db.bulk_insert([library.Author(name="C")]),
        await db.get(library.Author, ada.pk),
        *await query.fetch_all(),
        await query.fetch_first(),
        await query.fetch_last(),
        await db.select(library.Author).only("name").fetch_one(),
    ]
    assert all(each.db_context is unwrap(db) for each in found)


OLD_TABLE = (
    "CREATE TABLE authors (pk INTEGER PRIMARY KEY AUTOINCREMENT, created_at INTEGER NOT NULL, "
    "updated_at INTEGER NOT NULL, db_context TEXT, name TEXT NOT NULL)"
)


@pytest.mark.defect("O-01")
async def test_a_table_of_an_older_version_is_used_and_its_column_left_alone(
    db, library
):
    await db.execute(OLD_TABLE)
    await library.create(db)
    ada = await db.insert(library.Author(name="Ada"))
    await db.bulk_insert([library.Author(name="Bob")])
    ada.name = "Countess"
    await db.update(ada)
    assert await values(db.select(library.Author)) == ["Bob", "Countess"]
    assert (await db.get(library.Author, ada.pk)).db_context is unwrap(db)
    book = await db.insert(library.Book(title="x", author=ada))
    (found,) = await db.select(library.Book).select_related("author").fetch_all()
    assert (found, found.author.name) == (book, "Countess")
    rows = await db.fetch("SELECT db_context FROM authors")
    assert [row["db_context"] for row in rows] == [None, None]


# --- dumps -------------------------------------------------------------------------------


@pytest.mark.only("memory")
def test_dumps_hold_fields_only(library, press):
    book = library.Book(title="x", author=3)
    assert set(book.model_dump()) == set(library.Book.model_fields)
    assert book.model_dump(include={"author_id"}) == {"author_id": 3}
    assert "author_id" not in book.model_dump(exclude={"author_id"})
    assert "tags" not in press.Article(title="x").model_dump(mode="json")


@pytest.mark.only("memory")
def test_the_json_schema_has_ids_not_relations(library, press):
    properties = library.Book.model_json_schema()["properties"]
    assert properties["author_id"]["type"] == "integer"
    assert not {"author", "editor", "books"} & properties.keys()
    assert "tags" not in press.Article.model_json_schema()["properties"]


async def test_a_dump_may_include_what_is_loaded(db, library, seeded):
    ada, _, book = await seeded(db)
    found = await db.select(library.Book).select_related("author", "editor").fetch_one()
    dumped = found.model_dump(include_related=True)
    assert dumped["author"] == ada.model_dump()
    assert dumped.get("editor") is None
    assert dumped["author_id"] == ada.pk
    assert (
        json.loads(found.model_dump_json(include_related=True))["author"]["name"]
        == "Ada"
    )
    lazy = await db.get(library.Book, book.pk, bypass_cache=True)
    assert "author" not in lazy.model_dump(include_related=True)


async def test_a_dump_includes_what_was_loaded_lazily(db, library, seeded, reach):
    _, _, book = await seeded(db)
    book = await db.get(library.Book, book.pk)
    _ = (await reach(book.author)).name
    assert book.model_dump(include_related=True)["author"]["name"] == "Ada"


async def test_a_dump_includes_prefetched_lists_and_ends(db, library, seeded):
    await seeded(db)
    ada = await db.select(library.Author).prefetch_related("books").fetch_one()
    (book,) = ada.model_dump(include_related=True)["books"]
    assert (book["title"], book["author_id"]) == ("Notes", ada.pk)
    (book,) = json.loads(ada.model_dump_json(include_related=True))["books"]
    assert book["title"] == "Notes"


async def test_a_dump_includes_prefetched_links(db, press, tagged, many):
    article, api, *_ = await tagged(db)
    await many(article.tags).add(api)
    article = (
        await db.select(press.Article).prefetch_related("tags__articles").fetch_one()
    )
    (tag,) = article.model_dump(include_related=True)["tags"]
    assert tag["name"] == "api"


# --- copies ------------------------------------------------------------------------------

COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "model_copy": lambda each: each.model_copy(),
    "deep model_copy": lambda each: each.model_copy(deep=True),
}


@pytest.mark.defect("O-02", "O-03")
@pytest.mark.parametrize("how", COPIES)
async def test_a_copy_is_equal_has_the_database_and_loads_for_itself(
    db, desk, reach, how
):
    ink = await desk(db)
    copied = COPIES[how](ink)
    assert copied == ink
    assert copied.db_context is unwrap(db)
    copied.pen_id = 2
    assert (await reach(copied.pen)).name == "steel"
    assert ink.pen.name == "goose"


@pytest.mark.defect("O-03")
@pytest.mark.parametrize("deep", [False, True])
async def test_a_copy_with_another_key_has_another_object(db, desk, reach, deep):
    ink = await desk(db)
    copied = ink.model_copy(update={"pen_id": 2}, deep=deep)
    assert (await reach(copied.pen)).name == "steel"
    assert (await reach(ink.pen)).name == "goose"


@pytest.mark.defect("O-02")
async def test_a_pickle_holds_the_data_without_the_database(db, desk):
    ink = await desk(db)
    again = pickle.loads(pickle.dumps(ink))
    assert again == ink
    assert again.db_context is None


@pytest.mark.defect("O-02")
async def test_a_pickle_can_be_given_a_database_again(db, desk, reach):
    ink = await desk(db)
    again = pickle.loads(pickle.dumps(ink))
    again.db_context = unwrap(db)
    assert (await reach(again.pen)).name == "goose"


@pytest.mark.defect("O-02")
async def test_a_prefetched_object_can_be_copied_and_pickled(db, desk):
    await desk(db)
    pen_class = type((await desk(db)).pen)
    pen = await db.select(pen_class).prefetch_related("inks").fetch_one()
    for again in (pickle.loads(pickle.dumps(pen)), copy.deepcopy(pen)):
        assert again == pen
