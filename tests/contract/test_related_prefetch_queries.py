"""`Prefetch(path, query)`: which related rows, in which order, and how many for each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from contract.library import Library, initial, spell, stocked
from support import Colour

pytestmark = pytest.mark.only("memory")  # what is asked is the same in a file


@pytest.fixture
def db(logged_db: Any) -> Any:
    """Every statement is seen, so nothing is loaded unnoticed."""
    return logged_db


async def table(lib: Library, rows: list[Any], name: str) -> dict[str, str]:
    """The first letters of what each row holds, in its order."""
    return {
        initial(row): spell(await lib.many(getattr(row, name)).fetch_all())
        for row in rows
    }


BOOKS: list[tuple[Callable[[Any], Any], dict[str, str]]] = [
    (lambda q: q.filter(pages__gt=300), {"J": "E", "S": "F", "A": ""}),
    (lambda q: q.filter(pages=7), {"J": "", "S": "", "A": ""}),
    (lambda q: q.order("pages"), {"J": "PE", "S": "SF", "A": ""}),
    (lambda q: q.order("-title"), {"J": "PE", "S": "SF", "A": ""}),
    (lambda q: q.order("title"), {"J": "EP", "S": "FS", "A": ""}),
    (lambda q: q.order("pages").limit(1), {"J": "P", "S": "S", "A": ""}),
    (lambda q: q.order("-pages").limit(1), {"J": "E", "S": "F", "A": ""}),
    (lambda q: q.order("pages").offset(1), {"J": "E", "S": "F", "A": ""}),
    (lambda q: q.order("pages").offset(1).limit(5), {"J": "E", "S": "F", "A": ""}),
    (lambda q: q.limit(0), {"J": "", "S": "", "A": ""}),
    (lambda q: q.filter(editor=None).order("pk"), {"J": "P", "S": "S", "A": ""}),
    (lambda q: q.filter(editor__name="Ada"), {"J": "E", "S": "", "A": ""}),
    (lambda q: q.filter(tags__name="space").order("pk"), {"J": "", "S": "SF", "A": ""}),
    (lambda q: q.order("editor__name", "pk").limit(1), {"J": "P", "S": "S", "A": ""}),
    (lambda q: q.filter(author=1).order("pk"), {"J": "EP", "S": "", "A": ""}),
]


@pytest.mark.parametrize(("narrow", "expected"), BOOKS)
async def test_of_a_reverse_key(
    db: Any, colour: Colour, statements: Any, narrow: Any, expected: dict[str, str]
) -> None:
    lib = await stocked(db, colour)
    chosen = lib.prefetch("books", narrow(db.select(lib.Book)))
    with statements.watch():
        authors = await db.select(lib.Author).prefetch_related(chosen).fetch_all()
        assert await table(lib, authors, "books") == expected
    assert len(statements.statements) == 2


TAGS: list[tuple[Callable[[Any], Any], dict[str, str]]] = [
    (lambda q: q.filter(name="space"), {"E": "", "S": "s", "P": "", "F": "s"}),
    (lambda q: q.order("name"), {"E": "c", "S": "cs", "P": "", "F": "s"}),
    (lambda q: q.order("-name"), {"E": "c", "S": "sc", "P": "", "F": "s"}),
    (lambda q: q.order("-name").limit(1), {"E": "c", "S": "s", "P": "", "F": "s"}),
    (lambda q: q.order("name").offset(1), {"E": "", "S": "s", "P": "", "F": ""}),
]


@pytest.mark.parametrize(("narrow", "expected"), TAGS)
async def test_of_many_to_many(
    db: Any, colour: Colour, statements: Any, narrow: Any, expected: dict[str, str]
) -> None:
    lib = await stocked(db, colour)
    chosen = lib.prefetch("tags", narrow(db.select(lib.Tag)))
    with statements.watch():
        books = await db.select(lib.Book).prefetch_related(chosen).fetch_all()
        assert await table(lib, books, "tags") == expected
    assert len(statements.statements) == 2


async def test_of_friends(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    last = lib.prefetch("friends", db.select(lib.Person).order("-name").limit(2))
    first = lib.prefetch("followers", db.select(lib.Person).order("name").limit(1))
    people = await db.select(lib.Person).prefetch_related(last, first).fetch_all()
    friends = {"P": "RQ", "Q": "RP", "R": "QP", "S": ""}
    assert await table(lib, people, "friends") == friends
    followers = {"P": "Q", "Q": "P", "R": "P", "S": ""}
    assert await table(lib, people, "followers") == followers


async def test_of_a_deeper_level(db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(db, colour)
    good = lib.prefetch("books__comments", db.select(lib.Comment).filter(stars__gt=1))
    with statements.watch():
        query = db.select(lib.Author).prefetch_related(good).order("pk")
        jane = await query.fetch_first()
        books = await lib.many(jane.books).fetch_all()
        counts = {b.title: await lib.many(b.comments).count() for b in books}
        assert counts == {"Emma": 1, "Persuasion": 0}
    assert len(statements.statements) == 3


async def test_above_a_deeper_level(db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(db, colour)
    thick = lib.prefetch("books", db.select(lib.Book).order("-pages").limit(1))
    with statements.watch():
        query = db.select(lib.Author).prefetch_related(thick, "books__tags")
        jane, stan, _ = await query.order("pk").fetch_all()
        assert await table(lib, [jane, stan], "books") == {"J": "E", "S": "F"}
        (emma,) = await lib.many(jane.books).fetch_all()
        assert await table(lib, [emma], "tags") == {"E": "c"}
        assert emma.author is jane
    assert len(statements.statements) == 3


async def test_the_wrapper_holds_what_was_chosen(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    chosen = lib.prefetch("books", db.select(lib.Book).filter(title="Emma"))
    jane = await db.select(lib.Author).prefetch_related(chosen).fetch_first()
    assert await lib.many(jane.books).count() == 1
    assert (await lib.many(jane.books).fetch_one()).title == "Emma"
    again = lib.many(jane.books).filter(pages__gt=0)
    assert await again.count() == 2


async def test_the_query_stays_as_it_was(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).order("-pages").limit(1)
    before = query.to_sql()
    chosen = lib.prefetch("books", query)
    for _ in range(2):
        authors = await db.select(lib.Author).prefetch_related(chosen).fetch_all()
        assert await table(lib, authors, "books") == {"J": "E", "S": "F", "A": ""}
    assert query.to_sql() == before
    assert spell(await query.fetch_all()) == "E"


async def test_later_changes_of_the_query_do_not_reach_the_prefetch(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).order("title")
    root = db.select(lib.Author).prefetch_related(lib.prefetch("books", query))
    query.filter(title="Emma")
    assert (await table(lib, await root.fetch_all(), "books"))["S"] == "FS"


async def test_related_rows_of_the_query(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).select_related("editor").order("pk")
    root = db.select(lib.Author).prefetch_related(lib.prefetch("books", query))
    with statements.watch():
        jane = await root.order("pk").fetch_first()
        books = await lib.many(jane.books).fetch_all()
        assert [b.editor and b.editor.name for b in books] == ["Ada", None]
    assert len(statements.statements) == 2


async def test_many_parents_with_windows(
    db: Any, colour: Colour, statements: Any
) -> None:
    """As many as there are, it stays one statement per level."""
    lib = await stocked(db, colour)
    authors = [lib.Author(name=f"N{n}", country_id=1) for n in range(600)]
    await db.bulk_insert(authors)
    books = [
        lib.Book(title=f"{part}", pages=part, author_id=author.pk)
        for author in authors
        for part in range(3)
    ]
    await db.bulk_insert(books)
    chosen = lib.prefetch("books", db.select(lib.Book).order("-pages").limit(2))
    with statements.watch():
        query = db.select(lib.Author).filter(name__startswith="N")
        found = await query.prefetch_related(chosen).fetch_all()
        for author in found:
            titles = [b.title for b in await lib.many(author.books).fetch_all()]
            assert titles == ["2", "1"]
    assert len(found) == 600
    assert len(statements.statements) == 2
