"""What `book.author` is: loaded, lazy, absent; after a change of key or database."""

import pytest
from support import Models, unwrap


@pytest.fixture
def Book(library):
    return library.Book


async def test_reading_loads_once(logged_db, statements, seeded, Book, reach):
    _, _, book = await seeded(logged_db)
    found = await logged_db.get(Book, book.pk)
    assert found.author is found.author
    with statements.watch():
        assert (await reach(found.author)).name == "Ada"
        assert (await reach(found.author)).name == "Ada"
    assert len(statements.starting("SELECT")) == 1


@pytest.mark.only("memory")
@pytest.mark.parametrize("key", [None, 0])
def test_an_empty_key_is_none_and_nothing_is_kept(Book, key):
    book = Book(title="x", author=1, editor_id=key)
    assert book.editor is None
    assert "editor" not in vars(book).get("_fk_cache", {})


async def test_eager_loading_gives_the_object_itself(db, library, seeded):
    await seeded(db)
    book = await db.select(library.Book).select_related("author", "editor").fetch_one()
    assert isinstance(book.author, library.Author)
    assert book.author is book.author
    assert book.editor is None
    assert book.author.db_context is unwrap(db)


@pytest.mark.parametrize("eager", [False, True])
async def test_a_changed_id_means_another_object(db, seeded, Book, reach, eager):
    ada, bob, _ = await seeded(db)
    query = db.select(Book)
    book = await (query.select_related("author") if eager else query).fetch_one()
    assert (await reach(book.author)).name == "Ada"
    book.author_id = bob.pk
    assert (await reach(book.author)).name == "Bob"
    vars(book)["author_id"] = ada.pk
    assert (await reach(book.author)).name == "Ada"
    object.__setattr__(book, "author_id", bob.pk)
    assert (await reach(book.author)).name == "Bob"


async def test_a_context_given_later_is_used(db, seeded, Book, reach):
    ada, _, _ = await seeded(db)
    book = Book(title="x", author_id=ada.pk)
    before = book.author
    book.db_context = unwrap(db)
    assert book.author is not before
    assert (await reach(book.author)).name == "Ada"


async def test_a_context_may_be_given_to_the_constructor(db, seeded, Book, reach):
    ada, _, _ = await seeded(db)
    book = Book(title="x", author_id=ada.pk, db_context=unwrap(db))
    assert (await reach(book.author)).name == "Ada"


@pytest.mark.defect("O-12")
@pytest.mark.parametrize("eager", [False, True])
async def test_another_database_means_another_object(
    db, make_db, library, seeded, reach, eager
):
    await seeded(db)
    other = make_db()
    await library.create(other)
    await other.insert(library.Author(name="Other"))
    query = db.select(library.Book)
    book = await (query.select_related("author") if eager else query).fetch_one()
    assert (await reach(book.author)).name == "Ada"
    book.db_context = unwrap(other)
    assert (await reach(book.author)).name == "Other"


@pytest.mark.parametrize("relation", ["author", "editor"])
async def test_a_key_that_was_not_selected_says_so(db, seeded, Book, relation):
    await seeded(db)
    book = await db.select(Book).only("title").fetch_one()
    with pytest.raises(AttributeError, match=f"{relation}.*not selected"):
        getattr(book, relation)


async def test_a_selected_key_loads(db, seeded, Book, reach):
    await seeded(db)
    book = await db.select(Book).only("author_id").fetch_one()
    assert (await reach(book.author)).name == "Ada"


async def test_the_stored_key_costs_no_statement(logged_db, statements, seeded, Book):
    ada, _, _ = await seeded(logged_db)
    book = await logged_db.select(Book).fetch_one()
    with statements.watch():
        assert Book.author.id_of(book) == ada.pk
        assert Book.editor.id_of(book) is None
        assert Book.author.id_of(Book(title="x", author=7)) == 7
    assert statements.statements == []


async def test_load_gives_the_object_whatever_the_state(db, library, seeded):
    ada, _, book = await seeded(db)
    found = await db.get(library.Book, book.pk)
    loaded = await db.load(found.author)
    assert isinstance(loaded, library.Author)
    assert loaded == ada
    assert await db.load(found.author) == ada
    assert await db.load(ada) is ada


@pytest.mark.defect("O-31")
async def test_load_of_nothing_is_none(db, library, seeded):
    ada, _, book = await seeded(db)
    assert await db.load(book.editor) is None
    book.editor = ada
    assert await db.load(book.editor) is ada


async def test_a_renamed_column_is_reached_through_the_field(db, orm, library, reach):
    class Note(orm.BaseDBModel):
        writer: orm.ForeignKey[library.Author] = orm.ForeignKey(
            library.Author, db_column="author_ref"
        )

    await Models(Author=library.Author, Note=Note).create(db)
    ada, bob = [await db.insert(library.Author(name=name)) for name in ("Ada", "Bob")]
    note = await db.insert(Note(writer=ada))
    note.writer = bob
    await db.update(note)
    assert (await reach((await db.get(Note, note.pk)).writer)).name == "Bob"
    query = db.select(Note).filter(writer_id=bob.pk, writer__name="Bob")
    found = await query.order("writer_id").select_related("writer").fetch_one()
    assert found.writer == bob
    assert await db.select(Note).update({"writer_id": ada.pk}) == 1
    assert (await db.get(Note, note.pk)).writer_id == ada.pk


@pytest.mark.only("memory")
def test_emptying_a_key_forgets_what_was_kept(library):
    book = library.Book(title="x", author=1, editor=library.Author(name="Ada", pk=2))
    assert book.editor.name == "Ada"
    book.editor = None
    assert "editor" not in vars(book).get("_fk_cache", {})


@pytest.mark.only("async", "memory")
def test_something_else_that_is_kept_is_given_back(library):
    book, kept = library.Book(title="x", author_id=1), object()
    vars(book)["_fk_cache"] = {"author": kept}
    assert book.author is kept
