"""Writing links is one operation: checked first, atomic, noticed by caches and prefetched lists."""

import sqlite3

import pytest
from support import assert_no_transaction_left, values

from sqliter.exceptions import (
    ForeignKeyConstraintError,
    ForeignKeyLinkError,
    JunctionTableError,
    ManyToManyError,
    ManyToManyIntegrityError,
    RecordFetchError,
)

GHOST = 99


@pytest.fixture
def wrong(press):
    """`wrong(kind)` gives an object that cannot be linked, and the error to expect."""

    def make(kind):
        return {
            "unsaved": (press.Tag(name="unsaved"), ManyToManyIntegrityError),
            "ghost": (press.Tag(name="ghost", pk=GHOST), ForeignKeyLinkError),
            "other model": (press.Article(title="x", pk=1), TypeError),
        }[kind]

    return make


WRONG = pytest.mark.parametrize("kind", ["unsaved", "ghost", "other model"])


# --- checked first, atomic ---------------------------------------------------------------


@pytest.mark.defect("O-18")
@WRONG
@pytest.mark.parametrize("verb", ["add", "set"])
async def test_a_failing_write_changes_nothing(db, tagged, many, wrong, kind, verb):
    article, api, sql, web = await tagged(db)
    await many(article.tags).add(api)
    bad, error = wrong(kind)
    with pytest.raises(error):
        await getattr(many(article.tags), verb)(sql, web, bad)
    assert await values(many(article.tags)) == ["api"]
    assert_no_transaction_left(db)


@pytest.mark.defect("O-18")
@WRONG
@pytest.mark.parametrize("verb", ["add", "set"])
async def test_a_failure_in_a_block_undoes_that_write_only(
    db, tagged, many, wrong, kind, verb
):
    article, api, sql, web = await tagged(db)
    bad, error = wrong(kind)
    async with db:
        await many(article.tags).add(api)
        with pytest.raises(error):
            await getattr(many(article.tags), verb)(sql, bad)
        await many(article.tags).add(web)
    assert await values(many(article.tags)) == ["api", "web"]


@pytest.mark.defect("O-18")
async def test_a_failing_write_through_a_prefetched_list_changes_nothing(
    db, press, tagged, many, wrong
):
    article, api, sql, _ = await tagged(db)
    await many(article.tags).add(api)
    article = await db.select(press.Article).prefetch_related("tags").fetch_one()
    tags = many(article.tags)
    with pytest.raises(ForeignKeyConstraintError):
        await tags.set(sql, wrong("ghost")[0])
    assert await values(tags) == ["api"]
    assert await values(many(article.tags)) == ["api"]


@pytest.mark.parametrize("verb", ["add", "remove", "set", "clear"])
async def test_a_block_that_fails_takes_the_links_along(db, tagged, many, verb):
    article, api, sql, _ = await tagged(db)
    await many(article.tags).add(api)
    with pytest.raises(ZeroDivisionError):
        async with db:
            arguments = {"add": [sql], "remove": [api], "set": [sql], "clear": []}[verb]
            await getattr(many(article.tags), verb)(*arguments)
            raise ZeroDivisionError
    assert await values(many(article.tags)) == ["api"]


@pytest.mark.defect("O-20")
async def test_a_link_to_a_missing_row_is_a_library_error(db, tagged, many, wrong):
    article, *_ = await tagged(db)
    ghost, _ = wrong("ghost")
    for verb in (many(article.tags).add, many(article.tags).set):
        with pytest.raises(ManyToManyIntegrityError) as caught:
            await verb(ghost)
        assert isinstance(caught.value, ForeignKeyConstraintError)
        assert isinstance(caught.value.__cause__, sqlite3.IntegrityError)


@pytest.mark.defect("O-20")
@pytest.mark.parametrize("verb", ["add", "set", "remove"])
async def test_an_object_of_another_model_is_refused_by_name(
    db, press, tagged, many, wrong, verb
):
    article, api, *_ = await tagged(db)
    await many(article.tags).add(api)
    with pytest.raises(TypeError, match=r"(?s)(Tag.*Article|Article.*Tag)"):
        await getattr(many(article.tags), verb)(wrong("other model")[0])
    assert await values(many(article.tags)) == ["api"]


# --- without auto-commit -----------------------------------------------------------------


@pytest.mark.defect("O-21")
@WRONG
@pytest.mark.parametrize("verb", ["add", "set"])
async def test_a_failing_write_keeps_pending_work(
    make_db, press, tagged, many, wrong, kind, verb
):
    db = make_db(auto_commit=False)
    article, api, *_ = await tagged(db)
    await many(article.tags).add(api)
    bad, error = wrong(kind)
    with pytest.raises(error):
        await getattr(many(article.tags), verb)(bad)
    await db.commit()
    await db.rollback()
    assert await db.select(press.Tag).count() == 3
    assert await values(many(article.tags)) == ["api"]


@pytest.mark.defect("O-21")
@pytest.mark.parametrize("verb", ["add", "set", "remove", "clear"])
async def test_a_write_commits_nothing_of_the_callers(
    make_db, press, tagged, many, verb
):
    db = make_db(auto_commit=False)
    article, api, sql, _ = await tagged(db)
    await many(article.tags).add(api)
    await db.commit()
    await db.insert(press.Tag(name="pending"))
    arguments = {"add": [sql], "remove": [api], "set": [sql], "clear": []}[verb]
    await getattr(many(article.tags), verb)(*arguments)
    await db.rollback()
    assert await db.select(press.Tag).count() == 3
    assert await values(many(article.tags)) == ["api"]


# --- the junction table is gone ----------------------------------------------------------


@pytest.mark.defect("O-17", "O-20")
@pytest.mark.parametrize("verb", ["add", "set", "remove", "clear"])
async def test_writing_without_the_table_is_both_errors(db, tagged, many, verb):
    article, api, *_ = await tagged(db)
    await db.execute("DROP TABLE articles_tags")
    with pytest.raises(JunctionTableError, match="articles_tags") as caught:
        await getattr(many(article.tags), verb)(*([] if verb == "clear" else [api]))
    assert isinstance(caught.value, ManyToManyError)
    assert isinstance(caught.value, sqlite3.OperationalError)
    assert_no_transaction_left(db)


@pytest.mark.defect("O-11", "O-17")
@pytest.mark.parametrize("verb", ["fetch_all", "fetch_one", "count", "exists"])
async def test_reading_without_the_table_is_an_error_not_zero(db, tagged, many, verb):
    article, *_ = await tagged(db)
    await db.execute("DROP TABLE articles_tags")
    with pytest.raises(RecordFetchError, match="articles_tags"):
        await getattr(many(article.tags), verb)()


@pytest.mark.defect("O-11")
@pytest.mark.parametrize("verb", ["fetch_all", "fetch_one", "count", "exists"])
async def test_a_junction_with_other_columns_is_an_error_not_zero(
    db, tagged, many, verb
):
    article, *_ = await tagged(db)
    await db.execute("DROP TABLE articles_tags")
    await db.execute("CREATE TABLE articles_tags (id INTEGER PRIMARY KEY, a_pk, b_pk)")
    with pytest.raises(RecordFetchError, match="articles_tags|articles_pk"):
        await getattr(many(article.tags), verb)()


# --- caches ------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["Article", "Tag"])
@pytest.mark.parametrize("verb", ["add", "set", "remove", "clear"])
async def test_cached_answers_of_both_tables_are_dropped(
    make_db, press, tagged, many, verb, side
):
    db = make_db(cache_enabled=True)
    article, api, sql, _ = await tagged(db)
    await many(article.tags).add(api)
    path = {"Article": "tags", "Tag": "articles"}[side]

    async def links():
        rows = await db.select(getattr(press, side)).prefetch_related(path).fetch_all()
        return [await many(getattr(row, path)).count() for row in rows]

    assert sum(await links()) == 1
    arguments = {"add": [sql], "remove": [api], "set": [api, sql], "clear": []}[verb]
    await getattr(many(article.tags), verb)(*arguments)
    assert sum(await links()) == {"add": 2, "set": 2}.get(verb, 0)


async def test_a_cached_answer_of_a_relation_is_dropped(make_db, tagged, many):
    db = make_db(cache_enabled=True)
    article, api, *_ = await tagged(db)
    assert await many(article.tags).filter().count() == 0
    assert await many(article.tags).fetch_all() == []
    await many(article.tags).add(api)
    assert await many(article.tags).filter().count() == 1
    assert await values(many(article.tags)) == ["api"]


@pytest.mark.defect("O-45")
@pytest.mark.parametrize("verb", ["add", "set", "remove", "clear"])
async def test_a_prefetched_list_is_refreshed_in_place(db, press, tagged, many, verb):
    article, api, sql, _ = await tagged(db)
    await many(article.tags).add(api)
    article = await db.select(press.Article).prefetch_related("tags").fetch_one()
    items, tags = vars(article)["_prefetch_cache"]["tags"], many(article.tags)
    arguments = {"add": [sql], "remove": [api], "set": [sql], "clear": []}[verb]
    await getattr(tags, verb)(*arguments)
    expected = {"add": ["api", "sql"], "set": ["sql"]}.get(verb, [])
    assert await values(tags) == expected
    assert sorted(tag.name for tag in items) == expected
    assert await values(many(article.tags)) == expected


@pytest.mark.defect("O-45")
@pytest.mark.parametrize("verb", ["add", "set", "remove"])
async def test_prefetched_lists_of_passed_objects_are_dropped(
    db, press, tagged, many, verb
):
    article, api, *_ = await tagged(db)
    await many(article.tags).add(api)
    tags = (
        await db.select(press.Tag)
        .prefetch_related("articles")
        .order("name")
        .fetch_all()
    )
    changed = tags[0] if verb == "remove" else tags[1]
    await getattr(many(article.tags), verb)(changed)
    assert await many(changed.articles).count() == (0 if verb == "remove" else 1)


@pytest.mark.defect("O-45")
async def test_clearing_drops_the_lists_of_prefetched_objects(db, press, tagged, many):
    article, api, *_ = await tagged(db)
    await many(article.tags).add(api)
    query = db.select(press.Article).prefetch_related("tags__articles")
    article = await query.fetch_one()
    (api,) = await many(article.tags).fetch_all()
    assert await many(api.articles).count() == 1
    await many(article.tags).clear()
    assert await many(api.articles).count() == 0


@pytest.mark.defect("O-27")
async def test_a_late_target_knows_both_sides(db, declare, many):
    shop = declare("""
        class Early(BaseDBModel):
            name: str
            lates: ManyToMany["Late"] = ManyToMany("Late", related_name="earlies")

        class Late(BaseDBModel):
            name: str
    """)
    await db.create_table(shop.Early)
    await db.create_table(shop.Late)
    await db.insert(shop.Early(name="e"))
    late = await db.insert(shop.Late(name="l"))
    early = await db.select(shop.Early).prefetch_related("lates").fetch_one()
    await many(late.earlies).add(early)
    assert await values(many(early.lates)) == ["l"]
