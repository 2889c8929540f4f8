"""`search()`: which rows it finds, in which order, and with what it can be put together."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from support import unwrap

from sqliter.exceptions import (
    InvalidOrderError,
    InvalidProjectionError,
    InvalidSearchError,
    RecordFetchError,
)
from sqliter.model import BaseDBModel, FullText
from sqliter.query import func
from sqliter.query.search import Hit

ARTICLES = [
    ("Sailing", "Wind and waves, far from the harbour.", 3),
    ("The harbour", "A harbour is where boats sleep.", 5),
    ("Café by the sea", None, 5),
    (
        "Storms",
        "Sailors fear them at sea, and so do those on land, men and beasts alike.",
        1,
    ),
]


class Article(BaseDBModel):
    title: str
    body: str | None = None
    stars: int = 0

    class Meta:
        fts = ("title", "body")
        table_name = "articles"


class Story(BaseDBModel):
    text: str

    class Meta:
        fts = FullText(["text"], tokenizer="porter", prefixes=[2, 3])
        table_name = "stories"


class Plain(BaseDBModel):
    text: str


async def stocked(db: Any) -> Any:
    await db.create_table(Article)
    rows = [Article(title=t, body=b, stars=s) for t, b, s in ARTICLES]
    await db.bulk_insert(rows)
    return db


async def titles(query: Any) -> list[str]:
    return [row.title for row in await query.fetch_all()]


async def found(db: Any, text: str, **options: Any) -> set[str]:
    return set(await titles(db.select(Article).search(text, **options)))


WORDS = [
    ("harbour", {"Sailing", "The harbour"}),
    ("HARBOUR boats", {"The harbour"}),
    ("harbour -boats", {"Sailing"}),
    ('"the harbour"', {"Sailing", "The harbour"}),
    ('"harbour the"', set()),
    ("sail*", {"Sailing", "Storms"}),
    ("sail", set()),
    ("cafe", {"Café by the sea"}),
    ("title:sea", set()),
    ("", set()),
    ("-harbour", set()),
    ("'; DROP TABLE articles; --", set()),
]


@pytest.mark.parametrize(("text", "expected"), WORDS)
async def test_what_is_found(db: Any, text: str, expected: set[str]) -> None:
    await stocked(db)
    assert await found(db, text) == expected


async def test_the_syntax_of_fts5(db: Any) -> None:
    await stocked(db)
    assert await found(db, "title : sea", raw=True) == {"Café by the sea"}
    assert await found(db, "boats OR storms", raw=True) == {"The harbour", "Storms"}
    assert await found(db, " ", raw=True) == set()


@pytest.mark.parametrize("text", ["sea (", "AND", "nothing : sea", '"sea', "*sea"])
async def test_a_wrong_expression(db: Any, text: str) -> None:
    await stocked(db)
    query = db.select(Article).search(text, raw=True)
    for verb in (query.fetch_all, query.fetch_first, query.count, query.exists, query.delete, query.fetch_hits):  # fmt: skip
        with pytest.raises(InvalidSearchError, match="leave raw=True out") as caught:
            await verb()
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    broken = db.select(Article).search('"', raw=True)
    for ask in (
        lambda: broken.values("title"),
        lambda: broken.scalars("title"),
        lambda: broken.sum("stars"),
        lambda: broken.paginate(),
    ):
        with pytest.raises(InvalidSearchError, match="leave raw=True out"):
            await ask()
    with pytest.raises(InvalidSearchError):
        await query.update({"stars": 1})
    assert await db.select(Article).count() == 4


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_no_expression_can_have(db: Any, text: str) -> None:
    with pytest.raises(InvalidSearchError):
        db.select(Article).search(text, raw=True)


async def test_other_errors_stay_what_they_are(db: Any) -> None:
    with pytest.raises(RecordFetchError, match=r"create_table\(Article\) makes"):
        await db.select(Article).search("sea", raw=True).fetch_all()


async def test_word_forms_and_accents(db: Any) -> None:
    await db.create_table(Story)
    await db.insert(Story(text="She was running over Ångström's fields"))
    for text in ("run", "runs", "field", "angstrom", "fi*"):
        assert await db.select(Story).search(text).count() == 1


# --- in which order ---


async def test_the_best_match_comes_first(db: Any) -> None:
    await stocked(db)
    query = db.select(Article).search("sea")
    assert await titles(query) == ["Café by the sea", "Storms"]
    assert (await query.fetch_first()).title == "Café by the sea"
    assert (await query.fetch_last()).title == "Storms"
    assert (await query.clone().limit(1).fetch_last()).title == "Café by the sea"
    assert await titles(query.clone().limit(1).offset(1)) == ["Storms"]
    assert await titles(query.clone().order("-_rank")) == ["Storms", "Café by the sea"]
    assert await titles(query.clone().order("stars")) == ["Storms", "Café by the sea"]
    assert (await query.clone().order("stars").limit(2).fetch_last()).stars == 5
    assert await titles(query.clone().order("_rank", "title")) == await titles(query)
    assert [row.title async for row in each(query)] == await titles(query)


async def each(query: Any) -> Any:
    rows = query.iterate(batch=1)
    if hasattr(rows, "__aiter__"):
        async for row in rows:
            yield row
    else:
        for row in rows:
            yield row


async def test_fields_weigh_differently(db: Any) -> None:
    await stocked(db)
    query = db.select(Article)
    heavy = query.clone().search("harbour", weights={"title": 10})
    light = query.clone().search("harbour", weights={"title": 0, "body": 1e-9})
    assert await titles(heavy) == ["The harbour", "Sailing"]
    assert await heavy.count() == await light.count() == 2
    ranks = [hit.rank for hit in await heavy.fetch_hits()]
    assert ranks == sorted(ranks)
    assert ranks != [hit.rank for hit in await light.fetch_hits()]


async def test_a_field_may_be_called_like_the_rank(db: Any) -> None:
    class Result(BaseDBModel):
        text: str
        rank: int

        class Meta:
            fts = ["text"]

    await db.create_table(Result)
    await db.bulk_insert(
        [Result(text="sea sea", rank=2), Result(text="sea and", rank=1)]
    )
    query = db.select(Result).search("sea")
    assert [row.rank for row in await query.fetch_all()] == [2, 1]
    assert [row.rank for row in await query.order("rank").fetch_all()] == [1, 2]
    assert [row.rank for row in await query.order("_rank").fetch_all()] == [2, 1]


async def test_a_rank_needs_a_search(db: Any) -> None:
    await stocked(db)
    with pytest.raises(InvalidOrderError, match="call search"):
        db.select(Article).order("_rank")
    groups = db.select(Article).search("sea").group_by("stars").annotate(n=func.count())
    with pytest.raises(InvalidOrderError):
        groups.order("_rank")
    ranked = db.select(Article).search("sea").order("_rank").group_by("stars")
    with pytest.raises(InvalidProjectionError, match="no rank"):
        await ranked.fetch_dicts()


# --- with what it can be put together ---


async def test_with_filters_windows_and_counts(db: Any) -> None:
    await stocked(db)
    query = db.select(Article).search("harbour OR sea", raw=True)
    assert await titles(query.clone().filter(stars=1)) == ["Storms"]
    assert await query.count() == 4
    assert await query.clone().filter(stars__gt=3).count() == 2
    assert await query.clone().limit(3).offset(2).count() == 2
    assert await query.exists()
    assert not await query.clone().filter(stars=99).exists()
    assert (
        await query.clone().fields(["title"]).filter(stars=1).fetch_one()
    ).title == "Storms"
    assert query.filters == [("articles_fts", "harbour OR sea", "__match")]


async def test_two_searches(db: Any) -> None:
    await stocked(db)
    query = db.select(Article).search("harbour").search("boats")
    assert await titles(query) == ["The harbour"]
    assert await query.count() == 1
    (hit,) = await query.fetch_hits("body")
    assert hit.texts == {"body": "A harbour is where <b>boats</b> sleep."}
    first = (
        db.select(Article).search("sea").order("_rank").search("fear* OR by", raw=True)
    )
    assert await titles(first) == ["Café by the sea", "Storms"]


async def test_changing_what_is_found(db: Any) -> None:
    await stocked(db)
    assert await db.select(Article).search("harbour").update({"body": "changed"}) == 2
    assert await found(db, "changed") == {"Sailing", "The harbour"}
    assert await found(db, "waves") == set()
    assert await db.select(Article).search("changed").filter(stars=5).delete() == 1
    assert await found(db, "changed") == {"Sailing"}


async def test_groups_of_what_is_found(db: Any) -> None:
    await stocked(db)
    groups = db.select(Article).search("sea").group_by("stars").annotate(n=func.count())
    assert await groups.order("stars").fetch_dicts() == [
        {"stars": 1, "n": 1},
        {"stars": 5, "n": 1},
    ]


@pytest.fixture
def shelf(orm: Any) -> Any:
    class Author(orm.BaseDBModel):
        name: str

        class Meta:
            fts = ["name"]
            table_name = "authors"

    class Book(orm.BaseDBModel):
        title: str
        author: orm.ForeignKey[Author] = orm.ForeignKey(
            Author, on_delete="CASCADE", related_name="books"
        )

        class Meta:
            fts = ["title"]
            table_name = "books"

    return Author, Book


async def test_related_rows(
    db: Any, shelf: Any, many: Any, colour: Any, reach: Any
) -> None:
    author, book = shelf
    for model in shelf:
        await db.create_table(model)
    ada, bob = await db.bulk_insert([author(name="Ada"), author(name="Bob")])
    rows = [("Sea", ada), ("The sea", ada), ("Sea of seas and sea", bob), ("Land", bob)]
    await db.bulk_insert([book(title=title, author_id=who.pk) for title, who in rows])

    query = db.select(book).search("sea").filter(author__name="Ada")
    assert await query.count() == 2
    joined = await query.clone().select_related("author").fetch_all()
    assert [(await reach(row.author)).name for row in joined] == ["Ada", "Ada"]
    assert (await query.clone().limit(1).fetch_last()).title == "Sea"
    together = db.select(book).search("sea").share_lazy()
    hits = await together.prefetch_related("author").fetch_hits()
    assert {(await reach(hit.instance.author)).name for hit in hits} == {"Ada", "Bob"}
    lazily = await db.select(book).search("sea").share_lazy().fetch_hits()
    assert {(await reach(hit.instance.author)).name for hit in lazily} == {"Ada", "Bob"}

    from sqliter.orm import Prefetch

    path = Prefetch("books", unwrap(db.select(book).search("sea").limit(1)))
    people = (
        await db.select(author)
        .search("ada OR bob", raw=True)
        .prefetch_related(path)
        .fetch_all()
    )
    best = {
        who.name: [each.title for each in await many(who.books).fetch_all()]
        for who in people
    }
    assert best == {"Ada": ["Sea"], "Bob": ["Sea of seas and sea"]}

    wrong = Prefetch("books", unwrap(db.select(book).search("(", raw=True)))
    with pytest.raises(InvalidSearchError):
        await db.select(author).prefetch_related(wrong).fetch_all()

    counted = db.select(author).search("ada").with_count("books")
    assert [row["count"] for row in await counted.fetch_dicts()] == [2]
    assert await query.update({"title": "gone"}) == 2
    await db.delete(author, ada.pk)
    assert await db.select(book).search("gone").count() == 0


# --- hits ---


async def test_hits(db: Any) -> None:
    await stocked(db)
    query = db.select(Article).search("sea")
    one, two = await query.fetch_hits("title", "body")
    assert isinstance(one, Hit)
    assert pickle.loads(pickle.dumps(one)) == one
    assert one.instance == (await query.fetch_first())
    assert one.texts == {"title": "Café by the <b>sea</b>", "body": None}
    assert (
        two.texts["body"]
        == "Sailors fear them at <b>sea</b>, and so do those on land, men and beasts alike."
    )
    assert one.rank < two.rank < 0
    marked = await query.clone().order("stars").limit(1).fetch_hits("body", before="[", after="]", words=3)  # fmt: skip
    assert [hit.texts["body"].count("[sea]") for hit in marked] == [1]
    assert marked[0].texts["body"].startswith("…")
    partial = await query.clone().only("title").fetch_hits()
    assert [(hit.instance.title, hit.texts) for hit in partial] == [
        ("Café by the sea", {}),
        ("Storms", {}),
    ]


async def test_what_no_hit_can_have(db: Any) -> None:
    await stocked(db)
    query = db.select(Article).search("sea")
    with pytest.raises(InvalidSearchError, match="'stars' is none of the fields"):
        await query.fetch_hits("stars")
    with pytest.raises(InvalidSearchError, match="call search"):
        await db.select(Article).fetch_hits()
    for words in (0, 65, True, 1.5):
        with pytest.raises(ValueError, match="from 1 to 64"):
            await query.fetch_hits("body", words=words)
    with pytest.raises(TypeError):
        await query.fetch_hits("body", before=None)
    with pytest.raises(InvalidProjectionError, match="fetch_dicts"):
        await query.clone().group_by("stars").fetch_hits()


# --- the cache ---


async def test_answers_are_remembered_until_the_table_changes(make_db: Any) -> None:
    db = await stocked(make_db(cache_enabled=True))
    await db.create_table(Plain)
    query = db.select(Article).search("sea")
    twin = db.select(Article).search("sea", weights={"title": 2})

    async def hits_of(act: Any) -> int:
        before = db.get_cache_stats()["hits"]
        await act()
        return db.get_cache_stats()["hits"] - before

    for verb in (query.fetch_all, twin.fetch_all, query.fetch_hits):
        assert await hits_of(verb) == 0
        assert await hits_of(verb) == 1
    await db.insert(Plain(text="sea"))
    assert await hits_of(query.fetch_all) == 1
    await db.insert(Article(title="Sea"))
    assert await hits_of(query.fetch_all) == 0
    assert len(await query.fetch_all()) == 3
    await db.execute("UPDATE articles SET title = 'Lake' WHERE title = 'Sea'")
    assert len(await query.fetch_all()) == 2


async def test_the_order_of_searches_is_remembered_apart(make_db: Any) -> None:
    db = await stocked(make_db(cache_enabled=True))
    await db.insert(
        Article(title="sea sea sea", body="harbour, and many words more beside it")
    )
    await db.insert(
        Article(title="harbour harbour harbour", body="sea, and many more words")
    )
    one = await titles(db.select(Article).search("sea").search("harbour"))
    two = await titles(db.select(Article).search("harbour").search("sea"))
    assert one == two[::-1]


# --- what is refused ---


async def test_a_search_that_cannot_be(db: Any) -> None:
    with pytest.raises(InvalidSearchError, match="Plain has no search index"):
        db.select(Plain).search("sea")
    with pytest.raises(TypeError, match="takes a text"):
        db.select(Article).search(None)
    with pytest.raises(InvalidSearchError, match="none of the fields"):
        db.select(Article).search("sea", weights={"stars": 1})
    for weight in (-1, float("nan"), float("inf"), "1", True, None):
        with pytest.raises(InvalidSearchError, match="weight of 'title'"):
            db.select(Article).search("sea", weights={"title": weight})


def test_the_sql_of_a_search(db: Any) -> None:
    query = db.select(Article).only("title").search("sea")
    match = '"_match0"."articles_fts" MATCH ?'
    assert query.to_sql() == (
        'SELECT t0."title" AS "t0__title", t0."pk" AS "t0__pk" FROM "articles" AS t0 '
        'JOIN "articles_fts" AS "_match0" ON "_match0".rowid = t0."pk" '
        f'WHERE {match} ORDER BY "_match0"."rank" ASC',
        ('"sea"',),
    )
    assert query.order("title").to_sql() == (
        'SELECT "title", "pk" FROM "articles" WHERE "pk" IN (SELECT "_match0".rowid '
        f'FROM "articles_fts" AS "_match0" WHERE {match}) ORDER BY "title" ASC',
        ('"sea"',),
    )
