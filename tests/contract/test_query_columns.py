"""`User.age`: columns as attributes of classes, which stay what Pydantic made of them."""

# No `from __future__ import annotations`: Pydantic reads the annotations of local classes.

import copy
import pickle
import uuid
import warnings
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError, computed_field, create_model

from sqliter import SqliterDB
from sqliter.exceptions import (
    InvalidFilterError,
    InvalidUpdateError,
)
from sqliter.expressions import Attribute, F, Q, coalesce, col, func, outer
from sqliter.model import BaseDBModel

T = TypeVar("T")


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Item(BaseDBModel):
    name: str = "a"
    nick: str | None = None
    age: int = 1
    limit: int | None = None
    ratio: float = 1.5
    exact: Decimal = Decimal("1.10")
    other: Decimal | None = None
    at: datetime = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    day: date = date(2020, 1, 2)
    good: bool = False
    size: Size = Size.SMALL
    uid: uuid.UUID = uuid.UUID(int=5)
    data: bytes = b"\0a"
    long: timedelta = timedelta(hours=1)

    class Meta:
        table_name = "items"


class Other(BaseDBModel):
    value: int = 0


LOW = Item(other=Decimal("1.1"), limit=0)
HIGH = Item(
    name="Bé",
    nick="a",
    age=20,
    limit=20,
    ratio=2.5,
    exact=Decimal(10),
    other=Decimal("9.99"),
    at=datetime(2021, 5, 6, tzinfo=UTC),
    day=date(2021, 5, 6),
    good=True,
    size=Size.LARGE,
    uid=uuid.UUID(int=6),
    data=b"\xff",
    long=timedelta(days=3),
)
EMPTY = Item(name="")
MIXED = ("exact", "at", "day", "good", "size", "uid", "data", "long", "name", "ratio")


async def fill(db: Any) -> None:
    await db.create_table(Item)
    await db.create_table(Other)
    rows = [each.model_copy() for each in (LOW, HIGH, EMPTY)]
    await db.bulk_insert(rows)


CONDITIONS: dict[str, tuple[Any, list[int]]] = {
    "==": (Item.age == 20, [2]),
    "!=": (Item.age != 20, [1, 3]),
    "<": (Item.age < 20, [1, 3]),
    "<=": (Item.age <= 20, [1, 2, 3]),
    ">": (Item.age > 1, [2]),
    ">=": (Item.age >= 20, [2]),
    "turned round": (1 < col(Item.age), [2]),
    "== None": (Item.limit == None, [3]),  # noqa: E711
    "!= None": (Item.limit != None, [1, 2]),  # noqa: E711
    "!= leaves NULL out": (Item.limit != 0, [2]),
    "not == keeps it": (~(col(Item.limit) == 0), [2, 3]),
    "in_": (col(Item.age).in_([20, 30]), [2]),
    "in_ an iterator": (col(Item.age).in_(iter([20, 30])), [2]),
    "in_ with None": (col(Item.limit).in_([0, None]), [1, 3]),
    "in_ nothing": (col(Item.age).in_([]), []),
    "not_in": (col(Item.limit).not_in([0]), [2]),
    "between": (col(Item.age).between(2, 20), [2]),
    "is_null": (col(Item.limit).is_null(), [3]),
    "is_not_null": (col(Item.limit).is_not_null(), [1, 2]),
    "like": (col(Item.name).like("B_"), [2]),
    "contains": (col(Item.name).contains("é"), [2]),
    "startswith": (col(Item.name).startswith("B"), [2]),
    "startswith nothing": (col(Item.name).startswith(""), [1, 2, 3]),
    "endswith": (col(Item.name).endswith("é"), [2]),
    "matches": (col(Item.name).matches("icontains", "b"), [2]),
    "columns": (Item.age == Item.limit, [2]),
    "texts": (Item.name > Item.nick, []),
    "decimals, as numbers": (Item.exact == Item.other, [1]),
    "decimals in order": (Item.exact > Item.other, [2]),
    "arithmetic": (col(Item.age) * 2 - 1 > col(Item.limit) + 1, [2]),
    "negative": (-col(Item.age) < -1, [2]),
    "and": (Q(Item.age > 1) & (Item.age < 30), [2]),
    "or": (Q(Item.age > 1) | (Item.limit == 0), [1, 2]),
    "not": (~(Q(Item.age > 1) | (Item.limit == 0)), [3]),
    "with keywords": (Q(Item.age > 0, good=True), [2]),
}


async def test_conditions(db: Any) -> None:
    await fill(db)
    for name, (condition, expected) in CONDITIONS.items():
        found = await db.select(Item).filter(condition).order(Item.pk).scalars(Item.pk)
        assert found == expected, name
        others = await db.select(Item).exclude_where(condition).scalars("pk")
        assert sorted(found + others) == [1, 2, 3], name
        assert await db.select(Item).filter(condition).count() == len(expected)


async def test_every_type_compares_as_its_field_does(db: Any) -> None:
    await fill(db)
    for name in MIXED:
        column, low, high = F(name), getattr(LOW, name), getattr(HIGH, name)
        attribute = getattr(Item, name)
        same = coalesce(column, column)
        for side in (column, attribute, same, coalesce(None, attribute)):
            for condition in (side == high, side.in_([high]), ~(side == low)):
                found = await db.select(Item).filter(condition).scalars("pk")
                assert 2 in found, (name, condition)
                assert 1 not in found, (name, condition)
        greatest = await db.select(Item).annotate(m=func.max(column)).fetch_dicts()
        expected = await db.select(Item).max(name)
        assert greatest == [{"m": expected}]
        assert type(expected) is type(high)
        rows = await db.select(Item).order("pk").values(x=func.nullif(same, low))
        assert rows[:2] == [{"x": None}, {"x": high}], name
        found = await db.select(Item).filter(pk=1).update({attribute: high})
        assert found == 1
        assert getattr(await db.get(Item, 1), name) == high
        await db.select(Item).filter(pk=1).update({name: func.min(column, low)})
        assert getattr(await db.get(Item, 1), name) == min_of(low, high)


def min_of(low: Any, high: Any) -> Any:
    return high if isinstance(low, Enum) else min(low, high)


async def test_columns_stand_where_names_do(db: Any) -> None:
    await fill(db)
    query = db.select(Item)
    names = await query.clone().order(Item.name).scalars(Item.name)
    assert names == ["", "Bé", "a"]
    assert await query.clone().order(col(Item.limit).desc()).scalars("pk") == [2, 1, 3]
    order = col(Item.limit).asc(nulls="last")
    assert await query.clone().order(order, "pk").scalars("pk") == [1, 2, 3]
    query_back = query.clone().order(order, reverse=True)
    assert await query_back.scalars("pk") == [2, 1, 3]
    assert await query.clone().values(Item.age, n=Item.name, pk=Item.pk) == [
        {"age": row.age, "n": row.name, "pk": pk}
        for pk, row in enumerate((LOW, HIGH, EMPTY), 1)
    ]
    assert await query.clone().sum(Item.exact) == Decimal("12.20")
    groups = query.clone().group_by(Item.good).annotate(n=func.count(Item.limit))
    assert await groups.clone().having(Item.good == True).fetch_dicts() == [  # noqa: E712
        {"good": True, "n": 1}
    ]
    assert await groups.having(func.max(Item.age) < 20).fetch_dicts() == [
        {"good": False, "n": 1}
    ]
    values = {Item.name: "x", Item.nick: None, "age": 3, Item.limit: Item.age}
    assert await query.clone().filter(Item.pk == 1).update(values) == 1
    row = await db.get(Item, 1)
    assert (row.name, row.nick, row.age, row.limit) == ("x", None, 3, 1)


WRONG: dict[str, tuple[type[Exception], str, Any]] = {
    "other model": (
        InvalidFilterError,
        r"outer\(",
        lambda q: q.filter(Other.value > 1),
    ),
    "its order": (ValueError, "no column of Item", lambda q: q.order(Other.value)),
    "its value": (
        InvalidUpdateError,
        "no column",
        lambda q: q.update({"age": Other.value}),
    ),
    "a bool": (TypeError, "comparisons", lambda q: q.filter(True)),
    "no comparison": (
        InvalidFilterError,
        "neither true nor false",
        lambda q: q.filter(Item.age),
    ),
    "and a bool": (TypeError, "not True", lambda q: q.filter(Q(Item.age > 1) & True)),
    "as a bool": (TypeError, "neither", lambda q: q.filter(1 < Item.age < 3)),
    "if": (TypeError, "neither", lambda q: bool(Item.age)),
    "a text": (InvalidFilterError, "age", lambda q: q.filter(-col(Item.age) > "x")),
    "too large": (InvalidFilterError, "64 bits", lambda q: q.filter(Item.age > 2**127)),
    "NaN": (InvalidFilterError, "NaN", lambda q: q.filter(Item.ratio < float("nan"))),
    "surrogate": (
        InvalidFilterError,
        "name",
        lambda q: q.filter(Item.name == "\udc80"),
    ),
    "types": (
        InvalidFilterError,
        "different",
        lambda q: q.filter(Item.age > Item.name),
    ),
    "operator": (
        InvalidFilterError,
        "unknown operator",
        lambda q: q.filter(col(Item.age).matches("nope", 1)),
    ),
    "no list": (TypeError, "list", lambda q: q.filter(col(Item.name).in_("ab"))),
    "a name": (TypeError, "col", lambda q: col("age")),
    "outer": (TypeError, "outer", lambda q: outer("age")),
    "order": (
        ValueError,
        "nulls",
        lambda q: q.order(col(Item.age).asc(nulls="x")),
    ),
}


@pytest.mark.only("sync", "memory")
async def test_wrong_uses(db: Any) -> None:
    await fill(db)
    for name, (error, text, use) in WRONG.items():
        with pytest.raises(error, match=text):
            found = use(db.select(Item))
            await (found.fetch_all() if hasattr(found, "fetch_all") else found)
            pytest.fail(name)
    assert (await db.get(Item, 1)).age == LOW.age


async def test_sql_is_that_of_keywords(db: Any) -> None:
    def same(one: Any, two: Any) -> bool:
        return bool(one.to_sql() == two.to_sql())

    def select() -> Any:
        return db.select(Item)

    assert same(select().filter(Item.age > 3), select().filter(age__gt=3))
    assert same(select().filter(Item.at == HIGH.at), select().filter(at=HIGH.at))
    assert same(select().order(col(Item.age).desc()), select().order("-age"))
    assert same(select().filter(Item.good), select().filter(good=True))
    assert same(select().filter(~Q(Item.good)), select().exclude_where(good=True))
    where = select().filter(col(Item.age) * 2 >= Item.ratio).to_sql()[0]
    assert where.endswith('WHERE ("age" * ?) >= "ratio"')


# --- what classes and instances are ---


class TestPydantic:
    def test_redefined_fields_keep_their_defaults(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")

            class Base(BaseDBModel):
                name: str = "base"
                age: int

            class Child(Base):
                age: int = 7
                more: int = 1

            class GrandChild(Child):
                name: str

        assert (Child().name, Child().age, Child().more) == ("base", 7, 1)
        with pytest.raises(ValidationError):
            GrandChild()
        assert Child.model_fields["age"].default == 7
        assert GrandChild.model_fields["name"].is_required()
        assert isinstance(Child.age, Attribute)
        assert repr(Child.age) == "Child.age"
        with pytest.raises(ValidationError):
            Base()

    def test_generic_models(self) -> None:
        class Box(BaseDBModel, Generic[T]):
            content: T
            note: str = ""

        made = Box[int](content=3)
        assert (made.content, made.note) == (3, "")
        assert repr(Box[int].content) == "Box[int].content"
        with pytest.raises(ValidationError):
            Box[int](content="x")

    def test_forward_references(self) -> None:
        namespace: dict[str, Any] = {"BaseDBModel": BaseDBModel}
        body = "class Late(BaseDBModel):\n    price: 'Money'\n    note: str = 'x'\n"
        exec(body, namespace)
        late = namespace["Late"]
        late.model_rebuild(_types_namespace={"Money": Decimal})
        assert late(price="1.5").price == Decimal("1.5")
        assert late.model_fields["price"].annotation is Decimal
        assert repr(late.price) == "Late.price"

    def test_create_model(self) -> None:
        made: Any = create_model("Made", __base__=Item, age=(int, 9), extra=(str, "e"))
        assert (made().age, made().extra, made().name) == (9, "e", "a")
        assert repr(made.extra) == "Made.extra"
        assert set(made.model_fields) == {*Item.model_fields, "extra"}

    def test_other_attributes_are_as_ever(self) -> None:
        class Odd(BaseDBModel):
            name: str = "x"
            _hidden: int = 3

            @computed_field  # type: ignore[prop-decorator]
            @property
            def loud(self) -> str:
                return self.name.upper()

        assert isinstance(Odd.loud, property)
        assert Odd().loud == "X"
        assert Odd()._hidden == 3
        for name in ("nope", "__nope__", "_nope", "nam"):
            assert not hasattr(Odd, name)
            with pytest.raises(AttributeError, match=name):
                getattr(Odd, name)
            assert not hasattr(Odd(), name)
        assert callable(Odd.model_dump)
        assert "name" not in vars(Odd)

    def test_instances_are_copied_pickled_and_compared(self) -> None:
        row = HIGH.model_copy(update={"pk": 3, "data": b"z"})
        for twin in (
            copy.copy(row),
            copy.deepcopy(row),
            pickle.loads(pickle.dumps(row)),  # noqa: S301
            Item.model_validate(row.model_dump()),
            Item.model_validate_json(row.model_dump_json()),
        ):
            assert twin == row
        partial = Item.model_construct(pk=1)
        assert partial.name == "a"
        condition = copy.deepcopy(Item.age > 3)
        assert repr(condition) == "(Item.age > 3)"

    async def test_response_models(self) -> None:
        app = FastAPI()

        @app.post("/")
        async def echo(item: Item) -> Item:
            return item

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as web:
            found = (await web.post("/", json={"name": "web", "age": 4})).json()
        assert (found["name"], found["age"], found["exact"]) == ("web", 4, "1.10")
        schema = app.openapi()["components"]["schemas"]["Item-Input"]
        assert set(schema["properties"]) == set(Item.model_fields)


async def test_along_foreign_keys(db: Any, orm: SimpleNamespace) -> None:
    class Country(orm.BaseDBModel):
        name: str

    class Writer(orm.BaseDBModel):
        name: str
        country: orm.ForeignKey[Country | None] = orm.ForeignKey(Country, null=True)

    class Text(orm.BaseDBModel):
        title: str
        writer: orm.ForeignKey[Writer] = orm.ForeignKey(Writer, related_name="texts")

    for model in (Country, Writer, Text):
        await db.create_table(model)
    france = await db.insert(Country(name="France"))
    ann = await db.insert(Writer(name="Ann", country_id=france.pk))
    bob = await db.insert(Writer(name="Bob"))
    await db.bulk_insert(
        [
            Text(title=t, writer_id=w.pk)
            for t, w in (("x", ann), ("y", bob), ("Ann", bob))
        ]
    )
    texts = db.select(Text).order("pk")
    for condition, expected in {
        Text.writer.name == "Ann": ["x"],
        Text.writer.to.name != "Ann": ["y", "Ann"],
        Text.writer.country.name == "France": ["x"],
        Text.writer.to.country.to.name.is_null(): ["y", "Ann"],
        Text.writer_id == bob.pk: ["y", "Ann"],
        Text.writer.to.name > Text.title: ["Ann"],
        coalesce(Text.writer.to.country.to.name, "none") == "none": ["y", "Ann"],
    }.items():
        assert await texts.clone().filter(condition).scalars("title") == expected
    ordered = db.select(Text).order(col(Text.writer.to.name).desc(), Text.title)
    assert await ordered.scalars("title") == ["Ann", "y", "x"]
    assert await texts.clone().limit(1).values(Text.writer.name) == [
        {"writer__name": "Ann"}
    ]
    assert repr(Text.writer.to.country.to.name) == "Text.writer.country.name"
    for owner, name in ((Text.writer, "nope"), (Text.writer.to, "texts_"), (Text, "w")):
        with pytest.raises(AttributeError):
            getattr(owner, name)


def test_columns_of_bases_are_columns_of_sub_classes() -> None:
    class Child(Item):
        class Meta:
            table_name = "children"

    db = SqliterDB(memory=True)
    db.create_table(Child)
    db.insert(Child(age=4))
    assert db.select(Child).filter(Item.age == 4, Child.age == 4).count() == 1
    with pytest.raises(InvalidFilterError):
        db.select(Item).filter(Child.age == 4)
    db.close()
