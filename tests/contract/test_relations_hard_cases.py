"""Relations where promises meet: roll-backs, links of a subclass, copies, extra fields."""

import contextlib
import copy

import pytest
from pydantic import ConfigDict
from support import Models, values

from sqliter.exceptions import SqliterError

pytestmark = pytest.mark.only("memory")

COPIES = {
    "copy": copy.copy,
    "model_copy": lambda book: book.model_copy(),
    "deepcopy": copy.deepcopy,
}
EVERY_COPY = pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)


@contextlib.asynccontextmanager
async def undone(db):
    """A block that fails at its end: what it wrote is rolled back."""
    with contextlib.suppress(KeyError):
        async with db:
            yield
            raise KeyError


async def writer_of(db, model, pk):
    """The name of the author that the database has for an object."""
    return (await db.select(model).select_related("author").filter(pk=pk).fetch_one()).author.name  # fmt: skip


# --- roll-backs --------------------------------------------------------------------------


@pytest.mark.parametrize("built", ["before", "inside"])
async def test_a_pair_that_was_rolled_back_is_linked_when_inserted_again(
    db, library, built
):
    await library.create(db)
    ada = library.Author(name="Ada")
    book = library.Book(title="x", author=ada)
    async with undone(db):
        await db.insert(ada)
        book = book if built == "before" else library.Book(title="x", author=ada)
        await db.insert(book)
    assert book.author is ada
    await db.insert(library.Author(name="stranger"))
    await db.insert(ada)
    await db.insert(book)
    assert await writer_of(db, library.Book, book.pk) == "Ada"
    assert (book.author, book.author_id) == (ada, ada.pk)


@pytest.mark.parametrize("assigned", ["before", "inside"])
async def test_a_parent_whose_insert_was_rolled_back_is_taken_by_the_next_update(
    db, seeded, library, assigned
):
    _, _, book = await seeded(db)
    carl = library.Author(name="Carl")
    if assigned == "before":
        book.author = carl
    async with undone(db):
        await db.insert(carl)
        book.author = carl
        await db.update(book)
    await db.insert(library.Author(name="stranger"))
    await db.insert(carl)
    await db.update(book)
    assert await writer_of(db, library.Book, book.pk) == "Carl"


async def test_a_parent_that_was_rolled_back_is_missed_until_it_is_inserted(
    db, library
):
    await library.create(db)
    ada = library.Author(name="Ada")
    book = library.Book(title="x", author=ada)
    async with undone(db):
        await db.insert(ada)
        await db.insert(book)
    await db.insert(library.Author(name="stranger"))
    with pytest.raises(SqliterError, match="author"):
        await db.insert(book)


async def test_a_partial_object_keeps_its_gaps_when_an_update_is_rolled_back(
    db, seeded, library
):
    await seeded(db)
    book = await db.select(library.Book).only("title").fetch_one()
    async with undone(db):
        book.title = "new"
        await db.update(book)
    assert "updated_at" not in vars(book)
    assert not hasattr(book, "updated_at")
    assert "updated_at" not in book.model_fields_set


@pytest.mark.parametrize("verb", ["add", "remove", "set", "clear"])
async def test_a_prefetched_handle_shows_the_old_links_after_a_roll_back(
    db, linked, press, many, verb
):
    article = await linked(db, "prefetched")
    held = many(article.tags)
    new = await db.insert(press.Tag(name="new"))
    given = {"remove": [(await held.fetch_all())[0]], "clear": []}.get(verb, [new])
    async with undone(db):
        await getattr(held, verb)(*given)
        assert await values(many(article.tags)) != ["api", "sql", "web"]
    assert await values(held) == ["api", "sql", "web"]
    assert await values(many(article.tags)) == ["api", "sql", "web"]


async def test_a_prefetched_handle_goes_back_to_where_the_inner_block_began(
    db, linked, many
):
    held = many((await linked(db, "prefetched")).tags)
    api, sql, _ = await held.order("name").fetch_all()
    async with db:
        await held.remove(api)
        async with undone(db):
            await held.remove(sql)
        assert await values(held) == ["sql", "web"]
    assert await values(held) == ["sql", "web"]


# --- links of a subclass -----------------------------------------------------------------


@pytest.fixture
def staff(orm):
    """Persons are friends both ways; employees are persons in a table of their own."""

    class Person(orm.BaseDBModel):
        name: str
        friends: orm.ManyToMany["Person"] = orm.ManyToMany("Person", symmetrical=True)

    class Employee(Person):
        job: str = ""

    return Models(Person=Person, Employee=Employee)


async def test_links_of_a_subclass_to_its_base_lead_one_way(db, staff, many):
    await staff.create(db)
    persons = [await db.insert(staff.Person(name=f"p{n}")) for n in range(2)]
    ann, bea = [await db.insert(staff.Employee(name=name)) for name in ("ann", "bea")]
    await many(bea.friends).add(persons[0])
    assert await values(many(bea.friends)) == ["p0"]
    assert await values(many(ann.friends)) == []
    assert await values(db.select(staff.Employee).filter(friends__name="p0")) == ["bea"]
    fetched = await db.select(staff.Employee).prefetch_related("friends").fetch_all()
    assert [len(await many(each.friends).fetch_all()) for each in fetched] == [0, 1]
    await many(bea.friends).remove(persons[0])
    assert await many(bea.friends).count() == 0


# --- copies, extra fields ----------------------------------------------------------------


@EVERY_COPY
async def test_a_copy_keeps_an_assigned_object_that_is_not_saved(db, library, make):
    await library.create(db)
    await db.insert(library.Author(name="stranger"))
    ada = library.Author(name="Ada")
    twin = make(library.Book(title="x", author=ada))
    assert twin.author is ada
    await db.insert(ada)
    await db.insert(twin)
    assert await writer_of(db, library.Book, twin.pk) == "Ada"


@EVERY_COPY
async def test_an_assignment_to_a_copy_leaves_the_original_alone(library, make):
    ada, bob = library.Author(name="Ada"), library.Author(name="Bob")
    book = library.Book(title="x", author=ada)
    make(book).author = bob
    assert book.author is ada


async def test_a_copy_with_another_key_leads_there(db, seeded, library, reach):
    ada, bob, _ = await seeded(db)
    book = await db.insert(library.Book(title="x", author=ada))
    twin = book.model_copy(update={"author_id": bob.pk})
    assert (await reach(twin.author)).name == "Bob"
    await db.update(twin)
    assert await writer_of(db, library.Book, twin.pk) == "Bob"


@pytest.fixture
def loose(orm, library):
    """Authors, and notes that take names nobody declared."""

    class Note(orm.BaseDBModel):
        model_config = ConfigDict(extra="allow")
        text: str = ""
        author: orm.ForeignKey[library.Author] = orm.ForeignKey(
            library.Author, related_name="notes"
        )

    return Models(Author=library.Author, Note=Note)


async def noted(db, loose, reach, many, how):
    """A note that knows its author, and one that it is equal to."""
    await loose.create(db)
    ada = await db.insert(loose.Author(name="Ada"))
    note = await db.insert(loose.Note(author=ada, mood="good"))
    if how != "assigned":
        note = await db.get(loose.Note, note.pk)
        await reach(note.author)
    if how == "prefetched":
        (author,) = await db.select(loose.Author).prefetch_related("notes").fetch_all()
        (note,) = await many(author.notes).fetch_all()
    return note, note.model_copy(update={"text": "new"})


@pytest.mark.parametrize("how", ["assigned", "lazy", "prefetched"])
async def test_what_is_loaded_is_no_extra_field_after_an_assignment(
    db, loose, reach, many, how
):
    note, twin = await noted(db, loose, reach, many, how)
    extra = {"mood": "good"} if how == "assigned" else {}
    note.text = "new"
    assert note.model_extra == extra
    assert set(note.model_dump()) == {*loose.Note.model_fields, *extra}
    assert note == twin
    for make in COPIES.values():
        assert make(note).model_extra == extra
        assert make(note) == note
    assert (await reach(note.author)).name == "Ada"


@pytest.mark.parametrize("name", ["text", "mood"], ids=["field", "extra"])
async def test_an_unsaved_object_survives_an_assignment(db, loose, name):
    await loose.create(db)
    await db.insert(loose.Author(name="stranger"))
    ada = loose.Author(name="Ada")
    note = loose.Note(author=ada)
    setattr(note, name, "new")
    assert note.author is ada
    assert note.model_extra == ({"mood": "new"} if name == "mood" else {})
    await db.insert(ada)
    await db.insert(note)
    assert await writer_of(db, loose.Note, note.pk) == "Ada"
