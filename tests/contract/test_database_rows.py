"""insert, bulk_insert, get, update, update_where, delete."""

import pytest

from sqliter.exceptions import (
    InvalidFilterError,
    InvalidUpdateError,
    RecordInsertionError,
    RecordNotFoundError,
    RecordUpdateError,
    SqliterError,
)
from sqliter.model import BaseDBModel, unique


class User(BaseDBModel):
    name: str
    email: str | None = unique(default=None)
    age: int = 0


class Admin(User):
    level: int = 1


@pytest.fixture
def clock(monkeypatch):
    """Set the time that `time.time` tells."""

    def set_time(seconds: float) -> None:
        monkeypatch.setattr("time.time", lambda: seconds)

    set_time(1000.9)
    return set_time


async def everyone(db):
    return await db.select(User).order("pk").fetch_all()


# --- insert ------------------------------------------------------------------------------


async def test_insert_gives_the_same_object_with_pk_and_timestamps(db, clock):
    await db.create_table(User)
    user = User(name="a")
    saved = await db.insert(user)
    assert saved is user
    assert (user.pk, user.created_at, user.updated_at) == (1, 1000, 1000)
    assert await db.get(User, 1) == user


async def test_pks_follow_one_another(db):
    await db.create_table(User)
    assert [(await db.insert(User(name=n))).pk for n in "abc"] == [1, 2, 3]


@pytest.mark.parametrize("pk", [42, -1, 2**40])
async def test_given_pk_is_kept(db, pk):
    await db.create_table(User)
    await db.insert(User(pk=pk, name="a"))
    assert (await db.get(User, pk)).name == "a"


async def test_existing_pk_is_refused(db):
    await db.create_table(User)
    user = await db.insert(User(name="a"))
    with pytest.raises(RecordInsertionError, match="users"):
        await db.insert(user)
    assert await everyone(db) == [user]


async def test_supplied_timestamps_are_ignored_by_default(db, clock):
    await db.create_table(User)
    user = await db.insert(User(name="a", created_at=5, updated_at=6))
    assert (user.created_at, user.updated_at) == (1000, 1000)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((5, 6), (5, 6)),
        ((5, 0), (5, 1000)),
        ((0, 6), (1000, 6)),
        ((0, 0), (1000, 1000)),
    ],
)
async def test_supplied_timestamps_are_kept_on_request(db, clock, given, expected):
    await db.create_table(User)
    make = lambda: User(name="a", created_at=given[0], updated_at=given[1])  # noqa: E731
    one = await db.insert(make(), timestamp_override=True)
    (other,) = await db.bulk_insert([make()], timestamp_override=True)
    for user in (one, other, await db.get(User, one.pk)):
        assert (user.created_at, user.updated_at) == expected


async def test_none_is_bound_as_a_value(logged_db, statements):
    await logged_db.create_table(User)
    await logged_db.insert(User(name="a"))
    rows = await logged_db.fetch("SELECT email IS NULL AS empty FROM users")
    assert rows == [{"empty": 1}]


async def test_text_is_never_read_as_sql(db):
    await db.create_table(User)
    name = "x'); DROP TABLE users; --"
    user = await db.insert(User(name=name))
    assert (await db.get(User, user.pk)).name == name


async def test_wrong_type_assigned_behind_the_models_back_is_no_row(db):
    await db.create_table(User)
    user = User(name="a")
    user.__dict__["name"] = None
    with pytest.raises(
        RecordInsertionError, match="NOT NULL constraint failed: users.name"
    ):
        await db.insert(user)
    assert await everyone(db) == []


# --- bulk_insert -------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [[], ()])
async def test_empty_bulk_does_not_touch_the_database(db, empty):
    assert await db.bulk_insert(empty) == []
    assert db.is_connected is False


async def test_bulk_gives_the_same_objects_in_order(db, clock):
    await db.create_table(User)
    users = [User(name=str(n)) for n in range(500)]
    saved = await db.bulk_insert(users)
    assert all(one is other for one, other in zip(saved, users, strict=True))
    assert [user.pk for user in users] == list(range(1, 501))
    assert {(u.created_at, u.updated_at) for u in users} == {(1000, 1000)}
    assert await everyone(db) == users


async def test_bulk_keeps_given_pks(db):
    await db.create_table(User)
    await db.bulk_insert([User(name="a"), User(pk=10, name="b"), User(name="c")])
    assert [(u.pk, u.name) for u in await everyone(db)] == [
        (1, "a"),
        (10, "b"),
        (11, "c"),
    ]


@pytest.mark.parametrize("second", [Admin, BaseDBModel])
async def test_bulk_of_mixed_models_is_refused(db, second):
    await db.create_table(User)
    message = f"All instances must be the same model type. Expected User, got {second.__name__}."
    with pytest.raises(TypeError, match=message):
        await db.bulk_insert([User(name="a"), second.model_construct(pk=0, name="b")])
    assert await everyone(db) == []


async def test_failed_bulk_leaves_no_rows(db):
    await db.create_table(User)
    batch = [User(name="a", email="x"), User(name="b"), User(name="c", email="x")]
    with pytest.raises(
        RecordInsertionError, match="UNIQUE constraint failed: users.email"
    ):
        await db.bulk_insert(batch)
    assert await everyone(db) == []


async def test_same_object_twice_in_a_bulk_is_two_rows_or_refused(db):
    await db.create_table(User)
    user = User(name="a")
    try:
        await db.bulk_insert([user, user])
    except SqliterError:
        assert await everyone(db) == []
        assert user.pk == 0
    else:
        assert [u.name for u in await everyone(db)] == ["a", "a"]
        assert user.pk in (1, 2)


@pytest.mark.parametrize("count", [1, 100, 3000])
async def test_bulk_takes_any_number_of_rows(db, count):
    await db.create_table(User)
    await db.bulk_insert([User(name=str(n)) for n in range(count)])
    assert await db.select(User).count() == count


# --- get ---------------------------------------------------------------------------------


async def test_get_gives_none_without_a_row(db):
    await db.create_table(User)
    assert await db.get(User, 1) is None


@pytest.mark.parametrize(("key", "found"), [(42, True), ("42", True), (42.0, True), ("x", False), (42.5, False), (None, False)])  # fmt: skip
async def test_get_takes_keys_that_sqlite_reads_as_the_number(db, key, found):
    await db.create_table(User)
    await db.insert(User(pk=42, name="a"))
    assert (await db.get(User, key) is not None) is found


async def test_get_with_a_negative_ttl_is_refused_first(db):
    with pytest.raises(ValueError, match="cache_ttl must be non-negative"):
        await db.get(User, 1, cache_ttl=-1)
    assert db.is_connected is False


async def test_get_gives_a_new_object_each_time(db):
    await db.create_table(User)
    await db.insert(User(name="a"))
    assert await db.get(User, 1) is not await db.get(User, 1)


# --- update ------------------------------------------------------------------------------


async def test_update_writes_every_field_and_the_timestamp(db, clock):
    await db.create_table(User)
    user = await db.insert(User(name="a"))
    clock(2000)
    user.name, user.email, user.age = "b", "x", 7
    assert await db.update(user) is None
    assert (user.created_at, user.updated_at) == (1000, 2000)
    assert await db.get(User, user.pk) == user


async def test_update_can_set_null(db):
    await db.create_table(User)
    user = await db.insert(User(name="a", email="x"))
    user.email = None
    await db.update(user)
    assert (await db.get(User, user.pk)).email is None


async def test_update_touches_its_row_only(db):
    await db.create_table(User)
    one, other = await db.bulk_insert([User(name="a"), User(name="b")])
    one.name = "c"
    await db.update(one)
    assert [u.name for u in await everyone(db)] == ["c", "b"]
    assert (await db.get(User, other.pk)).name == "b"


@pytest.mark.parametrize("pk", [0, 99])
async def test_update_without_a_row_is_not_found(db, clock, pk):
    await db.create_table(User)
    user = User(pk=pk, name="a")
    with pytest.raises(
        RecordNotFoundError, match=rf"that record in the table \(key '{pk}'\)"
    ) as caught:
        await db.update(user)
    assert caught.value.key == pk
    assert user.updated_at == 0


async def test_update_of_an_instance_made_by_hand(db):
    await db.create_table(User)
    await db.insert(User(name="a"))
    await db.update(User(pk=1, name="b", age=3))
    loaded = await db.get(User, 1)
    assert (loaded.name, loaded.age) == ("b", 3)


@pytest.mark.defect("D9")
async def test_update_of_a_partial_instance_writes_what_it_has(db, clock):
    await db.create_table(User)
    await db.insert(User(name="a", email="x", age=7))
    clock(2000)
    partial = await db.select(User, fields=["name"]).fetch_one()
    partial.name = "b"
    await db.update(partial)
    loaded = await db.get(User, 1)
    assert (loaded.name, loaded.email, loaded.age) == ("b", "x", 7)
    assert (loaded.created_at, loaded.updated_at) == (1000, 2000)


@pytest.mark.defect("D9")
async def test_update_of_a_partial_instance_writes_what_was_assigned(db):
    await db.create_table(User)
    await db.insert(User(name="a", email="x", age=7))
    partial = await db.select(User).only("name").fetch_one()
    partial.age = 8
    await db.update(partial)
    loaded = await db.get(User, 1)
    assert (loaded.name, loaded.email, loaded.age) == ("a", "x", 8)


# --- update_where ------------------------------------------------------------------------


async def three(db):
    await db.create_table(User)
    return await db.bulk_insert(
        [User(name=name, age=n) for n, name in enumerate("abc")]
    )


async def test_update_where_counts_the_rows(db, clock):
    await three(db)
    clock(2000)
    assert await db.update_where(User, {"age__gte": 1}, {"name": "x"}) == 2
    assert [(u.name, u.updated_at) for u in await everyone(db)] == [
        ("a", 1000),
        ("x", 2000),
        ("x", 2000),
    ]


async def test_update_where_without_conditions_updates_every_row(db):
    await three(db)
    assert await db.update_where(User, {}, {"age": 9}) == 3
    assert {u.age for u in await everyone(db)} == {9}


async def test_update_where_without_a_match_is_zero(db):
    await three(db)
    assert await db.update_where(User, {"age": 99}, {"name": "x"}) == 0


async def test_update_where_without_values_runs_nothing(logged_db, statements):
    await three(logged_db)
    with statements.watch():
        assert await logged_db.update_where(User, {}, {}) == 0
    assert statements.starting("UPDATE") == []


async def test_update_where_keeps_a_given_timestamp(db):
    await three(db)
    await db.update_where(User, {"age": 0}, {"updated_at": 5, "created_at": 4})
    user = await db.get(User, 1)
    assert (user.created_at, user.updated_at) == (4, 5)


@pytest.mark.parametrize(
    ("where", "values", "error", "message"),
    [
        ({"nowhere": 1}, {"age": 1}, InvalidFilterError, "nowhere"),
        ({"nowhere": 1}, {"pk": 1}, InvalidFilterError, "nowhere"),
        (
            {},
            {"pk": 1},
            InvalidUpdateError,
            "Cannot update the primary key 'pk' via bulk update",
        ),
        ({}, {"zz": 1, "aa": 2}, InvalidUpdateError, "aa, zz"),
    ],
)
async def test_update_where_checks_names_first(db, where, values, error, message):
    users = await three(db)
    with pytest.raises(error, match=message):
        await db.update_where(User, where, values)
    assert await everyone(db) == users


@pytest.mark.defect("D11")
@pytest.mark.parametrize("values", [{"age": "no number"}, {"name": 5}, {"name": [1]}])
async def test_update_where_validates_its_values(db, values):
    users = await three(db)
    with pytest.raises(InvalidUpdateError, match=next(iter(values))):
        await db.update_where(User, {}, values)
    assert await everyone(db) == users


@pytest.mark.defect("D10")
async def test_update_where_cannot_make_a_row_unreadable(db):
    users = await three(db)
    for field in ("age", "name"):
        with pytest.raises((InvalidUpdateError, RecordUpdateError), match=field):
            await db.update_where(User, {}, {field: None})
    assert await everyone(db) == users


async def test_update_where_coerces_like_an_assignment(db):
    await three(db)
    await db.update_where(User, {"name": "a"}, {"age": "7"})
    assert (await db.get(User, 1)).age == 7


# --- delete ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [1, "1"])
async def test_delete(db, key):
    await three(db)
    assert await db.delete(User, key) is None
    assert [u.pk for u in await everyone(db)] == [2, 3]


@pytest.mark.parametrize("key", [0, 99, "x"])
async def test_delete_without_a_row_is_not_found(db, key):
    users = await three(db)
    with pytest.raises(RecordNotFoundError) as caught:
        await db.delete(User, key)
    assert caught.value.key == key
    assert await everyone(db) == users


# --- cost and context --------------------------------------------------------------------


async def test_each_verb_is_one_statement(logged_db, statements):
    await logged_db.create_table(User)
    user = await logged_db.insert(User(name="warm"))
    await logged_db.get(User, user.pk)
    user.age = 1
    runs = {
        "INSERT": logged_db.insert(User(name="a")),
        "SELECT": logged_db.get(User, user.pk),
        "UPDATE": logged_db.update(user),
        "DELETE": logged_db.delete(User, user.pk),
    }
    for word, run in runs.items():
        with statements.watch():
            await run
        assert [text.split()[0] for text in statements.statements] == [word]
