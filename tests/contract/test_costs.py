"""What was slow before is counted here, never timed."""

from __future__ import annotations

import pytest

from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.core import cache
from sqliter.engines import workers
from sqliter.exceptions import InvalidProjectionError
from sqliter.model import BaseDBModel
from sqliter.model import model as model_module
from sqliter.planning import write


class Reading(BaseDBModel):
    value: int


class Calls:
    """Counts how often the function it stands for is called."""

    def __init__(self, function):
        self.function = function
        self.count = 0

    def __call__(self, *args, **kwargs):
        self.count += 1
        return self.function(*args, **kwargs)


@pytest.fixture
def counted(monkeypatch):
    def count(module, name):
        calls = Calls(getattr(module, name))
        monkeypatch.setattr(module, name, calls)
        return calls

    return count


@pytest.mark.defect("D49")
def test_a_table_name_is_inferred_once(counted):
    class Gauge(BaseDBModel):
        value: int

    inferred = counted(model_module, "infer_table_name")
    with SqliterDB(memory=True) as db:
        db.create_table(Gauge)
        db.bulk_insert([Gauge(value=n) for n in range(500)])
        assert db.select(Gauge).count() == 500
    assert inferred.count == 1


@pytest.mark.defect("D50")
def test_storing_an_entry_measures_that_entry_only(counted):
    db = SqliterDB(memory=True, cache_enabled=True, cache_max_memory_mb=10)
    db.create_table(Reading)
    db.bulk_insert([Reading(value=n) for n in range(50)])
    measured = counted(cache, "_size_of")
    db.get(Reading, 1)
    first = measured.count
    for key in range(2, 51):
        db.get(Reading, key)
    assert measured.count == 50 * first
    db.close()


@pytest.mark.defect("D51")
def test_the_text_of_an_insert_is_written_once(counted):
    class Sample(BaseDBModel):
        value: int

    db = SqliterDB(memory=True)
    db.create_table(Sample)
    written = counted(write, "_insert_sql")
    for n in range(20):
        db.insert(Sample(value=n))
    assert written.count == 1
    db.close()


@pytest.mark.defect("D-45")
@pytest.mark.parametrize(
    ("key", "value"), [("value__in", 3), ("value", [1]), ("value__contains", 1)]
)
def test_errors_name_fields_not_sql(key, value):
    db = SqliterDB(memory=True)
    with pytest.raises(TypeError) as caught:
        db.select(Reading).filter(**{key: value})
    assert str(caught.value).startswith("value requires")
    assert '"' not in str(caught.value)


@pytest.mark.defect("D-52")
@pytest.mark.parametrize(
    "chained",
    [
        lambda query: query.fields(["value"]),
        lambda query: query.exclude(["value"]),
        lambda query: query.only("value"),
    ],
)
def test_a_selection_of_fields_is_refused_for_groups(chained):
    query = SqliterDB(memory=True).select(Reading).group_by("value")
    with pytest.raises(InvalidProjectionError, match="group_by"):
        chained(query)


HOPS = {
    "insert": lambda db: db.insert(Reading(value=2)),
    "bulk insert": lambda db: db.bulk_insert([Reading(value=n) for n in range(300)]),
    "get": lambda db: db.get(Reading, 1),
    "fetch all": lambda db: db.select(Reading).fetch_all(),
    "count": lambda db: db.select(Reading).count(),
    "query update": lambda db: db.select(Reading).filter(value=2).update({"value": 3}),
    "create table": lambda db: db.create_table(Reading, force=True),
    "raw fetch": lambda db: db.fetch("SELECT 1"),
}


@pytest.mark.parametrize("name", HOPS)
async def test_an_operation_takes_one_hop_to_a_thread(name, tmp_path, counted):
    db = AsyncSqliterDB(tmp_path / "x.db", inline=False)
    await db.create_table(Reading)
    await db.insert(Reading(value=1))
    hops = counted(workers, "_Job")
    await HOPS[name](db)
    assert hops.count == 1
    await db.close()


SHORT = {
    "insert": lambda db: db.insert(Reading(value=2)),
    "get": lambda db: db.get(Reading, 1),
    "fetch all": lambda db: db.select(Reading).fetch_all(),
    "count": lambda db: db.select(Reading).count(),
    "raw fetch": lambda db: db.fetch("SELECT 1"),
}


@pytest.mark.parametrize("name", SHORT)
async def test_what_is_short_takes_no_hop(name, tmp_path, counted):
    db = AsyncSqliterDB(tmp_path / "x.db")
    await db.create_table(Reading)
    await db.insert(Reading(value=1))
    await db.select(Reading).fetch_all()  # opens a reader, in a thread
    hops = counted(workers, "_Job")
    await SHORT[name](db)
    assert hops.count == 0
    async with db:
        assert hops.count == 0
        await SHORT[name](db)
        assert hops.count == (name == "insert")  # stopped, it would cost the block
        hops.count = 0
    assert hops.count == 0
    await db.close()


async def test_an_answer_from_the_cache_takes_no_hop(tmp_path, counted):
    db = AsyncSqliterDB(tmp_path / "x.db", cache_enabled=True)
    await db.create_table(Reading)
    await db.insert(Reading(value=1))
    await db.get(Reading, 1)
    hops = counted(workers, "_Job")
    assert await db.get(Reading, 1) is not None
    assert hops.count == 0
    await db.close()
