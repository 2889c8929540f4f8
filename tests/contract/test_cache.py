"""The result cache: what is kept, what it saves, and that it is never stale."""

import asyncio

import pytest
from support import outside, run_python

from sqliter.exceptions import RecordFetchError, RecordInsertionError, RecordUpdateError
from sqliter.model import BaseDBModel, ForeignKey


class User(BaseDBModel):
    name: str
    age: int = 0
    tags: list[str] = []
    blob: bytes = b""


class Other(BaseDBModel):
    name: str = ""


class Pet(BaseDBModel):
    owner_id: int = ForeignKey(User, on_delete="CASCADE")


class Toy(BaseDBModel):
    pet_id: int | None = ForeignKey(Pet, on_delete="SET NULL", null=True)
    maker_id: int | None = ForeignKey(User, on_delete="CASCADE", null=True)


@pytest.fixture
def make_cached(make_db, statements):
    """A caching, logging database with further options."""

    def make(**options):
        return make_db(
            cache_enabled=True, debug=True, logger=statements.logger, **options
        )

    return make


@pytest.fixture
def db(make_cached):
    return make_cached()


async def two(db):
    await db.create_table(User)
    return await db.bulk_insert(
        [User(name="a", age=1, tags=["x"]), User(name="b", age=2)]
    )


def stats(db):
    numbers = db.get_cache_stats()
    return numbers["hits"], numbers["misses"]


async def is_cached(db, ask):
    """Whether asking again is a hit."""
    before = stats(db)[0]
    await ask()
    return stats(db)[0] == before + 1


# --- what is kept ------------------------------------------------------------------------

READS = {
    "get": lambda db: db.get(User, 1),
    "fetch_all": lambda db: db.select(User).fetch_all(),
    "fetch_one": lambda db: db.select(User).filter(name="a").fetch_one(),
    "fetch_first": lambda db: db.select(User).fetch_first(),
    "fetch_last": lambda db: db.select(User).fetch_last(),
    "fetch_dicts": lambda db: db.select(User).group_by("name").fetch_dicts(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
async def test_second_equal_read_runs_no_sql(db, statements, read):
    await two(db)
    first = await read(db)
    with statements.watch():
        assert await read(db) == first
    assert statements.starting("SELECT") == []
    assert stats(db) == (1, 1)


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
async def test_nothing_is_kept_or_counted_unless_asked_for(logged_db, statements, read):
    await two(logged_db)
    await read(logged_db)
    with statements.watch():
        await read(logged_db)
    assert len(statements.starting("SELECT")) == 1
    assert logged_db.get_cache_stats() == {
        "hits": 0,
        "misses": 0,
        "total": 0,
        "hit_rate": 0.0,
    }


@pytest.mark.parametrize("verb", ["count", "exists"])
async def test_counting_is_not_kept(db, verb):
    await two(db)
    for _ in range(2):
        await getattr(db.select(User), verb)()
    assert stats(db) == (0, 0)


@pytest.mark.parametrize("verb", ["fetch_all", "fetch_one"])
async def test_empty_results_of_queries_are_kept(db, verb):
    await two(db)
    ask = getattr(db.select(User).filter(name="nobody"), verb)
    assert not await ask()
    assert await is_cached(db, ask)


async def test_missing_row_is_not_kept_by_default(db):
    await two(db)
    assert await db.get(User, 99) is None
    assert not await is_cached(db, lambda: db.get(User, 99))


async def test_missing_row_is_kept_when_the_call_names_a_ttl(db):
    await two(db)
    assert await db.get(User, 99, cache_ttl=60) is None
    assert await is_cached(db, lambda: db.get(User, 99))


async def test_failed_read_is_not_kept(db):
    for _ in range(2):
        with pytest.raises(RecordFetchError):
            await db.get(User, 1)
    await two(db)
    assert (await db.get(User, 1)).name == "a"


# --- keys --------------------------------------------------------------------------------

DIFFERENT = [
    lambda q: q,
    lambda q: q.filter(age=1),
    lambda q: q.filter(age=2),
    lambda q: q.filter(age__ne=2),
    lambda q: q.filter(age__in=[1]),
    lambda q: q.filter(name="a"),
    lambda q: q.limit(1),
    lambda q: q.limit(1).offset(1),
    lambda q: q.order("age"),
    lambda q: q.order("age", reverse=True),
    lambda q: q.only("name"),
    lambda q: q.only("age"),
]


async def test_different_questions_are_kept_apart(db):
    await two(db)
    for ask in DIFFERENT:
        await ask(db.select(User)).fetch_all()
    await db.select(User).fetch_one()
    await db.get(User, 1)
    assert stats(db) == (0, len(DIFFERENT) + 2)


EQUAL = [
    (lambda q: q.filter(age=1, name="a"), lambda q: q.filter(name="a", age=1)),
    (lambda q: q.filter(age=1).filter(name="a"), lambda q: q.filter(name="a", age=1)),
    (lambda q: q.fields(["name", "age"]), lambda q: q.fields(["age", "name"])),
    (lambda q: q.fields(["name"]), lambda q: q.fields(["pk", "name"])),
    (lambda q: q.fields(["name"]), lambda q: q.only("name")),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
async def test_equal_questions_share_an_entry(db, one, other):
    await two(db)
    rows = await one(db.select(User)).fetch_all()
    assert await is_cached(db, other(db.select(User)).fetch_all)
    assert await other(db.select(User)).fetch_all() == rows


async def test_running_a_query_does_not_change_its_key(db):
    await two(db)
    query = db.select(User, fields=["name"])
    await query.fetch_all()
    assert await is_cached(db, query.fetch_all)
    assert await is_cached(db, query.fetch_all)


@pytest.mark.defect("D15")
@pytest.mark.parametrize("enabled", [True, False])
async def test_unlike_types_on_one_field_just_work(make_db, enabled):
    db = make_db(cache_enabled=enabled)
    await two(db)
    for _ in range(2):
        assert (
            await db.select(User).filter(name__ne="zz").filter(name__ne=None).count()
            == 2
        )
        rows = (
            await db.select(User)
            .filter(age__in=[1])
            .filter(age__ne=None, age=1)
            .fetch_all()
        )
        assert [row.name for row in rows] == ["a"]


@pytest.mark.defect("D15")
async def test_bytes_and_their_text_are_different_values(db):
    await db.execute(
        "CREATE TABLE blobs (pk INTEGER PRIMARY KEY, created_at, updated_at, value)"
    )

    class Blob(BaseDBModel):
        value: bytes | str

    await db.bulk_insert([Blob(value=b"x"), Blob(value="b'x'")])
    for value in (b"x", "b'x'"):
        (row,) = await db.select(Blob).filter(value=value).fetch_all()
        assert row.value == value


async def test_equal_numbers_of_different_types_never_mix_results(db):
    await two(db)
    for key in (1, "1", 1.0, True):
        assert (await db.get(User, key)).pk == 1
    assert await db.get(User, "one") is None


# --- hits are fresh ----------------------------------------------------------------------


@pytest.mark.defect("D14")
@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
async def test_hit_is_an_equal_but_fresh_object(db, read):
    await two(db)
    first, second, third = [await read(db) for _ in range(3)]
    assert first == second == third
    assert first is not second
    assert second is not third


@pytest.mark.defect("D14")
async def test_changing_a_result_does_not_change_the_next_one(db):
    await two(db)
    for _ in range(3):
        user = await db.get(User, 1)
        assert (user.name, user.tags) == ("a", ["x"])
        user.name = "changed"
        user.tags.append("changed")
        rows = await db.select(User).fetch_all()
        assert [row.tags for row in rows] == [["x"], []]
        rows[0].tags.clear()
        rows.clear()


# --- statistics and switches -------------------------------------------------------------


async def test_statistics(db):
    await two(db)
    for _ in range(3):
        await db.get(User, 1)
    assert db.get_cache_stats() == {
        "hits": 2,
        "misses": 1,
        "total": 3,
        "hit_rate": 66.67,
    }


async def test_reset_of_the_statistics_keeps_the_entries(db):
    await two(db)
    await db.get(User, 1)
    db.reset_cache_stats()
    assert stats(db) == (0, 0)
    assert await is_cached(db, lambda: db.get(User, 1))


async def test_clearing_keeps_the_statistics(db):
    await two(db)
    await db.get(User, 1)
    await db.get(User, 1)
    db.clear_cache()
    assert stats(db) == (1, 1)
    assert not await is_cached(db, lambda: db.get(User, 1))


async def test_clearing_a_disabled_cache_is_fine(make_db):
    db = make_db()
    db.clear_cache()
    assert db.get_cache_stats()["total"] == 0


async def test_close_empties_and_zeroes(db, place):
    await two(db)
    await db.get(User, 1)
    await db.close()
    assert stats(db) == (0, 0)
    if place == "memory":
        await two(db)
    assert not await is_cached(db, lambda: db.get(User, 1))


async def test_entries_survive_a_block(db):
    await two(db)
    await db.get(User, 1)
    async with db:
        pass
    assert await is_cached(db, lambda: db.get(User, 1))


async def test_bypass_neither_reads_nor_writes(db):
    await two(db)
    await db.get(User, 1, bypass_cache=True)
    await db.select(User).bypass_cache().fetch_all()
    assert stats(db) == (0, 0)
    assert not await is_cached(db, lambda: db.get(User, 1))
    assert not await is_cached(db, db.select(User).fetch_all)


async def test_bypass_is_for_one_call(db):
    await two(db)
    await db.get(User, 1)
    await db.get(User, 1, bypass_cache=True)
    assert await is_cached(db, lambda: db.get(User, 1))


# --- direct access -----------------------------------------------------------------------


async def test_direct_access(db):
    assert db.cache_get("users", "key") == (False, None)
    db.cache_set("users", "key", None)
    assert db.cache_get("users", "key") == (True, None)
    db.cache_set("users", "key", [1])
    assert db.cache_get("users", "key") == (True, [1])
    assert stats(db) == (2, 1)


async def test_direct_access_when_disabled(make_db):
    db = make_db()
    db.cache_set("users", "key", 1)
    assert db.cache_get("users", "key") == (False, None)
    assert stats(db) == (0, 0)


async def test_one_table_can_be_invalidated(db):
    db.cache_set("users", "key", 1)
    db.cache_set("others", "key", 1)
    db.invalidate_table_cache("users")
    assert db.cache_get("users", "key") == (False, None)
    assert db.cache_get("others", "key") == (True, 1)


# --- limits ------------------------------------------------------------------------------


async def test_least_recently_used_entry_goes_first(make_cached):
    db = make_cached(cache_max_size=2)
    db.cache_set("t", "a", 1)
    db.cache_set("t", "b", 2)
    db.cache_get("t", "a")
    db.cache_set("t", "c", 3)
    assert [db.cache_get("t", key)[0] for key in "abc"] == [True, False, True]


async def test_overwriting_refreshes_and_does_not_grow(make_cached):
    db = make_cached(cache_max_size=2)
    for key in "aba":
        db.cache_set("t", key, key)
    db.cache_set("t", "c", "c")
    assert [db.cache_get("t", key)[0] for key in "abc"] == [True, False, True]


async def test_number_of_entries_is_counted_per_table(make_cached):
    db = make_cached(cache_max_size=1)
    db.cache_set("t", "a", 1)
    db.cache_set("u", "a", 1)
    assert db.cache_get("t", "a")[0]
    assert db.cache_get("u", "a")[0]


async def test_size_limit_holds_for_queries(make_cached):
    db = make_cached(cache_max_size=2)
    await two(db)
    for age in (1, 2, 3):
        await db.select(User).filter(age=age).fetch_all()
    assert await is_cached(db, db.select(User).filter(age=3).fetch_all)
    assert not await is_cached(db, db.select(User).filter(age=1).fetch_all)


async def test_memory_limit_evicts_the_oldest(make_cached):
    db = make_cached(cache_max_memory_mb=1)
    for key in "abc":
        db.cache_set("t", key, key * 400_000)
    assert [db.cache_get("t", key)[0] for key in "abc"] == [False, True, True]


async def test_entry_bigger_than_the_limit_is_not_kept(make_cached):
    db = make_cached(cache_max_memory_mb=1)
    db.cache_set("t", "small", 1)
    db.cache_set("t", "big", "x" * 2_000_000)
    assert db.cache_get("t", "big") == (False, None)


async def test_memory_limit_sees_into_containers(make_cached):
    db = make_cached(cache_max_memory_mb=1)
    for number in range(4):
        db.cache_set("t", str(number), {"rows": [("x" * 400_000,)], "n": {number}})
    kept = [db.cache_get("t", str(number))[0] for number in range(4)]
    assert kept == [False, False, True, True]


async def test_both_limits_hold(make_cached):
    db = make_cached(cache_max_size=2, cache_max_memory_mb=1)
    for key in "abc":
        db.cache_set("t", key, 1)
    assert [db.cache_get("t", key)[0] for key in "abc"] == [False, True, True]
    db.cache_set("t", "d", "x" * 2_000_000)
    assert not db.cache_get("t", "d")[0]


# --- time to live ------------------------------------------------------------------------

SHORT, LONGER = 0.01, 0.05


async def test_expired_entry_is_a_miss(make_cached):
    db = make_cached(cache_ttl=SHORT)
    await two(db)
    await db.get(User, 1)
    await asyncio.sleep(LONGER)
    assert not await is_cached(db, lambda: db.get(User, 1))


async def test_entry_lives_within_its_ttl(make_cached):
    db = make_cached(cache_ttl=3600)
    await two(db)
    await db.get(User, 1)
    await asyncio.sleep(LONGER)
    assert await is_cached(db, lambda: db.get(User, 1))


@pytest.mark.parametrize(("general", "own", "hit"), [(SHORT, 3600, True), (3600, SHORT, False), (None, SHORT, False)])  # fmt: skip
async def test_ttl_of_the_call_wins(make_cached, general, own, hit):
    db = make_cached(cache_ttl=general)
    await two(db)
    await db.get(User, 1, cache_ttl=own)
    await db.select(User).cache_ttl(own).fetch_all()
    await asyncio.sleep(LONGER)
    assert await is_cached(db, lambda: db.get(User, 1)) is hit
    assert await is_cached(db, db.select(User).fetch_all) is hit


async def test_negative_ttl_is_refused(db):
    with pytest.raises(ValueError, match="cache_ttl must be non-negative"):
        await db.get(User, 1, cache_ttl=-1)
    with pytest.raises(ValueError, match="TTL must be non-negative"):
        db.select(User).cache_ttl(-1)


# --- never stale: own writes -------------------------------------------------------------


async def update_one(db):
    user = await db.get(User, 1, bypass_cache=True)
    user.name = "new"
    await db.update(user)


WRITES = {
    "insert": lambda db: db.insert(User(name="c")),
    "bulk_insert": lambda db: db.bulk_insert([User(name="c"), User(name="d")]),
    "update": update_one,
    "update_where": lambda db: db.update_where(User, {"pk": 1}, {"name": "new"}),
    "delete": lambda db: db.delete(User, 1),
    "query update": lambda db: db.select(User).filter(pk=1).update({"name": "new"}),
    "query delete": lambda db: db.select(User).filter(pk=1).delete(),
    "execute": lambda db: db.execute("UPDATE users SET name = 'new' WHERE pk = 1"),
    "force": lambda db: db.create_table(User, force=True),
}


async def picture(db):
    """What the cache says and what the file says."""
    cached = await db.get(User, 1), await db.select(User).order("pk").fetch_all()
    fresh = (
        await db.get(User, 1, bypass_cache=True),
        await db.select(User).order("pk").bypass_cache().fetch_all(),
    )
    return cached, fresh


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_every_write_is_seen_by_the_next_read(db, write):
    await two(db)
    before, _ = await picture(db)
    await write(db)
    cached, fresh = await picture(db)
    assert cached == fresh != before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_every_write_in_a_block_is_seen_inside_and_after(db, write):
    await two(db)
    before, _ = await picture(db)
    async with db:
        await write(db)
        cached, fresh = await picture(db)
        assert cached == fresh != before
    cached, fresh = await picture(db)
    assert cached == fresh != before


@pytest.mark.defect("D23")
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_rolled_back_write_is_not_served_afterwards(db, write):
    await two(db)
    before, _ = await picture(db)
    with pytest.raises(ZeroDivisionError):
        async with db:
            await write(db)
            await picture(db)
            raise ZeroDivisionError
    cached, fresh = await picture(db)
    assert cached == fresh == before


@pytest.mark.defect("D23")
async def test_rolled_back_inner_block_is_not_served_afterwards(db):
    await two(db)
    before, _ = await picture(db)
    async with db:
        with pytest.raises(ZeroDivisionError):
            async with db:
                await update_one(db)
                await picture(db)
                raise ZeroDivisionError
        assert (await picture(db))[0] == before
    assert (await picture(db))[0] == before


@pytest.mark.defect("D23")
async def test_rollback_without_auto_commit_is_not_served_afterwards(make_cached):
    db = make_cached(auto_commit=False)
    await two(db)
    await db.commit()
    before, _ = await picture(db)
    await update_one(db)
    assert (await picture(db))[0] != before
    await db.rollback()
    assert (await picture(db))[0] == before


async def test_failed_write_keeps_the_cache_right(db):
    await two(db)
    before, _ = await picture(db)
    with pytest.raises(RecordInsertionError):
        await db.insert(User(pk=1, name="c"))
    with pytest.raises(RecordUpdateError):
        await db.update_where(User, {"name": "b"}, {"created_at": 2**63})
    cached, fresh = await picture(db)
    assert cached == fresh == before


async def test_write_to_another_table_keeps_the_entries(db):
    await two(db)
    await db.create_table(Other)
    await db.get(User, 1)
    await db.insert(Other())
    assert await is_cached(db, lambda: db.get(User, 1))


@pytest.mark.defect("D13")
async def test_dropped_table_is_not_served(db):
    await two(db)
    await picture(db)
    await db.drop_table(User)
    with pytest.raises(RecordFetchError):
        await db.get(User, 1)
    with pytest.raises(RecordFetchError):
        await db.select(User).order("pk").fetch_all()


@pytest.mark.defect("D13")
async def test_reset_database_is_noticed(db):
    await two(db)
    await picture(db)
    await db.reset_database()
    await db.create_table(User)
    assert (await picture(db))[0] == (None, [])


async def family(db):
    await two(db)
    await db.create_table(Pet)
    await db.create_table(Toy)
    pet = await db.insert(Pet(owner_id=1))
    await db.bulk_insert([Toy(pet_id=pet.pk, maker_id=2), Toy(maker_id=1)])


async def household(db):
    return (
        await db.get(Pet, 1),
        await db.select(Pet).fetch_all(),
        [(toy.pk, toy.pet_id) for toy in await db.select(Toy).order("pk").fetch_all()],
    )


@pytest.mark.defect("D13")
@pytest.mark.parametrize(
    "delete",
    [lambda db: db.delete(User, 1), lambda db: db.select(User).filter(pk=1).delete()],
    ids=["delete", "query delete"],
)
async def test_rows_deleted_or_changed_by_a_cascade_are_not_served(db, delete):
    await family(db)
    await household(db)
    await delete(db)
    assert await household(db) == (None, [], [(1, None)])


# --- never stale: others' writes ---------------------------------------------------------


@pytest.mark.only("file")
async def test_commit_of_another_connection_is_noticed(db):
    await two(db)
    before, _ = await picture(db)
    with outside(db) as other:
        other.execute("UPDATE users SET name = 'theirs' WHERE pk = 1")
    cached, fresh = await picture(db)
    assert cached == fresh != before


@pytest.mark.only("file")
async def test_commit_of_another_handle_is_noticed(db, make_db):
    await two(db)
    await picture(db)
    other = make_db(filename=db.filename)
    async with other:
        await update_one(other)
        assert (await db.get(User, 1)).name == "a"
    assert (await db.get(User, 1)).name == "new"


@pytest.mark.only("file")
async def test_commit_of_another_process_is_noticed(db):
    await two(db)
    await picture(db)
    run_python(
        "import sys\nfrom sqliter import SqliterDB\n"
        "db = SqliterDB(sys.argv[1])\n"
        "db.execute(\"UPDATE users SET name = 'theirs' WHERE pk = 1\")",
        db.filename,
    )
    assert (await db.get(User, 1)).name == "theirs"
    assert (await db.select(User).order("pk").fetch_first()).name == "theirs"


@pytest.mark.only("file")
async def test_entries_are_kept_while_nobody_writes(db):
    await two(db)
    await db.get(User, 1)
    with outside(db) as other:
        other.execute("SELECT * FROM users").fetchall()
    assert await is_cached(db, lambda: db.get(User, 1))


# --- tasks and threads -------------------------------------------------------------------


async def test_uncommitted_rows_of_one_are_never_served_to_another(db, together):
    await two(db)

    async def writer():
        with pytest.raises(ZeroDivisionError):
            async with db:
                for _ in range(10):
                    await update_one(db)
                    await picture(db)
                    await asyncio.sleep(0.001)
                raise ZeroDivisionError

    async def reader():
        seen = set()
        for _ in range(20):
            seen.add((await db.get(User, 1)).name)
            await asyncio.sleep(0.001)
        return seen

    _, seen = await together(writer(), reader())
    assert seen == {"a"}
    assert (await db.get(User, 1)).name == "a"


@pytest.mark.defect("D40")
async def test_read_that_overlaps_a_write_never_stores_its_old_result(db, together):
    await two(db)
    for number in range(30):
        await together(
            db.select(User).fetch_all(),
            db.update_where(User, {"pk": 1}, {"age": 100 + number}),
            db.get(User, 1),
            db.select(User).order("pk").fetch_first(),
        )
        assert (await db.get(User, 1)).age == 100 + number
        assert (await db.select(User).fetch_all())[0].age == 100 + number
        assert (await db.select(User).order("pk").fetch_first()).age == 100 + number


@pytest.mark.defect("D40")
@pytest.mark.only("file")
async def test_long_read_that_a_write_overtakes_is_not_stored(db, together, statements):
    await db.create_table(User)
    await db.bulk_insert([User(name="a") for _ in range(20_000)])
    for number in range(1, 4):
        db.clear_cache()
        statements.clear()

        async def overtake(age):
            while not statements.starting("SELECT"):
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.005)
            await db.update_where(User, {"pk": 1}, {"age": age})

        await together(db.select(User).fetch_all(), overtake(number))
        assert (await db.select(User).fetch_all())[0].age == number


async def test_caches_of_two_databases_are_separate(make_cached):
    one, other = make_cached(), make_cached()
    await two(one)
    await other.create_table(User)
    await one.get(User, 1)
    assert await other.get(User, 1) is None
