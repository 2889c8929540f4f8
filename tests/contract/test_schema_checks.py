"""Check constraints: conditions that SQLite itself enforces, and what violating one is called."""

import math
from datetime import date
from decimal import Decimal

import pytest

from sqliter.exceptions import (
    CheckConstraintError,
    CheckInsertionError,
    CheckUpdateError,
    InvalidSchemaError,
    RecordInsertionError,
    RecordUpdateError,
)
from sqliter.expressions import F, Q
from sqliter.model import BaseDBModel, ForeignKey


class Guest(BaseDBModel):
    name: str
    age: int | None = None
    level: int = 0
    highest: int = 9
    born: date | None = None
    price: Decimal = Decimal(0)

    class Meta:
        checks = {
            "age_is_positive": "age >= 0",
            "name 'is' \"well\" known?": Q(name__in=["Ann", "O'Hara", "what?", "a\0b"]),
            "level": Q(level__lte=F("highest"))
            & (Q(born=None) | ~Q(born=date(2000, 1, 1))),
        }


EXPECTED = (
    'CONSTRAINT "age_is_positive" CHECK (age >= 0), '
    'CONSTRAINT "name \'is\' ""well"" known?" CHECK '
    "(\"name\" IN ('Ann', 'O''Hara', 'what?', CAST(X'610062' AS TEXT))), "
    'CONSTRAINT "level" CHECK ("level" <= "highest" AND '
    '("born" IS NULL OR ("born" = 946684800) IS NOT TRUE)))'
)

VIOLATIONS = {
    "age_is_positive": {"age": -1},
    "name 'is' \"well\" known?": {"name": "Bob"},
    "level": {"level": 10},
}


async def test_the_sql_of_checks(db):
    await db.create_table(Guest)
    (row,) = await db.fetch("SELECT sql FROM sqlite_master WHERE name = 'guests'")
    assert row["sql"].endswith(EXPECTED)


@pytest.mark.parametrize("name", VIOLATIONS)
@pytest.mark.only("file")
async def test_a_violated_check_is_told_by_its_name(db, name):
    await db.create_table(Guest)
    wrong = Guest(**{"name": "Ann", **VIOLATIONS[name]})
    for insert in (
        lambda: db.insert(wrong),
        lambda: db.save(wrong),
        lambda: db.bulk_insert([wrong]),
        lambda: db.upsert(wrong.model_copy(update={"pk": 7})),
    ):
        with pytest.raises(CheckInsertionError) as caught:
            await insert()
        error = caught.value
        assert (error.table, error.kind, error.constraint) == ("guests", "check", name)
        assert isinstance(error, RecordInsertionError)
        assert isinstance(error, CheckConstraintError)
        assert name in str(error)
    guest = await db.insert(Guest(name="O'Hara"))
    for field, value in VIOLATIONS[name].items():
        setattr(guest, field, value)
    for change in (
        lambda: db.update(guest),
        lambda: db.bulk_update([guest], [*VIOLATIONS[name]]),
        lambda: db.update_where(Guest, {}, VIOLATIONS[name]),
    ):
        with pytest.raises(CheckUpdateError) as updated:
            await change()
        assert isinstance(updated.value, RecordUpdateError)
        assert updated.value.constraint == name
    assert (await db.get(Guest, guest.pk)).name == "O'Hara"


class Parent(BaseDBModel):
    name: str = ""


IMPOSSIBLE = {
    "no dict": (["age > 0"], "dict of conditions"),
    "no name": ({"": "x > 0"}, "needs a name"),
    "no text": ({"a": 3}, "the check 'a' of Row is a text of SQL or a Q, not 3"),
    "blank": ({"a": "  "}, "text of SQL or a Q"),
    "unknown field": ({"a": Q(ages=3)}, "invalid field 'ages'"),
    "empty": ({"a": Q()}, "it says nothing"),
    "other table": ({"a": Q(parent__name="x")}, "check 'a' of Row cannot be part"),
    "own function": ({"a": Q(name__icontains="x")}, "have no sqliter_casefold"),
    "own collation": ({"a": Q(price__gte=0)}, "have no sqliter_decimal"),
    "long list": ({"a": Q(age__in=range(99))}, "list too long"),
}


@pytest.mark.only("memory")
async def test_impossible_checks_are_refused_before_anything_is_written(db):
    for given, text in IMPOSSIBLE.values():

        class Row(BaseDBModel):
            name: str
            age: int = 0
            price: Decimal = Decimal(0)
            parent_id: int = ForeignKey(Parent)

            class Meta:
                checks = given

        with pytest.raises(InvalidSchemaError, match=text) as caught:
            await db.create_table(Row)
        assert isinstance(caught.value, ValueError)
    assert await db.get_table_names() == []


@pytest.mark.only("memory")
async def test_literals_are_exact(db):
    values = {
        "floats": (
            float,
            [0.1, -2.5, 1 / 3, 123456.7890123, 5e-324, 1.7e308, float("-inf")],
        ),
        "ints": (int, [0, -(2**63), 2**63 - 1]),
        "texts": (str, ["", "it's", '"', "?", "a\0'b", "Ünïcode"]),
        "blobs": (bytes, [b"", b"'\0\xff"]),
        "truths": (bool, [True, False]),
    }
    models = {}
    for name, (kind, examples) in values.items():

        class Row(BaseDBModel):
            value: kind

            class Meta:
                table_name = name
                checks = {"known": Q(value__in=examples)}

        await db.create_table(Row)
        rows = await db.bulk_insert([Row(value=each) for each in examples])
        assert len(rows) == len(examples)
        models[name] = Row
    for beside in (math.nextafter(1 / 3, 1), math.nextafter(0.1, 0)):
        with pytest.raises(CheckInsertionError):
            await db.insert(models["floats"](value=beside))
