"""Every kind of annotation: what goes into a real column comes out the same."""

from __future__ import annotations

import enum
import ipaddress
import math
import re
import sqlite3
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import (
    Annotated,
    Any,
    Dict,
    Generic,
    List,
    Literal,
    NamedTuple,
    NewType,
    Optional,
    TypeVar,
)
from uuid import UUID
from zoneinfo import ZoneInfo

import pydantic
import pytest
from annotated_types import Gt
from pydantic import BaseModel, ConfigDict, Field, computed_field
from typing_extensions import TypeAliasType, TypedDict

from sqliter.model.codecs import (
    Codec,
    UnstorableTypeError,
    UnstorableValue,
    codec_for,
    natural_encode,
)

RoundTrip = Callable[[Codec, Any], Any]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 9


class Ratio(enum.Enum):
    HALF = 0.5
    WHOLE = 1.0


class Mixed(enum.Enum):
    NUMBER = 1
    TEXT = "1"
    PAIR = (1, 2)
    FIRST = 1  # an alias of NUMBER


class Switch(enum.Enum):
    ON = True
    OFF = False


class Rights(enum.Flag):
    READ = 1
    WRITE = 2
    RUN = 4


class IntRights(enum.IntFlag):
    READ = 1
    WRITE = 2


class Huge(enum.Enum):
    BIG = 2**70


class Street(BaseModel):
    name: str
    number: int = 1


class Person(BaseModel):
    model_config = ConfigDict(strict=True)
    name: str = Field(alias="fullName", default="?")
    born: datetime | None = None
    street: Street | None = None
    tags: set[str] = set()
    anything: Any = None


class Tree(BaseModel):
    value: float
    children: list[Tree] = []


class Hidden(BaseModel):
    shown: int
    kept: str = Field(exclude=True, default="secret")

    @computed_field
    def double(self) -> int:
        return self.shown * 2


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int


@dataclass
class Point:
    x: int
    y: float
    labels: list[str] = field(default_factory=list)


class Pair(NamedTuple):
    left: int
    right: str


class Movie(TypedDict):
    name: str
    year: int


T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    content: T


Bounded = TypeVar("Bounded", bound=int)
UserId = NewType("UserId", int)
Deep = NewType("Deep", UserId)
Alias = TypeAliasType("Alias", Annotated[int, Gt(0)])
Param = TypeVar("Param")
ListOf = TypeAliasType("ListOf", list[Param], type_params=(Param,))
JsonTree = TypeAliasType(
    "JsonTree", "dict[str, JsonTree] | list[JsonTree] | str | int | float | bool | None"
)

AN_ID = UUID("12345678-1234-5678-1234-567812345678")
Unhashable = Field(examples=[1], json_schema_extra={"a": []})
NESTED = {
    "list": [1, (2, {3, 4}), {"a": frozenset({b"x"})}],
    "moment": datetime(2024, 3, 10, 12, 30, 1, 123456, tzinfo=UTC),
    "day": date(1, 1, 1),
    "$tuple": [1],
    "inf": [math.inf, -math.inf, -0.0],
    5: {None: True, (1, 2): Decimal("1.50")},
    "big": 2**100,
    "complex": complex(-0.0, math.inf),
    "path": Path("/tmp/ä"),
    "span": timedelta.max,
    "at": time(1, 2, 3, 4),
    "id": AN_ID,
    "queue": deque([1, 2], maxlen=3),
    "raw": bytearray(b"\x00\xff"),
}

ROUND_TRIPS: list[tuple[Any, str, list[Any]]] = [
    (int, "INTEGER", [0, -1, 2**63 - 1, -(2**63)]),
    (Annotated[int, Gt(0)], "INTEGER", [1]),
    (UserId, "INTEGER", [1]),
    (Deep, "INTEGER", [1]),
    (Alias, "INTEGER", [1]),
    (Bounded, "INTEGER", [1]),
    (bool, "INTEGER", [True, False]),
    (float, "REAL", [0.0, 1.0, 1.5, 1e308, 5e-324, math.inf, -math.inf]),
    (str, "TEXT", ["", "7", "1.0", "ä\x00b", "None"]),
    (bytes, "BLOB", [b"", b"\x00\xff", b"7"]),
    (bytearray, "BLOB", [bytearray(b"\x00\xff")]),
    (time, "TEXT", [time(0), time(23, 59, 59, 999999)]),
    (
        time,
        "TEXT",
        [time(1, tzinfo=UTC), time(1, tzinfo=timezone(timedelta(hours=-5)))],
    ),
    (timedelta, "INTEGER", [timedelta(0), timedelta(-3, 5, 7), timedelta(days=100000)]),
    (
        Decimal,
        "TEXT",
        [Decimal(x) for x in ("0", "-0", "1.50", "1E+50", "0.1e-400", "Infinity")],
    ),
    (UUID, "TEXT", [AN_ID]),
    (Path, "TEXT", [Path("/a/b"), Path("."), Path("ä b")]),
    (PurePosixPath, "TEXT", [PurePosixPath("a")]),
    (PureWindowsPath, "TEXT", [PureWindowsPath(r"c:\x")]),
    (Colour, "TEXT", list(Colour)),
    (Level, "INTEGER", list(Level)),
    (Ratio, "REAL", list(Ratio)),
    (Mixed, "TEXT", list(Mixed)),
    (Switch, "TEXT", list(Switch)),
    (Huge, "TEXT", list(Huge)),
    (Rights, "INTEGER", [Rights(0), Rights.READ, Rights.READ | Rights.RUN]),
    (IntRights, "INTEGER", [IntRights.READ | IntRights.WRITE, IntRights(0)]),
    (Literal["a", "b"], "TEXT", ["a", "b"]),
    (Literal[1, 2], "INTEGER", [1, 2]),
    (Literal[True, False], "INTEGER", [True, False]),
    (Literal[b"x"], "BLOB", [b"x"]),
    (Literal[True, 2], "INTEGER", [True, 2]),
    (Literal[1, "1", b"1"], "BLOB", [1, "1", b"1"]),
    (Literal[Level.LOW, "low"], "BLOB", [Level.LOW, "low"]),
    (Literal["a", None], "TEXT", ["a", None]),
    (int | None, "INTEGER", [None, 7]),
    (Optional[float], "REAL", [None, 7.0]),
    (Annotated[int, Gt(0)] | None, "INTEGER", [None, 7]),
    (date | None, "INTEGER", [None, date.min, date.max, date(1969, 12, 31)]),
    (Colour | None, "TEXT", [None, Colour.RED]),
    (None, "BLOB", [None]),
    (int | float, "BLOB", [1, 1.0, -0.0, 2**63 - 1, math.inf]),
    (float | int | None, "BLOB", [1, 1.0, None]),
    (int | str, "BLOB", [7, "7", ""]),
    (float | str | bytes, "BLOB", [1.0, "1.0", b"1.0"]),
    (bool | str, "BLOB", [True, "True", False]),
    (Level | str, "BLOB", [Level.LOW, "1"]),
    (Literal["auto"] | int, "BLOB", ["auto", 3]),
    (Literal["a"] | str, "TEXT", ["a", "b"]),
    (Literal[1] | int | str, "BLOB", [1, 2, "x"]),
    (bool | int, "TEXT", [True, 1, 0, False]),
    (date | int, "TEXT", [date(2024, 1, 1), 1704067200]),
    (UUID | str, "TEXT", [AN_ID, str(AN_ID)]),
    (Decimal | int, "TEXT", [Decimal("1.0"), 1]),
    (timedelta | str, "TEXT", [timedelta(1), "P1D"]),
    (list[int] | str, "TEXT", [[1], "[1]"]),
    (list[int] | dict[str, int] | None, "TEXT", [[1], {"a": 1}, None]),
    (Any, "TEXT", [1, 1.0, "1", True, b"x", None, [1], (1,), {"a": 1}, NESTED, 2**80]),
    (object, "TEXT", [1, "1"]),
    (T, "TEXT", [1, "1"]),
    (pydantic.Json, "TEXT", [{"a": [1, None]}]),
    (list, "TEXT", [[], [1, (2,)], [NESTED]]),
    (List, "TEXT", [[1]]),
    (Dict, "TEXT", [{"a": 1}]),
    (dict, "TEXT", [{}, NESTED, {"$set": [1]}, {"$x": 1, "b": 2}]),
    (set, "TEXT", [set(), {1, "a", (2, 3)}, {b"x", None, 1.5}]),
    (tuple, "TEXT", [(), (1, [2], {3})]),
    (frozenset, "TEXT", [frozenset({1, frozenset({2})})]),
    (deque, "TEXT", [deque([1, "a"]), deque([1], maxlen=2)]),
    (list[str], "TEXT", [[], ["a", "ä"], ["$x"]]),
    (Optional[List[int]], "TEXT", [None, [1]]),
    (ListOf[int], "TEXT", [[1]]),
    (list[bool], "TEXT", [[True, False]]),
    (list[float], "TEXT", [[1.0, math.inf, -math.inf, -0.0, 0.1, 1e300]]),
    (list[int], "TEXT", [[2**100, -1]]),
    (list[bytes], "TEXT", [[b"", b"\xff\xfe\xfd", b"ab"]]),
    (list[date], "TEXT", [[date.min, date.max]]),
    (list[datetime], "TEXT", [[datetime(2024, 1, 1), datetime(1, 1, 1, tzinfo=UTC)]]),
    (list[time], "TEXT", [[time(1, 2, 3, 4)]]),
    (list[timedelta], "TEXT", [[timedelta.max, timedelta(microseconds=-1)]]),
    (list[Decimal], "TEXT", [[Decimal("1.50"), Decimal("-0"), Decimal("1E+9")]]),
    (list[UUID], "TEXT", [[AN_ID]]),
    (list[Path], "TEXT", [[Path("a")]]),
    (list[Colour], "TEXT", [[Colour.RED]]),
    (list[Level], "TEXT", [[Level.LOW]]),
    (list[Mixed], "TEXT", [[Mixed.TEXT, Mixed.PAIR, Mixed.NUMBER]]),
    (list[Rights], "TEXT", [[Rights.READ | Rights.RUN]]),
    (list[Literal["a", "b"]], "TEXT", [["a"]]),
    (list[int | None], "TEXT", [[1, None]]),
    (list[int | str], "TEXT", [[1, "1"]]),
    (list[int | float], "TEXT", [[1, 1.0]]),
    (list[bool | int], "TEXT", [[True, 1]]),
    (list[date | str], "TEXT", [[date(2024, 1, 1), "2024-01-01"]]),
    (list[Any], "TEXT", [[1, (2, {3}), {"$tuple": [1]}]]),
    (list[UserId], "TEXT", [[1]]),
    (list[Annotated[int, Gt(0)]], "TEXT", [[1], [-1]]),
    (list[Annotated[int, Unhashable]] | None, "TEXT", [[1], None]),
    (list[Annotated[time, Unhashable]] | int, "TEXT", [[time(1)], 5]),
    (list[tuple[int, set[str]]], "TEXT", [[(1, {"b", "a"})]]),
    (set[str], "TEXT", [set(), {"b", "a"}]),
    (set[int], "TEXT", [{3, 1, 2}]),
    (frozenset[int], "TEXT", [frozenset({1})]),
    (set[tuple[int, str]], "TEXT", [{(1, "a"), (2, "b")}]),
    (tuple[int, str], "TEXT", [(1, "a")]),
    (tuple[str, int, bool], "TEXT", [("a", 1, True)]),
    (tuple[int, ...], "TEXT", [(), (1, 2, 3)]),
    (tuple[()], "TEXT", [()]),
    (deque[int], "TEXT", [deque([1, 2])]),
    (dict[str, int], "TEXT", [{}, {"b": 1, "a": 2}, {"$tuple": 1}]),
    (dict[int, str], "TEXT", [{1: "a", -5: "b"}]),
    (dict[str, list[set[int]]], "TEXT", [{"a": [{1}, set()]}]),
    (dict[str, Any], "TEXT", [{"a": (1, {2})}, {"$x": datetime(2024, 1, 1)}]),
    (dict[tuple[int, int], str], "TEXT", [{(1, 2): "a"}]),
    (dict[date, Decimal], "TEXT", [{date(2024, 1, 1): Decimal("1.0")}]),
    (dict[Colour, int], "TEXT", [{Colour.RED: 1}]),
    (dict[float, int], "TEXT", [{1.0: 1, 0.5: 2}]),
    (defaultdict[str, int], "TEXT", [defaultdict(int, {"a": 1})]),
    (OrderedDict[str, int], "TEXT", [OrderedDict(b=1, a=2)]),
    (Counter[str], "TEXT", [Counter("aab")]),
    (Sequence[int], "TEXT", [[1], (1, 2)]),
    (Mapping[str, int], "TEXT", [{"a": 1}]),
    (list[JsonTree] | None, "TEXT", [[{"a": [1, "x", None]}]]),
    (JsonTree, "TEXT", [{"a": [1, 1.5, "x", True, None]}, [1], "x", 1, None]),
    (complex, "TEXT", [1 + 2j, complex(math.inf, -0.0)]),
    (Street, "TEXT", [Street(name="a"), Street(name="b", number=2)]),
    (Street | None, "TEXT", [None, Street(name="a")]),
    (
        Person,
        "TEXT",
        [
            Person(),
            Person(
                fullName="Ada",
                born=datetime(2024, 1, 1, tzinfo=UTC),
                street=Street(name="x"),
                tags={"a", "b"},
                anything=(1, {2}),
            ),
        ],
    ),
    (list[Person], "TEXT", [[Person(fullName="a"), Person()]]),
    (dict[str, Street], "TEXT", [{"home": Street(name="a")}]),
    (Street | Movie, "TEXT", [Street(name="a")]),
    (Tree, "TEXT", [Tree(value=math.inf, children=[Tree(value=-0.0)])]),
    (Hidden, "TEXT", [Hidden(shown=1), Hidden(shown=1, kept="other")]),
    (Open, "TEXT", [Open(a=1), Open.model_validate({"a": 1, "b": [2], "$c": 3})]),
    (Box[int], "TEXT", [Box[int](content=1)]),
    (pydantic.RootModel[list[int]], "TEXT", [pydantic.RootModel[list[int]]([1])]),
    (Point, "TEXT", [Point(1, 2.0), Point(1, -0.5, ["a"])]),
    (list[Point], "TEXT", [[Point(1, 2.0)]]),
    (Pair, "TEXT", [Pair(1, "a")]),
    (Movie, "TEXT", [{"name": "a", "year": 1}]),
    (ipaddress.IPv4Address, "TEXT", [ipaddress.ip_address("127.0.0.1")]),
    (list[ipaddress.IPv6Network], "TEXT", [[ipaddress.ip_network("::/64")]]),
    (pydantic.AnyUrl, "TEXT", [pydantic.AnyUrl("https://a.b/c?d=e")]),
    (pydantic.HttpUrl | None, "TEXT", [pydantic.HttpUrl("https://a.b"), None]),
    (re.Pattern[str], "TEXT", [re.compile("a+")]),
    (pydantic.SecretStr, "TEXT", [pydantic.SecretStr("pw")]),
    (pydantic.SecretBytes, "BLOB", [pydantic.SecretBytes(b"pw")]),
    (pydantic.Secret[int], "INTEGER", [pydantic.Secret[int](5)]),
    (pydantic.ByteSize, "INTEGER", [pydantic.ByteSize(1024)]),
    (pydantic.Base64Bytes, "BLOB", [b"decoded"]),
    (list[pydantic.Base64Bytes], "TEXT", [[b"decoded"]]),
    (pydantic.PositiveInt, "INTEGER", [1]),
    (pydantic.Json[list[int]], "TEXT", [[1, 2]]),
]

CASES = [
    pytest.param(annotation, storage, value, id=f"{annotation!s:.40}-{value!s:.30}")
    for annotation, storage, values in ROUND_TRIPS
    for value in values
]


def exactly(value: Any) -> str:
    """A text that differs where types or signs differ; sets are sorted."""
    if isinstance(value, (set, frozenset)):
        return f"{type(value).__name__}{sorted(exactly(item) for item in value)}"
    if isinstance(value, (list, tuple, deque)):
        return f"{type(value).__name__}{[exactly(item) for item in value]}"
    if isinstance(value, dict):
        items = [(exactly(key), exactly(item)) for key, item in value.items()]
        return f"{type(value).__name__}{items}"
    if isinstance(value, BaseModel):
        return f"{type(value).__name__}{exactly(dict(value))}"
    return f"{type(value).__name__}:{value!r}"


@pytest.mark.parametrize(("annotation", "storage", "value"), CASES)
def test_comes_back_the_same(
    round_trip: RoundTrip, annotation: Any, storage: str, value: Any
) -> None:
    codec = codec_for(annotation)
    loaded = round_trip(codec, value)
    assert codec.storage == storage
    assert loaded == value
    assert exactly(loaded) == exactly(value)
    assert value is None or isinstance(value, codec.writes)


@pytest.mark.parametrize(("annotation", "storage", "value"), CASES)
def test_none_only_where_annotated(annotation: Any, storage: str, value: Any) -> None:
    codec = codec_for(annotation)
    if value is None:
        assert codec.nullable


def test_only_optionals_are_nullable() -> None:
    assert not codec_for(int).nullable
    assert not codec_for(int | str).nullable
    assert not codec_for(list[int | None]).nullable
    assert codec_for(int | str | None).nullable
    assert codec_for(Any).nullable
    assert codec_for(Literal[None, 1] | str).nullable


@pytest.mark.parametrize("annotation", [int, str, bytes, bool, int | None, UserId])
def test_hot_scalars_are_bound_as_they_are(annotation: Any) -> None:
    assert codec_for(annotation).encode is None


@pytest.mark.parametrize("annotation", [int, str, bytes, float])
def test_hot_scalars_are_read_as_they_are(annotation: Any) -> None:
    assert codec_for(annotation).decode is None


def test_minus_zero_loses_its_sign_in_a_float_column(round_trip: RoundTrip) -> None:
    assert repr(round_trip(codec_for(float), -0.0)) == "0.0"


def test_integers_in_a_float_column_become_floats(round_trip: RoundTrip) -> None:
    assert repr(round_trip(codec_for(float), 3)) == "3.0"


@pytest.mark.parametrize(
    ("annotation", "value", "text"),
    [
        (list[str], ["a"], '["a"]'),
        (set[str], {"b", "a", "c"}, '["a","b","c"]'),
        (frozenset[int], frozenset({10, 9}), "[10,9]"),
        (tuple[int, str], (1, "x"), '[1,"x"]'),
        (dict[int, bytes], {1: b"\xff"}, '{"1":"_w=="}'),
        (list[date], [date(2024, 1, 2)], '["2024-01-02"]'),
        (list[float], [math.inf, 1.0], '["Infinity",1.0]'),
        (list[Colour], [Colour.RED], '["red"]'),
        (Street, Street(name="a"), '{"name":"a","number":1}'),
        (list, [1, (2,)], '[1,{"$tuple":[2]}]'),
        (set, {2, 1}, '{"$set":[1,2]}'),
        (dict, {"$a": 1}, '{"$dict":[["$a",1]]}'),
        (Any, "x", '"x"'),
        (Any, 5, "5"),
        (Any, math.nan, '{"$float":"nan"}'),
        (Any, b"\xff", '{"$bytes":"/w=="}'),
        (dict[str, Any], {"a": {"b": None}}, '{"a":{"b":null}}'),
        (list[Any], ["ä", "\ud800"], '["ä","\\ud800"]'),
    ],
)
def test_text_in_the_file(annotation: Any, value: Any, text: str) -> None:
    codec = codec_for(annotation)
    assert codec.store(value) == text
    assert exactly(codec.load(text)) == exactly(value)


def test_nan_inside_containers_is_kept(round_trip: RoundTrip) -> None:
    for annotation in (
        list[float],
        list,
        Any,
        list[float | int],
        list[Decimal | float],
    ):
        [loaded] = round_trip(codec_for(annotation), [math.nan])
        assert type(loaded) is float
        assert math.isnan(loaded)


def test_zone_and_fold_under_any(round_trip: RoundTrip) -> None:
    zone = ZoneInfo("America/New_York")
    for fold in (0, 1):
        moment = datetime(2024, 11, 3, 1, 30, tzinfo=zone, fold=fold)
        [loaded] = round_trip(codec_for(list), [moment])
        assert loaded.tzinfo is zone
        assert loaded.fold == fold
        assert loaded.utcoffset() == moment.utcoffset()
    [naive] = round_trip(codec_for(list), [datetime(2024, 11, 3, 1, 30, fold=1)])
    assert naive.fold == 1
    assert naive.tzinfo is None


def test_naive_order_equals_sql_order(column: Callable[..., Any]) -> None:
    cases: list[tuple[Any, list[Any]]] = [
        (time, [time(12), time(12, 0, 0, 500000), time(12, 0, 1), time(13)]),
        (timedelta, [timedelta(-1), timedelta(0), timedelta(0, 0, 1), timedelta(9)]),
        (int | None, [5, 9, 10, 100]),
        (int | float, [5, 5.5, 9, 10.0, 100]),
        (date, [date(1, 1, 1), date(1969, 12, 31), date(2024, 1, 1)]),
    ]
    for annotation, values in cases:
        table = column(codec_for(annotation))
        for value in reversed(values):
            table.put(value)
        assert table.read("SELECT v FROM t ORDER BY v") == values


REFUSED_VALUES: list[tuple[Any, Any, str]] = [
    (float, math.nan, "NaN"),
    (float, 2**53 + 1, "exact"),
    (float, 2**5000, "exact"),
    (float | int, math.nan, "NaN"),
    (Decimal, Decimal("NaN"), "no number"),
    (Decimal, Decimal("sNaN"), "no number"),
    (time, time(1, tzinfo=ZoneInfo("Europe/Berlin")), "depends on the date"),
    (timedelta, timedelta.max, "292,000"),
    (timedelta, timedelta.min, "292,000"),
    (date, datetime(2024, 1, 1), "use .date()"),
    (datetime, datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "years 1"),
    (
        datetime,
        datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=2))),
        "9999",
    ),
    (datetime, datetime(9999, 1, 1, 0, 0, 0, 1, tzinfo=UTC), "microsecond"),
    (datetime, datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC), "microsecond"),
    (pydantic.NaiveDatetime, datetime(2024, 1, 1, tzinfo=UTC), "naive"),
    (Colour, "green", "Colour"),
    (Mixed, 7, "Mixed"),
    (Literal["a"], "b", "allowed"),
    (Literal[1], True, "allowed"),
    (Literal[1], [], "allowed"),
    (int | str, b"x", "names"),
    (int | str, 1.5, "names"),
    (list, (1,), "no list"),
    (dict, [1], "no dict"),
    (list, [object()], "object"),
    (list, [Colour.RED], "Colour"),
    (list, [Street(name="a")], "Street"),
    (list, [Pair(1, "a")], "Pair"),
    (Any, Street(name="a"), "Street"),
    (Any, Level.LOW, "Level"),
    (Any, len, "builtin"),
    (Any, time(1, tzinfo=ZoneInfo("Europe/Berlin")), "depends"),
    (list[int], [True], "bool"),
    (list[int], ["1"], "str"),
    (list[int], (1,), "tuple"),
    (list[str], [1], "int"),
    (list[float], ["x"], "str"),
    (list[float], [True], "bool"),
    (list[float], [2**53 + 1], "exact"),
    (list[date], [datetime(2024, 1, 1)], "datetime"),
    (list[Colour], ["red"], "Colour"),
    (list[Literal["a"]], ["b"], "none of"),
    (list[Literal[1]], [True], "none of"),
    (list[int | None], ["x"], "str"),
    (tuple[int, str], (1,), "items"),
    (dict[int, str], {"1": "a"}, "int"),
    (dict[str, int], {"1": "a"}, "int"),
    (dict[str, int], OrderedDict(a=1), "dict"),
    (Street, {"name": "a"}, "come back"),
    (dict[str, Any], {"a": Street(name="a")}, "come back"),
    (dict[str, Any], {"a": Level.LOW}, "come back"),
    (list[Any], [iter([])], "come back"),
    (list[pydantic.SecretStr], [pydantic.SecretStr("a")], "come back"),
    (re.Pattern[str], re.compile("a", re.IGNORECASE), "come back"),
]


@pytest.mark.parametrize(("annotation", "value", "text"), REFUSED_VALUES)
def test_refuses_value(annotation: Any, value: Any, text: str) -> None:
    codec = codec_for(annotation)
    with pytest.raises(UnstorableValue, match=re.escape(text)):
        codec.store(value)


def test_refuses_integers_beyond_the_digits_python_writes() -> None:
    with pytest.raises(UnstorableValue, match="JSON"):
        codec_for(Any).store(10**5000)
    with pytest.raises(UnstorableValue):
        codec_for(float).store(10**5000)


def test_refuses_what_contains_itself() -> None:
    endless: list[Any] = []
    endless.append(endless)
    for annotation in (list, Any, list[Any]):
        with pytest.raises(UnstorableValue):
            codec_for(annotation).store(endless)


def test_refuses_a_subclass_that_would_lose_fields() -> None:
    class Boulevard(Street):
        trees: int = 3

    with pytest.raises(UnstorableValue, match="subclass"):
        codec_for(Street).store(Boulevard(name="a"))
    with pytest.raises(UnstorableValue, match="subclass"):
        codec_for(list[Street]).store([Boulevard(name="a")])


def test_refuses_models_that_validators_would_change_on_read() -> None:
    class Wrapped(BaseModel):
        text: str

        @pydantic.field_validator("text")
        @classmethod
        def wrap(cls, value: str) -> str:
            return f"({value})"

    with pytest.raises(UnstorableValue):
        codec_for(Wrapped).store(Wrapped(text="a"))


def test_refuses_private_state_that_would_be_lost(round_trip: RoundTrip) -> None:
    class Counting(BaseModel):
        a: int
        _count: int = pydantic.PrivateAttr(default=0)

    counting = Counting(a=1)
    assert round_trip(codec_for(Counting), counting) == counting
    counting._count = 5
    with pytest.raises(UnstorableValue):
        codec_for(Counting).store(counting)


def test_refuses_values_that_a_validator_turned_into_another_type() -> None:
    codec = codec_for(int, [pydantic.AfterValidator(str)])
    assert codec.store(7) == 7
    with pytest.raises(UnstorableValue, match="annotated type"):
        codec.store("7")


class Handle:
    """Not known to Pydantic."""

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handle) and other.number == self.number

    __hash__ = None  # type: ignore[assignment]


class Celsius:
    """Known to Pydantic through its own schema."""

    def __init__(self, degrees: float) -> None:
        self.degrees = degrees

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Celsius) and other.degrees == self.degrees

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            lambda v: v if isinstance(v, cls) else cls(float(v)),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda v: v.degrees
            ),
        )


class HandleSchema:
    """Metadata that teaches Pydantic a foreign type, for positive numbers."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            lambda v: v if isinstance(v, Handle) else Handle(abs(v)),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda v: v.number
            ),
        )


def test_types_with_their_own_schema(round_trip: RoundTrip) -> None:
    for annotation, value in [
        (Celsius, Celsius(21.5)),
        (list[Celsius], [Celsius(1.0)]),
    ]:
        assert round_trip(codec_for(annotation), value) == value


def test_types_with_a_schema_in_the_metadata(round_trip: RoundTrip) -> None:
    with pytest.raises(UnstorableTypeError):
        codec_for(Handle)
    codec = codec_for(Handle, [HandleSchema()])
    assert round_trip(codec, Handle(5)) == Handle(5)
    with pytest.raises(UnstorableValue):
        codec.store(Handle(-1))


REFUSED_TYPES: list[tuple[Any, str]] = [
    (Handle, "Pydantic model"),
    (list[Handle], "Pydantic model"),
    (type, "PrivateAttr"),
    (type[int], "no data"),
    (pydantic.fields.ComputedFieldInfo | Handle, "PrivateAttr"),
    ("int", "not resolved"),
    (Literal[1, True], "look the same"),
    (Literal["red", Colour.RED], "look the same"),
    (Literal[2**70], "64 bits"),
    (enum.Enum, "no members"),
]


@pytest.mark.parametrize(("annotation", "text"), REFUSED_TYPES)
def test_refuses_type(annotation: Any, text: str) -> None:
    with pytest.raises(UnstorableTypeError, match=text):
        codec_for(annotation)


@pytest.mark.parametrize(
    "source",
    [
        "typing.Callable",
        "typing.Callable[[], int]",
        "abc.Callable[[int], int]",
        "abc.Iterator[int]",
        "abc.Generator[int, None, None]",
        "abc.Iterable[int]",
        "abc.Awaitable[int]",
        "typing.Type[int]",
        "typing.TextIO",
        "typing.BinaryIO | None",
        "io.StringIO",
        "types.ModuleType",
        "list[typing.Callable[[], int]]",
        "dict[str, abc.Iterator[int]] | None",
        "threading.Thread",
    ],
)
def test_refuses_what_is_no_data(source: str) -> None:
    import io
    import threading
    import types
    import typing
    from collections import abc

    names = {"io": io, "types": types, "typing": typing, "abc": abc}
    annotation = eval(source, {**names, "threading": threading})
    with pytest.raises(UnstorableTypeError, match="cannot be kept"):
        codec_for(annotation)


def test_refuses_models_with_parts_that_are_no_data() -> None:
    class Job(BaseModel):
        run: type[int]

    with pytest.raises(UnstorableTypeError, match="type"):
        codec_for(Job)


def test_refuses_models_whose_names_are_not_resolved() -> None:
    class Later(BaseModel):
        part: NotYetDefined  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(UnstorableTypeError, match="NotYetDefined"):
        codec_for(Later)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (None, None),
        (5, 5),
        ("a", "a"),
        (b"a", b"a"),
        (True, True),
        (1.5, 1.5),
        (date(1970, 1, 2), 86400),
        (datetime(1970, 1, 2, tzinfo=UTC), 86400),
        (datetime(1970, 1, 2, 0, 0, 0, 500000, tzinfo=UTC), 86400.5),
        (Decimal("1.50"), "1.50"),
        (AN_ID, str(AN_ID)),
        (Colour.RED, "red"),
        (Level.HIGH, 9),
        (Mixed.PAIR, "PAIR"),
        (Rights.READ | Rights.RUN, 5),
        (time(1, 2), "01:02:00"),
        (timedelta(seconds=1), 1_000_000),
        (Path("a/b"), "a/b"),
        (bytearray(b"a"), b"a"),
        ([1, (2,)], '[1,{"$tuple":[2]}]'),
        ({"a": {1}}, '{"a":{"$set":[1]}}'),
        (Street(name="a"), '{"name":"a","number":1}'),
        (pydantic.SecretStr("pw"), "pw"),
        (type("Text", (str,), {})("x"), "x"),
        (type("Moment", (datetime,), {})(1970, 1, 2, tzinfo=UTC), 86400),
    ],
)
def test_natural_encoding(value: Any, stored: Any) -> None:
    encoded = natural_encode(value)
    assert encoded == stored
    with closing(sqlite3.connect(":memory:")) as db:
        assert db.execute("SELECT ?", (encoded,)).fetchone() == (stored,)


@pytest.mark.parametrize(
    "value", [math.nan, object(), Handle(), len, memoryview(b"a"), int, iter([])]
)
def test_natural_encoding_refuses(value: Any) -> None:
    with pytest.raises(UnstorableValue):
        natural_encode(value)


@pytest.mark.parametrize(
    ("annotation", "stored"),
    [
        (bool, 2),
        (Colour, "green"),
        (Level, 5),
        (Mixed, "NOBODY"),
        (Literal["a"], "b"),
        (Decimal, "NaN"),
        (Decimal, "abc"),
        (UUID, "abc"),
        (time, "25:00"),
        (date, 10**15),
        (datetime, 10**15),
        (datetime, math.inf),
        (datetime, -math.inf),
        (timedelta, math.inf),
        (timedelta, 2**63 - 1 + 2**80),
        (list, "{}"),
        (list, "[1"),
        (list, ""),
        (list, '{"$tuple":[1]}'),
        (list[int], '["a"]'),
        (list[int], "null"),
        (Street, "{}"),
        (Street, "[]"),
        (Any, '{"$nobody":1}'),
        (Any, '{"$tuple":5}'),
        (Any, '{"$bytes":"%"}'),
        (Any, '{"$decimal":"x"}'),
        (Any, '{"$deque":[1]}'),
        (Any, '{"$dict":[[[],1]]}'),
        (Any, '{"$path":["Popen","x"]}'),
        (Any, '{"$datetime":["2024-01-01T00:00:00+00:00","No/Where"]}'),
        (Any, "[" * 100_000),
    ],
)
def test_broken_stored_values_are_value_errors(annotation: Any, stored: Any) -> None:
    codec: Codec = codec_for(annotation)
    with pytest.raises(ValueError, match="."):
        codec.load(stored)


def test_validators_that_raise_anything_are_value_errors() -> None:
    class Rude(BaseModel):
        a: int

        @pydantic.model_validator(mode="before")
        @classmethod
        def fail(cls, value: Any) -> Any:
            raise KeyError("rude")

    with pytest.raises(ValueError, match="rude"):
        codec_for(Rude).load('{"a":1}')
