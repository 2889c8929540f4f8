"""Many-to-many: reading and writing links from either side, lazy and prefetched."""

import inspect
from types import SimpleNamespace

import pytest
from support import unwrap, values

HOW = pytest.mark.parametrize("how", ["lazy", "prefetched"])


async def ordered(rows):
    return [row.name for row in await rows.fetch_all()]


# --- reading -----------------------------------------------------------------------------


@HOW
async def test_the_handle_of_each_side(db, orm, press, linked, how):
    article = await linked(db, how)
    tag = await db.select(press.Tag).fetch_one()
    if how == "prefetched":
        tag = await db.select(press.Tag).prefetch_related("articles").fetch_one()
    expected = orm.ManyToManyManager if how == "lazy" else orm.PrefetchedM2MResult
    assert isinstance(article.tags, expected)
    assert isinstance(tag.articles, expected)


@HOW
async def test_reading_all_kinds_of_answers(db, linked, many, how):
    tags = many((await linked(db, how)).tags)
    assert await values(tags) == ["api", "sql", "web"]
    assert (await tags.fetch_one()).name in ["api", "sql", "web"]
    assert (await tags.count(), await tags.exists()) == (3, True)


async def test_prefetched_links_cost_no_statement(logged_db, statements, linked, many):
    tags = many((await linked(logged_db, "prefetched")).tags)
    with statements.watch():
        found = await tags.fetch_all()
        assert await tags.fetch_all() is not found
        assert await tags.fetch_one() is found[0]
        assert (await tags.count(), await tags.exists()) == (3, True)
    assert statements.statements == []


@pytest.mark.defect("O-19")
async def test_reading_takes_one_statement(logged_db, statements, linked, many):
    tags = many((await linked(logged_db)).tags)
    for verb in (
        tags.fetch_all,
        tags.fetch_one,
        tags.count,
        tags.filter(name="sql").fetch_all,
    ):
        with statements.watch():
            await verb()
        assert len(statements.starting("SELECT", "WITH")) == 1


@pytest.mark.defect("O-16")
@HOW
async def test_chains(db, linked, many, how):
    tags = many((await linked(db, how)).tags)
    assert await ordered(tags.order("name")) == ["api", "sql", "web"]
    assert await ordered(tags.order("-name").limit(2)) == ["web", "sql"]
    assert await ordered(tags.order("name").offset(1).limit(1)) == ["sql"]
    assert await ordered(tags.order("name").offset(2)) == ["web"]
    assert await tags.limit(2).count() == 2
    assert await ordered(tags.filter(name__gt="b").order("-name").limit(1)) == ["web"]
    assert await tags.filter(name="none").exists() is False


@pytest.mark.defect("O-16")
@HOW
@pytest.mark.parametrize(
    "chain", [lambda q: q.limit(1), lambda q: q.offset(1), lambda q: q.order("name")]
)
async def test_chaining_gives_a_new_object(db, linked, many, how, chain):
    handle = (await linked(db, how)).tags
    assert chain(handle) is not handle
    assert await many(handle).count() == 3
    assert len(await many(handle).fetch_all()) == 3


@pytest.mark.defect("O-16")
@HOW
async def test_iterating(db, linked, many, how):
    tags = many((await linked(db, how)).tags)
    assert sorted([tag.name async for tag in tags]) == ["api", "sql", "web"]
    assert [tag.name async for tag in tags.order("-name").limit(1)] == ["web"]


@pytest.mark.only("sync")
@pytest.mark.defect("O-16")
@HOW
async def test_blocking_handles_have_a_length(db, linked, how):
    article = await linked(db, how)
    assert len(article.tags) == 3
    assert sorted(tag.name for tag in article.tags) == ["api", "sql", "web"]


@HOW
async def test_filter_gives_a_query_builder(db, colour, linked, how):
    from sqliter.asyncio import AsyncQueryBuilder
    from sqliter.query import QueryBuilder

    query = (await linked(db, how)).tags.filter(name="sql")
    assert isinstance(query, AsyncQueryBuilder if colour == "async" else QueryBuilder)


@pytest.mark.only("async")
@pytest.mark.defect("O-34")
@HOW
async def test_a_filter_may_be_awaited_or_not(db, linked, how):
    tags = (await linked(db, how)).tags
    assert await ordered(tags.filter(name="sql")) == ["sql"]
    query = tags.filter(name="sql")
    assert inspect.isawaitable(query)
    assert await query is query
    assert await ordered(await tags.filter()) == ["api", "sql", "web"]


@pytest.mark.defect("O-19")
@HOW
async def test_a_filter_may_name_the_key(db, linked, many, how):
    tags = many((await linked(db, how)).tags)
    assert await values(tags.filter(pk__in=[2, 3, 99])) == ["sql", "web"]
    assert await values(tags.filter(pk=1)) == ["api"]


@pytest.mark.defect("O-19")
async def test_a_filter_is_current_when_it_runs(db, tagged, many):
    article, api, *_ = await tagged(db)
    query = many(article.tags).filter()
    assert await query.fetch_all() == []
    await many(article.tags).add(api)
    assert await values(query) == ["api"]


@pytest.mark.only("memory")
@pytest.mark.defect("O-19")
async def test_the_number_of_links_has_no_limit(db, press, tagged, many):
    article, *_ = await tagged(db)
    numbers = "WITH n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)"
    await db.execute(
        f"INSERT INTO tags (pk, created_at, updated_at, name) {numbers} "
        "SELECT i, 0, 0, 't' || i FROM n"
    )
    await db.execute(
        f"INSERT INTO articles_tags (articles_pk, tags_pk) {numbers} SELECT 1, i FROM n"
    )
    tags = many(article.tags)
    assert await values(tags.filter(name="t39999")) == ["t39999"]
    assert len(await tags.filter().limit(5).fetch_all()) == 5
    assert len(await tags.fetch_all()) == await tags.count() == 39991


# --- writing -----------------------------------------------------------------------------


@HOW
async def test_adding_twice_links_once(db, press, linked, many, how):
    article = await linked(db, how)
    (sql,) = await db.select(press.Tag).filter(name="sql").fetch_all()
    await many(article.tags).add(sql)
    await many(article.tags).add(sql, sql)
    assert await many(article.tags).count() == 3


@HOW
async def test_removing(db, press, linked, many, how):
    article = await linked(db, how)
    (sql,) = await db.select(press.Tag).filter(name="sql").fetch_all()
    other = await db.insert(press.Tag(name="other"))
    await many(article.tags).remove(other, press.Tag(name="unsaved"))
    await many(article.tags).remove(sql, other)
    assert await values(many(article.tags)) == ["api", "web"]


@HOW
async def test_clearing_leaves_the_other_objects(db, press, linked, many, how):
    article = await linked(db, how)
    other = await db.insert(press.Article(title="Other"))
    await many(other.tags).add(*await db.select(press.Tag).fetch_all())
    await many(article.tags).clear()
    assert await many(article.tags).fetch_all() == []
    assert await many(other.tags).count() == 3
    assert await db.select(press.Tag).count() == 3


@HOW
async def test_setting(db, press, linked, many, how):
    article = await linked(db, how)
    (sql,) = await db.select(press.Tag).filter(name="sql").fetch_all()
    new = await db.insert(press.Tag(name="new"))
    await many(article.tags).set(sql, new)
    assert await values(many(article.tags)) == ["new", "sql"]
    await many(article.tags).set()
    assert await many(article.tags).exists() is False


@HOW
async def test_the_other_side_reads_and_writes_the_same_links(
    db, press, linked, many, how
):
    article = await linked(db)
    query = db.select(press.Tag).filter(name="sql")
    if how == "prefetched":
        query = query.prefetch_related("articles")
    sql = await query.fetch_one()
    assert await values(many(sql.articles), "title") == ["Guide"]
    other = await db.insert(press.Article(title="Other"))
    await many(sql.articles).add(other)
    assert await values(many(other.tags)) == ["sql"]
    await many(sql.articles).remove(article)
    assert await values(many(article.tags)) == ["api", "web"]
    await many(sql.articles).set(article)
    assert await many(other.tags).count() == 0
    await many(sql.articles).clear()
    assert await values(many(article.tags)) == ["api", "web"]


async def test_nothing_to_add_is_fine(db, linked, many):
    article = await linked(db)
    await many(article.tags).add()
    await many(article.tags).remove()
    assert await many(article.tags).count() == 3


@pytest.mark.parametrize("side", ["Article", "Tag"])
async def test_a_deleted_row_takes_its_links_only(db, press, linked, many, side):
    await linked(db)
    await db.delete(getattr(press, side), 1)
    left = await db.fetch("SELECT * FROM articles_tags")
    assert len(left) == (0 if side == "Article" else 2)
    assert await db.select(press.Tag).count() == (3 if side == "Article" else 2)


async def test_a_manager_takes_any_owner_with_key_and_database(
    db, orm, press, linked, many
):
    article = await linked(db)
    owner = SimpleNamespace(pk=article.pk, db_context=unwrap(db))
    manager = orm.ManyToManyManager(
        owner, press.Tag, press.Article, "articles_tags", unwrap(db)
    )
    tags = many(manager)
    assert await values(tags) == ["api", "sql", "web"]
    await tags.clear()
    assert await many(article.tags).count() == 0
