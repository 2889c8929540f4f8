"""Short writes that wait share one commit; each is still all or nothing by itself."""

import asyncio
import random
import threading
import time

import pytest
from pressure import SLOW, Item, commits, grouped, prepare, queue_of
from pressure import values as item_values
from support import Signal, assert_no_transaction_left, committed, unwrap, values

from sqliter.exceptions import (
    ForeignKeyConstraintError,
    JunctionTableError,
    OperationTimeoutError,
    RecordDeletionError,
    RecordInsertionError,
    RecordNotFoundError,
    RecordUpdateError,
    SqliterError,
)
from sqliter.model import BaseDBModel, unique


class User(BaseDBModel):
    name: str = unique()
    age: int = 0


class Visit(BaseDBModel):
    """Its table is made by hand: the key to a user is only checked at COMMIT."""

    user: int


async def names(db):
    return [user.name for user in await db.select(User).order("pk").fetch_all()]


async def prepared(db):
    await db.create_table(User)
    return await db.insert(User(name="taken"))


@pytest.fixture
def group(apart):
    """`await group(db, *writes)` has them wait together; gives back how each ended."""

    async def run(db, *writes):
        return await grouped(db, apart, *writes)

    return run


def insert(db, name):
    return db.insert(User(name=name))


async def assert_stored(db, users):
    """Each has a key of its own and is what the file says."""
    rows = {user.pk: user for user in await db.select(User).fetch_all()}
    assert len({user.pk for user in users}) == len(users)
    assert [rows[user.pk] for user in users] == users


# --- how many commits --------------------------------------------------------------------


@pytest.mark.only("file")
@pytest.mark.parametrize("durability", ["normal", "full"])
async def test_writes_that_wait_share_commits(make_db, group, durability):
    db = make_db(durability=durability)
    await prepared(db)
    before = commits(db)
    users = await group(db, *(insert(db, str(n)) for n in range(60)))
    assert commits(db) - before <= 3
    assert await names(db) == ["taken", *(str(n) for n in range(60))]
    await assert_stored(db, users)


@pytest.mark.only("async")
@pytest.mark.only("file")
async def test_two_hundred_tasks_need_few_commits(make_db):
    db = make_db(durability="full")
    await prepared(db)
    before = commits(db)
    users = await asyncio.gather(*(insert(db, str(n)) for n in range(200)))
    assert commits(db) - before <= 20
    await assert_stored(db, users)


@pytest.mark.only("sync")
@pytest.mark.only("file")
async def test_two_hundred_writes_of_threads_need_few_commits(make_db, monkeypatch):
    db = make_db(durability="full")
    await prepared(db)
    real, before = unwrap(db), commits(db)
    slow_down_commits(real, monkeypatch)

    def work(part):
        for n in range(5):
            real.insert(User(name=f"{part}-{n}"))

    threads = [threading.Thread(target=work, args=(part,)) for part in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(await names(db)) == 201
    assert commits(db) - before <= 50


def slow_down_commits(db, monkeypatch):
    """Have each commit take as long as on a disk that must not lose it."""
    engine = db._engine
    carry = engine._carry_shared

    def slow(drive):
        carry(drive)
        threading.Event().wait(0.003)

    monkeypatch.setattr(engine, "_carry_shared", slow)


@pytest.mark.only("file")
async def test_writes_of_every_short_kind_share_a_commit(
    db, group, press, tagged, many
):
    await prepared(db)
    article, *tags = await tagged(db)
    old = await db.insert(User(name="old"))
    before = commits(db)
    results = await group(
        db,
        insert(db, "new"),
        db.update(User(pk=old.pk, name="renamed")),
        many(article.tags).add(*tags),
        db.delete(User, 1),
        many(article.tags).remove(tags[0]),
    )
    assert not any(isinstance(result, Exception) for result in results)
    assert commits(db) - before <= 2
    assert await names(db) == ["renamed", "new"]
    assert await values(many(article.tags)) == ["sql", "web"]


@pytest.mark.only("file")
async def test_a_write_that_need_not_wait_is_committed_at_once(db):
    await prepared(db)
    for n in range(5):
        before = commits(db)
        await insert(db, str(n))
        assert commits(db) - before == 1


@pytest.mark.only("file")
async def test_without_auto_commit_nothing_is_committed_for_the_user(make_db, together):
    db = make_db(auto_commit=False)
    await prepared(db)
    await db.commit()
    before = commits(db)
    await together(*(insert(db, str(n)) for n in range(20)))
    assert commits(db) == before
    assert committed(db, "SELECT name FROM users") == ["taken"]
    await db.commit()
    assert commits(db) == before + 1


# --- acknowledged after the commit, in order ---------------------------------------------


@pytest.mark.only("file")
async def test_nobody_hears_of_a_write_before_others_can_see_it(db, group):
    await prepared(db)

    async def write(name):
        await insert(db, name)
        return name in committed(db, "SELECT name FROM users")

    assert await group(db, *(write(str(n)) for n in range(30))) == [True] * 30


@pytest.mark.parametrize("count", [30, 300])
async def test_first_come_first_written(db, group, colour, count):
    count = min(count, 60) if colour == "sync" else count
    await prepared(db)
    users = await group(db, *(insert(db, str(n)) for n in range(count)))
    assert [user.name for user in users] == [str(n) for n in range(count)]
    assert [user.pk for user in users] == sorted(user.pk for user in users)
    await assert_stored(db, users)


@pytest.mark.only("async")
async def test_members_are_told_in_their_order(db, group):
    """But for the first: it did the work of all, and hears of it last."""
    await prepared(db)
    told = []

    async def write(n):
        await insert(db, str(n))
        told.append(n)

    await group(db, *(write(n) for n in range(50)))
    assert [n for n in told if n] == list(range(1, 50))
    assert sorted(told) == list(range(50))


# --- one that fails ----------------------------------------------------------------------


def unencodable():
    user = User(name="too old")
    user.__dict__["age"] = 2**63
    return user


async def partial(db):
    return await db.select(User).only("name").fetch_one()


async def trigger(db, action):
    await db.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON users WHEN new.name = 'bad' "
        f"BEGIN INSERT INTO users (created_at, updated_at, name, age) VALUES (1, 1, 'by trigger', 1); "
        f"SELECT RAISE({action}); END"
    )


TRIGGERS = ["ABORT, 'no'", "FAIL, 'no'", "ROLLBACK, 'no'", "IGNORE"]

FAILING = {
    "unique": (lambda db: insert(db, "taken"), RecordInsertionError),
    "update to a taken name": (
        lambda db: db.update(User(pk=2, name="taken")),
        RecordUpdateError,
    ),
    "key": (lambda db: db.insert(User(pk=1, name="x")), RecordInsertionError),
    "value": (lambda db: db.insert(unencodable()), RecordInsertionError),
    "update of nothing": (
        lambda db: db.update(User(pk=99, name="x")),
        RecordNotFoundError,
    ),
    "delete of nothing": (lambda db: db.delete(User, 99), RecordNotFoundError),
    "no table": (lambda db: db.insert(Item()), RecordInsertionError),
}


@pytest.mark.parametrize("place_of_it", [0, 2, 4])
@pytest.mark.parametrize("name", FAILING)
async def test_a_failing_write_fails_alone(db, group, name, place_of_it):
    await prepared(db)
    await insert(db, "second")
    make, error = FAILING[name]
    writes = [insert(db, str(n)) for n in range(4)]
    writes.insert(place_of_it, make(db))
    results = await group(db, *writes)
    failed = results.pop(place_of_it)
    assert isinstance(failed, error)
    await assert_stored(db, results)
    assert await names(db) == ["taken", "second", "0", "1", "2", "3"]
    assert_no_transaction_left(db)


@pytest.mark.parametrize("action", TRIGGERS)
@pytest.mark.parametrize("place_of_it", [0, 2, 4])
async def test_a_trigger_refuses_one_alone(db, group, action, place_of_it):
    await prepared(db)
    await trigger(db, action)
    bad = User(name="bad")
    good = [User(name=str(n)) for n in range(4)]
    users = [*good]
    users.insert(place_of_it, bad)
    results = await group(db, *(db.insert(user) for user in users))
    failed = results.pop(place_of_it)
    assert isinstance(failed, RecordInsertionError)
    assert (bad.pk, bad.created_at, bad.updated_at) == (0, 0, 0)
    assert results == good
    await assert_stored(db, good)
    assert await names(db) == ["taken", "0", "1", "2", "3"]
    assert_no_transaction_left(db)


@pytest.mark.parametrize("place_of_it", [0, 2, 4])
async def test_what_fails_at_the_commit_fails_alone(db, group, place_of_it):
    await prepared(db)
    await db.execute(
        "CREATE TABLE visits (pk INTEGER PRIMARY KEY AUTOINCREMENT, "
        "created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, "
        "user INTEGER REFERENCES users(pk) DEFERRABLE INITIALLY DEFERRED)"
    )
    users = [User(name=str(n)) for n in range(4)]
    bad = Visit(user=99)
    good = Visit(user=1)
    writes = [db.insert(each) for each in [*users, good]]
    writes.insert(place_of_it, db.insert(bad))
    results = await group(db, *writes)
    assert isinstance(results.pop(place_of_it), SqliterError)
    assert (bad.pk, bad.created_at) == (0, 0)
    assert results == [*users, good]
    await assert_stored(db, users)
    assert await db.select(Visit).fetch_all() == [good]
    assert_no_transaction_left(db)


async def test_foreign_keys_are_those_of_each(db, group, library, seeded):
    ada, bob, book = await seeded(db)
    books = [library.Book(title=str(n), author_id=ada.pk) for n in range(3)]
    stray = library.Book(title="stray", author_id=99)
    results = await group(
        db,
        db.insert(books[0]),
        db.insert(stray),
        db.update(library.Book(pk=book.pk, title="x", author_id=98)),
        db.insert(books[1]),
        db.delete(library.Author, bob.pk),
        db.insert(library.Book(title="orphan", author_id=bob.pk)),
        db.insert(books[2]),
    )
    errors = [isinstance(result, ForeignKeyConstraintError) for result in results]
    assert errors == [False, True, True, False, False, True, False]
    assert stray.pk == 0
    titles = [
        row.title for row in await db.select(library.Book).order("pk").fetch_all()
    ]
    assert titles == ["Notes", "0", "1", "2"]


async def test_a_delete_that_is_refused_fails_alone(db, group, orm):
    class Owner(orm.BaseDBModel):
        name: str

    class Pet(orm.BaseDBModel):
        owner: orm.ForeignKey[Owner] = orm.ForeignKey(Owner, on_delete="RESTRICT")

    await db.create_table(Owner)
    await db.create_table(Pet)
    ada = await db.insert(Owner(name="Ada"))
    await db.insert(Pet(owner_id=ada.pk))
    *others, refused, _ = await group(
        db,
        db.insert(Owner(name="Bob")),
        db.insert(Owner(name="Cid")),
        db.delete(Owner, ada.pk),
        db.insert(Owner(name="Dan")),
    )
    assert isinstance(refused, RecordDeletionError)
    assert not any(isinstance(other, Exception) for other in others)
    assert await values(db.select(Owner)) == ["Ada", "Bob", "Cid", "Dan"]


async def test_links_fail_alone(db, group, press, tagged, many):
    article, *tags = await tagged(db)
    ghost = press.Tag(pk=99, name="ghost")
    results = await group(
        db,
        many(article.tags).add(tags[0]),
        many(article.tags).add(tags[1], ghost),
        many(article.tags).add(tags[2]),
    )
    assert [isinstance(result, SqliterError) for result in results] == [
        False,
        True,
        False,
    ]
    assert isinstance(results[1], (JunctionTableError, ForeignKeyConstraintError))
    assert await values(many(article.tags)) == ["api", "web"]


async def test_a_record_that_was_fetched_in_part(db, group):
    await prepared(db)
    one = await partial(db)
    results = await group(db, insert(db, "a"), db.insert(one), insert(db, "b"))
    assert isinstance(results[1], RecordInsertionError)
    assert await names(db) == ["taken", "a", "b"]


async def test_all_fail(db, group):
    await prepared(db)
    results = await group(db, *(insert(db, "taken") for _ in range(5)))
    assert {type(result) for result in results} == {RecordInsertionError}
    assert len({id(result) for result in results}) == 5
    assert await names(db) == ["taken"]
    await insert(db, "next")


async def test_one_of_those_who_want_the_same_name_gets_it(db, group):
    await prepared(db)
    users = [User(name="same") for _ in range(8)]
    results = await group(db, *(db.insert(user) for user in users))
    assert [isinstance(result, User) for result in results] == [True] + [False] * 7
    assert [user.pk == 0 for user in users] == [False] + [True] * 7
    assert await names(db) == ["taken", "same"]


# --- objects -----------------------------------------------------------------------------


async def test_objects_of_a_failed_update_are_as_they_were(db, group, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1000.0)
    await prepared(db)
    users = [await insert(db, name) for name in "abc"]
    monkeypatch.setattr("time.time", lambda: 2000.0)
    for user, name in zip(users, ("x", "taken", "z"), strict=True):
        user.name = name
    results = await group(db, *(db.update(user) for user in users))
    assert [result is None for result in results] == [True, False, True]
    assert [user.updated_at for user in users] == [2000, 1000, 2000]
    assert await names(db) == ["taken", "x", "b", "z"]


async def test_objects_are_right_after_the_group_was_lost_and_run_again(db, group):
    """SQLite undid all of it; those before the culprit had got other keys by then."""
    await prepared(db)
    await trigger(db, "ROLLBACK, 'no'")
    users = [User(name=str(n)) for n in range(10)]
    bad = [User(name="bad") for _ in range(2)]
    order = [*users[:5], bad[0], *users[5:], bad[1]]
    results = await group(db, *(db.insert(user) for user in order))
    assert sum(isinstance(result, RecordInsertionError) for result in results) == 2
    assert [user.pk for user in bad] == [0, 0]
    await assert_stored(db, users)
    assert len(await names(db)) == 11


async def test_a_prefetched_list_follows_its_own_write_only(
    db, group, press, linked, many
):
    article = await linked(db, "prefetched")
    tag = await db.insert(press.Tag(name="new"))
    ghost = press.Tag(pk=99, name="ghost")
    other = await db.select(press.Article).prefetch_related("tags").fetch_one()
    results = await group(db, many(article.tags).add(tag), many(other.tags).add(ghost))
    assert [isinstance(result, Exception) for result in results] == [False, True]
    assert await values(many(article.tags)) == ["api", "new", "sql", "web"]


# --- cancelled, late ---------------------------------------------------------------------


@pytest.mark.only("async")
@pytest.mark.parametrize("place_of_it", [0, 2, 4])
async def test_a_waiter_that_is_cancelled_is_not_written(db, apart, place_of_it):
    await prepared(db)
    inside, release = Signal(), Signal()

    async def hold():
        async with db:
            inside.set()
            await release.wait()

    holding = apart(hold())
    await inside.wait()
    tasks = [apart(insert(db, str(n))) for n in range(5)]
    await asyncio.sleep(0.01)
    tasks[place_of_it].cancel()
    await asyncio.wait([tasks[place_of_it]], timeout=5)
    release.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results.pop(place_of_it), asyncio.CancelledError)
    await assert_stored(db, results)
    assert len(await names(db)) == 5
    await holding


@pytest.mark.only("async")
@pytest.mark.parametrize("place_of_it", [0, 2, 4])
async def test_a_running_member_that_is_cancelled_costs_the_others_nothing(
    db, apart, place_of_it
):
    await prepare(db)
    release, inside = Signal(), Signal()

    async def hold():
        async with db:
            inside.set()
            await release.wait()

    holding = apart(hold())
    await inside.wait()
    items = [Item(value=10 + n) for n in range(5)]
    items[place_of_it].value = SLOW
    tasks = [apart(db.insert(item)) for item in items]
    await asyncio.sleep(0.01)
    release.set()
    await asyncio.sleep(0.1)
    assert not tasks[place_of_it].done()
    tasks[place_of_it].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[place_of_it], asyncio.CancelledError)
    assert items.pop(place_of_it).pk == 0
    assert await item_values(db) == [1, *(item.value for item in items)]
    rows = {item.pk: item.value for item in await db.select(Item).fetch_all()}
    assert all(rows[item.pk] == item.value for item in items)
    assert_no_transaction_left(db)
    await holding


@pytest.mark.parametrize("place_of_it", [0, 2, 4])
async def test_a_late_member_costs_the_others_nothing(db, group, place_of_it):
    await prepare(db)
    items = [Item(value=10 + n) for n in range(5)]
    items[place_of_it].value = SLOW

    async def write(item):
        if item.value != SLOW:
            return await db.insert(item)
        with db.timeout(0.3):
            return await db.insert(item)

    results = await group(db, *(write(item) for item in items))
    assert isinstance(results[place_of_it], OperationTimeoutError)
    assert items.pop(place_of_it).pk == 0
    assert await item_values(db) == [1, *(item.value for item in items)]
    assert_no_transaction_left(db)


async def beside_a_slow_member(db, apart, slow_at, write, *, cancel):
    """Have `write` and a slow one share a transaction; return how it ended, and when."""
    ended = []

    async def slow():
        with db.timeout(2):
            await db.insert(Item(value=SLOW))

    async def mine():
        try:
            return await write()
        finally:
            ended.append(time.monotonic())

    members = [mine(), slow()] if slow_at else [slow(), mine()]
    inside, release = Signal(), Signal()

    async def hold():
        async with db:
            inside.set()
            await release.wait()

    holding = apart(hold())
    await inside.wait()
    running = []
    for n, member in enumerate(members):
        running.append(apart(member))
        while queue_of(db) <= n:
            await asyncio.sleep(0)
    release.set()
    await asyncio.sleep(0.1)
    begun = time.monotonic()
    if cancel:
        running[1 - slow_at].cancel()
    results = await asyncio.gather(*running, return_exceptions=True)
    await holding
    return results[1 - slow_at], ended[0] - begun


@pytest.mark.only("async")
@pytest.mark.parametrize("slow_at", [0, 1])
async def test_a_cancelled_member_does_not_wait_for_a_slow_one(db, apart, slow_at):
    """The group goes on for two seconds; nobody who gave up waits so long."""
    await prepare(db)
    item = Item(value=5)
    result, late = await beside_a_slow_member(
        db, apart, slow_at, lambda: db.insert(item), cancel=True
    )
    assert isinstance(result, asyncio.CancelledError)
    assert (item.pk != 0) == (5 in await item_values(db))
    assert_no_transaction_left(db)
    assert late < 1


@pytest.mark.parametrize("slow_at", [0, 1])
async def test_a_member_with_a_deadline_does_not_wait_for_a_slow_one(
    db, apart, slow_at
):
    await prepare(db)
    item = Item(value=5)

    async def write():
        with db.timeout(0.3):
            await db.insert(item)

    result, late = await beside_a_slow_member(db, apart, slow_at, write, cancel=False)
    assert result is None or isinstance(result, OperationTimeoutError)
    assert (item.pk != 0) == (5 in await item_values(db)) == (result is None)
    assert_no_transaction_left(db)
    assert late < 1


@pytest.mark.only("async")
@pytest.mark.parametrize("seed", range(5))
async def test_cancelled_at_any_moment_each_was_written_or_not(db, seed):
    await prepared(db)
    rng = random.Random(seed)
    users = [User(name=str(n)) for n in range(60)]
    tasks = [asyncio.create_task(db.insert(user)) for user in users]
    for task in rng.sample(tasks, k=30):
        if rng.random() < 0.5:
            await asyncio.sleep(rng.choice([0, 0, 0.0005, 0.002]))
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    found = set(await names(db)) - {"taken"}
    for user, result in zip(users, results, strict=True):
        assert isinstance(result, (User, asyncio.CancelledError))
        if isinstance(result, User):
            assert user.name in found
        assert (user.pk != 0) == (user.name in found)
    assert_no_transaction_left(db)


# --- others in the queue -----------------------------------------------------------------


async def test_the_queue_is_fair_to_all_kinds_of_writes(db, group):
    await prepared(db)

    async def block(name):
        async with db:
            await insert(db, name)
            await asyncio.sleep(0.001)
            await insert(db, name + "+")

    async def snapshot(name):
        async with db.transaction(read_only=True):
            await names(db)
        return await insert(db, name)

    kinds = [
        lambda name: insert(db, name),
        lambda name: insert(db, name),
        block,
        lambda name: insert(db, name),
        lambda name: db.bulk_insert([User(name=name), User(name=name + "+")]),
        lambda name: db.create_indexes(User, ["age"]),
        lambda name: insert(db, name),
        lambda name: db.execute(
            "INSERT INTO users (created_at, updated_at, name, age) VALUES (1, 1, ?, 0)",
            [name],
        ),
        lambda name: insert(db, name),
        lambda name: insert(db, name),
    ]
    order = [f"{n:02}" for n in range(3 * len(kinds))]
    writes = [kinds[n % len(kinds)](name) for n, name in enumerate(order)]
    results = await group(db, *writes)
    assert not any(isinstance(result, Exception) for result in results)
    written = [name for name in await names(db) if name != "taken"]
    assert written == sorted(written)
    assert len(written) == 3 * 11
    assert_no_transaction_left(db)


async def test_a_table_that_is_made_first_is_there_for_those_behind(db, group):
    results = await group(
        db,
        db.create_table(User),
        insert(db, "a"),
        insert(db, "b"),
        db.drop_table(User),
        insert(db, "c"),
    )
    assert [isinstance(result, Exception) for result in results] == [
        False,
        False,
        False,
        False,
        True,
    ]


async def test_reads_between_see_what_was_acknowledged(db, together):
    await prepared(db)

    async def work(part):
        for n in range(15):
            user = await insert(db, f"{part}-{n}")
            assert await db.get(User, user.pk) == user
            user.age = n
            await db.update(user)
            assert (await db.get(User, user.pk)).age == n

    await together(*(work(part) for part in range(8)))
    assert len(await names(db)) == 1 + 8 * 15


@pytest.mark.only("async")
async def test_tasks_in_a_block_do_not_share_their_writes_with_those_outside(db, apart):
    await prepared(db)
    with pytest.raises(ZeroDivisionError):
        async with db:
            outside = [apart(insert(db, f"out {n}")) for n in range(5)]
            await asyncio.gather(*(insert(db, f"in {n}") for n in range(5)))
            assert not any(task.done() for task in outside)
            raise ZeroDivisionError
    await asyncio.gather(*outside)
    assert await names(db) == ["taken", *(f"out {n}" for n in range(5))]


# --- the cache ---------------------------------------------------------------------------


@pytest.mark.parametrize("fails", ["nobody", "one", "all of it"])
async def test_the_cache_knows_what_a_group_wrote(make_db, group, fails):
    db = make_db(cache_enabled=True)
    await prepared(db)
    if fails == "all of it":
        await trigger(db, "ROLLBACK, 'no'")
    old = await insert(db, "old")
    gone = await insert(db, "gone")
    for _ in range(2):
        assert await names(db) == ["taken", "old", "gone"]
        assert (await db.get(User, old.pk)).name == "old"
        assert await db.get(User, gone.pk) is not None
    bad = {"nobody": "fine", "one": "taken", "all of it": "bad"}[fails]
    await group(
        db,
        insert(db, "new"),
        db.update(User(pk=old.pk, name="renamed")),
        insert(db, bad),
        db.delete(User, gone.pk),
    )
    expected = ["taken", "renamed", "new", *(["fine"] if fails == "nobody" else [])]
    for _ in range(2):
        assert await names(db) == expected
        assert (await db.get(User, old.pk)).name == "renamed"
        assert await db.get(User, gone.pk) is None


async def test_the_cache_is_right_in_the_middle_of_many_writes(make_db, together):
    db = make_db(cache_enabled=True)
    await prepared(db)

    async def work(part):
        for n in range(10):
            user = await insert(db, f"{part}-{n}")
            assert await db.get(User, user.pk) == user
            assert user.name in await names(db)
            if n % 3 == 0:
                await db.delete(User, user.pk)
                assert await db.get(User, user.pk) is None

    await together(*(work(part) for part in range(6)))
    assert len(await names(db)) == 1 + 6 * 6
