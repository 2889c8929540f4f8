"""`unique()` on a field: how it is written, what the table does with it."""

import warnings
from typing import Annotated

import pytest
from pydantic import Field

from sqliter.exceptions import RecordInsertionError, RecordUpdateError
from sqliter.model import BaseDBModel, Unique, unique


class User(BaseDBModel):
    email: Annotated[str, unique()]
    nick: str | None = unique(default=None)


async def unique_columns(db, table):
    rows = await db.fetch(
        f"SELECT c.name FROM pragma_index_list('{table}') i, pragma_index_info(i.name) c "
        'WHERE i."unique" ORDER BY c.name'
    )
    return [row["name"] for row in rows]


async def test_both_spellings_make_a_unique_column(db):
    await db.create_table(User)
    assert await unique_columns(db, "users") == ["email", "nick"]


async def test_second_equal_value_is_refused_at_insert(db):
    await db.create_table(User)
    await db.insert(User(email="a@x"))
    with pytest.raises(
        RecordInsertionError, match="UNIQUE constraint failed: users.email"
    ):
        await db.insert(User(email="a@x"))


async def test_second_equal_value_is_refused_at_update(db):
    await db.create_table(User)
    await db.insert(User(email="a@x"))
    other = await db.insert(User(email="b@x"))
    other.email = "a@x"
    with pytest.raises(
        RecordUpdateError, match="UNIQUE constraint failed: users.email"
    ):
        await db.update(other)


async def test_several_nulls_are_allowed_and_differ_from_empty_text(db):
    await db.create_table(User)
    nicks = [None, None, "", "a", "A"]
    await db.bulk_insert(
        [User(email=f"{n}@x", nick=nick) for n, nick in enumerate(nicks)]
    )
    assert [u.nick for u in await db.select(User).order("pk").fetch_all()] == nicks


def test_default_and_default_factory():
    class Token(BaseDBModel):
        value: str = unique(default_factory=lambda: "made")
        kind: str = unique("plain")

    assert (Token().value, Token().kind) == ("made", "plain")


def test_keywords_go_to_the_field():
    field = unique(default="x", description="the address", max_length=9)
    assert field.description == "the address"


def test_extra_schema_is_merged():
    class Token(BaseDBModel):
        value: str = unique(json_schema_extra={"help": "me"})

    extra = Token.model_fields["value"].json_schema_extra
    assert extra["help"] == "me"
    assert extra["unique"] is True


@pytest.mark.parametrize(
    "extra", [["a"], lambda schema: None], ids=["list", "callable"]
)
async def test_extra_schema_of_another_kind_does_not_lose_uniqueness(db, extra):
    class Token(BaseDBModel):
        value: str = unique(json_schema_extra=extra)

    await db.create_table(Token)
    assert await unique_columns(db, "tokens") == ["value"]


async def test_a_flag_in_the_extra_schema_is_enough(db):
    class Token(BaseDBModel):
        value: str = Field(json_schema_extra={"unique": True})

    await db.create_table(Token)
    assert await unique_columns(db, "tokens") == ["value"]


@pytest.mark.defect("D37")
def test_the_callers_extra_schema_is_not_changed():
    shared = {"help": "me"}
    unique(json_schema_extra=shared)
    assert shared == {"help": "me"}


@pytest.mark.defect("D45")
def test_old_spelling_warns_once_at_the_caller():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Unique()
    assert [w.category for w in caught] == [DeprecationWarning]
    assert caught[0].filename == __file__
    assert "Use 'unique' instead" in str(caught[0].message)
    assert "future version" in str(caught[0].message)


async def test_old_spelling_still_works(db):
    with pytest.warns(DeprecationWarning):

        class Token(BaseDBModel):
            value: str = Unique()

    await db.create_table(Token)
    assert await unique_columns(db, "tokens") == ["value"]
