"""Every kind of field goes through the database and comes back equal, or is refused at once."""

import json
import math
import pickle
import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, Union
from uuid import UUID

import pytest
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NaiveDatetime,
    PositiveInt,
    computed_field,
    create_model,
    field_validator,
)

from sqliter.exceptions import RecordFetchError, RecordInsertionError, SqliterError
from sqliter.model import BaseDBModel


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Word(StrEnum):
    HELLO = "hello"


class Point(NamedTuple):
    x: int
    y: int


class Address(BaseModel):
    street: str
    since: date | None = None


@dataclass
class Size:
    width: int
    height: float


class Money(Enum):
    TEN = Decimal("10.0")


UserId = NewType("UserId", int)
Name = NewType("Name", str)
EAST = timezone(timedelta(hours=5, minutes=30))
MOMENT = datetime(2024, 3, 10, 12, 30, 1, 123456, tzinfo=UTC)
KEY = UUID("12345678-1234-5678-1234-567812345678")


def sample(annotation: Any, **config: Any) -> type[BaseDBModel]:
    """A model `Sample` with one field, `value`."""
    return create_model(
        "Sample", __base__=BaseDBModel, value=(annotation, ...), **config
    )


async def round_trip(db, annotation, value):
    model = sample(annotation)
    await db.create_table(model)
    saved = await db.insert(model(value=value))
    return (await db.get(model, saved.pk)).value


SCALARS = [
    (int, 0), (int, -7), (int, 2**63 - 1), (int, -(2**63)),
    (PositiveInt, 3), (Annotated[int, Field(ge=1)], 4), (UserId, 5), (Name, "Ada"),
    (float, 1.5), (float, 1e308), (float, -5e-324), (float, math.inf), (float, -math.inf),
    (float, 10.0), (bool, True), (bool, False),
    (str, ""), (str, "Ünïcödé 🎉"), (str, "a\0b"), (str, "it's \"quoted\" ? %_*"), (str, "12"),
    (bytes, b""), (bytes, b"\x00\xff\x80"), (bytes, b"text"),
    (Decimal, Decimal("1.10")), (Decimal, Decimal("-0.000000000000000000001")),
    (Decimal, Decimal("12345678901234567890.123456789")), (Decimal, Decimal("1E+30")),
    (UUID, KEY), (Colour, Colour.BLUE), (Level, Level.HIGH), (Word, Word.HELLO),
    (Money, Money.TEN),
    (time, time(0, 0)), (time, time(23, 59, 59, 999999)), (time, time(12, 0, 0, 1)),
    (timedelta, timedelta(0)), (timedelta, timedelta(days=-1, microseconds=1)),
    (timedelta, timedelta(days=40000, seconds=1, microseconds=999999)),
    (Path, Path("/tmp/some file.txt")),
    (Literal[1, "a", None], 1), (Literal[1, "a", None], "a"), (Literal[1, "a", None], None),
    (Literal["x", "y"], "y"), (Literal[Colour.RED], Colour.RED),
    (date, date(2024, 3, 10)), (date, date.min), (date, date.max), (date, date(1969, 12, 31)),
]  # fmt: skip

CONTAINERS = [
    (list, [1, "a", None, [2, {"b": True}]]), (dict, {"a": {"b": [1]}}), (set, {1}), (tuple, (1, "a")),
    (list, []), (dict, {}), (set, set()), (tuple, ()),
    (list[str], ["a", "b"]), (dict[str, Any], {"a": 1, "b": [1, (2,)]}), (set[int], {1, 2}),
    (tuple[str, int, bool], ("a", 1, True)), (tuple[int, ...], (1, 2, 3)), (frozenset[int], frozenset({1})),
    (Sequence[int], [1, 2]), (Mapping[str, int], {"a": 1}),
    (list[datetime], [MOMENT, MOMENT.astimezone(EAST)]), (list[timedelta], [timedelta(microseconds=1)]),
    (list[Decimal], [Decimal("1.10")]), (list[UUID], [KEY]), (list[Colour], [Colour.RED]),
    (list[bytes], [b"\x00\xff", b"text"]), (list[frozenset[int]], [frozenset({1})]),
    (list[Path], [Path("a/b")]), (list[complex], [1 + 2j]), (list[Point], [Point(1, 2)]),
    (list[date], [date(2024, 3, 10)]), (list[time], [time(1, 2, 3, 4)]),
    (dict[int, str], {1: "a"}), (dict[tuple[int, int], str], {(1, 2): "a"}), (dict[date, int], {date.min: 1}),
    (list[int], [2**80]), (list[float], [math.inf, -math.inf, 1.5]), (list[int | None], [1, None]),
    (list[Address], [Address(street="x", since=date(2000, 1, 2))]), (dict[str, Size], {"a": Size(1, 2.5)}),
    (Address, Address(street="x")), (Size, Size(1, 2.5)), (Point, Point(1, 2)),
    (dict[str, list[tuple[int, Colour]]], {"a": [(1, Colour.RED)]}), (list[list[int]], [[1], []]),
]  # fmt: skip

OPTIONALS = [
    (int | None, 5), (Optional[float], 1.5), (str | None, "a"), (bool | None, False), (bytes | None, b"\x80"),
    (list[int] | None, [1]), (dict[str, int] | None, {"a": 1}), (set[int] | None, {1}),
    (tuple[int, str] | None, (1, "a")), (Address | None, Address(street="x")), (Colour | None, Colour.RED),
    (Decimal | None, Decimal("1.10")), (UUID | None, KEY), (time | None, time(1)), (timedelta | None, timedelta(1)),
    (date | None, date(2024, 3, 10)), (date | None, date.min), (Path | None, Path("x")),
    (Annotated[int | None, Field(ge=1)], 3), (Literal["a"] | None, "a"), (Size | None, Size(1, 2.5)),
]  # fmt: skip

UNIONS = [
    (int | float, 1), (int | float, 1.5), (int | str, 7), (int | str, "7"), (Union[str, int], 7),
    (int | float | None, 2), (list[int] | str, [1]), (list[int] | str, "[1]"), (dict[str, int] | int, 5),
    (Address | int, Address(street="x")), (bytes | str, b"x"), (bytes | str, "x"),
    (date | int, 5), (date | int, date(2024, 3, 10)), (bool | str, True),
]  # fmt: skip

ANYTHING = [
    5, "5", 1.5, True, None, "text", b"\x00\xff", [1, "a"], {"a": 1}, (1, 2), {1}, frozenset({1}),
    {"a": [(1, {2}), {"b": ({3}, [4])}]}, [{(1, 2)}], {"k": (1, [2, (3,)])}, [[], (), {}, set()],
    MOMENT, date(2024, 3, 10), time(1, 2, 3, 4), timedelta(days=1, microseconds=2), Decimal("1.10"), KEY,
    [Decimal("1.10"), KEY, b"x", MOMENT], {1: "a", "1": "b"}, {(1, 2): "a"}, 2**70, math.inf,
    "[1]", '{"a": 1}', "null", "",
]  # fmt: skip


def ids(cases):
    return [f"{annotation}-{value!r}"[:60] for annotation, value in cases]


def assert_same(loaded, value):
    assert loaded == value
    assert type(loaded) is type(value)
    assert shape(loaded) == shape(value)


def shape(value: Any) -> Any:
    """The types inside a container, which `==` does not tell apart."""
    if isinstance(value, dict):
        return type(value), [(shape(k), shape(v)) for k, v in value.items()]
    if isinstance(value, (set, frozenset)):
        return type(value), sorted(repr(shape(item)) for item in value)
    if isinstance(value, (list, tuple)):
        return type(value), [shape(item) for item in value]
    return type(value)


@pytest.mark.parametrize(("annotation", "value"), SCALARS, ids=ids(SCALARS))
@pytest.mark.defect("D7")
async def test_scalar(db, annotation, value):
    assert_same(await round_trip(db, annotation, value), value)


async def test_decimal_keeps_its_digits(db):
    assert str(await round_trip(db, Decimal, Decimal("1.100"))) == "1.100"


@pytest.mark.parametrize(("annotation", "value"), CONTAINERS, ids=ids(CONTAINERS))
@pytest.mark.defect("D5")
async def test_container(db, annotation, value):
    assert_same(await round_trip(db, annotation, value), value)


@pytest.mark.parametrize(("annotation", "value"), OPTIONALS, ids=ids(OPTIONALS))
@pytest.mark.defect("D5")
async def test_optional_with_a_value_and_with_none(db, annotation, value):
    assert_same(await round_trip(db, annotation, value), value)
    assert await round_trip(db, annotation, None) is None


@pytest.mark.parametrize(("annotation", "value"), UNIONS, ids=ids(UNIONS))
@pytest.mark.defect("D4")
async def test_union_keeps_the_arm(db, annotation, value):
    assert_same(await round_trip(db, annotation, value), value)


@pytest.mark.parametrize("value", ANYTHING, ids=lambda v: repr(v)[:40])
async def test_any_keeps_type_and_value(db, value):
    assert_same(await round_trip(db, Any, value), value)


async def test_user_data_that_looks_like_a_tag_survives(db):
    model = sample(Any)
    await db.create_table(model)
    row = await db.insert(model(value=[(1,)]))
    (stored,) = await db.fetch("SELECT value FROM samples WHERE pk = ?", (row.pk,))
    looks_tagged = json.loads(stored["value"])
    assert_same(await round_trip(db, Any, looks_tagged), looks_tagged)


async def test_several_containers_are_replaced_at_once(db):
    class Box(BaseDBModel):
        items: list[int]
        names: dict[str, set[str]]

    await db.create_table(Box)
    box = await db.insert(Box(items=[1], names={"a": {"x"}}))
    box.items, box.names = [2, 3], {"b": set()}
    await db.update(box)
    assert await db.get(Box, box.pk) == box


async def test_a_list_changed_in_place_is_saved_by_update(db):
    model = sample(list[int])
    await db.create_table(model)
    row = await db.insert(model(value=[1]))
    row.value.append(2)
    await db.update(row)
    assert (await db.get(model, row.pk)).value == [1, 2]


# --- what a column is --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "declared"),
    [
        (int, "INTEGER"), (bool, "INTEGER"), (float, "REAL"), (str, "TEXT"), (bytes, "BLOB"),
        (date, "INTEGER"), (datetime, "INTEGER"), (int | None, "INTEGER"), (float | None, "REAL"),
        (str | None, "TEXT"), (date | None, "INTEGER"), (PositiveInt, "INTEGER"), (UserId, "INTEGER"),
    ],
)  # fmt: skip
@pytest.mark.defect("D4")
async def test_declared_type_comes_from_the_arm_that_is_not_none(
    db, annotation, declared
):
    model = sample(annotation)
    await db.create_table(model)
    (row,) = await db.fetch(
        "SELECT type FROM pragma_table_info('samples') WHERE name = 'value'"
    )
    assert row["type"] == declared


@pytest.mark.defect("D10")
async def test_required_fields_are_not_null_and_optional_ones_are_nullable(db):
    class Sample(BaseDBModel):
        needed: int
        defaulted: int = 5
        optional: int | None = None

    await db.create_table(Sample)
    rows = await db.fetch(
        "SELECT name, \"notnull\" AS n FROM pragma_table_info('samples')"
    )
    notnull = {row["name"]: row["n"] for row in rows}
    assert (notnull["needed"], notnull["optional"]) == (1, 0)


@pytest.mark.parametrize("annotation", [int | None, float | None, int | float])
@pytest.mark.defect("D4")
async def test_numbers_order_and_compare_as_numbers(db, annotation):
    model = sample(annotation)
    await db.create_table(model)
    await db.bulk_insert([model(value=n) for n in (5, 100, 9, 10)])
    ordered = await db.select(model).order("value").fetch_all()
    assert [row.value for row in ordered] == [5, 9, 10, 100]
    assert await db.select(model).filter(value__gt=9).count() == 2
    assert await db.select(model).filter(value=10.0).count() == 1


@pytest.mark.parametrize(
    ("annotation", "values"),
    [
        (
            datetime,
            [MOMENT, MOMENT + timedelta(microseconds=1), MOMENT + timedelta(days=9000)],
        ),
        (date, [date.min, date(1969, 1, 1), date(2024, 1, 1), date.max]),
        (time, [time(0), time(0, 0, 0, 1), time(9), time(10), time(23, 59, 59)]),
        (
            timedelta,
            [
                timedelta(-2),
                timedelta(0),
                timedelta(microseconds=1),
                timedelta(9),
                timedelta(10),
            ],
        ),
    ],
    ids=["datetime", "date", "time", "timedelta"],
)
async def test_dates_and_times_order_as_in_python(db, annotation, values):
    model = sample(annotation)
    await db.create_table(model)
    await db.bulk_insert([model(value=value) for value in reversed(values)])
    ordered = await db.select(model).order("value").fetch_all()
    assert [row.value for row in ordered] == values


# --- dates and times ---------------------------------------------------------------------

MOMENTS = [
    MOMENT,
    MOMENT.replace(microsecond=0),
    MOMENT.astimezone(EAST),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 58, 500000, tzinfo=UTC),
    datetime(1900, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    datetime(2100, 1, 1, 0, 0, 0, 999999, tzinfo=UTC),
    datetime(2700, 1, 1, tzinfo=UTC),
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC),
]


@pytest.fixture
def zone(monkeypatch):
    """Set the local time zone of this process; put it back afterwards."""

    def enter(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        clock.tzset()

    yield enter
    monkeypatch.undo()
    clock.tzset()


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
@pytest.mark.parametrize(
    "annotation", [datetime, datetime | None, AwareDatetime], ids=str
)
@pytest.mark.defect("D2")
@pytest.mark.defect("D39")
async def test_moment_is_kept_to_the_microsecond(db, annotation, moment):
    loaded = await round_trip(db, annotation, moment)
    assert loaded == moment
    assert loaded.tzinfo is not None


@pytest.mark.parametrize("name", ["America/Los_Angeles", "UTC", "Asia/Kolkata"])
async def test_naive_datetime_is_local_time_and_comes_back_aware(db, zone, name):
    zone(name)
    naive = datetime(2024, 7, 1, 12, 30, 0, 5)
    loaded = await round_trip(db, datetime, naive)
    assert loaded == naive.astimezone(UTC)
    assert loaded.utcoffset() == naive.astimezone().utcoffset()


async def test_utc_is_given_when_local_time_is_not_wanted(make_db, zone):
    zone("Asia/Kolkata")
    db = make_db(return_local_time=False)
    for annotation in (datetime, datetime | None):
        loaded = await round_trip(db, annotation, MOMENT)
        assert (loaded, loaded.utcoffset()) == (MOMENT, timedelta(0))


@pytest.mark.defect("D39")
async def test_naive_datetime_annotation_comes_back_naive(db, zone):
    zone("America/Los_Angeles")
    naive = datetime(2024, 7, 1, 12, 30, 0, 5)
    assert await round_trip(db, NaiveDatetime, naive) == naive


@pytest.mark.defect("D2")
async def test_moment_that_cannot_be_kept_exactly_is_refused(db):
    model = sample(datetime)
    await db.create_table(model)
    with pytest.raises(RecordInsertionError, match="value"):
        await db.insert(
            model(value=datetime(9999, 12, 30, 1, 1, 1, 123457, tzinfo=UTC))
        )
    assert await db.select(model).count() == 0


@pytest.mark.defect("D2")
@pytest.mark.parametrize("name", ["America/Los_Angeles", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "extreme", [datetime.min, datetime.max.replace(microsecond=0)], ids=str
)
async def test_extreme_naive_moment_is_kept_or_refused_clearly(db, zone, name, extreme):
    zone(name)
    model = sample(NaiveDatetime)
    await db.create_table(model)
    try:
        row = await db.insert(model(value=extreme))
    except SqliterError as error:
        assert "value" in str(error)
    else:
        assert (await db.get(model, row.pk)).value == extreme


@pytest.mark.parametrize("name", ["America/Los_Angeles", "UTC", "Pacific/Auckland"])
@pytest.mark.defect("D3")
async def test_date_does_not_drift_over_save_and_load(db, zone, name):
    zone(name)
    model = sample(date)
    await db.create_table(model)
    row = await db.insert(model(value=date(2024, 3, 10)))
    for _ in range(3):
        row = await db.get(model, row.pk)
        await db.update(row)
    assert row.value == date(2024, 3, 10)


async def test_updating_one_date_leaves_the_other_alone(db):
    class Span(BaseDBModel):
        start: date
        at: datetime

    await db.create_table(Span)
    span = await db.insert(Span(start=date(2024, 3, 10), at=MOMENT))
    span.start = date(2024, 3, 11)
    await db.update(span)
    loaded = await db.get(Span, span.pk)
    assert (loaded.start, loaded.at) == (date(2024, 3, 11), MOMENT)


@pytest.mark.parametrize("stored", [1710072001, 1710072001.0, "1710072001"])
async def test_number_in_an_older_text_column_is_read(db, stored):
    model = sample(datetime | None)
    await db.execute(
        "CREATE TABLE samples (pk INTEGER PRIMARY KEY AUTOINCREMENT, created_at INTEGER,"
        " updated_at INTEGER, value TEXT)"
    )
    await db.execute("INSERT INTO samples VALUES (1, 0, 0, ?)", (stored,))
    assert (await db.get(model, 1)).value == datetime(2024, 3, 10, 12, 0, 1, tzinfo=UTC)


@pytest.mark.defect("D38")
@pytest.mark.parametrize(
    ("annotation", "value"),
    [(datetime, MOMENT), (date, date(2024, 3, 10)), (Decimal, Decimal("1.10")), (UUID, KEY), (Colour, Colour.RED)],
    ids=["datetime", "date", "decimal", "uuid", "enum"],
)  # fmt: skip
async def test_filter_values_are_encoded_like_stored_ones(db, annotation, value):
    model = sample(annotation)
    await db.create_table(model)
    await db.insert(model(value=value))
    assert await db.select(model).filter(value=value).count() == 1
    assert await db.select(model).filter(value__ne=value).count() == 0


# --- values that are refused -------------------------------------------------------------


@pytest.mark.defect("D36")
async def test_nan_is_refused(db):
    model = sample(float)
    await db.create_table(model)
    with pytest.raises(RecordInsertionError, match="(?i)nan"):
        await db.insert(model(value=math.nan))
    assert await db.select(model).count() == 0


@pytest.mark.defect("D7")
async def test_type_without_an_exact_form_is_refused_before_any_row(db):
    class Handle:
        pass

    model = create_model(
        "Sample",
        __base__=(BaseDBModel,),
        value=(Annotated[Any, AfterValidator(lambda v: v)], ...),
    )
    await db.create_table(model)
    with pytest.raises(RecordInsertionError, match="value"):
        await db.insert(model(value=Handle()))
    assert await db.select(model).count() == 0


# --- pickled columns of older files ------------------------------------------------------


class Holder(BaseDBModel):
    value: list[Any] | None = None


async def old_row(db, blob):
    await db.execute(
        "CREATE TABLE holders (pk INTEGER PRIMARY KEY AUTOINCREMENT, created_at INTEGER,"
        " updated_at INTEGER, value TEXT)"
    )
    await db.execute("INSERT INTO holders VALUES (1, 0, 0, ?)", (blob,))


async def test_pickled_columns_of_older_files_are_read_and_rewritten(db):
    await old_row(db, pickle.dumps([1, "a", (2, {3})]))
    row = await db.get(Holder, 1)
    assert row.value == [1, "a", (2, {3})]
    await db.update(row)
    (stored,) = await db.fetch("SELECT typeof(value) AS t FROM holders")
    assert stored["t"] == "text"
    assert await db.get(Holder, 1) == row


class Exploit:
    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self):
        return open, (self.target, "w")


@pytest.mark.defect("D1")
async def test_a_crafted_pickle_runs_nothing(db, tmp_path):
    target = tmp_path / "touched"
    await old_row(db, pickle.dumps([Exploit(target)]))
    with pytest.raises(RecordFetchError, match="holders"):
        await db.get(Holder, 1)
    assert not target.exists()


@pytest.mark.defect("D1")
@pytest.mark.parametrize(
    "blob", [b"", b"\x80", b"garbage", b"cno_module\nname\n.", b"\x80\x04K\x01."]
)
async def test_a_corrupt_blob_is_a_clear_error(db, blob):
    await old_row(db, blob)
    with pytest.raises(RecordFetchError, match="value"):
        await db.get(Holder, 1)


# --- Pydantic features -------------------------------------------------------------------


@pytest.mark.defect("D33")
async def test_validators_do_not_run_again_when_a_row_is_loaded(db):
    class Wrapped(BaseDBModel):
        text: str

        @field_validator("text")
        @classmethod
        def wrap(cls, value: str) -> str:
            return f"<{value}>"

    await db.create_table(Wrapped)
    row = await db.insert(Wrapped(text="a"))
    assert (await db.get(Wrapped, row.pk)).text == "<a>"
    assert [r.text for r in await db.select(Wrapped).fetch_all()] == ["<a>"]


@pytest.mark.defect("D33")
@pytest.mark.parametrize("option", ["strict", "frozen"])
async def test_strict_and_frozen_models_are_saved_and_loaded(db, option):
    class Firm(BaseDBModel):
        model_config = ConfigDict(**{option: True})

        flag: bool
        day: date

    await db.create_table(Firm)
    row = await db.insert(Firm(flag=True, day=date(2024, 3, 10)))
    assert row.pk == 1
    assert await db.get(Firm, 1) == row


@pytest.mark.defect("D34")
async def test_exactly_the_fields_are_stored(db):
    class Person(BaseDBModel):
        first: str
        secret: str = Field(exclude=True)

        @computed_field
        @property
        def shout(self) -> str:
            return self.first.upper()

    await db.create_table(Person)
    row = await db.insert(Person(first="ada", secret="x"))
    loaded = await db.get(Person, row.pk)
    assert (loaded.first, loaded.secret, loaded.shout) == ("ada", "x", "ADA")


async def test_aliases_do_not_reach_the_table(db):
    class Person(BaseDBModel):
        name: str = Field(alias="fullName", serialization_alias="out_name")

    await db.create_table(Person)
    row = await db.insert(Person(fullName="Ada"))
    assert (await db.get(Person, row.pk)).name == "Ada"


async def test_loaded_instance_equals_the_saved_one_in_every_way(db):
    class Person(BaseDBModel):
        name: str
        age: int = 5

    await db.create_table(Person)
    saved = await db.insert(Person(name="Ada"))
    loaded = await db.get(Person, saved.pk)
    assert loaded == saved
    assert loaded.model_dump() == saved.model_dump()
    assert repr(loaded) == repr(saved)
    assert loaded.model_copy(update={"age": 6}).age == 6
    assert loaded.age == 5
    assert pickle.loads(pickle.dumps(loaded.model_dump())) == saved.model_dump()  # noqa: S301


@pytest.mark.parametrize("stored", ["abc", b"\x00", 1.5])
async def test_stored_value_that_does_not_fit_is_a_clear_error(db, stored):
    model = sample(int)
    await db.execute(
        "CREATE TABLE samples (pk INTEGER PRIMARY KEY AUTOINCREMENT, created_at INTEGER,"
        " updated_at INTEGER, value)"
    )
    await db.execute("INSERT INTO samples VALUES (7, 0, 0, ?)", (stored,))
    for read in (lambda: db.get(model, 7), db.select(model).fetch_all):
        with pytest.raises(RecordFetchError) as caught:
            await read()
        assert all(word in str(caught.value) for word in ("samples", "value", "7"))
