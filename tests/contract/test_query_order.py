"""`order()`, `limit()` and `offset()`."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from support import Strange, unwrap

from sqliter.exceptions import InvalidOffsetError, InvalidOrderError, SqliterError
from sqliter.model import BaseDBModel, ForeignKey


class Item(BaseDBModel):
    name: str
    size: int
    rank: int | None = None

    class Meta:
        table_name = "items"


class Target(BaseDBModel):
    name: str

    class Meta:
        table_name = "targets"


class Link(BaseDBModel):
    name: str
    target_id: int = ForeignKey(Target, db_column="goal")

    class Meta:
        table_name = "links"


ROWS = [("b", 3, None), ("a", 3, 2), ("B", 1, 1), ("Ä", 2, 10), ("a", 1, None)]


async def seed(db: Any) -> None:
    await db.create_table(Item)
    await db.bulk_insert(
        [Item(name=name, size=size, rank=rank) for name, size, rank in ROWS]
    )


async def keys(query: Any) -> list[int]:
    return [row.pk for row in await query.fetch_all()]


ORDERS: list[tuple[tuple[Any, ...], dict[str, Any], list[int]]] = [
    ((), {}, [1, 2, 3, 4, 5]),
    ((None,), {}, [1, 2, 3, 4, 5]),
    ((), {"reverse": True}, [5, 4, 3, 2, 1]),
    ((None,), {"reverse": True}, [5, 4, 3, 2, 1]),
    (("pk",), {}, [1, 2, 3, 4, 5]),
    (("pk",), {"reverse": False}, [1, 2, 3, 4, 5]),
    (("pk",), {"reverse": True}, [5, 4, 3, 2, 1]),
    (("-pk",), {}, [5, 4, 3, 2, 1]),
    (("-pk",), {"reverse": True}, [1, 2, 3, 4, 5]),
    (("name", "pk"), {}, [3, 2, 5, 1, 4]),
    (("name", "-pk"), {}, [3, 5, 2, 1, 4]),
    (("size", "name", "pk"), {}, [3, 5, 4, 2, 1]),
    (("-size", "name"), {}, [2, 1, 4, 3, 5]),
    (("size", "-name"), {}, [5, 3, 4, 1, 2]),
    (("size", "-name"), {"reverse": True}, [2, 1, 4, 3, 5]),
    (("-size", "-name"), {}, [1, 2, 4, 5, 3]),
    (("rank", "pk"), {}, [1, 5, 3, 2, 4]),
    (("-rank", "pk"), {}, [4, 2, 3, 1, 5]),
    (("rank", "pk"), {"nulls": "first"}, [1, 5, 3, 2, 4]),
    (("rank", "pk"), {"nulls": "last"}, [3, 2, 4, 1, 5]),
    (("-rank", "pk"), {"nulls": "first"}, [1, 5, 4, 2, 3]),
    (("-rank", "pk"), {"nulls": "last"}, [4, 2, 3, 1, 5]),
    (("rank", "pk"), {"nulls": "last", "reverse": True}, [4, 2, 3, 5, 1]),
    (("size", "rank"), {"nulls": "last"}, [3, 5, 4, 2, 1]),
    (("size", "rank"), {"nulls": None}, [5, 3, 4, 1, 2]),
]


@pytest.mark.parametrize(("names", "options", "expected"), ORDERS, ids=str)
async def test_order(
    db: Any, names: tuple[Any, ...], options: dict[str, Any], expected: list[int]
) -> None:
    await seed(db)
    assert await keys(db.select(Item).order(*names, **options)) == expected


async def test_a_later_order_replaces_the_earlier(db: Any) -> None:
    await seed(db)
    query = db.select(Item).order("-size", "-rank", nulls="first").order("-pk")
    assert await keys(query) == [5, 4, 3, 2, 1]
    assert await keys(query.order()) == [1, 2, 3, 4, 5]


async def test_a_renamed_column_is_ordered_by_its_field(db: Any) -> None:
    await db.create_table(Target)
    await db.create_table(Link)
    first, second = await db.insert(Target(name="1")), await db.insert(Target(name="2"))
    await db.insert(Link(name="one", target_id=second.pk))
    await db.insert(Link(name="two", target_id=first.pk))
    assert await keys(db.select(Link).order("target_id")) == [2, 1]
    with pytest.raises(InvalidOrderError, match="goal"):
        db.select(Link).order("goal")


# The older spelling


@pytest.mark.parametrize("direction", ["asc", "ASC", "Asc", "desc", "DESC", "Desc"])
@pytest.mark.parametrize("named", [True, False])
async def test_direction_still_works(db: Any, direction: str, named: bool) -> None:
    await seed(db)
    query = db.select(Item)
    with pytest.warns(DeprecationWarning, match="direction") as caught:
        if named:
            query.order("pk", direction=direction)
        else:
            query.order("pk", direction)
    assert [str(warning.message) for warning in caught] == [
        "'direction' argument is deprecated and will be removed in a future version. "
        "Use 'reverse' instead."
    ]
    downwards = direction.upper() == "DESC"
    assert await keys(query) == ([5, 4, 3, 2, 1] if downwards else [1, 2, 3, 4, 5])


@pytest.mark.defect("D-47")
async def test_the_deprecation_speaks_of_the_callers_line(db: Any) -> None:
    query = unwrap(db.select(Item))
    with pytest.warns(DeprecationWarning, match="direction") as caught:
        query.order("pk", direction="DESC")
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="direction") as caught:
        query.order("pk", "DESC")
    assert caught[0].filename == __file__


async def test_an_empty_direction_counts_as_absent(db: Any) -> None:
    await seed(db)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await keys(db.select(Item).order("pk", direction="")) == [1, 2, 3, 4, 5]
        assert await keys(db.select(Item).order("pk", direction=None)) == [
            1,
            2,
            3,
            4,
            5,
        ]


async def test_direction_and_reverse_together(db: Any) -> None:
    query = db.select(Item)
    with (
        pytest.warns(DeprecationWarning, match="direction"),
        pytest.raises(InvalidOrderError) as caught,
    ):
        query.order("pk", direction="ASC", reverse=True)
    assert str(caught.value) == (
        "Invalid order value - Cannot specify both 'direction' and 'reverse' as it is ambiguous."
    )


@pytest.mark.parametrize("named", [True, False])
async def test_a_direction_that_is_none(db: Any, named: bool) -> None:
    query = db.select(Item)
    with (
        pytest.warns(DeprecationWarning, match="direction"),
        pytest.raises(InvalidOrderError) as caught,
    ):
        query.order("pk", direction="sideways") if named else query.order(
            "pk", "sideways"
        )
    assert (
        str(caught.value)
        == "Invalid order value - 'sideways' is not a valid sorting direction."
    )


async def test_the_field_is_checked_before_the_direction(db: Any) -> None:
    query = db.select(Item)
    with (
        pytest.warns(DeprecationWarning, match="direction"),
        pytest.raises(InvalidOrderError, match="zz"),
    ):
        query.order("zz", direction="ASC", reverse=True)


# Refusals


@pytest.mark.parametrize(
    "name",
    [
        "zz",
        "rowid",
        "author",
        "author__name",
        "NAME",
        "name ",
        'na"me',
        "name DESC",
        "+pk",
    ],
)
async def test_an_unknown_field(db: Any, name: str) -> None:
    with pytest.raises(InvalidOrderError) as caught:
        db.select(Item).order(name)
    assert (
        str(caught.value)
        == f"Invalid order value - '{name}' does not exist in model fields."
    )


@pytest.mark.parametrize(
    "names", [("-zz",), ("name", "zz", "pk"), ("name", "-zz", "pk"), ("--pk",)]
)
async def test_an_unknown_field_among_others(db: Any, names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidOrderError, match="does not exist in model fields"):
        db.select(Item).order(*names)


async def test_nulls_go_first_or_last(db: Any) -> None:
    with pytest.raises((InvalidOrderError, ValueError), match="middle"):
        db.select(Item).order("rank", nulls="middle")


@pytest.mark.defect("D-23")
async def test_a_failed_order_leaves_no_trace(db: Any) -> None:
    await seed(db)
    query = db.select(Item).order("-pk")
    before = query.to_sql()
    for names, options in (
        (("zz",), {}),
        (("name", "zz", "pk"), {}),
        (("name",), {"nulls": "middle"}),
    ):
        with pytest.raises((SqliterError, ValueError)):
            query.order(*names, **options)
        assert query.to_sql() == before
    assert await keys(query) == [5, 4, 3, 2, 1]


# Limit and offset


WINDOWS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3, 4, 5]),
    ({"limit": 2}, [1, 2]),
    ({"limit": 0}, []),
    ({"limit": 5}, [1, 2, 3, 4, 5]),
    ({"limit": 99}, [1, 2, 3, 4, 5]),
    ({"limit": -1}, [1, 2, 3, 4, 5]),
    ({"limit": -7}, [1, 2, 3, 4, 5]),
    ({"limit": None}, [1, 2, 3, 4, 5]),
    ({"offset": 0}, [1, 2, 3, 4, 5]),
    ({"offset": 2}, [3, 4, 5]),
    ({"offset": 5}, []),
    ({"offset": 99}, []),
    ({"limit": 2, "offset": 1}, [2, 3]),
    ({"offset": 1, "limit": 2}, [2, 3]),
    ({"limit": 2, "offset": 4}, [5]),
    ({"limit": 0, "offset": 1}, []),
    ({"limit": -1, "offset": 3}, [4, 5]),
    ({"offset": 3, "limit": -3}, [4, 5]),
]


def windowed(query: Any, window: dict[str, Any]) -> Any:
    for name, value in window.items():
        getattr(query, name)(value)
    return query


@pytest.mark.parametrize(("window", "expected"), WINDOWS, ids=str)
async def test_windows(db: Any, window: dict[str, Any], expected: list[int]) -> None:
    await seed(db)
    query = windowed(db.select(Item).order("pk"), window)
    assert await keys(query) == expected
    assert len(await windowed(db.select(Item), window).fetch_all()) == len(expected)


@pytest.mark.defect("D-20")
@pytest.mark.parametrize(("window", "expected"), WINDOWS, ids=str)
async def test_count_and_exists_honour_the_window(
    db: Any, window: dict[str, Any], expected: list[int]
) -> None:
    await seed(db)
    for query in (db.select(Item), db.select(Item).order("-name")):
        assert await windowed(query, window).count() == len(expected)
        assert await query.exists() is bool(expected)


async def test_the_last_window_wins(db: Any) -> None:
    await seed(db)
    query = db.select(Item).order("pk").limit(1).limit(3).offset(1).offset(2)
    assert await keys(query) == [3, 4, 5]
    assert await keys(query.limit(1)) == [3]
    assert await keys(query.offset(0)) == [1]


@pytest.mark.defect("D-48")
async def test_a_limit_can_be_cleared(db: Any) -> None:
    await seed(db)
    assert await keys(db.select(Item).order("pk").limit(1).limit(None)) == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert await keys(db.select(Item).order("pk").offset(1).limit(None)) == [2, 3, 4, 5]
    assert await keys(db.select(Item).order("pk").limit(2).offset(1).limit(None)) == [
        2,
        3,
        4,
        5,
    ]


async def test_a_negative_offset(db: Any) -> None:
    with pytest.raises(InvalidOffsetError) as caught:
        db.select(Item).offset(-1)
    assert str(caught.value) == (
        "Invalid offset value: '-1'. Offset must be a positive integer."
    )


@pytest.mark.defect("D-48")
@pytest.mark.parametrize("value", ["x", "2", 1.5, 2.0, b"1", [1], Strange()], ids=repr)
async def test_windows_are_whole_numbers(db: Any, value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        db.select(Item).limit(value)
    with pytest.raises((TypeError, ValueError, InvalidOffsetError)):
        db.select(Item).offset(value)


@pytest.mark.defect("D-48")
async def test_an_offset_is_not_none(db: Any) -> None:
    with pytest.raises((TypeError, ValueError, InvalidOffsetError)):
        db.select(Item).offset(None)


@pytest.mark.defect("D-48")
@pytest.mark.parametrize("name", ["limit", "offset"])
async def test_numbers_beyond_sqlite_never_overflow(db: Any, name: str) -> None:
    """Refused at the call or as good as endless: an `OverflowError` is neither."""
    await seed(db)
    query = db.select(Item)
    try:
        getattr(query, name)(2**70)
    except (ValueError, TypeError, InvalidOffsetError):
        return
    assert len(await query.fetch_all()) == (5 if name == "limit" else 0)


@pytest.mark.defect("D-23")
async def test_a_failed_window_leaves_no_trace(db: Any) -> None:
    await seed(db)
    query = db.select(Item).order("pk").limit(2).offset(1)
    for call in (
        lambda: query.offset(-1),
        lambda: query.offset("a"),
        lambda: query.limit("a"),
    ):
        with pytest.raises((SqliterError, TypeError, ValueError)):
            call()
        assert await keys(query) == [2, 3]
    query = db.select(Item).order("pk")
    with pytest.raises(InvalidOffsetError):
        query.offset(-1)
    assert await keys(query) == [1, 2, 3, 4, 5]
