"""The exact text and values of a query, as `to_sql()` shows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from sqliter import SqliterDB
from sqliter.model import BaseDBModel, ForeignKey
from sqliter.query import QueryBuilder, func


class Person(BaseDBModel):
    name: str
    age: int | None = None
    score: float = 0.0
    day: date | None = None
    at: datetime | None = None

    class Meta:
        table_name = "people"


class Sale(BaseDBModel):
    category: str
    amount: int

    class Meta:
        table_name = "sales"


class Target(BaseDBModel):
    name: str

    class Meta:
        table_name = "targets"


class Link(BaseDBModel):
    select: str
    target_id: int = ForeignKey(Target, db_column="goal")

    class Meta:
        table_name = "order"


ALL = 'SELECT "pk", "created_at", "updated_at", "name", "age", "score", "day", "at" FROM "people"'

Change = Callable[[QueryBuilder[Any]], QueryBuilder[Any]]
Case = tuple[Change, str, tuple[Any, ...]]

PLAIN: dict[str, Case] = {
    "everything": (lambda q: q, "", ()),
    "equal": (lambda q: q.filter(name="a"), ' WHERE "name" = ?', ("a",)),
    "equal, spelled out": (lambda q: q.filter(age__eq=1), ' WHERE "age" = ?', (1,)),
    "unequal": (lambda q: q.filter(age__ne=1), ' WHERE "age" != ?', (1,)),
    "less": (lambda q: q.filter(age__lt=1), ' WHERE "age" < ?', (1,)),
    "at most": (lambda q: q.filter(age__lte=1), ' WHERE "age" <= ?', (1,)),
    "more": (lambda q: q.filter(score__gt=0.5), ' WHERE "score" > ?', (0.5,)),
    "at least": (lambda q: q.filter(age__gte=1), ' WHERE "age" >= ?', (1,)),
    "none": (lambda q: q.filter(age=None), ' WHERE "age" IS NULL', ()),
    "not none": (lambda q: q.filter(age__ne=None), ' WHERE "age" IS NOT NULL', ()),
    "is null": (lambda q: q.filter(age__isnull=True), ' WHERE "age" IS NULL', ()),
    "is not null": (
        lambda q: q.filter(age__isnull=False),
        ' WHERE "age" IS NOT NULL',
        (),
    ),
    "not null": (lambda q: q.filter(age__notnull=True), ' WHERE "age" IS NOT NULL', ()),
    "not not null": (
        lambda q: q.filter(age__notnull=False),
        ' WHERE "age" IS NULL',
        (),
    ),
    "in": (lambda q: q.filter(age__in=[1, 2]), ' WHERE "age" IN (?, ?)', (1, 2)),
    "range": (
        lambda q: q.filter(age__range=(1, 2)),
        ' WHERE "age" BETWEEN ? AND ?',
        (1, 2),
    ),
    "not between": (
        lambda q: q.filter(age__not_between=(1, 2)),
        ' WHERE ("age" IS NOT NULL AND ("age" BETWEEN ? AND ?) IS NOT TRUE)',
        (1, 2),
    ),
    "length": (
        lambda q: q.filter(name__len__lt=3),
        ' WHERE sqliter_len("name") < ?',
        (3,),
    ),
    "regular expression": (
        lambda q: q.filter(name__iregex="a+"),
        """ WHERE sqliter_regex(CASE typeof("name") WHEN 'blob' THEN NULL """
        """ELSE ? || "name" END)""",
        ("i2:a+",),
    ),
    "year of a date": (
        lambda q: q.filter(day__year=1970),
        ' WHERE ("day" >= ? AND "day" < ?)',
        (0, 31_536_000),
    ),
    "year of a date, compared": (
        lambda q: q.filter(day__year__gte=1970),
        """ WHERE CAST(strftime('%Y', "day", 'unixepoch') AS INTEGER) >= ?""",
        (1970,),
    ),
    "day of a date": (
        lambda q: q.filter(day__date="1970-01-02"),
        ' WHERE ("day" >= ? AND "day" < ?)',
        (86_400, 172_800),
    ),
    "day of an instant in local time": (
        lambda q: q.filter(at__date="1970-01-02"),
        ' WHERE ("at" >= ? AND "at" < ? '
        """AND date(sqliter_local("at"), 'unixepoch') = ?)""",
        (0, 259_200, "1970-01-02"),
    ),
    "a date": (lambda q: q.filter(day=date(1970, 1, 2)), ' WHERE "day" = ?', (86400,)),
    "and": (
        lambda q: q.filter(name="a", age=None).filter(score__gt=1.5),
        ' WHERE "name" = ? AND "age" IS NULL AND "score" > ?',
        ("a", 1.5),
    ),
    "order": (lambda q: q.order("age"), ' ORDER BY "age" ASC', ()),
    "order down": (lambda q: q.order("age", reverse=True), ' ORDER BY "age" DESC', ()),
    "order by minus": (lambda q: q.order("-age"), ' ORDER BY "age" DESC', ()),
    "order by the key": (lambda q: q.order(), ' ORDER BY "pk" ASC', ()),
    "order by two": (
        lambda q: q.order("name", "-age"),
        ' ORDER BY "name" ASC, "age" DESC',
        (),
    ),
    "limit": (lambda q: q.limit(1), " LIMIT ?", (1,)),
    "limit of zero": (lambda q: q.limit(0), " LIMIT ?", (0,)),
    "offset": (lambda q: q.offset(2), " LIMIT ? OFFSET ?", (-1, 2)),
    "limit and offset": (lambda q: q.offset(2).limit(3), " LIMIT ? OFFSET ?", (3, 2)),
    "all together": (
        lambda q: (
            q.limit(10).offset(20).order("age", reverse=True).filter(name="a", age=None)
        ),
        ' WHERE "name" = ? AND "age" IS NULL ORDER BY "age" DESC LIMIT ? OFFSET ?',
        ("a", 10, 20),
    ),
    "cache controls": (lambda q: q.bypass_cache().cache_ttl(1), "", ()),
}


@pytest.fixture
def db() -> SqliterDB:
    """Never opened: a text needs no database."""
    return SqliterDB(memory=True)


@pytest.mark.parametrize(("change", "tail", "values"), PLAIN.values(), ids=list(PLAIN))
def test_plain_text(
    db: SqliterDB, change: Change, tail: str, values: tuple[Any, ...]
) -> None:
    assert change(db.select(Person)).to_sql() == (f"{ALL}{tail}", values)
    assert not db.is_connected


SELECTIONS: dict[str, tuple[Change, str]] = {
    "fields": (lambda q: q.fields(["name", "age"]), '"name", "age", "pk"'),
    "fields as given": (lambda q: q.fields(["age", "name"]), '"age", "name", "pk"'),
    "fields with the key": (lambda q: q.fields(["pk", "name"]), '"pk", "name"'),
    "only": (lambda q: q.only("name"), '"name", "pk"'),
    "only the key": (lambda q: q.only("pk"), '"pk"'),
    "exclude": (
        lambda q: q.exclude(["name", "day"]),
        '"pk", "created_at", "updated_at", "age", "score", "at"',
    ),
    "exclude time stamps": (
        lambda q: q.exclude({"updated_at", "created_at"}),
        '"pk", "name", "age", "score", "day", "at"',
    ),
}


@pytest.mark.parametrize(
    ("change", "columns"), SELECTIONS.values(), ids=list(SELECTIONS)
)
def test_selections(db: SqliterDB, change: Change, columns: str) -> None:
    assert change(db.select(Person)).to_sql() == (f'SELECT {columns} FROM "people"', ())


@pytest.mark.defect("D-37")
def test_fields_and_exclude_keep_the_models_order(db: SqliterDB) -> None:
    query = db.select(Person).fields(["day", "score", "name"]).exclude(["score"])
    text, _ = query.to_sql()
    assert text.index('"name"') < text.index('"day"')
    assert '"score"' not in text


def test_columns_and_tables_are_quoted_and_renamed(db: SqliterDB) -> None:
    text, values = (
        db.select(Link).filter(target_id=1, select="x").order("target_id").to_sql()
    )
    columns, _, rest = text.partition(" FROM ")
    assert columns.startswith(
        'SELECT "pk", "created_at", "updated_at", "select", "goal"'
    )
    assert rest == '"order" WHERE "goal" = ? AND "select" = ? ORDER BY "goal" ASC'
    assert values == (1, "x")


PROJECTIONS: dict[str, Case] = {
    "group": (
        lambda q: q.group_by("category"),
        'SELECT "category" AS "category" FROM "sales" GROUP BY "category"',
        (),
    ),
    "count": (
        lambda q: q.annotate(n=func.count()),
        'SELECT COUNT(*) AS "n" FROM "sales"',
        (),
    ),
    "count of values": (
        lambda q: q.annotate(n=func.count("amount", distinct=True)),
        'SELECT COUNT(DISTINCT "amount") AS "n" FROM "sales"',
        (),
    ),
    "all": (
        lambda q: (
            q.group_by("category")
            .annotate(total=func.sum("amount"))
            .having(total__gt=5)
            .order("total", reverse=True)
        ),
        'SELECT "category" AS "category", SUM("amount") AS "total" FROM "sales" '
        'GROUP BY "category" HAVING SUM("amount") > ? ORDER BY SUM("amount") DESC',
        (5,),
    ),
    "filter, having and window": (
        lambda q: (
            q.limit(3)
            .offset(1)
            .filter(amount__gt=1)
            .group_by("category")
            .annotate(n=func.count())
            .having(n__lt=9, category="x")
            .order("category")
        ),
        'SELECT "category" AS "category", COUNT(*) AS "n" FROM "sales" WHERE "amount" > ? '
        'GROUP BY "category" HAVING COUNT(*) < ? AND "category" = ? ORDER BY "category" ASC '
        "LIMIT ? OFFSET ?",
        (1, 9, "x", 3, 1),
    ),
}


@pytest.mark.parametrize(
    ("change", "text", "values"), PROJECTIONS.values(), ids=list(PROJECTIONS)
)
def test_projections(
    db: SqliterDB, change: Change, text: str, values: tuple[Any, ...]
) -> None:
    assert change(db.select(Sale)).to_sql() == (text, values)


def test_in_lists_share_one_text(db: SqliterDB) -> None:
    """However long the list: SQLite allows only so many placeholders."""
    one = db.select(Person).filter(age__in=range(1000)).to_sql()
    two = db.select(Person).filter(age__in=range(200_000)).to_sql()
    assert one[0] == two[0]
    assert len(one[1]) == 1


def test_values_never_enter_the_text(db: SqliterDB) -> None:
    hostile = "'; DROP TABLE people; --"
    conditions = [
        {"name": hostile},
        {"name__ne": hostile},
        {"name__gt": hostile},
        {"name__in": [hostile]},
        {"name__not_in": [hostile, "x"]},
        {"name__like": hostile},
        {"name__contains": hostile},
        {"name__startswith": hostile},
        {"name__iendswith": hostile},
    ]
    for condition in conditions:
        text, values = db.select(Person).filter(**condition).to_sql()
        assert "DROP" not in text
        assert any("drop table" in str(value).lower() for value in values)
