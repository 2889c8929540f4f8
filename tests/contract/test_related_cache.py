"""The result cache and relations: an entry depends on every table that was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from contract.library import Library, initial, spell, stocked
from support import Colour


@pytest.fixture
def db(make_db: Any, statements: Any) -> Any:
    """A database that caches, and logs what it really runs."""
    return make_db(cache_enabled=True, debug=True, logger=statements.logger)


Make = Callable[[Any, Library], Any]


async def read(query: Any) -> Any:
    """What a query answers."""
    if query.projection_mode:
        return await query.fetch_dicts()
    return await query.fetch_all()


async def selects(statements: Any, query: Any) -> int:
    """How many statements an answer costs."""
    with statements.watch():
        await read(query)
    return len(statements.starting("SELECT"))


# The same question

READS: dict[str, Make] = {
    "select_related": lambda db, lib: db.select(lib.Book).select_related("author"),
    "two hops": lambda db, lib: db.select(lib.Comment).select_related("book__author"),
    "filter": lambda db, lib: db.select(lib.Book).filter(author__name="Jane"),
    "deep filter": lambda db, lib: db.select(lib.Comment).filter(
        book__author__name="Jane"
    ),
    "order": lambda db, lib: db.select(lib.Book).order("author__name"),
    "reverse filter": lambda db, lib: db.select(lib.Country).filter(
        authors__name="Jane"
    ),
    "filter through links": lambda db, lib: db.select(lib.Tag).filter(
        books__author__name="Jane"
    ),
    "none": lambda db, lib: db.select(lib.Country).filter(authors__isnull=True),
    "prefetch": lambda db, lib: db.select(lib.Country).prefetch_related("authors"),
    "prefetch forward": lambda db, lib: db.select(lib.Book).prefetch_related("author"),
    "nested prefetch": lambda db, lib: db.select(lib.Tag).prefetch_related(
        "books__author"
    ),
    "count": lambda db, lib: db.select(lib.Country).with_count("authors"),
    "deep count": lambda db, lib: db.select(lib.Country).with_count("authors__books"),
}


@pytest.mark.parametrize("name", READS)
@pytest.mark.only("memory")
async def test_a_repeated_read_runs_no_statement(
    db: Any, colour: Colour, statements: Any, name: str
) -> None:
    lib = await stocked(db, colour)
    first = await read(READS[name](db, lib))
    assert await selects(statements, READS[name](db, lib)) == 0
    assert await read(READS[name](db, lib)) == first


@pytest.mark.defect("D-02")
@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("change", ["update", "bulk update", "insert"])
@pytest.mark.only("memory")
async def test_a_change_of_a_related_table_is_seen(
    db: Any, colour: Colour, statements: Any, name: str, change: str
) -> None:
    lib = await stocked(db, colour)
    await read(READS[name](db, lib))
    if change == "update":
        jane = await db.get(lib.Author, 1)
        jane.name = "Zoe"
        await db.update(jane)
    elif change == "bulk update":
        await db.update_where(lib.Author, {"name": "Jane"}, {"name": "Zoe"})
    else:
        await db.insert(lib.Author(name="Zoe", country_id=2))
    assert await selects(statements, READS[name](db, lib)) > 0
    fresh = await read(READS[name](db, lib).bypass_cache())
    assert await read(READS[name](db, lib)) == fresh


async def test_a_change_elsewhere_is_none_of_its_business(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    for name in READS:
        await read(READS[name](db, lib))
    await db.insert(lib.Node(name="far away"))
    for name in READS:
        assert await selects(statements, READS[name](db, lib)) == 0


@pytest.mark.defect("D-02")
async def test_a_new_name_of_a_related_row(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)

    async def names() -> list[str]:
        query = db.select(lib.Book).select_related("author").order("pk")
        return [book.author.name for book in await query.fetch_all()]

    assert await names() == ["Jane", "Stan", "Jane", "Stan"]
    await db.update_where(lib.Author, {"name": "Jane"}, {"name": "Zoe"})
    assert await names() == ["Zoe", "Stan", "Zoe", "Stan"]


LINKED: dict[str, Make] = {
    "filter": lambda db, lib: db.select(lib.Book).filter(tags__name="space"),
    "none": lambda db, lib: db.select(lib.Book).filter(tags__isnull=True),
    "from afar": lambda db, lib: db.select(lib.Author).filter(books__tags=2),
    "other side": lambda db, lib: db.select(lib.Tag).filter(books__title="Emma"),
    "prefetch": lambda db, lib: db.select(lib.Book).prefetch_related("tags"),
    "reverse prefetch": lambda db, lib: db.select(lib.Tag).prefetch_related("books"),
    "count": lambda db, lib: db.select(lib.Book).with_count("tags"),
    "reverse count": lambda db, lib: db.select(lib.Tag).with_count("books"),
}


@pytest.mark.defect("D-02")
@pytest.mark.parametrize("name", LINKED)
@pytest.mark.parametrize("change", ["add", "remove", "clear", "set", "cascade"])
@pytest.mark.only("memory")
async def test_a_change_of_the_links_is_seen(
    db: Any, colour: Colour, statements: Any, name: str, change: str
) -> None:
    lib = await stocked(db, colour)
    solaris, space = await db.get(lib.Book, 2), await db.get(lib.Tag, 2)
    await read(LINKED[name](db, lib))
    assert await selects(statements, LINKED[name](db, lib)) == 0
    tags = lib.many(solaris.tags)
    if change == "add":
        await tags.add(await db.get(lib.Tag, 3))
    elif change == "remove":
        await tags.remove(space)
    elif change == "clear":
        await lib.many(space.books).clear()
    elif change == "set":
        await tags.set(await db.get(lib.Tag, 1))
    else:
        await db.delete(lib.Tag, 2)
    assert await selects(statements, LINKED[name](db, lib)) > 0


@pytest.mark.defect("D-02")
async def test_new_friends_are_seen(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)

    async def friends() -> tuple[str, dict[str, str], int]:
        query = db.select(lib.Person).filter(friends__name="Sue").order("pk")
        people = await db.select(lib.Person).prefetch_related("friends").fetch_all()
        held = {
            initial(p): spell(await lib.many(p.friends).fetch_all()) for p in people
        }
        counted = await db.select(lib.Person).with_count("friends").fetch_dicts()
        return (
            spell(await query.fetch_all()),
            held,
            sum(row["count"] for row in counted),
        )

    found, held, total = await friends()
    assert (found, held["S"], total) == ("", "", 7)
    sue, rob = await db.get(lib.Person, 4), await db.get(lib.Person, 3)
    await lib.many(sue.friends).add(rob)
    found, held, total = await friends()
    assert (found, held["S"], total) == ("R", "R", 9)
    assert "S" in held["R"]


# What a hit brings along


async def test_a_hit_brings_the_related_rows(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    for _ in range(2):
        query = db.select(lib.Book).select_related("author__country")
        with statements.watch():
            book = await query.prefetch_related("tags", "comments").fetch_first()
            assert book.author.country.name == "England"
            assert spell(await lib.many(book.tags).fetch_all()) == "c"
            assert await lib.many(book.comments).count() == 2
    assert statements.statements == []


@pytest.mark.defect("D-04")
async def test_what_is_done_to_a_related_row_stays_there(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)

    async def jane() -> Any:
        query = db.select(lib.Author).select_related("country")
        return await query.prefetch_related("books__tags").order("pk").fetch_first()

    first = await jane()
    first.country.name = "changed"
    (emma, *_) = await lib.many(first.books).order("pk").fetch_all()
    emma.title = "changed"
    first.__dict__["_prefetch_cache"]["books"][0].title = "changed"
    second = await jane()
    assert second.country.name == "England"
    titles = [book.title for book in await lib.many(second.books).fetch_all()]
    assert sorted(titles) == ["Emma", "Persuasion"]


@pytest.mark.defect("D-04")
async def test_a_nested_prefetch_leaves_no_rows_behind(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    nested = db.select(lib.Author).prefetch_related("books__comments")
    await nested.fetch_all()
    await db.insert(lib.Comment(text="new", book_id=1))
    jane = await db.select(lib.Author).prefetch_related("books").order().fetch_first()
    books = {b.title: b for b in await lib.many(jane.books).fetch_all()}
    assert await lib.many(books["Emma"].comments).count() == 3


# Without the cache


@pytest.mark.defect("D-31")
async def test_bypass_reaches_the_prefetched_rows(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)

    def query() -> Any:
        return db.select(lib.Author).prefetch_related("books__tags")

    await read(query())
    before = db.get_cache_stats()
    for _ in range(2):
        assert await selects(statements, query().bypass_cache()) == 3
    assert db.get_cache_stats() == before
    assert await selects(statements, query()) == 0


@pytest.mark.defect("D-31")
@pytest.mark.only("file")
async def test_bypass_reads_what_another_program_wrote(
    db: Any, make_db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).prefetch_related("books").order("pk")
    await query.fetch_all()
    other = make_db(filename=db.filename)
    await other.update_where(lib.Book, {"title": "Emma"}, {"title": "Other"})
    jane = await query.bypass_cache().fetch_first()
    titles = [book.title for book in await lib.many(jane.books).fetch_all()]
    assert sorted(titles) == ["Other", "Persuasion"]
