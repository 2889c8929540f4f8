"""How many statements relations cost, whatever the number of rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from contract.library import Library, stocked
from support import Colour

pytestmark = pytest.mark.only("memory")  # what is asked is the same in a file

Make = Callable[[Any, Library], Any]


@pytest.fixture
def db(logged_db: Any) -> Any:
    return logged_db


COSTS: list[tuple[str, Make, int]] = [
    ("plain", lambda db, lib: db.select(lib.Book), 1),
    ("select_related", lambda db, lib: db.select(lib.Book).select_related("author"), 1),
    (
        "select_related, deep and wide",
        lambda db, lib: db.select(lib.Comment).select_related(
            "book__author__country", "book__editor__country"
        ),
        1,
    ),
    ("filter", lambda db, lib: db.select(lib.Book).filter(author__name="Jane"), 1),
    ("filter to many", lambda db, lib: db.select(lib.Book).filter(tags__name="x"), 1),
    ("order", lambda db, lib: db.select(lib.Book).order("author__country__name"), 1),
    ("reverse key", lambda db, lib: db.select(lib.Author).prefetch_related("books"), 2),
    ("many to many", lambda db, lib: db.select(lib.Book).prefetch_related("tags"), 2),
    ("backwards", lambda db, lib: db.select(lib.Tag).prefetch_related("books"), 2),
    ("friends", lambda db, lib: db.select(lib.Person).prefetch_related("friends"), 2),
    ("forward", lambda db, lib: db.select(lib.Book).prefetch_related("author"), 2),
    (
        "reverse, reverse",
        lambda db, lib: db.select(lib.Author).prefetch_related("books__comments"),
        3,
    ),
    (
        "reverse, many to many",
        lambda db, lib: db.select(lib.Author).prefetch_related("books__tags"),
        3,
    ),
    (
        "many to many twice",
        lambda db, lib: db.select(lib.Book).prefetch_related("tags__books"),
        3,
    ),
    (
        "a path and its beginning",
        lambda db, lib: db.select(lib.Author).prefetch_related(
            "books", "books__comments"
        ),
        3,
    ),
    (
        "two ends of one path",
        lambda db, lib: db.select(lib.Author).prefetch_related(
            "books__comments", "books__tags"
        ),
        4,
    ),
    (
        "side by side",
        lambda db, lib: db.select(lib.Book).prefetch_related("comments", "tags"),
        3,
    ),
    (
        "with select_related",
        lambda db, lib: (
            db.select(lib.Book).select_related("author").prefetch_related("comments")
        ),
        2,
    ),
    (
        "nothing at the other end",
        lambda db, lib: db.select(lib.Tag).filter(pk=3).prefetch_related("books__tags"),
        2,
    ),
]


@pytest.mark.parametrize(
    ("make", "expected"),
    [row[1:] for row in COSTS],
    ids=[row[0].replace(" ", "_") for row in COSTS],
)
async def test_of_a_read(
    db: Any, colour: Colour, statements: Any, make: Make, expected: int
) -> None:
    lib = await stocked(db, colour)
    with statements.watch():
        await make(db, lib).fetch_all()
    assert len(statements.statements) == expected


async def test_they_do_not_grow_with_the_rows(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    await db.bulk_insert([lib.Author(name=str(n), country_id=1) for n in range(500)])
    authors = await db.select(lib.Author).fetch_all()
    await db.bulk_insert([lib.Book(title="b", author=author) for author in authors])
    query = db.select(lib.Country).prefetch_related("authors__books__tags")
    with statements.watch():
        await query.fetch_all()
    assert len(statements.statements) == 4


async def test_lazy_keys_cost_one_each(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    with statements.watch():
        books = await db.select(lib.Book).fetch_all()
        for book in books:
            assert (await db.load(book.author)).name in ("Jane", "Stan")
            assert (await db.load(book.author)).name in ("Jane", "Stan")
    assert len(statements.statements) == 1 + len(books)


async def test_lazy_links_cost_one_each(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    with statements.watch():
        books = await db.select(lib.Book).fetch_all()
        for book in books:
            await lib.many(book.tags).fetch_all()
    assert len(statements.statements) == 1 + len(books)


@pytest.mark.defect("D-30")
async def test_the_parent_of_a_prefetched_row_costs_nothing(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    with statements.watch():
        authors = await db.select(lib.Author).prefetch_related("books").fetch_all()
        for author in authors:
            for book in await lib.many(author.books).fetch_all():
                assert book.author.name == author.name
    assert len(statements.statements) == 2


@pytest.mark.parametrize("conditions", [{"author__name": "Jane"}, {"tags__name": "x"}])
@pytest.mark.parametrize("terminal", ["count", "exists"])
async def test_count_and_exists_cost_one(
    db: Any, colour: Colour, statements: Any, terminal: str, conditions: Any
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).select_related("author").prefetch_related("tags")
    with statements.watch():
        await getattr(query.filter(**conditions), terminal)()
    assert len(statements.statements) == 1


@pytest.mark.parametrize("conditions", [{"author__name": "Jane"}, {"tags__name": "x"}])
async def test_bulk_writes_cost_one(
    db: Any, colour: Colour, statements: Any, conditions: dict[str, Any]
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(**conditions).select_related("editor")
    async with db:
        with statements.watch():
            await query.update({"pages": 1})
            await query.delete()
    words = [text.split()[0] for text in statements.statements]
    assert [word for word in words if word in ("SELECT", "UPDATE", "DELETE")] == [
        "UPDATE",
        "DELETE",
    ]


async def test_counts_of_relations_cost_one(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Author).with_count("books", "b").with_count("edited", "e")
    with statements.watch():
        await query.fetch_dicts()
    assert len(statements.statements) == 1


@pytest.mark.defect("D-53")
@pytest.mark.parametrize(
    "paths", list(itertools.permutations(["tags", "comments", "author"]))
)
async def test_statements_follow_the_order_of_the_paths(
    db: Any, colour: Colour, statements: Any, paths: tuple[str, ...]
) -> None:
    lib = await stocked(db, colour)
    with statements.watch():
        await db.select(lib.Book).prefetch_related(*paths).fetch_all()
    tables = {"tags": '"tags"', "comments": '"comments"', "author": '"authors"'}
    for path, text in zip(paths, statements.statements[1:], strict=True):
        assert tables[path] in text
