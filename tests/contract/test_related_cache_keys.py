"""The result cache and relations: different questions never share an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from contract.library import Library, spell, stocked
from support import Colour

from sqliter.expressions import F


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


BOOKS: list[Callable[[Any], Any]] = [
    lambda q: q,
    lambda q: q.filter(author__name="Jane"),
    lambda q: q.filter(editor__name="Jane"),
    lambda q: q.filter(author__name="Ada"),
    lambda q: q.filter(author__country__name="Jane"),
    lambda q: q.filter(editor__country__name="Jane"),
    lambda q: q.filter(author=1),
    lambda q: q.filter(editor=1),
    lambda q: q.filter(tags__name="Jane"),
    lambda q: q.filter(tags__books__title="Jane"),
    lambda q: q.filter(comments__text="Jane"),
    lambda q: q.filter(tags__isnull=True),
    lambda q: q.filter(tags__isnull=False),
    lambda q: q.filter(comments__isnull=True),
    lambda q: q.filter(comments__text="bad", comments__stars=5),
    lambda q: q.filter(comments__text="bad").filter(comments__stars=5),
    lambda q: q.order("author__name"),
    lambda q: q.order("editor__name"),
    lambda q: q.order("-author__name"),
    lambda q: q.select_related("author"),
    lambda q: q.select_related("editor"),
    lambda q: q.select_related("author__country"),
    lambda q: q.select_related("author").only("title"),
    lambda q: q.only("title"),
    lambda q: q.prefetch_related("tags"),
    lambda q: q.prefetch_related("comments"),
    lambda q: q.prefetch_related("author"),
    lambda q: q.prefetch_related("author__books"),
    lambda q: q.prefetch_related("tags__books"),
    lambda q: q.with_count("tags"),
    lambda q: q.with_count("comments"),
    lambda q: q.with_count("tags", distinct=True),
    lambda q: q.with_count("tags", "n"),
    lambda q: q.with_count("author__books"),
]


@pytest.mark.defect("D-01")
async def test_different_questions_share_nothing(
    db: Any, colour: Colour, statements: Any
) -> None:
    lib = await stocked(db, colour)
    for make in BOOKS:
        assert await selects(statements, make(db.select(lib.Book))) > 0
    for make in BOOKS:
        plain = await read(make(db.select(lib.Book)).bypass_cache())
        assert await read(make(db.select(lib.Book))) == plain


@pytest.mark.defect("D-01")
@pytest.mark.parametrize(
    ("first", "second", "answers"),
    [
        ({"author__name": "Jane"}, {"editor__name": "Jane"}, ("EP", "F")),
        ({"author__country_id": 1}, {"editor__country_id": 1}, ("EP", "EF")),
        ({"author__pk": 1}, {"editor__pk": 1}, ("EP", "F")),
        ({"author__books__pk": 1}, {"editor__books__pk": 1}, ("EP", "F")),
        ({"tags__pk": 2}, {"comments__pk": 2}, ("SF", "E")),
    ],
)
async def test_two_ways_to_one_table(
    db: Any, colour: Colour, first: Any, second: Any, answers: tuple[str, str]
) -> None:
    lib = await stocked(db, colour)
    for conditions, expected in zip((first, second), answers, strict=True):
        query = db.select(lib.Book).filter(**conditions).order("pk")
        assert spell(await query.fetch_all()) == expected


async def test_prefetches_with_different_queries_share_nothing(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)

    async def held(query: Any) -> str:
        root = db.select(lib.Author).prefetch_related(lib.prefetch("books", query))
        jane = await root.order("pk").fetch_first()
        return spell(await lib.many(jane.books).fetch_all())

    books = db.select(lib.Book)
    assert await held(books.clone().order("title")) == "EP"
    assert await held(books.clone().order("-title")) == "PE"
    assert await held(books.clone().order("title").limit(1)) == "E"
    assert await held(books.clone().filter(title="Persuasion")) == "P"
    assert await held(books.clone().filter(editor__name="Ada")) == "E"


async def test_values_along_different_keys_share_nothing(
    db: Any, colour: Colour
) -> None:
    lib = await stocked(db, colour)
    books = db.select(lib.Book).order("pk")
    verbs = [
        lambda query, key: query.values(f"{key}__name"),
        lambda query, key: query.scalars(f"{key}__name", distinct=True),
        lambda query, key: query.tuples("title", F(f"{key}__name") + "!"),
        lambda query, key: query.max(f"{key}__name"),
    ]
    for ask in verbs:
        for key in ("author", "editor"):
            plain = await ask(books.clone().bypass_cache(), key)
            assert await ask(books.clone(), key) == plain
        assert (
            len({repr(await ask(books.clone(), k)) for k in ("author", "editor")}) == 2
        )
