"""`Index`: descending, partial and expression indexes, and those with a collation."""

import pytest

from sqliter.exceptions import (
    InvalidIndexError,
    InvalidSchemaError,
    RecordInsertionError,
    RecordUpdateError,
    SqlExecutionError,
)
from sqliter.expressions import Q
from sqliter.model import BaseDBModel, Index


class User(BaseDBModel):
    name: str
    email: str = ""
    age: int = 0
    active: bool = True

    class Meta:
        indexes = [
            "age",
            Index("name", "-age"),
            Index("email", unique=True, where=Q(active=True) & ~Q(email="")),
            Index("age", where="age > 60", name="the old"),
            Index("name", collate="nocase"),
            Index(sql="age % 10, name DESC", name="digit"),
        ]
        unique_indexes = [
            Index("name", "-email", collate="RTRIM"),
            Index(sql="lower(name)", where=Q(age__gte=18), name="grown_up_name"),
        ]


EXPECTED = [
    'CREATE INDEX idx_users_age ON "users" ("age")',
    'CREATE INDEX idx_users_name_age_desc ON "users" ("name", "age" DESC)',
    'CREATE UNIQUE INDEX idx_users_email_unique_partial ON "users" ("email") '
    'WHERE "active" = 1 AND ("email" = \'\') IS NOT TRUE',
    'CREATE INDEX "the old" ON "users" ("age") WHERE age > 60',
    'CREATE INDEX idx_users_name_nocase ON "users" ("name" COLLATE NOCASE)',
    'CREATE INDEX "digit" ON "users" (age % 10, name DESC)',
    'CREATE UNIQUE INDEX idx_users_name_rtrim_email_rtrim_desc_unique ON "users" '
    '("name" COLLATE RTRIM, "email" COLLATE RTRIM DESC)',
    'CREATE UNIQUE INDEX "grown_up_name" ON "users" (lower(name)) WHERE "age" >= 18',
]


async def test_the_sql_of_indexes_which_may_be_made_again(db):
    for _ in range(2):
        await db.create_table(User)
    await db.create_indexes(User, User.Meta.indexes)
    await db.create_indexes(User, User.Meta.unique_indexes, unique=True)
    await db.create_table(User, force=True)
    rows = await db.fetch("SELECT sql FROM sqlite_master WHERE type = 'index'")
    assert [row["sql"] for row in rows] == EXPECTED


async def test_partial_and_expression_indexes_forbid_duplicates(db):
    await db.create_table(User)
    ann = await db.insert(User(name="Ann", email="a@b.de", age=30))
    await db.insert(User(name="Old Ann", email="a@b.de", active=False))
    await db.insert(User(name="ANN", age=17))
    duplicates = [
        (User(name="Bob", email="a@b.de"), "UNIQUE constraint failed: users.email"),
        (User(name="aNN", age=18), "index 'grown_up_name'"),
        (User(name="Ann  ", email="a@b.de "), "users.name, users.email"),
    ]
    for user, text in duplicates:
        for verb in (db.insert, db.save):
            with pytest.raises(RecordInsertionError, match=text) as caught:
                await verb(user)
            assert (caught.value.kind, user.pk) == ("unique", 0)
    with pytest.raises(RecordUpdateError) as updated:
        await db.update_where(User, {"name": "Old Ann"}, {"active": True})
    assert updated.value.kind == "unique"
    assert await db.select(User).count() == 3
    assert (
        await db.select(User).filter(email="a@b.de", active=True).fetch_one()
    ) == ann


async def test_an_index_of_some_rows_does_not_say_which_row_is_meant(db):
    class Tag(BaseDBModel):
        name: str
        text: str = ""
        used: bool = True

        class Meta:
            indexes = (
                Index("name", unique=True, where=Q(used=True)),
                Index("text", unique=True, collate="NOCASE"),
                Index("name", "-used", unique=True, name="both"),
            )

    await db.create_table(Tag)
    for field, name in (
        ("name", "name_unique_partial"),
        ("text", "text_nocase_unique"),
    ):
        with pytest.raises(ValueError, match=f"the index idx_tags_{name} cannot say"):
            await db.upsert(Tag(name="a"), conflict=[field])
    tag = await db.upsert(Tag(name="a", text="one"))
    again = await db.upsert(Tag(name="a", text="two"))
    assert (again.pk, (await db.get(Tag, tag.pk)).text) == (tag.pk, "two")
    with pytest.raises(RecordInsertionError) as caught:
        await db.upsert(Tag(name="b", text="TWO"))
    assert caught.value.kind == "unique"


@pytest.mark.only("memory")
async def test_models_may_share_an_index_with_a_name(db):
    class Named(BaseDBModel):
        name: str

        class Meta:
            abstract = True
            indexes = (
                Index(sql="lower(name)", name="{table} by name", unique=True),
                Index("name", where="name > 1", name="some_{table}"),
            )

    class Cat(Named):
        pass

    class Dog(Named):
        pass

    await db.create_table(Cat)
    await db.create_table(Dog)
    rows = await db.fetch("SELECT name FROM sqlite_master WHERE type = 'index'")
    names = {row["name"] for row in rows}
    assert names == {"cats by name", "some_cats", "dogs by name", "some_dogs"}


OTHERS = {
    "columns": 'CREATE INDEX idx_rows_name_desc ON rows ("name", "text" DESC)',
    "order": 'CREATE INDEX idx_rows_name_desc ON rows ("name")',
    "partial": 'CREATE INDEX idx_rows_text ON rows ("text") WHERE text > 1',
    "condition": 'CREATE INDEX idx_rows_text_partial ON "rows" ("text") WHERE text > 2',
    "collation": 'CREATE INDEX idx_rows_name_nocase ON "rows" ("name" COLLATE RTRIM)',
    "expression": 'CREATE INDEX "upper" ON "rows" (lower(name))',
}


@pytest.mark.only("memory")
async def test_another_index_of_the_same_name_is_refused(db):
    class Row(BaseDBModel):
        name: str
        text: str = ""

        class Meta:
            table_name = "rows"
            indexes = (
                Index("-name"),
                "text",
                Index("text", where="text > 1"),
                Index("name", collate="NOCASE"),
                Index(sql="upper(name)", name="upper"),
            )

    class Clashing(BaseDBModel):
        name: str

        class Meta:
            indexes = (Index("name", where="name > 1"), Index("name", where="name > 2"))

    await db.create_table(Row)
    for sql in OTHERS.values():
        name = sql.split()[2].strip('"')
        await db.execute(f'DROP INDEX "{name}"')
        await db.execute(sql)
        with pytest.raises(SqlExecutionError, match=f"index named {name} exists"):
            await db.create_table(Row)
        await db.execute(f'DROP INDEX "{name}"')
        await db.create_table(Row)
    with pytest.raises(SqlExecutionError, match="give the index another name"):
        await db.create_table(Clashing)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({}, ValueError, "over fields, or over sql"),
        ({"fields": ["name"], "sql": "x", "name": "n"}, ValueError, "over fields, or"),
        ({"sql": "lower(name)"}, ValueError, "needs a name"),
        ({"sql": "x", "name": "x", "collate": "NOCASE"}, ValueError, "in the SQL"),
        ({"fields": [("name", "text")]}, TypeError, "one by one"),
        (
            {"fields": ["name"], "collate": "unicode"},
            ValueError,
            "BINARY, NOCASE, RTRIM",
        ),
        ({"fields": ["name"], "name": "sqlite_x"}, ValueError, "no name"),
        ({"fields": ["name"], "name": " "}, ValueError, "no name"),
    ],
)
def test_impossible_indexes(arguments, error, text):
    with pytest.raises(error, match=text):
        Index(*arguments.pop("fields", ()), **arguments)


@pytest.mark.only("memory")
async def test_indexes_that_do_not_fit_the_model(db):
    for index, error, text in (
        (Index("nam"), InvalidIndexError, "nam"),
        (Index("-"), InvalidIndexError, "User"),
        (Index("age", collate="NOCASE"), InvalidSchemaError, "texts, which 'age'"),
        (
            Index("age", where=Q(ag=1)),
            InvalidSchemaError,
            "index idx_users_age_partial",
        ),
        (Index("age", where=Q()), InvalidSchemaError, "it says nothing"),
        (Index("age", where=5), InvalidSchemaError, "SQL or a Q, not 5"),
    ):
        with pytest.raises(error, match=text):
            await db.create_indexes(User, [index])
