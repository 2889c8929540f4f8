"""The texts of queries along relations: which joins, which aliases, what is bound."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from contract.library import initials, library, stocked
from support import Colour

BOOK = ("pk", "created_at", "updated_at", "title", "pages", "published", "author_id", "editor_id")  # fmt: skip
AUTHOR = ("pk", "created_at", "updated_at", "name", "age", "country_id")


def columns(alias: str, names: tuple[str, ...]) -> str:
    return ", ".join(f'{alias}."{name}" AS "{alias}__{name}"' for name in names)


def sql(query: Any) -> str:
    return query.to_sql()[0]


def tail(query: Any) -> str:
    """The text from FROM on."""
    return sql(query).partition(" FROM ")[2]


def test_a_join_for_related_rows_loses_none(db: Any, colour: Colour) -> None:
    query = db.select(library(colour).Book).select_related("author")
    assert query.to_sql() == (
        f"SELECT {columns('t0', BOOK)}, {columns('t1', AUTHOR)} "
        'FROM "books" AS t0 LEFT JOIN "authors" AS t1 ON t0."author_id" = t1."pk"',
        (),
    )


def test_a_join_for_a_filter_on_a_required_key(db: Any, colour: Colour) -> None:
    query = db.select(library(colour).Book).filter(author__name="Jane")
    assert query.to_sql() == (
        f"SELECT {columns('t0', BOOK)}, {columns('t1', AUTHOR)} "
        'FROM "books" AS t0 INNER JOIN "authors" AS t1 ON t0."author_id" = t1."pk" '
        'WHERE t1."name" = ?',
        ("Jane",),
    )


AUTHORS = ' JOIN "authors" AS t1 ON t0."author_id" = t1."pk"'
EDITORS = ' JOIN "authors" AS t1 ON t0."editor_id" = t1."pk"'
ABROAD = ' JOIN "countries" AS t2 ON t1."country_id" = t2."pk"'

JOINS: list[tuple[Callable[[Any], Any], str, tuple[Any, ...]]] = [
    (
        lambda q: q.filter(author__country__name="Poland"),
        f'"books" AS t0 INNER{AUTHORS} INNER{ABROAD} WHERE t2."name" = ?',
        ("Poland",),
    ),
    (
        lambda q: q.filter(editor__name="Ada"),
        f'"books" AS t0 LEFT{EDITORS} WHERE t1."name" = ?',
        ("Ada",),
    ),
    (
        lambda q: q.filter(editor__country__name="Poland"),
        f'"books" AS t0 LEFT{EDITORS} LEFT{ABROAD} WHERE t2."name" = ?',
        ("Poland",),
    ),
    (
        lambda q: q.filter(editor__name=None),
        f'"books" AS t0 LEFT{EDITORS} WHERE t1."name" IS NULL',
        (),
    ),
    (
        lambda q: q.select_related("author__country"),
        f'"books" AS t0 LEFT{AUTHORS} LEFT{ABROAD}',
        (),
    ),
    (
        lambda q: q.select_related("author").filter(author__name="Jane"),
        f'"books" AS t0 INNER{AUTHORS} WHERE t1."name" = ?',
        ("Jane",),
    ),
    (
        lambda q: q.filter(author__name="Jane").filter(author__age__gt=1),
        f'"books" AS t0 INNER{AUTHORS} WHERE t1."name" = ? AND t1."age" > ?',
        ("Jane", 1),
    ),
    (
        lambda q: q.filter(author__name="Jane", pages__gte=300, pk=1),
        f'"books" AS t0 INNER{AUTHORS} '
        'WHERE t1."name" = ? AND t0."pages" >= ? AND t0."pk" = ?',
        ("Jane", 300, 1),
    ),
    (
        lambda q: q.filter(author__name="Jane").order("title", "-pages").limit(2),
        f'"books" AS t0 INNER{AUTHORS} '
        'WHERE t1."name" = ? ORDER BY t0."title" ASC, t0."pages" DESC LIMIT ?',
        ("Jane", 2),
    ),
    (
        lambda q: q.order("author__name", "-title").limit(1),
        f'"books" AS t0 LEFT{AUTHORS} ORDER BY t1."name" ASC, t0."title" DESC LIMIT ?',
        (1,),
    ),
    (
        lambda q: q.order("-author__country__name", nulls="last"),
        f'"books" AS t0 LEFT{AUTHORS} LEFT{ABROAD} ORDER BY t2."name" DESC NULLS LAST',
        (),
    ),
    (
        lambda q: q.filter(author__name="Jane").order("author__age"),
        f'"books" AS t0 INNER{AUTHORS} WHERE t1."name" = ? ORDER BY t1."age" ASC',
        ("Jane",),
    ),
    (lambda q: q.prefetch_related("tags"), '"books"', ()),
    (lambda q: q.filter(author=1), '"books" WHERE "author_id" = ?', (1,)),
    (lambda q: q.filter(editor=None), '"books" WHERE "editor_id" IS NULL', ()),
    (
        lambda q: q.filter(editor__isnull=False),
        '"books" WHERE "editor_id" IS NOT NULL',
        (),
    ),
    (
        lambda q: q.filter(author__in=[1, 2]),
        '"books" WHERE "author_id" IN (?, ?)',
        (1, 2),
    ),
    (lambda q: q.filter(author__ne=1), '"books" WHERE "author_id" != ?', (1,)),
]


@pytest.mark.parametrize(("chain", "expected", "params"), JOINS)
def test_joins(
    db: Any, colour: Colour, chain: Any, expected: str, params: tuple[Any, ...]
) -> None:
    query = chain(db.select(library(colour).Book))
    assert tail(query) == expected
    assert query.to_sql()[1] == params


def test_a_column_of_another_name(db: Any, colour: Colour) -> None:
    lib = library(colour)
    on = 'LEFT JOIN "books" AS t1 ON t0."about" = t1."pk"'
    query = db.select(lib.Comment).select_related("book")
    assert tail(query) == f'"comments" AS t0 {on}'
    query = db.select(lib.Comment).filter(book__title="Emma", book_id=1)
    assert tail(query) == (
        f'"comments" AS t0 {on} WHERE t1."title" = ? AND t0."about" = ?'
    )
    query = db.select(lib.Comment).filter(book=1)
    assert tail(query) == '"comments" WHERE "about" = ?'


@pytest.mark.defect("D-05")
def test_behind_a_left_join_every_join_is_left(db: Any, colour: Colour) -> None:
    lib = library(colour)
    for query in (
        db.select(lib.Comment).select_related("book__author__country"),
        db.select(lib.Comment).filter(book__author__country__name=None),
        db.select(lib.Comment).order("book__author__country__name"),
    ):
        assert sql(query).count(" LEFT JOIN ") == 3
        assert " INNER JOIN " not in sql(query)


@pytest.mark.defect("D-06")
@pytest.mark.parametrize(
    "chain",
    [
        lambda q: q.select_related("author", "author__country", "editor"),
        lambda q: (
            q.filter(author__name="a")
            .filter(author__country__name="b")
            .filter(editor__name="c")
        ),
        lambda q: (
            q.filter(tags__name="x", tags__books__title="y")
            .select_related("author__country")
            .order("editor__country__name")
            .filter(author__books__comments__text="z")
        ),
    ],
)
def test_no_alias_is_given_twice(db: Any, colour: Colour, chain: Any) -> None:
    text = sql(chain(db.select(library(colour).Book)))
    aliases = re.findall(r"\bAS (t\d+)\b", text)
    assert len(aliases) > 3
    assert len(set(aliases)) == len(aliases)
    assert sorted(aliases, key=lambda a: int(a[1:])) == [
        f"t{n}" for n in range(len(aliases))
    ]


@pytest.mark.parametrize(
    "conditions",
    [
        {"tags__name": "Emma"},
        {"comments__text": "Emma"},
        {"author__books__title": "Emma"},
        {"tags__isnull": True},
        {"comments__isnull": False},
        {"tags": 1},
    ],
)
def test_to_many_filters_are_sub_selects(
    db: Any, colour: Colour, conditions: dict[str, Any]
) -> None:
    query = db.select(library(colour).Book).filter(**conditions)
    outside = re.sub(r"\(SELECT .*\)", "(…)", sql(query))
    assert "(…)" in outside
    for name in ("tags", "comments", "books_tags"):
        assert f'JOIN "{name}"' not in outside
    assert "DISTINCT" not in outside
    assert "GROUP BY" not in outside


def test_values_are_bound(db: Any, colour: Colour) -> None:
    lib = library(colour)
    hostile = "'); DROP TABLE books; --"
    for key in ("author__name", "tags__name", "author__books__title", "editor__name"):
        text, params = db.select(lib.Book).filter(**{key: hostile}).to_sql()
        assert params == (hostile,)
        assert "DROP" not in text


async def test_count(logged_db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(logged_db, colour)
    query = logged_db.select(lib.Book).select_related("author").order("editor__name")
    with statements.watch():
        assert await query.count() == 4
        assert await query.filter(author__name="Jane").count() == 2
    assert statements.statements == [
        'SELECT COUNT(*) FROM "books"',
        f'SELECT COUNT(*) FROM "books" AS t0 INNER{AUTHORS} WHERE t1."name" = \'Jane\'',
    ]


async def test_exists(logged_db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(logged_db, colour)
    query = logged_db.select(lib.Book).select_related("author").prefetch_related("tags")
    with statements.watch():
        assert await query.exists()
    (text,) = statements.statements
    assert "JOIN" not in text
    assert "COUNT" not in text


async def test_bulk_writes(logged_db: Any, colour: Colour, statements: Any) -> None:
    lib = await stocked(logged_db, colour)
    query = logged_db.select(lib.Book).filter(author__name="Jane")
    with statements.watch():
        await query.update({"pages": 1})
        await query.delete()
        await logged_db.select(lib.Book).filter(author=2).delete()
    (update,) = statements.starting("UPDATE")
    delete, plain = statements.starting("DELETE")
    keys = r'SELECT t\d\."pk" FROM "books" AS t\d INNER JOIN "authors" AS t\d ON .+ WHERE t\d\."name" = \'Jane\''
    assert re.fullmatch(rf'UPDATE "books" SET .+ WHERE "pk" IN \({keys}\)', update)
    assert re.fullmatch(rf'DELETE FROM "books" WHERE "pk" IN \({keys}\)', delete)
    assert plain == 'DELETE FROM "books" WHERE "author_id" = 2'


async def test_words_of_sql_are_names_like_any_other(db: Any, colour: Colour) -> None:
    orm = colour.orm

    class Group(orm.BaseDBModel):
        select: str

        class Meta:
            table_name = "group"

    class Order(orm.BaseDBModel):
        table: str
        where: orm.ForeignKey[Group] = orm.ForeignKey(
            Group, related_name="values", db_column="from"
        )
        join: orm.ManyToMany[Group] = orm.ManyToMany(
            Group, related_name="union", through="index"
        )

        class Meta:
            table_name = "order"

    for model in (Group, Order):
        await db.create_table(model)
    group = await db.insert(Group(select="alpha"))
    order = await db.insert(Order(table="beta", where=group))
    await colour.many(order.join).add(group)
    query = db.select(Order).filter(where__select="alpha", join__select="alpha")
    query.select_related("where").prefetch_related("join").order("where__select")
    (found,) = await query.fetch_all()
    assert (found.table, found.where.select) == ("beta", "alpha")
    (joined,) = await colour.many(found.join).fetch_all()
    assert joined.select == "alpha"
    counted = db.select(Group).with_count("values", "v").with_count("union", "u")
    (row,) = await counted.fetch_dicts()
    assert (row["v"], row["u"]) == (1, 1)
    assert (
        await db.select(Group).filter(values__table="beta").update({"select": "x"}) == 1
    )


async def test_the_text_runs_as_it_is(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(
        author__country__name="Poland", tags__name="space", editor=None
    )
    text, params = query.to_sql()
    rows = await db.fetch(text, params)
    assert [row["t0__title"] for row in rows] == ["Solaris"]
    assert await initials(query) == "S"
