"""The table that keeps the links: its name, columns, life; metadata; targets named by text."""

import dataclasses
import sqlite3

import pytest
from support import Models, values

from sqliter.exceptions import SqlExecutionError, TableCreationError

METADATA = [
    "junction_table", "from_column", "to_column", "source_table", "target_table", "symmetrical",
]  # fmt: skip


async def tables(db):
    return set(await db.get_table_names()) - {"sqlite_sequence"}


# --- the table ---------------------------------------------------------------------------


async def test_the_table_of_two_models(db, press):
    await press.create(db)
    rows = await db.fetch("SELECT * FROM pragma_table_info('articles_tags')")
    assert [(r["name"], r["notnull"]) for r in rows if r["name"] != "id"] == [
        ("articles_pk", 1),
        ("tags_pk", 1),
    ]
    keys = await db.fetch("SELECT * FROM pragma_foreign_key_list('articles_tags')")
    assert {(k["table"], k["to"], k["on_delete"], k["on_update"]) for k in keys} == {
        ("articles", "pk", "CASCADE", "CASCADE"),
        ("tags", "pk", "CASCADE", "CASCADE"),
    }


async def test_both_columns_are_indexed_and_a_pair_is_unique(db, press):
    await press.create(db)
    rows = await db.fetch(
        "SELECT name, \"unique\" AS u FROM pragma_index_list('articles_tags')"
    )
    names = {row["name"] for row in rows if not row["u"]}
    assert names == {"idx_articles_tags_articles_pk", "idx_articles_tags_tags_pk"}
    assert [row["u"] for row in rows].count(1) == 1
    await db.execute(
        "INSERT INTO tags (created_at, updated_at, name) VALUES (0, 0, 't')"
    )
    await db.execute(
        "INSERT INTO articles (created_at, updated_at, title) VALUES (0, 0, 'a')"
    )
    insert = "INSERT INTO articles_tags (articles_pk, tags_pk) VALUES (1, 1)"
    await db.execute(insert)
    with pytest.raises(Exception, match="UNIQUE"):
        await db.execute(insert)


async def test_a_model_linked_to_itself_has_left_and_right(db, orm):
    class Node(orm.BaseDBModel):
        links: orm.ManyToMany["Node"] = orm.ManyToMany("Node", related_name="linked")

    await db.create_table(Node)
    rows = await db.fetch("SELECT name FROM pragma_table_info('nodes_nodes')")
    assert {row["name"] for row in rows} >= {"nodes_pk_left", "nodes_pk_right"}


async def test_the_table_may_be_named(db, orm, press, many):
    class Story(orm.BaseDBModel):
        tags: orm.ManyToMany[press.Tag] = orm.ManyToMany(
            press.Tag, through="story_tags", related_name="stories"
        )

    await Models(Tag=press.Tag, Story=Story).create(db)
    assert "story_tags" in await tables(db)
    story, tag = await db.insert(Story()), await db.insert(press.Tag(name="t"))
    await many(story.tags).add(tag)
    assert len(await db.fetch("SELECT * FROM story_tags")) == 1


@pytest.mark.defect("O-17")
@pytest.mark.parametrize("order", [["Tag", "Article"], ["Article", "Tag"]])
async def test_the_table_is_there_once_both_are(db, press, order, many):
    for name in order:
        await db.create_table(getattr(press, name))
    assert "articles_tags" in await tables(db)
    article = await db.insert(press.Article(title="a"))
    await many(article.tags).add(await db.insert(press.Tag(name="t")))
    assert await values(many(article.tags)) == ["t"]


async def test_creating_again_keeps_the_links(db, press, tagged, many):
    article, api, *_ = await tagged(db)
    await many(article.tags).add(api)
    await press.create(db)
    assert await values(many(article.tags)) == ["api"]


@pytest.mark.defect("O-17")
async def test_a_target_defined_later_completes_the_table(db, declare, many):
    shop = declare("""
        class Early(BaseDBModel):
            lates: ManyToMany["Late"] = ManyToMany("Late", related_name="earlies")
    """)
    await db.create_table(shop.Early)
    declare("class Late(BaseDBModel):\n    name: str\n")
    await db.create_table(shop.Late)
    early, late = await db.insert(shop.Early()), await db.insert(shop.Late(name="l"))
    await many(early.lates).add(late)
    assert await many(late.earlies).fetch_all() == [early]


@pytest.mark.parametrize("side", ["Article", "Tag"])
@pytest.mark.parametrize("how", ["force", "drop"])
async def test_a_table_made_anew_starts_without_links(
    db, press, tagged, many, side, how
):
    article, api, *_ = await tagged(db)
    await many(article.tags).add(api)
    if how == "drop":
        await db.drop_table(getattr(press, side))
    await db.create_table(getattr(press, side), force=how == "force")
    if side == "Article":
        article = await db.insert(press.Article(title="new"))
    else:
        api = await db.insert(press.Tag(name="api"))
    assert await many(article.tags).count() == 0
    await many(article.tags).add(api)
    assert await values(many(article.tags)) == ["api"]


async def test_an_index_that_cannot_be_made_is_an_error(db, press):
    await db.execute("CREATE TABLE idx_articles_tags_tags_pk (x)")
    with pytest.raises(SqlExecutionError, match="idx_articles_tags_tags_pk"):
        await press.create(db)


# --- helpers -----------------------------------------------------------------------------


@pytest.mark.only("sync")
async def test_the_helper_makes_the_table(db, press):
    from sqliter.orm.m2m import create_junction_table

    await press.create(db)
    create_junction_table(db.wrapped, "pairs", "articles", "tags")
    rows = await db.fetch("SELECT name FROM pragma_table_info('pairs')")
    assert {"articles_pk", "tags_pk"} <= {row["name"] for row in rows}


@pytest.mark.only("sync")
async def test_the_helper_names_the_table_that_failed(db, press):
    from sqliter.orm.m2m import create_junction_table

    await press.create(db)
    await db.execute("CREATE INDEX pairs ON tags (name)")
    with pytest.raises(TableCreationError, match="pairs"):
        create_junction_table(db.wrapped, "pairs", "articles", "tags")


@pytest.mark.only("sync", "memory")
def test_the_texts_of_table_and_indexes_run():
    from sqliter.orm.m2m import build_junction_index_sqls, build_junction_table_sql

    sql, columns = build_junction_table_sql("pairs", "tags", "articles")
    assert columns == ("articles_pk", "tags_pk")
    assert build_junction_table_sql("x", "nodes", "nodes")[1] == (
        "nodes_pk_left",
        "nodes_pk_right",
    )
    connection = sqlite3.connect(":memory:")
    for statement in (sql, *build_junction_index_sqls("pairs", columns)):
        connection.execute(statement)
    found = connection.execute("SELECT name FROM pragma_index_list('pairs')")
    assert {"idx_pairs_articles_pk", "idx_pairs_tags_pk"} <= {row[0] for row in found}
    connection.close()


# --- metadata ----------------------------------------------------------------------------


@pytest.mark.only("memory")
def test_metadata_is_seen_from_each_side(press):
    forward, backward = press.Article.tags.sql_metadata, press.Tag.articles.sql_metadata
    assert [field.name for field in dataclasses.fields(forward)] == METADATA
    assert dataclasses.astuple(forward) == (
        "articles_tags", "articles_pk", "tags_pk", "articles", "tags", False,
    )  # fmt: skip
    assert dataclasses.astuple(backward) == (
        "articles_tags", "tags_pk", "articles_pk", "tags", "articles", False,
    )  # fmt: skip


@pytest.mark.only("memory")
def test_metadata_is_frozen_and_kept(press):
    metadata = press.Article.tags.sql_metadata
    with pytest.raises(dataclasses.FrozenInstanceError):
        metadata.junction_table = "x"
    assert press.Article.tags.sql_metadata is metadata
    assert press.Tag.articles.sql_metadata is press.Tag.articles.sql_metadata


@pytest.mark.parametrize("how", ["lazy", "prefetched"])
async def test_handles_have_the_metadata_of_their_accessor(db, press, tagged, how):
    article, tag, *_ = await tagged(db)
    if how == "prefetched":
        article = await db.select(press.Article).prefetch_related("tags").fetch_one()
        tag = await db.select(press.Tag).prefetch_related("articles").fetch_one()
    assert article.tags.sql_metadata == press.Article.tags.sql_metadata
    assert tag.articles.sql_metadata == press.Tag.articles.sql_metadata


@pytest.mark.only("memory")
def test_a_link_knows_its_options(press):
    tags = press.Article.tags
    assert (tags.to_model, tags.name, tags.owner) == (press.Tag, "tags", press.Article)
    assert (tags.related_name, tags.junction_table) == ("articles", "articles_tags")
    assert tags.m2m_info.symmetrical is False
    assert tags.m2m_info.through is None


# --- targets named by text ---------------------------------------------------------------

LATE = """
class Early(BaseDBModel):
    lates: ManyToMany["Late"] = ManyToMany("Late", related_name="earlies"{})
"""


@pytest.mark.only("memory")
def test_an_unresolved_target_cannot_be_used(declare):
    Early = declare(LATE.format("")).Early
    assert Early.lates.junction_table is None
    assert Early.lates.sql_metadata is None
    text = (
        "^ManyToMany target model is unresolved. Define the target model class before"
    )
    with pytest.raises(TypeError, match=text):
        _ = Early().lates


@pytest.mark.only("memory")
def test_a_named_junction_is_known_before_the_target(declare):
    Early = declare(LATE.format(", through='pairs'")).Early
    assert Early.lates.junction_table == "pairs"
    assert Early.lates.sql_metadata is None


@pytest.mark.only("memory")
def test_the_target_is_found_when_it_is_defined(declare, orm):
    shop = declare(LATE.format(""))
    declare("class Late(BaseDBModel):\n    name: str\n")
    assert shop.Early.lates.to_model is shop.Late
    names = sorted([shop.Early.get_table_name(), shop.Late.get_table_name()])
    assert shop.Early.lates.junction_table == "_".join(names)
    assert isinstance(shop.Late.earlies, orm.ReverseManyToMany)


@pytest.mark.only("memory")
def test_the_owner_may_be_named(people):
    assert people.Person.follows.to_model is people.Person
