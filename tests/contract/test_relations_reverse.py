"""The other side of a foreign key: `author.books`, lazy and prefetched."""

import pytest
from support import Models, unwrap, values

from sqliter.exceptions import InvalidFilterError, RecordInsertionError, SqliterError

HOW = pytest.mark.parametrize("how", ["lazy", "prefetched"])


@pytest.fixture
def parent(library):
    """`await parent(db, how)` gives Ada, who wrote A, B, C and D; Bob wrote E."""

    async def make(db, how):
        await library.create(db)
        ada = await db.insert(library.Author(name="Ada"))
        bob = await db.insert(library.Author(name="Bob"))
        for title in "CADBE":
            owner = bob if title == "E" else ada
            await db.insert(library.Book(title=title, author=owner))
        query = db.select(library.Author).filter(pk=ada.pk)
        if how == "prefetched":
            query = query.prefetch_related("books")
        return await query.fetch_one()

    return make


async def titles(rows):
    return [book.title for book in await rows.fetch_all()]


# --- reading -----------------------------------------------------------------------------


@HOW
async def test_the_handle_and_its_attributes(db, orm, library, parent, how):
    ada = await parent(db, how)
    expected = orm.ReverseQuery if how == "lazy" else orm.PrefetchedResult
    assert isinstance(ada.books, expected)
    assert ada.books.instance is ada
    assert ada.books.to_model is library.Book
    assert ada.books.fk_field == "author"


async def test_a_handle_knows_its_parents_key(db, parent):
    assert (await parent(db, "lazy")).books.fk_value == 1


@pytest.mark.only("memory")
def test_the_descriptor_knows_its_parts(library):
    reverse = library.Author.books
    assert (reverse.from_model, reverse.fk_field) == (library.Book, "author")
    assert reverse.related_name == "books"


@HOW
async def test_reading_all_kinds_of_answers(db, parent, many, how):
    books = many((await parent(db, how)).books)
    assert await values(books, "title") == list("ABCD")
    assert (await books.fetch_one()).title in list("ABCD")
    assert await books.count() == 4
    assert await books.exists() is True


@HOW
async def test_a_parent_without_children(db, library, parent, many, how):
    await parent(db, how)
    query = db.select(library.Author).filter(name="Bob")
    if how == "prefetched":
        query = query.prefetch_related("edited")
    bob = await query.fetch_one()
    edited = many(bob.edited)
    assert await edited.fetch_all() == []
    assert await edited.fetch_one() is None
    assert (await edited.count(), await edited.exists()) == (0, False)


async def test_prefetched_children_cost_no_statement(
    logged_db, statements, parent, many
):
    books = many((await parent(logged_db, "prefetched")).books)
    with statements.watch():
        children = await books.fetch_all()
        assert await books.fetch_all() is not children
        assert [id(book) for book in await books.fetch_all()] == [
            id(b) for b in children
        ]
        assert (await books.fetch_one()) is children[0]
        assert (await books.count(), await books.exists()) == (4, True)
    assert statements.statements == []


@pytest.mark.parametrize("pk", [0, None])
async def test_a_parent_that_is_not_saved_has_none(
    logged_db, statements, library, many, pk
):
    await library.create(logged_db)
    author = library.Author(name="Ada", db_context=unwrap(logged_db))
    vars(author)["pk"] = pk
    with statements.watch():
        await answers_nothing(many(author.books))
    assert statements.statements == []


@pytest.mark.only("memory")
async def test_a_parent_without_a_database_has_none(library, many):
    await answers_nothing(many(library.Author(name="Ada", pk=1).books))


async def answers_nothing(rows):
    assert await rows.fetch_all() == []
    assert await rows.fetch_one() is None
    assert (await rows.count(), await rows.exists()) == (0, False)


@pytest.mark.defect("O-44")
@pytest.mark.parametrize("how", ["lazy", "prefetched", "one", "filtered", "iterated"])
async def test_children_know_their_parent(logged_db, statements, parent, many, how):
    ada = await parent(logged_db, how)
    books = many(ada.books)
    with statements.watch():
        if how == "one":
            children = [await books.fetch_one()]
        elif how == "iterated":
            children = [book async for book in books]
        else:
            children = await (
                books.filter(title="A") if how == "filtered" else books
            ).fetch_all()
        assert all(book.author is ada for book in children)
        assert all(book.author.name == "Ada" for book in children)
    assert len(statements.starting("SELECT")) == (0 if how == "prefetched" else 1)


@HOW
async def test_children_belong_to_the_database(db, parent, many, how):
    (book, *_) = await many((await parent(db, how)).books).fetch_all()
    assert book.db_context is unwrap(db)


# --- chaining ----------------------------------------------------------------------------


@pytest.mark.defect("O-16")
@HOW
async def test_chains(db, parent, many, how):
    books = many((await parent(db, how)).books)
    assert await titles(books.order("title")) == list("ABCD")
    assert await titles(books.order("-title")) == list("DCBA")
    assert await titles(books.order("title").limit(2)) == list("AB")
    assert await titles(books.order("title").offset(1).limit(2)) == list("BC")
    assert await titles(books.limit(2).offset(1).order("title")) == list("BC")
    assert await titles(books.order("title").offset(3)) == ["D"]
    assert await titles(books.filter(title__in=["D", "E"])) == ["D"]
    assert await titles(books.filter(title__gt="A").filter(title__lt="C")) == ["B"]


@pytest.mark.defect("O-16")
@HOW
async def test_other_answers_honour_the_chain(db, parent, many, how):
    books = many((await parent(db, how)).books)
    assert (await books.order("title").offset(1).limit(1).fetch_one()).title == "B"
    assert await books.filter(title__lt="C").count() == 2
    assert await books.limit(3).count() == 3
    assert await books.filter(title="E").exists() is False
    assert await books.offset(4).exists() is False


@pytest.mark.defect("O-16")
@HOW
async def test_iterating(db, parent, many, how):
    books = many((await parent(db, how)).books)
    assert sorted([book.title async for book in books]) == list("ABCD")
    assert [book.title async for book in books.order("title").limit(2)] == list("AB")


@pytest.mark.only("sync")
@pytest.mark.defect("O-16")
@HOW
async def test_blocking_handles_have_a_length(db, parent, how):
    ada = await parent(db, how)
    assert len(ada.books) == 4
    assert len(ada.books.filter(title__in=["A", "E"])) == 1
    assert sorted(book.title for book in ada.books) == list("ABCD")


@pytest.mark.defect("O-15")
@HOW
async def test_answering_changes_nothing(db, parent, many, how):
    books = many((await parent(db, how)).books)
    await books.fetch_one()
    await books.exists()
    assert len(await books.fetch_all()) == 4


@pytest.mark.defect("O-15")
@HOW
@pytest.mark.parametrize(
    "chain",
    [
        lambda q: q.filter(title="A"),
        lambda q: q.limit(1),
        lambda q: q.offset(1),
        lambda q: q.order("-title"),
    ],
)
async def test_chaining_gives_a_new_object(db, parent, many, how, chain):
    handle = (await parent(db, how)).books
    chained = chain(handle)
    assert chained is not handle
    further = chain(chained)
    assert further is not chained
    assert await many(handle).count() == 4


async def test_a_chain_of_a_prefetched_handle_asks_the_database(
    db, orm, library, parent, many
):
    ada = await parent(db, "prefetched")
    await db.insert(library.Book(title="F", author=ada))
    assert await many(ada.books).count() == 4
    assert isinstance(ada.books.filter(title="F"), orm.ReverseQuery)
    assert await titles(many(ada.books).filter(title="F")) == ["F"]


async def test_another_parents_key_finds_nothing(db, parent, many):
    books = many((await parent(db, "lazy")).books)
    assert await books.filter(author_id=2).fetch_all() == []


async def test_a_bad_name_in_a_filter_is_refused(db, parent, many):
    books = many((await parent(db, "lazy")).books)
    with pytest.raises(InvalidFilterError, match="nowhere"):
        await books.filter(nowhere=1).fetch_all()


# --- assigning ---------------------------------------------------------------------------

REFUSED = "^Cannot set reverse relationship 'books'. Use the ForeignKey field on Book instead.$"


@pytest.mark.defect("O-24")
@pytest.mark.only("memory")
def test_assigning_is_refused_with_advice(library):
    author = library.Author(name="Ada")
    with pytest.raises(AttributeError, match=REFUSED):
        author.books = []
    with pytest.raises(AttributeError, match=REFUSED):
        library.Author.books.__set__(author, [])


# --- rules of the table ------------------------------------------------------------------


async def test_children_go_with_their_parent(db, library, parent, many):
    ada = await parent(db, "lazy")
    await db.delete(library.Author, ada.pk)
    assert await values(db.select(library.Book), "title") == ["E"]
    assert await many(ada.books).fetch_all() == []


@pytest.mark.defect("O-47")
async def test_a_unique_key_has_one_child_in_a_query(db, orm, library, many):
    class Passport(orm.BaseDBModel):
        owner: orm.ForeignKey[library.Author] = orm.ForeignKey(
            library.Author, unique=True, related_name="passport"
        )

    await Models(Author=library.Author, Passport=Passport).create(db)
    ada = await db.insert(library.Author(name="Ada"))
    assert await many(ada.passport).fetch_one() is None
    passport = await db.insert(Passport(owner=ada))
    assert await many(ada.passport).fetch_one() == passport
    with pytest.raises(RecordInsertionError):
        await db.insert(Passport(owner=ada))
    assert await many(ada.passport).count() == 1


async def test_a_missing_table_is_a_library_error(db, library, many):
    await db.create_table(library.Author)
    ada = await db.insert(library.Author(name="Ada"))
    with pytest.raises(SqliterError, match="books"):
        await many(ada.books).fetch_all()


async def test_a_renamed_column_is_followed(db, orm, library, many):
    class Note(orm.BaseDBModel):
        text: str
        writer: orm.ForeignKey[library.Author] = orm.ForeignKey(
            library.Author, db_column="author_ref", related_name="notes"
        )

    await Models(Author=library.Author, Note=Note).create(db)
    ada = await db.insert(library.Author(name="Ada"))
    await db.insert(Note(text="x", writer=ada))
    assert await values(many(ada.notes), "text") == ["x"]
    found = await db.select(library.Author).prefetch_related("notes").fetch_one()
    assert await values(many(found.notes), "text") == ["x"]
