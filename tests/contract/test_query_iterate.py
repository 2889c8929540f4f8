"""`iterate()`: every row, a batch at a time, all of one state of the database."""

import gc
import tracemalloc

import pytest
from support import Colour, assert_no_transaction_left, unwrap

from sqliter.exceptions import (
    InvalidProjectionError,
    OperationTimeoutError,
    RecordFetchError,
)
from sqliter.model import BaseDBModel
from sqliter.orm import ModelRegistry

ROWS = 1_234


class Reading(BaseDBModel):
    value: int

    class Meta:
        table_name = "readings"


async def filled(db, rows=ROWS):
    await db.create_table(Reading)
    await db.bulk_insert([Reading(value=n) for n in range(rows)])
    return db


class Rows:
    """The rows of a query, one by one, in either colour."""

    def __init__(self, query, **options):
        self.rows = unwrap(query).iterate(**options)
        self.is_async = hasattr(self.rows, "__anext__")

    async def next(self):
        return await anext(self.rows) if self.is_async else next(self.rows)

    async def rest(self):
        return [row async for row in self.rows] if self.is_async else list(self.rows)

    async def close(self):
        await self.rows.aclose() if self.is_async else self.rows.close()


async def values(query, **options):
    return [row.value for row in await Rows(query, **options).rest()]


async def readers(db):
    return (await db.health()).oldest_reader


@pytest.mark.parametrize("batch", [1, 7, 500, ROWS, 10**6])
async def test_all_rows_in_order(db, batch):
    await filled(db)
    query = db.select(Reading).order("-value")
    assert await values(query, batch=batch) == list(range(ROWS))[::-1]
    assert await values(query.filter(value__lt=5).limit(3), batch=batch) == [4, 3, 2]
    assert await values(query.filter(value=-1), batch=batch) == []


async def test_instances_are_those_of_fetch_all(db):
    await filled(db, 20)
    query = db.select(Reading).filter(value__gt=3)
    assert await Rows(query).rest() == await query.fetch_all()
    part = db.select(Reading, fields=["value"])
    assert [vars(row) for row in await Rows(part, batch=3).rest()] == [
        vars(row) for row in await part.fetch_all()
    ]


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_has_rows(db, batch):
    with pytest.raises(ValueError, match="at least 1"):
        unwrap(db.select(Reading)).iterate(batch=batch)


@pytest.mark.parametrize("batch", ["5", 2.0, None, True])
def test_a_batch_is_a_number(db, batch):
    with pytest.raises(TypeError, match="batch must be an int"):
        unwrap(db.select(Reading)).iterate(batch=batch)


def test_groups_are_no_rows(db):
    query = db.select(Reading).group_by("value")
    with pytest.raises(InvalidProjectionError, match="iterate"):
        unwrap(query).iterate()


async def test_a_missing_table_is_told(db):
    with pytest.raises(RecordFetchError, match="readings"):
        await Rows(db.select(Reading)).next()
    assert_no_transaction_left(db)


async def test_what_is_written_meanwhile_is_not_seen(db):
    await filled(db)
    rows = Rows(db.select(Reading), batch=10)
    first = await rows.next()
    await db.insert(Reading(value=-1))
    await db.select(Reading).filter(value__gt=100).delete()
    assert [first.value, *[row.value for row in await rows.rest()]] == list(range(ROWS))
    assert await db.select(Reading).count() == 102


async def test_a_block_may_change_what_it_iterates_over(db):
    """Each row is met once, however it moves in an index meanwhile."""
    await filled(db, 50)
    await db.create_indexes(Reading, ["value"])
    async with db:
        rows = Rows(db.select(Reading).filter(value__gte=0).order("value"), batch=5)
        for row in await rows.rest():
            row.value += 1000
            await db.update(row)
    assert await values(db.select(Reading)) == list(range(1000, 1050))


async def test_a_block_sees_its_own_writes(db):
    await filled(db, 5)
    async with db:
        await db.insert(Reading(value=5))
        assert await values(db.select(Reading), batch=2) == [0, 1, 2, 3, 4, 5]


@pytest.mark.only("file")
async def test_who_stops_early_gives_the_reader_back(db):
    await filled(db)
    rows = Rows(db.select(Reading), batch=10)
    await rows.next()
    assert await readers(db) is not None
    await rows.close()
    assert await readers(db) is None
    await db.checkpoint()
    assert (await db.health()).wal_size == 0


@pytest.mark.only("sync")
@pytest.mark.only("file")
async def test_who_forgets_it_does_so_too(db):
    await filled(db)
    rows = Rows(db.select(Reading), batch=10)
    await rows.next()
    del rows
    gc.collect()
    assert await readers(db) is None


@pytest.mark.only("file")
async def test_many_at_once(db):
    await filled(db, 100)
    many = [Rows(db.select(Reading), batch=3) for _ in range(20)]
    for _ in range(100):
        numbers = [(await rows.next()).value for rows in many]
        assert len(set(numbers)) == 1
    for rows in many:
        assert await rows.rest() == []
    assert await readers(db) is None


@pytest.mark.only("file")
async def test_the_database_may_be_closed_meanwhile(db):
    await filled(db)
    rows = Rows(db.select(Reading), batch=10)
    await rows.next()
    await db.close()
    assert len(await rows.rest()) == ROWS - 1
    await db.close()


async def test_a_time_limit_is_for_all_of_it(db):
    await filled(db)
    rows = Rows(db.select(Reading).timeout(1e-9), batch=10)
    with pytest.raises(OperationTimeoutError):
        await rows.next()
    assert_no_transaction_left(db)


@pytest.mark.only("file")
async def test_memory_is_that_of_a_batch(db):
    await filled(db, 20_000)
    rows = Rows(db.select(Reading), batch=100)
    await rows.next()
    tracemalloc.start()
    try:
        await _exhaust(rows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 400_000  # all of them take some megabytes


async def _exhaust(rows):
    if rows.is_async:
        async for _ in rows.rows:
            pass
    else:
        for _ in rows.rows:
            pass


@pytest.fixture
def family(colour: Colour):
    before = ModelRegistry.snapshot()
    orm = colour.orm

    class Parent(orm.BaseDBModel):
        name: str

        class Meta:
            table_name = "parents"

    class Child(orm.BaseDBModel):
        parent: orm.ForeignKey[Parent] = orm.ForeignKey(Parent, related_name="children")

        class Meta:
            table_name = "children"

    yield Parent, Child
    ModelRegistry.restore(before)


async def test_prefetches_are_done_per_batch(logged_db, family, statements):
    db, (Parent, Child) = logged_db, family
    await db.create_table(Parent)
    await db.create_table(Child)
    parents = await db.bulk_insert([Parent(name=str(n)) for n in range(10)])
    await db.bulk_insert([Child(parent=each) for each in parents for _ in range(3)])
    query = db.select(Parent).prefetch_related("children").order("pk")
    await Rows(query).rest()
    statements.clear()
    found = await Rows(query, batch=4).rest()
    assert [len(vars(each)["_prefetch_cache"]["children"]) for each in found] == [
        3
    ] * 10
    assert len([sql for sql in statements.statements if "children" in sql]) == 3
