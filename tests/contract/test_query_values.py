"""Values of every scalar type in filters: encoded as they are stored, compared as Python does."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from support import Strange

from sqliter.exceptions import InvalidFilterError
from sqliter.model import BaseDBModel


class Shade(Enum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    MIDDLE = 5
    HIGH = 10


class Kinds(BaseDBModel):
    label: str
    day: date | None = None
    at: datetime | None = None
    clock: time | None = None
    span: timedelta | None = None
    price: Decimal | None = None
    key: UUID | None = None
    shade: Shade | None = None
    level: Level | None = None
    ok: bool | None = None
    path: Path | None = None
    blob: bytes | None = None
    mode: Literal["r", "w", "x"] | None = None

    class Meta:
        table_name = "kinds"


class Strict(BaseDBModel):
    """The same types where the field is required."""

    label: str
    day: date
    at: datetime
    span: timedelta
    price: Decimal
    key: UUID
    shade: Shade
    ok: bool
    path: Path

    class Meta:
        table_name = "strict_kinds"


def utc(year: int, month: int, day: int, *clock: int) -> datetime:
    return datetime(year, month, day, *clock, tzinfo=UTC)


# Three values of each type, in Python's order where the type has one.
ORDERED: dict[str, tuple[Any, Any, Any]] = {
    "day": (date(1969, 12, 31), date(2020, 2, 29), date(2700, 1, 1)),
    "at": (utc(1960, 5, 17), utc(2020, 1, 1, 12), utc(2020, 1, 1, 12, 0, 0, 250_000)),
    "clock": (time(0, 0), time(9, 30), time(10, 0, 0, 5)),
    "span": (
        timedelta(days=-1),
        timedelta(seconds=9),
        timedelta(days=2, microseconds=1),
    ),
    "price": (Decimal("-10.5"), Decimal("9"), Decimal("10.25")),
    "level": (Level.LOW, Level.MIDDLE, Level.HIGH),
    "ok": (False, True, True),
    "blob": (b"", b"a\x00b", b"b"),
}
UNORDERED: dict[str, tuple[Any, Any, Any]] = {
    "key": (UUID(int=1), UUID(int=2), UUID("ffffffff-ffff-4fff-8fff-ffffffffffff")),
    "shade": (Shade.RED, Shade.BLUE, Shade.GREEN),
    "path": (Path("a"), Path("a/b"), Path("/srv/c d")),
    "mode": ("r", "w", "x"),
}
VALUES = ORDERED | UNORDERED
FIELDS = pytest.mark.parametrize("field", list(VALUES))
SORTED_FIELDS = pytest.mark.parametrize(
    "field", [name for name in ORDERED if name != "ok"]
)


async def seed(db: Any, field: str) -> tuple[Any, Any, Any]:
    """Three rows `low`, `mid`, `high` and one, `null`, that holds nothing."""
    await db.create_table(Kinds)
    for label, value in zip(("low", "mid", "high"), VALUES[field], strict=True):
        await db.insert(Kinds(label=label, **{field: value}))
    await db.insert(Kinds(label="null"))
    return VALUES[field]


async def labels(db: Any, **conditions: Any) -> list[str]:
    rows = await db.select(Kinds).filter(**conditions).order("pk").fetch_all()
    return [row.label for row in rows]


@pytest.mark.defect("D-09")
@pytest.mark.defect("D-46")
@FIELDS
async def test_equality(db: Any, field: str) -> None:
    low, mid, high = await seed(db, field)
    rest = ["mid", "high"] if mid == high else ["mid"]
    assert await labels(db, **{field: low}) == ["low"]
    assert await labels(db, **{field: mid}) == rest
    assert await labels(db, **{f"{field}__eq": None}) == ["null"]
    assert await labels(db, **{f"{field}__ne": low}) == ["mid", "high"]
    assert await labels(db, **{f"{field}__ne": None}) == ["low", "mid", "high"]


@pytest.mark.defect("D-09")
@pytest.mark.defect("D-46")
@FIELDS
async def test_membership(db: Any, field: str) -> None:
    low, _, high = await seed(db, field)
    rest = ["mid", "high"] if field == "ok" else ["high"]
    assert await labels(db, **{f"{field}__in": [low, high]}) == ["low", *rest]
    assert await labels(db, **{f"{field}__in": [low, None]}) == ["low", "null"]
    assert await labels(db, **{f"{field}__in": [low] * 40_000}) == ["low"]
    assert await labels(db, **{f"{field}__not_in": [low]}) == ["mid", "high"]
    assert await labels(db, **{f"{field}__not_in": [low, None]}) == ["mid", "high"]
    assert await labels(db, **{f"{field}__not_in": [low] * 40_000}) == ["mid", "high"]


@pytest.mark.defect("D-09")
@pytest.mark.defect("D-46")
@SORTED_FIELDS
async def test_comparison(db: Any, field: str) -> None:
    low, mid, high = await seed(db, field)
    assert await labels(db, **{f"{field}__lt": mid}) == ["low"]
    assert await labels(db, **{f"{field}__lte": mid}) == ["low", "mid"]
    assert await labels(db, **{f"{field}__gt": mid}) == ["high"]
    assert await labels(db, **{f"{field}__gte": mid}) == ["mid", "high"]
    assert await labels(db, **{f"{field}__lt": low}) == []
    assert await labels(db, **{f"{field}__gt": high}) == []


@SORTED_FIELDS
async def test_order(db: Any, field: str) -> None:
    await seed(db, field)
    query = db.select(Kinds).filter(**{f"{field}__notnull": True})
    rows = await query.order(field, reverse=True).fetch_all()
    assert [row.label for row in rows] == ["high", "mid", "low"]


@FIELDS
async def test_a_loaded_value_finds_its_own_row(db: Any, field: str) -> None:
    values = await seed(db, field)
    for row in await db.select(Kinds).filter(**{f"{field}__notnull": True}).fetch_all():
        value = getattr(row, field)
        assert value in values
        assert row.label in await labels(db, **{field: value})


@pytest.mark.defect("D-09")
async def test_required_fields_encode_alike(db: Any) -> None:
    await db.create_table(Strict)
    row = Strict(
        label="it",
        day=date(2020, 1, 1),
        at=utc(2021, 6, 7, 8, 9, 10),
        span=timedelta(hours=30),
        price=Decimal("1.10"),
        key=UUID(int=77),
        shade=Shade.BLUE,
        ok=True,
        path=Path("x/y"),
    )
    await db.insert(row)
    other = row.model_copy(
        update={
            "pk": 0,
            "label": "other",
            "day": date(2020, 1, 2),
            "at": utc(2021, 6, 7, 8, 9, 11),
            "span": timedelta(hours=31),
            "price": Decimal("1.11"),
            "key": UUID(int=78),
            "shade": Shade.RED,
            "ok": False,
            "path": Path("x/z"),
        }
    )
    await db.insert(other)
    for field in ("day", "at", "span", "price", "key", "shade", "ok", "path"):
        query = db.select(Strict).filter(**{field: getattr(row, field)})
        assert [found.label for found in await query.fetch_all()] == ["it"], field
        query = db.select(Strict).filter(**{f"{field}__in": [getattr(other, field)]})
        assert [found.label for found in await query.fetch_all()] == ["other"], field


@pytest.mark.defect("D-09")
async def test_one_instant_in_two_zones(db: Any) -> None:
    await db.create_table(Kinds)
    noon = utc(2024, 3, 10, 12)
    await db.insert(Kinds(label="it", at=noon))
    elsewhere = noon.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    assert await labels(db, at=elsewhere) == ["it"]
    assert await labels(db, at=noon.astimezone().replace(tzinfo=None)) == ["it"]
    assert await labels(db, at=elsewhere + timedelta(seconds=1)) == []
    assert await labels(db, at__lt=elsewhere + timedelta(microseconds=1)) == ["it"]
    assert await labels(db, at__gt=elsewhere - timedelta(microseconds=1)) == ["it"]


async def test_equal_decimals_are_one_number(db: Any) -> None:
    await db.create_table(Kinds)
    await db.insert(Kinds(label="it", price=Decimal("1.10")))
    await db.insert(Kinds(label="hundred", price=Decimal("1E+2")))
    assert await labels(db, price=Decimal("1.1")) == ["it"]
    assert await labels(db, price=Decimal("1.100")) == ["it"]
    assert await labels(db, price=Decimal("100.00")) == ["hundred"]
    assert await labels(db, price__in=[Decimal("1.1"), Decimal("100")]) == [
        "it",
        "hundred",
    ]
    assert await labels(db, price__in=[Decimal("1.1000")] * 40_000) == ["it"]
    assert await labels(db, price__not_in=[Decimal("1.1000")] * 40_000) == ["hundred"]
    assert await labels(db, price__lte=Decimal("1.1000")) == ["it"]
    assert await labels(db, price__gt=Decimal("9")) == ["hundred"]
    assert await labels(db, price__gt=9) == ["hundred"]


async def test_decimals_compare_beyond_the_digits_of_a_float(db: Any) -> None:
    await db.create_table(Kinds)
    await db.insert(Kinds(label="low", price=Decimal("0.1234567890123456789")))
    await db.insert(Kinds(label="high", price=Decimal("0.1234567890123456790")))
    assert await labels(db, price=Decimal("0.1234567890123456789")) == ["low"]
    assert await labels(db, price__gt=Decimal("0.1234567890123456789")) == ["high"]


async def test_booleans_are_one_and_zero(db: Any) -> None:
    await seed(db, "ok")
    assert await labels(db, ok=1) == ["mid", "high"]
    assert await labels(db, ok=0) == ["low"]


@pytest.mark.defect("D-46")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("day", "not a day"),
        ("day", Strange()),
        ("day", datetime(2020, 1, 1, 15, 30)),
        ("at", Strange()),
        ("span", Strange()),
        ("price", "not a number"),
        ("price", Decimal("NaN")),
        ("key", "not a key"),
        ("key", Strange()),
        ("shade", Strange()),
        ("shade", Level.LOW),
        ("path", Strange()),
        ("blob", Strange()),
    ],
    ids=repr,
)
async def test_what_the_field_cannot_hold_is_refused(
    db: Any, field: str, value: object
) -> None:
    with pytest.raises(InvalidFilterError, match=field):
        db.select(Kinds).filter(**{field: value})
    with pytest.raises(InvalidFilterError, match=field):
        db.select(Kinds).filter(**{f"{field}__in": [value]})
