"""Queries along relations where promises meet: cache, prefetching, refusals, names."""

import itertools

import pytest
from support import Models, unwrap

from sqliter.orm import Prefetch

pytestmark = pytest.mark.only("memory")


async def titles(handle):
    """The titles of many books, in the order they come."""
    return [book.title for book in await handle.fetch_all()]


# --- the cache ---------------------------------------------------------------------------

ONLY_TITLES = {
    "author": lambda query: query.only("title").prefetch_related("author"),
    "editor": lambda query: query.only("title").prefetch_related("editor"),
    "plain": lambda query: query.only("title"),
}


@pytest.mark.parametrize(
    "order", list(itertools.permutations(ONLY_TITLES)), ids="-".join
)
async def test_what_is_prefetched_for_a_field_has_answers_of_its_own(
    make_db, seeded, library, order
):
    db = make_db(cache_enabled=True)
    ada, bob, book = await seeded(db)
    book.editor = bob
    await db.update(book)
    for name in order * 2:
        (found,) = await ONLY_TITLES[name](db.select(library.Book)).fetch_all()
        dumped = found.model_dump(include_related=True)
        related = {"author": {"author"}, "editor": {"editor"}}.get(name, set())
        assert dumped.keys() & {"author", "editor"} == related
        assert [dumped[each]["name"] for each in related] == [
            {"author": "Ada", "editor": "Bob"}[each] for each in related
        ]


# --- prefetching -------------------------------------------------------------------------


@pytest.fixture
def ranked(orm, library):
    """Authors, and drafts with the fields `number` and `owner`."""

    class Draft(orm.BaseDBModel):
        number: int
        owner: str
        author: orm.ForeignKey[library.Author] = orm.ForeignKey(
            library.Author, related_name="drafts"
        )

    return Models(Author=library.Author, Draft=Draft)


@pytest.mark.parametrize("limit", [None, 2])
@pytest.mark.parametrize(
    ("order", "expected"),
    [("number", [1, 2, 3]), ("-number", [3, 2, 1]), ("owner", [2, 3, 1])],
)
async def test_fields_of_any_name_may_order_what_is_prefetched(
    db, ranked, many, order, expected, limit
):
    await ranked.create(db)
    ada = await db.insert(ranked.Author(name="Ada"))
    for number, owner in ((3, "b"), (1, "c"), (2, "a")):
        await db.insert(ranked.Draft(number=number, owner=owner, author=ada))
    drafts = db.select(ranked.Draft).order(order)
    if limit is not None:
        drafts = drafts.limit(limit)
    query = db.select(ranked.Author).prefetch_related(
        Prefetch("drafts", unwrap(drafts))
    )
    found = await many((await query.fetch_one()).drafts).fetch_all()
    assert [draft.number for draft in found] == expected[:limit]


@pytest.fixture
def shop(seeded, library):
    """`await shop(db)`: Ada has the books Notes and Other, both edited by Bob."""

    async def fill(db):
        ada, bob, book = await seeded(db)
        book.editor = bob
        await db.update(book)
        await db.insert(library.Book(title="Other", author=ada, editor=bob))
        return ada, bob

    return fill


async def test_a_path_that_leads_back_leaves_the_narrowed_list_alone(
    db, shop, library, many
):
    await shop(db)
    notes = unwrap(db.select(library.Book).filter(title="Notes"))
    query = db.select(library.Author).order("pk")
    ada, _ = await query.prefetch_related(
        Prefetch("books", notes), "books__author__books"
    ).fetch_all()
    assert await titles(many(ada.books)) == ["Notes"]


async def test_a_path_that_leads_back_leaves_what_its_rows_know_alone(
    db, shop, library, many
):
    await shop(db)
    query = db.select(library.Author).filter(name="Ada")
    ada = await query.prefetch_related(
        "books__editor__edited", "books__author__books"
    ).fetch_one()
    books = await many(ada.books).fetch_all()
    assert [book.editor.name for book in books] == ["Bob", "Bob"]
    assert all(book.author is ada for book in books)
    assert await titles(many(books[0].editor.edited)) == ["Notes", "Other"]


async def test_the_last_of_a_window_has_what_was_prefetched(db, shop, library):
    await shop(db)
    query = db.select(library.Book).only("title").prefetch_related("author")
    book = await query.limit(3).fetch_last()
    assert (book.title, book.author.name) == ("Other", "Ada")


async def test_a_path_goes_on_from_rows_that_are_fetched_in_part(
    db, shop, library, many
):
    await shop(db)
    some = unwrap(db.select(library.Book).only("title"))
    query = db.select(library.Author).order("pk")
    ada = await query.prefetch_related(
        Prefetch("books", some), "books__editor"
    ).fetch_one()
    books = await many(ada.books).fetch_all()
    assert [book.editor.name for book in books] == ["Bob", "Bob"]


async def test_what_a_prefetch_joins_is_kept(db, orm, many):
    class Country(orm.BaseDBModel):
        name: str

    class Writer(orm.BaseDBModel):
        country: orm.ForeignKey[Country] = orm.ForeignKey(Country, related_name="all")

    class Text(orm.BaseDBModel):
        writer: orm.ForeignKey[Writer] = orm.ForeignKey(Writer, related_name="texts")

    await Models(Country=Country, Writer=Writer, Text=Text).create(db)
    writer = await db.insert(Writer(country=await db.insert(Country(name="Peru"))))
    await db.insert(Text(writer=writer))
    db.forbid_lazy()
    texts = unwrap(db.select(Text).select_related("writer__country"))
    query = db.select(Writer).prefetch_related(Prefetch("texts", texts))
    (text,) = await many((await query.fetch_one()).texts).fetch_all()
    assert text.writer.country.name == "Peru"


# --- what is no path, no list, no query --------------------------------------------------


async def test_an_object_is_no_list_for_in(db, shop, library):
    ada, _ = await shop(db)
    with pytest.raises(TypeError, match="requires a list"):
        await db.select(library.Book).filter(author__in=ada).fetch_all()


async def test_a_handle_is_no_query_of_a_prefetch(db, shop):
    ada, _ = await shop(db)
    with pytest.raises(TypeError, match="query"):
        Prefetch("books", ada.books)


@pytest.mark.parametrize("path", [None, ["books"], 3], ids=repr)
def test_a_path_is_text(db, library, path):
    with pytest.raises(TypeError, match="path"):
        db.select(library.Author).prefetch_related(path)


# --- exact names win over operators ------------------------------------------------------


@pytest.mark.parametrize("name", ["like", "isnull", "contains"])
async def test_a_relation_named_like_an_operator_is_the_relation(db, declare, name):
    shop = declare(
        f"""
        class Author(BaseDBModel):
            name: str
        class Book(BaseDBModel):
            author: ForeignKey[Author] = ForeignKey(Author, related_name={name!r})
        """
    )
    for model in (shop.Author, shop.Book):
        await db.create_table(model)
    ada, bob = [await db.insert(shop.Author(name=each)) for each in ("Ada", "Bob")]
    book = await db.insert(shop.Book(author=ada))
    await db.insert(shop.Book(author=bob))
    found = await db.select(shop.Book).filter(**{f"author__{name}": book}).fetch_all()
    assert found == [book]
    assert await db.select(shop.Author).filter(**{name: book}).fetch_all() == [ada]


async def test_a_field_named_like_an_operator_is_the_field(db, declare):
    shop = declare(
        """
        class Author(BaseDBModel):
            like: str
        class Book(BaseDBModel):
            author: ForeignKey[Author] = ForeignKey(Author, related_name="books")
        """
    )
    for model in (shop.Author, shop.Book):
        await db.create_table(model)
    book = await db.insert(shop.Book(author=await db.insert(shop.Author(like="a%"))))
    await db.insert(shop.Book(author=await db.insert(shop.Author(like="abc"))))
    assert await db.select(shop.Book).filter(author__like="a%").fetch_all() == [book]
