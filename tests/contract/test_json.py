"""What is in the JSON of a column: paths, elements, lengths, indexes on paths."""

# No `from __future__ import annotations`: the annotations speak of local classes.

import dataclasses
import re
from collections import deque
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, RootModel, field_validator, model_validator
from typing_extensions import TypedDict

from sqliter.exceptions import (
    InvalidFilterError,
    InvalidIndexError,
    InvalidUpdateError,
    RecordUpdateError,
)
from sqliter.expressions import Append, F, Q, Remove, json_path
from sqliter.model import BaseDBModel, table

KEY = UUID(int=7)


class Theme(Enum):
    LIGHT = "light"
    DARK = "dark"


class Names(RootModel[dict[str, str]]):
    pass


class Size(BaseModel):
    width: int
    len: int = 0
    price: Decimal | None = None
    day: date | None = None
    at: datetime | None = None
    theme: Theme = Theme.LIGHT
    corner: tuple[int, str] = (0, "")
    keys: set[UUID] = set()
    names: Names = Names({})


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5


class Box(TypedDict, total=False):
    depth: int


class Device(BaseDBModel):
    name: str
    meta: dict[str, Any] = {}
    tags: list[str] = []
    numbers: Annotated[set[int] | None, Field(description="some")] = None
    size: Size | None = None
    scores: dict[int, float] = {}
    themes: dict[Literal["day", "night"], Theme] = {}
    point: Point = Field(default_factory=lambda: Point(1))
    box: Box | None = None
    queue: deque[Any] = deque()
    seen: Sequence[int] = ()
    anything: Any = None
    value: list[str] = []
    plain: dict[str, int] = {}
    prices: list[Decimal] = []

    class Meta:
        table_name = "devices"
        indexes = ["meta__theme", ("name", "tags__0"), "size__day", "scores__7"]


DEVICES = [
    Device(
        name="a",
        meta={
            "theme": "dark",
            "n": 1,
            "deep": {"list": [1, [2], {"x": None}], "len": 4, "__": "odd", "0": "nil"},
            "a.b": "dot",
            "it's": "quote",
            "x[0]": "bracket",
            "ключ": "ключ",
        },
        tags=["x", "y"],
        numbers={1, 2},
        size=Size(
            width=3, len=8, price=Decimal("1.5"), day=date(2024, 1, 2), keys={KEY}
        ),
        scores={7: 1.5, -1: 2},
        themes={"day": Theme.DARK},
        box={"depth": 3},
        queue=deque(["q"], 5),
        seen=[1],
        anything=[1, "one"],
        value=["v"],
        plain={"$a": 1},
        prices=[Decimal("1.50"), Decimal(2)],
    ),
    Device(
        name="b",
        meta={"theme": "[1]", "n": True, "deep": "text"},
        size=Size(
            width=9,
            price=Decimal("1.50"),
            corner=(4, "left"),
            theme=Theme.DARK,
            names=Names({"en": "box"}),
            at=datetime(2024, 1, 1),
        ),
        scores={7: float("inf")},
        point=Point(5, 9.25),
        anything="one",
    ),
    Device(
        name="c",
        meta={"theme": [1], "n": "1", "deep": None, "f": 0.25, "more": {"$set": 1}},
        tags=["y"],
        numbers=set(),
        size=Size(width=0, price=Decimal(10)),
        anything={"one": 1},
    ),
]

FOUND = [
    # equality as in Python: true is 1, texts and numbers differ, and so do arrays
    ({"meta__theme": "dark"}, "a"),
    ({"meta__theme": "[1]"}, "b"),
    ({"meta__theme__ne": "[1]"}, "ac"),
    ({"meta__theme__in": ["dark", "[1]", None]}, "ab"),
    ({"meta__theme__not_in": ["dark", "[1]"]}, "c"),
    ({"meta__n": 1}, "ab"),
    ({"meta__n": True}, "ab"),
    ({"meta__n": "1"}, "c"),
    ({"meta__n__ne": 1}, "c"),
    ({"meta__f": 0.25}, "c"),
    # a key that is not there, and null
    ({"meta__deep": None}, "c"),
    ({"meta__deep__isnull": True}, "c"),
    ({"meta__deep__ne": None}, "ab"),
    ({"meta__f__isnull": True}, "ab"),
    ({"meta__nothing__notnull": True}, ""),
    ({"size__width__isnull": False}, "abc"),
    # order, among values of one type
    ({"meta__n__gt": 0}, "ab"),
    ({"meta__n__lt": "2"}, "c"),
    ({"meta__theme__gte": ""}, "ab"),
    ({"meta__n__range": (1, 1.5)}, "ab"),
    ({"meta__n__not_range": (2, 3)}, "ab"),
    ({"scores__7__gt": 1}, "a"),
    ({"scores__-1": 2}, "a"),
    # texts
    ({"meta__theme__startswith": "d"}, "a"),
    ({"meta__theme__icontains": "1"}, "b"),
    ({"meta__theme__not_like": "d%"}, "b"),
    ({"meta__theme__regex": "^.{3,4}$"}, "ab"),
    ({"meta__theme__len": 4}, "a"),
    # deeper, and keys of all kinds
    ({"meta__deep__list__0": 1}, "a"),
    ({"meta__deep__list__-1__x": None}, "abc"),
    ({"meta__deep__list__-2__0__gt": 1}, "a"),
    ({"meta__deep__len": 4}, "ab"),
    ({'meta__deep__"len"': 4}, "a"),
    ({json_path("meta", "deep", "__"): "odd"}, "a"),
    ({json_path("meta", "deep", "0") + "__contains": "i"}, "a"),
    ({json_path("meta", "deep", "list", 0): 1}, "a"),
    ({"meta__a.b": "dot"}, "a"),
    ({"meta__it's": "quote"}, "a"),
    ({"meta__x[0]": "bracket"}, "a"),
    ({"meta__ключ__startswith": "к"}, "a"),
    # elements, keys, parts of texts
    ({"tags__0": "x"}, "a"),
    ({"tags__-1": "y"}, "ac"),
    ({"tags__contains": "y"}, "ac"),
    ({"tags__not_contains": "x"}, "bc"),
    ({"tags__contains_all": ["y", "x", "y"]}, "a"),
    ({"tags__contains_all": []}, "abc"),
    ({"tags__contains_any": ["x", "z"]}, "a"),
    ({"tags__contains_any": [*map(str, range(70)), "y"]}, "ac"),
    ({"tags__not_contains_any": ["x", "z"]}, "bc"),
    ({"numbers__contains": 2}, "a"),
    ({"numbers__contains": None}, ""),
    ({"meta__contains": "theme"}, "abc"),
    ({"meta__contains_all": ["theme", "f"]}, "c"),
    ({"meta__deep__contains": "len"}, "a"),
    ({"meta__deep__contains": "ex"}, "b"),
    ({"meta__deep__contains": 1}, ""),
    ({"meta__deep__list__contains_all": [None, 1]}, ""),
    ({"meta__theme__contains": 1}, "c"),
    ({"scores__contains": -1}, "a"),
    ({"value__contains": "v"}, "a"),
    ({"queue__contains": "q"}, "a"),
    ({"plain__contains": "$a"}, "a"),
    ({"plain__$a": 1}, "a"),
    ({"plain__len": 1}, "a"),
    ({"prices__contains": Decimal("1.5")}, "a"),
    ({"prices__contains_all": [2, Decimal("1.5"), "1.50"]}, "a"),
    ({"prices__contains_all": [2, 3]}, ""),
    ({"prices__0__lt": 2}, "a"),
    # how many
    ({"tags__len": 2}, "a"),
    ({"tags__len__lt": 2}, "bc"),
    ({"numbers__len__in": [0, 2]}, "ac"),
    ({"meta__deep__len__gte": 1}, "ab"),
    ({"meta__more__len": 1}, ""),
    ({"meta__deep__list__len": 3}, "a"),
    # models, dataclasses and the like know their names
    ({"size__len": 8}, "a"),
    ({"size__len__gt": 0}, "a"),
    ({"size__price": Decimal("1.500")}, "ab"),
    ({"size__price__gt": 9}, "c"),
    ({"size__day": date(2024, 1, 2)}, "a"),
    ({"size__day__lt": "2025-01-01"}, "a"),
    ({"size__theme": Theme.DARK}, "b"),
    ({"size__theme__in": ["dark"]}, "b"),
    ({"size__corner__0__gt": 1}, "b"),
    ({"size__corner__-1": "left"}, "b"),
    ({"size__keys__contains": KEY}, "a"),
    ({"size__names__en": "box"}, "b"),
    ({"size__at__isnull": False}, "b"),
    ({"themes__day": Theme.DARK}, "a"),
    ({"point__y__gt": 1}, "b"),
    ({"box__depth": 3}, "a"),
    ({"queue__0": "q"}, "a"),
    ({"seen__0": 1}, "a"),
    ({"anything__1": "one"}, "a"),
    ({"anything__contains": "one"}, "abc"),
    # and what is asked of all that the column holds stays what it was
    ({"tags__startswith": '["x'}, "a"),
    ({"numbers": None}, "b"),
    ({"size__isnull": False}, "abc"),
    ({"meta__theme": "dark", "meta__n__gt": 0, "name": "a"}, "a"),
]  # fmt: skip


async def stock(db: Any) -> None:
    await db.create_table(Device)
    await db.bulk_insert([device.model_copy(deep=True) for device in DEVICES])


async def names(query: Any) -> str:
    return "".join(await query.order("pk").scalars("name"))


async def test_parts_are_compared_as_in_python(db: Any) -> None:
    await stock(db)
    found = {str(c): await names(db.select(Device).filter(**c)) for c, _ in FOUND}
    assert found == {str(conditions): expected for conditions, expected in FOUND}
    dark = Q(meta__theme="dark")
    assert await names(db.select(Device).filter(~dark | Q(tags__len=0))) == "bc"
    assert await names(db.select(Device).exclude_where(meta__f=0.25)) == "ab"
    query = db.select(Device).filter(meta__theme="dark", tags__contains="x")
    assert query.filters == [
        ("meta__theme", "dark", "__eq"),
        ("tags", "x", "__contains"),
    ]
    assert await query.count() == 1
    assert await query.update({"name": "A"}) == 1
    assert await query.delete() == 1


async def test_along_relations(db: Any, orm: Any) -> None:
    class Maker(orm.BaseDBModel):
        key: dict[str, Any] = {}

    class Phone(orm.BaseDBModel):
        name: str
        maker: orm.ForeignKey[Maker] = orm.ForeignKey(Maker, related_name="phones")
        key: list[str] = []

    await db.create_table(Maker)
    await db.create_table(Phone)
    one = await db.insert(Maker(key={"theme": "dark", "list": ["k"]}))
    other = await db.insert(Maker(key={"theme": "light"}))
    await db.insert(Phone(name="a", maker=one, key=["k"]))
    await db.insert(Phone(name="b", maker=other))

    phones, makers = db.select(Phone), db.select(Maker)
    assert await names(phones.clone().filter(maker__key__theme="dark")) == "a"
    assert await names(phones.clone().filter(maker__key__list__contains="k")) == "a"
    both = phones.clone().filter(key__contains="k", maker__key__theme__ne="light")
    assert await names(both) == "a"
    (found,) = await makers.filter(phones__key__0="k").fetch_all()
    assert found.pk == one.pk


NESTED = {"a": 1}
REFUSED = [
    ({"tags__x": 1}, "reached by an index"),
    ({"numbers__0": 1}, "reached by '__contains'"),
    ({"tags__year": 1}, "unknown operator 'year' for field 'tags'"),
    ({"size__foo__gt": 1}, "unknown operator 'foo__gt' for field 'size': Size has no"),
    ({"size__width__foo": 1}, "field 'size__width': int has no parts"),
    ({"size__corner__2": 1}, "has no element 2"),
    ({"size__at": datetime(2024, 1, 1)}, "'size__at'"),
    ({"size__day": "soon"}, "'size__day'"),
    ({"size__corner": (1, "")}, "'size__corner'"),
    ({"scores__x": 1}, "'x' is no key of"),
    ({"meta__deep": NESTED}, "'meta__deep'"),
    ({"meta__n": float("inf")}, "'meta__n'"),
    ({"meta__n": b"1"}, "'meta__n'"),
    ({"meta__n": "\0"}, "'meta__n'"),
    ({"meta__n__range": (1, "a")}, "'meta__n'"),
    ({"meta__contains": "$set"}, "'meta'"),
    ({"meta__n": F("name")}, "parts of JSON"),
    *(
        ({json_path("meta", key): 1}, "cannot be written")
        for key in ('a"b', "a\\b", "a\0b", "a\nb", "", "\ud800")
    ),
    ({'meta__a"b': 1}, "cannot be written"),
    ({'meta__"a"b': 1}, "cannot be written"),
    ({"meta__$a": 1}, "no JSON object"),
    ({"tags__99999999999": 1}, "reached by an index"),
]


async def test_what_is_refused(db: Any) -> None:
    query = db.select(Device)
    for conditions, text in REFUSED:
        with pytest.raises(InvalidFilterError, match=text):
            query.filter(**conditions)
    for conditions in (
        {"tags__contains": ["x"]},
        {"tags__contains_all": "x"},
        {"tags__contains_any": 1},
        {"meta__n": [1]},
        {"meta__n__in": 1},
        {"meta__n__gt": None},
        {"meta__n__startswith": 1},
    ):
        with pytest.raises(TypeError):
            query.filter(**conditions)
    with pytest.raises(TypeError, match="a key is a str"):
        json_path("meta", 1.5)  # type: ignore[arg-type]
    assert query.filters == []


async def test_rows_that_are_no_json(db: Any) -> None:
    await stock(db)
    for kept in ("text", '{"broken', b"\x80\x03}q\x00.", b"\x80"):
        await db.execute("UPDATE devices SET meta = ? WHERE name = 'b'", (kept,))
        for condition in (
            {"meta__theme": "dark"},
            {"meta__theme__ne": "light"},
            {"meta__contains": "theme"},
            {"meta__deep__len__gt": 0},
        ):
            assert "b" not in await names(db.select(Device).filter(**condition))
        assert "b" in await names(db.select(Device).filter(meta__theme=None))
        with pytest.raises(RecordUpdateError, match="no place in its JSON"):
            await db.select(Device).update({"meta__theme": "dark"})


async def test_indexes_are_used(db: Any, make_db: Any) -> None:
    await stock(db)
    await db.create_table(Device)  # nothing new
    await db.create_indexes(Device, [json_path("meta", "deep", "len")], unique=True)
    for condition, index in (
        ({"meta__theme": "x"}, "meta__theme (<expr>=?)"),
        ({"meta__theme__startswith": "x"}, "meta__theme (<expr>>? AND <expr><?)"),
        ({"meta__theme__in": ["x", "y"]}, "meta__theme (<expr>=?)"),
        ({"meta__theme__gt": 3}, "meta__theme (<expr>>?)"),
        ({"meta__theme": None}, "meta__theme (<expr>=?)"),
        ({"name": "a", "tags__0": "x"}, "name_tags__0 (name=? AND <expr>=?)"),
        ({"size__day__range": ("2024-01-01", "2024-02-01")}, "size__day (<expr>>?"),
        ({"scores__7__lt": 2}, "scores__7 (<expr><?)"),
        ({'meta__deep__"len"': 4}, '"len"_unique (<expr>=?)'),
    ):
        (step,) = await db.select(Device).filter(**condition).explain()
        assert step.startswith("SEARCH devices USING INDEX"), step
        assert index in step
    for unknown in ("meta__\n", "size__foo", "tags__x", "name__x", "foo__x"):
        with pytest.raises(InvalidIndexError, match="Invalid fields"):
            await db.create_indexes(Device, [unknown])


def test_the_sql(db: Any) -> None:
    conditions = {
        "meta__theme": "dark",
        "scores__7__gt": 1,
        "tags__contains_any": ["x"],
        "tags__len": 1,
    }
    sql, params = db.select(Device).filter(**conditions).to_sql()
    theme = 'json_extract("meta", \'$."theme"\')'
    tags = '"devices"."tags"'
    assert sql.partition(" WHERE ")[2] == (
        f'CASE WHEN json_valid("meta") THEN {theme} END = ? AND '
        '(CASE WHEN json_valid("scores") THEN json_extract("scores", \'$."7"\') END > ? '
        'AND CASE WHEN json_valid("scores") THEN json_type("scores", \'$."7"\') END '
        "IN ('integer', 'real', 'true', 'false')) AND "
        'CASE CASE WHEN json_valid("tags") THEN json_type("tags", \'$\') END '
        "WHEN 'array' THEN (EXISTS (SELECT 1 FROM json_each("
        f"CASE WHEN json_valid({tags}) THEN {tags} END, '$') WHERE atom IN (?))) END AND "
        'CASE CASE WHEN json_valid("tags") THEN json_type("tags", \'$\') END '
        "WHEN 'array' THEN json_array_length(\"tags\", '$') END = ?"
    )
    assert params == ("dark", 1, "x", 1)


def test_names_from_strangers_fill_no_memory(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MOST_PREPARED", 20)
    for number in range(50):
        db.select(Device).filter(**{f"meta__key{number}": 1})
    assert len(table.table_of(Device)._prepared) <= 20  # noqa: SLF001


CHANGED = [
    ({"meta__theme": "light"}, "meta", lambda d: d.meta.update(theme="light")),
    (
        {"meta__deep__list__0": [9, (1, 2)], json_path("meta", "x[0]"): None},
        "meta",
        lambda d: (
            d.meta["deep"]["list"].__setitem__(0, [9, (1, 2)]),
            d.meta.update({"x[0]": None}),
        ),
    ),
    (
        {"meta__theme": Remove(), "meta__deep__ключ": Remove()},
        "meta",
        lambda d: d.meta.pop("theme"),
    ),
    ({"meta__it's": {"new": 1.5}}, "meta", lambda d: d.meta.update({"it's": {"new": 1.5}})),
    ({"tags__-1": "z"}, "tags", lambda d: d.tags.__setitem__(1, "z")),
    ({"tags": Append("z")}, "tags", lambda d: d.tags.append("z")),
    (
        {"meta__deep__list": Append(KEY)},
        "meta",
        lambda d: d.meta["deep"]["list"].append(KEY),
    ),
    (
        {"size__width": "7", "size__theme": "dark", "size__corner__0": 5},
        "size",
        lambda d: vars(d.size).update(width=7, theme=Theme.DARK, corner=(5, "")),
    ),
    (
        {"size__keys": [], "size__price": 2, "size__day": None},
        "size",
        lambda d: vars(d.size).update(keys=set(), price=Decimal(2), day=None),
    ),
    (
        {"scores__7": float("inf"), "scores__0": 1, "scores__-1": Remove()},
        "scores",
        lambda d: (d.scores.update({7: float("inf"), 0: 1.0}), d.scores.pop(-1)),
    ),
    ({"themes__night": "light"}, "themes", lambda d: d.themes.update(night=Theme.LIGHT)),
    ({"anything__1": [None]}, "anything", lambda d: d.anything.__setitem__(1, [None])),
]  # fmt: skip


async def test_parts_are_set_in_place(make_db: Any) -> None:
    db = make_db(cache_enabled=True)
    await stock(db)
    expected = DEVICES[0].model_copy(deep=True)
    one = db.select(Device).filter(name="a")
    for values, field, change in CHANGED:
        before = await one.clone().fetch_one()
        change(expected)
        assert await one.clone().update(values) == 1
        after = await one.clone().fetch_one()
        assert repr(getattr(after, field)) == repr(getattr(expected, field)), values
        assert after.updated_at >= before.updated_at
        others = set(Device.model_fields) - {field, "pk", "created_at", "updated_at"}
        assert all(getattr(after, each) == getattr(before, each) for each in others)
    for untouched in DEVICES[1:]:
        row = await db.select(Device).filter(name=untouched.name).fetch_one()
        assert repr(row.meta) == repr(untouched.meta)


class Strict(BaseModel):
    low: int = 0
    high: int = 1
    name: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> "Strict":
        assert self.low <= self.high
        return self


class Careful(BaseModel):
    word: Annotated[str, Field(max_length=3)] = ""
    words: list[str] = []
    either: list[int] | dict[str, int] = []
    few: Annotated[list[int], Field(max_length=2)] = []

    @field_validator("word", "words")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value


class Keeper(BaseDBModel):
    strict: Strict = Strict()
    careful: Careful = Careful()
    counts: dict[str, int] = {}
    few: Annotated[dict[str, int], Field(max_length=2)] = {}
    checked: dict[str, int] = {}
    maybe: dict[str, dict[str, int]] | None = None
    wild: dict[str, Any] = {}

    @field_validator("checked")
    @classmethod
    def _check(cls, value: Any) -> Any:
        return value


NOT_SET = [
    ({"counts__a": "many"}, "counts"),
    ({"counts__a": None}, "counts"),
    ({"counts__a__b": 1}, "no parts"),
    ({"counts__a": Append(1)}, "no parts"),
    ({"counts": Append(1)}, "lists only"),
    ({"counts": Remove()}, "keys of dicts"),
    ({"strict__low": 2}, "Strict has validators"),
    ({"careful__word": "long one"}, "careful"),
    ({"careful__words__0": "A"}, "'words' of Careful has validators"),
    ({"careful__words": Append("A")}, "'words' of Careful has validators"),
    ({"careful__word": Remove()}, "keys of dicts"),
    ({"careful__either__0": 1}, "may be of several types"),
    ({"careful__few": Append(1)}, "constraints"),
    ({"careful__few": [1, 2, 3]}, "careful"),
    ({"careful__none": 1}, "no field 'none'"),
    ({"few__a": 1}, "'few' has constraints"),
    ({"checked__a": 1}, "'checked' of Keeper has validators"),
    ({"wild__a": object()}, "cannot be kept"),
    ({"wild__$a": 1}, "no JSON object"),
    ({'wild__a"b': 1}, "cannot be written"),
    ({"wild__a": F("pk") + 1}, "not of a part of its JSON"),
    ({"wild": {}, "wild__a": 1}, "as a part of it"),
    ({"wild__a": 1, "wild__a__b": 1}, "inside of another"),
    ({"nothing__a": 1}, "unknown fields: nothing__a"),
    ({"pk__a": 1}, "unknown fields: pk__a"),
]


async def test_what_the_type_forbids_is_not_set(db: Any) -> None:
    await db.create_table(Keeper)
    kept = [Keeper(counts={"a": 1}), Keeper(maybe={"a": {}}), Keeper(wild={"$a": 1})]
    await db.bulk_insert(kept)
    rows = await db.select(Keeper).order("pk").fetch_all()
    for values, text in NOT_SET:
        with pytest.raises(InvalidUpdateError, match=re.escape(text)):
            await db.select(Keeper).update({"updated_at": 5, **values})
    # Rows without a place for the part: no one is changed, the others included.
    for values in (
        {"maybe__a__b": 1},
        {"maybe__a": {}},
        {"wild__a": 1},
        {"wild__a": Remove()},
        {"counts__b": 1, "wild__a__b": 1},
    ):
        with pytest.raises(RecordUpdateError, match="no place in its JSON"):
            await db.select(Keeper).update(values)
    assert await db.select(Keeper).order("pk").fetch_all() == rows

    assert await db.select(Keeper).update({"careful__word": "ABC", "counts__b": 2}) == 3
    some = db.select(Keeper).filter(maybe__a__isnull=False)
    assert await some.update({"maybe__a__b": 1}) == 1
    changed = await db.select(Keeper).order("pk").fetch_all()
    assert [each.careful.word for each in changed] == ["abc"] * 3
    assert [each.counts for each in changed] == [{"a": 1, "b": 2}, {"b": 2}, {"b": 2}]
    assert changed[1].maybe == {"a": {"b": 1}}
