"""Selecting some of the fields: which are read, what the instances look like."""

from datetime import UTC, date, datetime
from typing import Any, Literal

import pytest

from sqliter.model import BaseDBModel, ForeignKey


class Complex(BaseDBModel):
    name: str
    age: int
    is_active: bool
    score: int | float
    note: str | None = None
    flag: bool | None = None
    at: datetime | None = None
    day: date = date(2000, 1, 1)
    anything: Any = None
    kind: Literal["a", "b"] = "a"


MOMENT = datetime(2024, 3, 10, 12, 30, tzinfo=UTC)
OWN = [
    "name",
    "age",
    "is_active",
    "score",
    "note",
    "flag",
    "at",
    "day",
    "anything",
    "kind",
]


async def filled(db):
    await db.create_table(Complex)
    return await db.bulk_insert(
        [
            Complex(
                name="Alice",
                age=30,
                is_active=True,
                score=1.5,
                flag=False,
                at=MOMENT,
                anything=[1],
            ),
            Complex(
                name="Bob",
                age=20,
                is_active=False,
                score=2,
                note="x",
                day=date(2024, 3, 10),
                kind="b",
            ),
        ]
    )


def present(instance):
    return [name for name in Complex.model_fields if hasattr(instance, name)]


@pytest.mark.parametrize(
    ("choose", "expected"),
    [
        (lambda db: db.select(Complex, fields=["name", "age"]), ["pk", "name", "age"]),
        (lambda db: db.select(Complex, ["name"]), ["pk", "name"]),
        (lambda db: db.select(Complex).fields(["age"]), ["pk", "age"]),
        (lambda db: db.select(Complex).fields(["age"]).fields(["name"]), ["pk", "name"]),
        (lambda db: db.select(Complex).only("score"), ["pk", "score"]),
        (lambda db: db.select(Complex).only("pk"), ["pk"]),
        (lambda db: db.select(Complex).fields(["created_at"]), ["pk", "created_at"]),
        (lambda db: db.select(Complex, exclude=OWN[1:]), ["pk", "created_at", "updated_at", "name"]),
        (lambda db: db.select(Complex).exclude([*OWN[2:], "created_at"]), ["pk", "updated_at", "name", "age"]),
    ],
)  # fmt: skip
async def test_selected_fields_and_pk_are_present_and_nothing_else(
    db, choose, expected
):
    await filled(db)
    for row in await choose(db).fetch_all():
        assert present(row) == expected
        assert row.model_fields_set == set(expected)
        assert type(row) is Complex


@pytest.mark.parametrize(
    "choose",
    [
        lambda db: db.select(Complex, fields=[]),
        lambda db: db.select(Complex, fields=None),
        lambda db: db.select(Complex, exclude=[]),
        lambda db: db.select(Complex).fields([]),
        lambda db: db.select(Complex).fields(None),
        lambda db: db.select(Complex).exclude(None),
    ],
)
async def test_empty_selection_means_all_fields(db, choose):
    rows = await filled(db)
    assert await choose(db).fetch_all() == rows


@pytest.mark.parametrize("field", ["name", "note", "created_at"])
async def test_unselected_field_raises_attribute_error_saying_so(db, field):
    await filled(db)
    row = await db.select(Complex).only("age").fetch_one()
    with pytest.raises(AttributeError, match="not selected"):
        getattr(row, field)


@pytest.mark.defect("D6")
@pytest.mark.parametrize("field", OWN)
async def test_selected_value_equals_the_one_of_a_whole_row(db, field):
    rows = await filled(db)
    partial = await db.select(Complex).only(field).order("pk").fetch_all()
    for one, whole in zip(partial, rows, strict=True):
        assert getattr(one, field) == getattr(whole, field)
        assert type(getattr(one, field)) is type(getattr(whole, field))


@pytest.mark.parametrize(
    ("choose", "message"),
    [
        (lambda db: db.select(Complex, fields=["nowhere"]), "Invalid fields specified: nowhere"),
        (lambda db: db.select(Complex).fields(["nowhere"]), "Invalid fields specified: nowhere"),
        (lambda db: db.select(Complex).only("nowhere"), "Invalid field specified: nowhere"),
        (lambda db: db.select(Complex, exclude=["nowhere"]), "Invalid fields specified for exclusion: nowhere"),
        (lambda db: db.select(Complex).exclude(["nowhere"]), "Invalid fields specified for exclusion: nowhere"),
        (lambda db: db.select(Complex).exclude(["pk"]), "The primary key 'pk' cannot be excluded."),
        (
            lambda db: db.select(Complex).exclude([*OWN, "created_at", "updated_at"]),
            "Exclusion results in no fields being selected.",
        ),
    ],
)  # fmt: skip
async def test_impossible_selection_is_refused_when_it_is_written(db, choose, message):
    with pytest.raises(ValueError, match=message):
        choose(db)
    assert db.is_connected is False


@pytest.mark.parametrize("arguments", [(["name"],), ("name", "age"), ()])
async def test_only_takes_exactly_one_name(db, arguments):
    with pytest.raises(TypeError):
        db.select(Complex).only(*arguments)


@pytest.mark.defect("D52")
async def test_the_callers_list_is_not_changed(db):
    await filled(db)
    chosen = ["name"]
    await db.select(Complex).fields(chosen).fetch_all()
    await db.select(Complex, fields=chosen).fetch_all()
    assert chosen == ["name"]


@pytest.mark.defect("D52")
async def test_sql_of_an_exclusion_is_the_same_each_time_and_in_model_order(
    logged_db, statements
):
    await filled(logged_db)
    with statements.watch():
        await logged_db.select(Complex, exclude=["name", "note", "kind"]).fetch_all()
    (sql,) = statements.starting("SELECT")
    columns = [
        f'"{n}"' for n in Complex.model_fields if n not in {"name", "note", "kind"}
    ]
    positions = [sql.index(column) for column in columns]
    assert positions == sorted(positions)


@pytest.mark.defect("D52")
async def test_pk_is_selected_once(logged_db, statements):
    await filled(logged_db)
    with statements.watch():
        await logged_db.select(Complex).only("pk").fetch_all()
    (sql,) = statements.starting("SELECT")
    assert sql.split("FROM")[0].count('"pk"') == 1


async def test_selection_combines_with_filters_order_and_paging(db):
    await filled(db)
    query = db.select(Complex, fields=["name"]).filter(is_active__in=[True, False])
    assert [row.name for row in await query.order("age").fetch_all()] == [
        "Bob",
        "Alice",
    ]
    assert (await query.fetch_first()).name == "Bob"
    assert (await query.fetch_last()).name == "Alice"
    assert (await query.limit(1).offset(1).fetch_one()).name == "Alice"
    assert await query.filter(name="nobody").fetch_one() is None


async def test_model_is_unaffected_by_a_selection(db):
    rows = await filled(db)
    await db.select(Complex).only("age").fetch_all()
    assert await db.select(Complex).fetch_all() == rows
    assert Complex(name="x", age=1, is_active=True, score=0).note is None


async def test_renamed_key_is_selected_by_its_field_name(db):
    class Page(BaseDBModel):
        next_id: int | None = ForeignKey(Complex, null=True, db_column="next_ref")
        text: str = ""

    await db.create_table(Complex)
    await db.create_table(Page)
    await db.insert(Page(text="x"))
    row = await db.select(Page).only("next_id").fetch_one()
    assert row.next_id is None
    assert not hasattr(row, "text")


async def test_partial_instance_from_the_cache_is_partial_too(make_db):
    db = make_db(cache_enabled=True)
    await filled(db)
    for _ in range(2):
        row = await db.select(Complex).only("age").fetch_one()
        assert present(row) == ["pk", "age"]
    assert db.get_cache_stats()["hits"] == 1
