"""`upsert()` and `bulk_upsert()`."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import ConfigDict, Field

from sqliter.exceptions import (
    ForeignKeyInsertionError,
    RecordInsertionError,
    SqliterError,
)
from sqliter.model import BaseDBModel, ForeignKey, unique


class User(BaseDBModel):
    email: Annotated[str, unique()]
    name: str = ""
    age: int | None = None
    tags: list[str] = []

    class Meta:
        table_name = "users"


class Seat(BaseDBModel):
    row: int
    place: int | None
    guest: str = ""

    class Meta:
        table_name = "seats"
        unique_indexes = [("row", "place")]


class Both(BaseDBModel):
    email: Annotated[str, unique()]
    phone: Annotated[str, unique()]

    class Meta:
        table_name = "both"


class Plain(BaseDBModel):
    name: str

    class Meta:
        table_name = "plain"


class Price(BaseDBModel):
    model_config = ConfigDict(frozen=True)
    amount: Annotated[Decimal, unique()]
    at: datetime | None = None
    raw: bytes = b""
    ratio: float = 0.0

    class Meta:
        table_name = "prices"


class Pet(BaseDBModel):
    name: Annotated[str, unique()]
    user_id: int = ForeignKey(User)

    class Meta:
        table_name = "pets"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_time(seconds: float) -> None:
        monkeypatch.setattr("time.time", lambda: seconds)

    set_time(1000)
    return set_time


async def rows(db: Any, model: Any = User) -> list[Any]:
    return await db.select(model).order("pk").fetch_all()


# --- one ---


async def test_a_new_record_is_inserted(db: Any, clock: Any) -> None:
    await db.create_table(User)
    user = User(email="a", name="A", tags=["x"])
    assert await db.upsert(user) is user
    assert (user.pk, user.created_at, user.updated_at) == (1, 1000, 1000)
    assert await rows(db) == [user]


async def test_an_existing_row_is_written_and_keeps_its_key(
    db: Any, clock: Any
) -> None:
    await db.create_table(User)
    await db.insert(User(email="a", name="A", age=1))
    clock(2000)
    user = await db.upsert(User(email="a", name="B"))
    assert (user.pk, user.created_at, user.updated_at) == (1, 1000, 2000)
    assert (user.name, user.age) == ("B", None)
    assert await rows(db) == [user]


async def test_update_names_what_is_written(db: Any, clock: Any) -> None:
    await db.create_table(User)
    await db.insert(User(email="a", name="A", age=1, tags=["old"]))
    clock(2000)
    user = User(email="a", name="B", age=2, tags=["new"])
    await db.upsert(user, update=["age"])
    assert (user.pk, user.name, user.age, user.tags) == (1, "A", 2, ["old"])
    assert (user.created_at, user.updated_at) == (1000, 2000)
    assert await rows(db) == [user]


async def test_nothing_is_written_if_nothing_is_to_be(db: Any, clock: Any) -> None:
    await db.create_table(User)
    old = await db.insert(User(email="a", name="A", tags=["old"]))
    clock(2000)
    user = User(email="a", name="B")
    assert await db.upsert(user, update=[]) is user
    assert user == old
    assert user.updated_at == 1000
    new = await db.upsert(User(email="b", name="B"), update=[])
    assert (new.name, new.created_at) == ("B", 2000)
    assert await rows(db) == [user, new]


async def test_the_key_is_the_target_if_it_is_set(db: Any) -> None:
    await db.create_table(User)
    old = await db.insert(User(email="a", name="A"))
    user = await db.upsert(User(pk=old.pk, email="b", name="B"))
    assert await rows(db) == [user]
    new = await db.upsert(User(pk=77, email="c"))
    assert [each.pk for each in await rows(db)] == [old.pk, 77]
    assert new.pk == 77


async def test_a_key_beside_another_target_gives_way(db: Any) -> None:
    await db.create_table(User)
    await db.insert(User(email="a", name="A"))
    user = await db.upsert(User(pk=50, email="a", name="B"), conflict=("email",))
    assert user.pk == 1
    assert await rows(db) == [user]


async def test_the_key_as_target_of_a_record_without_one_means_insert(db: Any) -> None:
    await db.create_table(Plain)
    for update in (None, [], ["name"]):
        await db.upsert(Plain(name="x"), conflict=["pk"], update=update)
    assert [each.pk for each in await rows(db, Plain)] == [1, 2, 3]


async def test_a_pair_of_fields_can_be_the_target(db: Any) -> None:
    await db.create_table(Seat)
    await db.upsert(Seat(row=1, place=1, guest="a"))
    await db.upsert(Seat(row=1, place=2, guest="b"))
    seat = await db.upsert(Seat(row=1, place=2, guest="c"), conflict=("place", "row"))
    assert seat.pk == 2
    assert [each.guest for each in await rows(db, Seat)] == ["a", "c"]


@pytest.mark.parametrize("update", [None, [], ["guest"]])
async def test_null_equals_nothing(db: Any, update: Any) -> None:
    await db.create_table(Seat)
    for guest in "ab":
        seat = await db.upsert(Seat(row=1, place=None, guest=guest), update=update)
        assert (await db.get(Seat, seat.pk)).guest == guest
    assert await db.select(Seat).count() == 2


async def test_values_that_equal_without_being_the_same(db: Any) -> None:
    await db.create_table(Price)
    await db.insert(Price(amount=Decimal("1.50"), raw=b"old"))
    price = Price(amount=Decimal("1.50"), raw=b"n\0w", ratio=-0.0)
    await db.upsert(price)
    assert await rows(db, Price) == [price]
    moment = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
    other = Price(amount=Decimal("1.50"), at=moment, raw=b"x")
    await db.upsert(other, update=["at"])
    assert (other.pk, other.at, other.raw) == (1, moment, b"n\0w")


async def test_an_index_made_later_counts(db: Any) -> None:
    await db.create_table(Plain)
    with pytest.raises(ValueError, match="Plain has no unique field"):
        await db.upsert(Plain(name="x"))
    with pytest.raises(ValueError, match="no unique index of Plain covers exactly"):
        await db.upsert(Plain(name="x"), conflict=["name"])
    await db.create_indexes(Plain, ["name"], unique=True)
    await db.upsert(Plain(name="x"), conflict=["name"])
    await db.upsert(Plain(name="x"), conflict=["name"])
    assert await db.select(Plain).count() == 1


async def test_an_index_with_a_condition_does_not(db: Any) -> None:
    await db.create_table(Plain)
    await db.execute('CREATE UNIQUE INDEX some ON plain ("name") WHERE pk > 5')
    await db.execute("CREATE UNIQUE INDEX other ON plain (lower(name))")
    with pytest.raises(ValueError, match="covers exactly name"):
        await db.upsert(Plain(name="x"), conflict=["name"])


@pytest.mark.parametrize(
    ("model", "options", "error", "text"),
    [
        (Both, {}, ValueError, r"conflict=\['email'\] or conflict=\['phone'\]"),
        (Both, {"conflict": ["email", "phone"]}, ValueError, "covers exactly"),
        (Both, {"conflict": []}, ValueError, "covers exactly nothing"),
        (Both, {"conflict": ["mail"]}, ValueError, "no such fields: mail"),
        (Both, {"conflict": "email"}, TypeError, "a list of field names"),
        (Both, {"conflict": ["email"], "update": "phone"}, TypeError, "list of field"),
        (Both, {"conflict": ["email"], "update": ["x"]}, ValueError, "fields: x"),
        (Both, {"conflict": ["email"], "update": ["pk"]}, ValueError, "keeps its pk"),
        (
            Both,
            {"conflict": ["email"], "update": ["created_at"]},
            ValueError,
            "created_at",
        ),
    ],
)
async def test_bad_arguments_are_refused_before_anything_is_written(
    db: Any, model: Any, options: Any, error: Any, text: str
) -> None:
    await db.create_table(model)
    record = Both(email="a", phone="1")
    with pytest.raises(error, match=text):
        await db.upsert(record, **options)
    with pytest.raises(error, match=text):
        await db.bulk_upsert([record], **options)
    assert record.pk == 0
    assert await rows(db, model) == []


async def test_names_that_can_be_iterated_once(db: Any, together: Any) -> None:
    await db.create_table(User)
    calls = (
        db.upsert(
            User(email="a", name=str(n)), conflict=iter(["email"]), update=iter(["age"])
        )
        for n in range(20)
    )
    found = await together(*calls)
    assert len({each.name for each in found}) == 1


async def test_another_constraint_is_an_error(db: Any) -> None:
    await db.create_table(Both)
    await db.insert(Both(email="a", phone="1"))
    for update in (None, []):
        record = Both(email="b", phone="1")
        with pytest.raises(RecordInsertionError) as caught:
            await db.upsert(record, conflict=["email"], update=update)
        assert caught.value.kind == "unique"
        assert (record.pk, record.created_at) == (0, 0)


@pytest.mark.parametrize("update", [None, [], ["name"]])
async def test_a_trigger_that_ignores_is_an_error(db: Any, update: Any) -> None:
    await db.create_table(User)
    await db.execute(
        "CREATE TRIGGER skip BEFORE INSERT ON users WHEN new.name = 'bad' "
        "BEGIN SELECT RAISE(IGNORE); END"
    )
    users = [User(email="a"), User(email="b", name="bad")]
    with pytest.raises(RecordInsertionError, match="a trigger"):
        await db.bulk_upsert(users, update=update)
    assert users[0].pk == 0
    assert await rows(db) == []


@pytest.mark.parametrize("update", [[], ["name"]])
async def test_a_row_that_does_not_fit_is_left_as_it_is(db: Any, update: Any) -> None:
    await db.create_table(User)
    await db.insert(User(email="a", name="A"))
    await db.execute("UPDATE users SET age = 'many'")
    users = [User(email="a", name="B"), User(email="b")]
    for call in (
        db.upsert(users[0], update=update),
        db.bulk_upsert(users, update=update),
    ):
        with pytest.raises(RecordInsertionError, match="column 'age' of pk 1 holds"):
            await call
    assert [each.pk for each in users] == [0, 0]
    assert await db.fetch("SELECT email, name FROM users") == [
        {"email": "a", "name": "A"}
    ]


async def test_foreign_keys_are_enforced(db: Any) -> None:
    await db.create_table(User)
    await db.create_table(Pet)
    with pytest.raises(ForeignKeyInsertionError):
        await db.upsert(Pet(name="Rex", user_id=9))


async def test_a_rollback_restores_the_instances(db: Any) -> None:
    await db.create_table(User)
    await db.insert(User(email="a", name="A", tags=["old"]))
    one, two, three = (User(email=each, name="B") for each in "aba")
    before = [each.model_dump() for each in (one, two, three)]
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.upsert(one, update=["age"])
            await db.bulk_upsert([two, three], update=[])
            assert (one.pk, one.name, two.pk > 1, three.tags) == (1, "A", True, ["old"])
            1 / 0
    assert [each.model_dump() for each in (one, two, three)] == before
    assert [each.name for each in await rows(db)] == ["A"]
    await db.bulk_upsert([one, two, three])
    assert [each.name for each in await rows(db)] == ["B", "B"]


async def test_the_instance_can_be_updated_afterwards(db: Any) -> None:
    await db.create_table(User)
    await db.insert(User(email="a", name="A", age=4))
    for update in (None, [], ["name"]):
        user = await db.upsert(User(email="a", name="B", age=5), update=update)
        user.tags = ["new", str(update)]
        await db.update(user)
        assert await rows(db) == [user]


@pytest.mark.parametrize("update", [None, [], ["name"]])
async def test_caches_are_told(make_db: Any, update: Any) -> None:
    db = make_db(cache_enabled=True)
    await db.create_table(User)
    await db.insert(User(email="a", name="A"))
    await rows(db)
    await db.upsert(User(email="a", name="B"), update=update)
    await db.bulk_upsert([User(email="b", name="B")], update=update)
    assert [each.name for each in await rows(db)] == ["A" if update == [] else "B", "B"]


# --- many ---


async def test_many_are_inserted_or_written(db: Any, clock: Any) -> None:
    await db.create_table(User)
    await db.bulk_insert([User(email=str(n), name="old") for n in range(0, 2500, 2)])
    clock(2000)
    users = [User(email=str(n), name="new") for n in range(2500)]
    assert all(a is b for a, b in zip(await db.bulk_upsert(users), users, strict=True))
    stored = {each.email: each for each in await rows(db)}
    assert len(stored) == 2500
    assert all(stored[each.email] == each for each in users)
    assert {each.created_at for each in users[::2]} == {1000}
    assert {each.created_at for each in users[1::2]} == {2000}
    assert {each.updated_at for each in users} == {2000}


async def test_many_are_left_as_they_are(db: Any) -> None:
    await db.create_table(User)
    await db.bulk_insert([User(email=str(n), name="old") for n in range(0, 1500, 2)])
    users = [User(email=str(n), name="new") for n in range(1500)]
    await db.bulk_upsert(users, update=[])
    assert [each.name for each in users] == ["old", "new"] * 750
    stored = {each.email: each for each in await rows(db)}
    assert all(stored[each.email] == each for each in users)


@pytest.mark.parametrize(
    ("update", "kept"), [(None, "last"), (["name"], "last"), ([], "first")]
)
@pytest.mark.parametrize("distance", [1, 400])
async def test_equal_ones_become_one_row(
    db: Any, update: Any, kept: str, distance: int
) -> None:
    await db.create_table(User)
    first, last = User(email="a", name="first"), User(email="a", name="last")
    others = [User(email=f"other {n}") for n in range(distance)]
    await db.bulk_upsert([first, *others, last], update=update)
    assert first == last
    assert (first.name, await db.get(User, first.pk)) == (kept, last)
    assert await db.select(User).count() == distance + 1


async def test_records_with_and_without_a_key(db: Any) -> None:
    await db.create_table(User)
    await db.insert(User(email="a", name="A"))
    users = [
        User(email="a", name="B"),
        User(pk=9, email="c"),
        User(email="d"),
        User(pk=9, email="e"),
    ]
    await db.bulk_upsert(users)
    assert [each.pk for each in users] == [1, 9, users[2].pk, 9]
    assert [each.email for each in await rows(db)] == ["a", "e", "d"]
    assert users[1] == users[3]


async def test_nulls_among_many(db: Any) -> None:
    await db.create_table(Seat)
    await db.insert(Seat(row=1, place=1, guest="old"))
    places = [None, 1, None, 2, 1, None]
    seats = [Seat(row=1, place=p, guest=str(n)) for n, p in enumerate(places)]
    await db.bulk_upsert(seats, update=[])
    assert [each.guest for each in seats] == ["0", "old", "2", "3", "old", "5"]
    for each in seats:
        assert await db.get(Seat, each.pk) == each


@pytest.mark.parametrize("update", [None, []])
async def test_all_or_none(db: Any, update: Any) -> None:
    await db.create_table(Both)
    await db.insert(Both(email="a", phone="1"))
    records = [Both(email=f"new {n}", phone=f"2 {n}") for n in range(300)]
    records.append(Both(email="z", phone="1"))
    with pytest.raises(RecordInsertionError):
        await db.bulk_upsert(records, conflict=["email"], update=update)
    assert await db.select(Both).count() == 1
    assert {each.pk for each in records} == {0}


async def test_none_and_mixed(db: Any) -> None:
    await db.create_table(User)
    assert await db.bulk_upsert([]) == []
    assert await db.bulk_upsert(iter([User(email="a")])) != []
    with pytest.raises(TypeError, match="same model type"):
        await db.bulk_upsert([User(email="b"), Plain(name="x")])


async def test_a_record_fetched_in_part_is_refused(db: Any) -> None:
    await db.create_table(User)
    await db.insert(User(email="a"))
    part = await db.select(User, fields=["email"]).fetch_one()
    with pytest.raises(SqliterError, match="partial"):
        await db.upsert(part)


async def test_many_at_once_make_one_row(db: Any, together: Any) -> None:
    await db.create_table(User)
    found = await together(*(db.upsert(User(email="a", age=n)) for n in range(20)))
    assert {each.pk for each in found} == {1}
    assert await db.select(User).count() == 1


async def test_strange_names(db: Any) -> None:
    class Odd(BaseDBModel):
        column1: Annotated[str, unique()]
        t: int = 0
        v: int = 0
        order: str = Field(default="", alias="group")

        class Meta:
            table_name = "v"

    await db.create_table(Odd)
    await db.upsert(Odd(column1="a", t=1, group="x"))
    odd = await db.upsert(Odd(column1="a", t=2, v=3, group="y"), update=["v", "order"])
    assert (odd.t, odd.v, odd.order) == (1, 3, "y")
    assert (await db.upsert(Odd(column1="a"), update=[])).order == "y"
    odd.t = 8
    assert await db.bulk_update([odd], ["t", "order"]) == 1
    assert await rows(db, Odd) == [odd]


# --- what is run ---


async def test_it_is_one_statement(logged_db: Any, statements: Any) -> None:
    await logged_db.create_table(Seat)
    await logged_db.upsert(Seat(row=1, place=2))
    statements.clear()
    await logged_db.upsert(Seat(row=1, place=2))
    (text,) = statements.statements
    assert text.startswith('INSERT INTO "seats" (')
    assert text.endswith(
        'ON CONFLICT ("row", "place") DO UPDATE SET '
        '"updated_at" = excluded."updated_at", "guest" = excluded."guest" '
        'RETURNING "pk", "created_at", "row", "place"'
    )


async def test_many_are_few_statements(logged_db: Any, statements: Any) -> None:
    await logged_db.create_table(User)
    statements.clear()
    await logged_db.bulk_upsert([User(email=str(n)) for n in range(1000)])
    assert len(statements.starting("INSERT")) == 10
    statements.clear()
    await logged_db.bulk_upsert([User(email=str(n)) for n in range(1000)], update=[])
    assert len(statements.starting("INSERT")) == 10
    assert len(statements.starting("SELECT")) == 10


async def test_existing_rows_are_found_by_the_index(db: Any) -> None:
    await db.create_table(Seat)
    sql = (
        "EXPLAIN QUERY PLAN SELECT v.column1, t.pk FROM (VALUES (0, 1, 2), (1, 1, 3)) "
        'AS v CROSS JOIN "seats" AS t WHERE t."row" = v.column2 AND t."place" = v.column3'
    )
    plan = [row["detail"] for row in await db.fetch(sql)]
    assert any("SEARCH t USING" in line for line in plan), plan
