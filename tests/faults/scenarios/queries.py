"""The verbs of queries, and SQL written by the user."""

from __future__ import annotations

from typing import Any

from faults.table import scenario
from faults.world import World
from support import Blocking

from sqliter.query import func


async def each_of(rows: Any) -> list[Any]:
    """What a loop over a query or a relation gives, `for` or `async for`."""
    if issubclass(type(rows), Blocking):
        return list(rows.wrapped)
    return [row async for row in rows]


@scenario()
async def fetch_all(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).filter(poet__name="Ann").fetch_all()


@scenario()
async def iteration(w: World) -> Any:
    return lambda: each_of(w.db.select(w.models.Poem))


@scenario()
async def fetch_one(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).fetch_one()


@scenario()
async def fetch_first(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).order("title").fetch_first()


@scenario()
async def fetch_last(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).fetch_last()


@scenario()
async def fetch_dicts(w: World) -> Any:
    totals = w.db.select(w.models.Poem).group_by("poet_id").annotate(n=func.count())
    return totals.fetch_dicts


@scenario()
async def count(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).filter(themes__name="sea").count()


@scenario()
async def exists(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).filter(title="Echo").exists()


@scenario()
async def values(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).values("title", "poet__name")


@scenario()
async def tuples(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).tuples("title", distinct=True)


@scenario()
async def scalars(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).order("title").scalars("title")


@scenario()
async def aggregates_of_rows(w: World) -> Any:
    async def ask() -> Any:
        query = w.db.select(w.models.Poem)
        few = query.clone().order("title").limit(2)
        return [
            await query.sum("pk"),
            await query.avg("pk"),
            await query.min("title"),
            await few.max("title"),
        ]

    return ask


@scenario()
async def paginate(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).order("title").paginate(1, 2)


@scenario()
async def page_after(w: World) -> Any:
    query = w.db.select(w.models.Poem).order("-poet__name", "title")

    async def walk() -> Any:
        first = await query.page_after(None, 1)
        return [first, await query.page_after(first.next_cursor, 1)]

    return walk


@scenario()
async def fetch_annotated(w: World) -> Any:
    query = w.db.select(w.models.Poet).prefetch_related("poems").with_count("poems")
    return query.order("pk").fetch_annotated


@scenario()
async def explain(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).explain()


@scenario()
async def select_related(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).select_related("poet").fetch_all()


@scenario()
async def prefetch_related(w: World) -> Any:
    return w.db.select(w.models.Poet).prefetch_related("poems__themes").fetch_all


@scenario(options={"cache_enabled": True})
async def prefetch_related_with_a_cache(w: World) -> Any:
    query = w.db.select(w.models.Poet).prefetch_related("poems")
    await query.fetch_all()

    async def act() -> Any:
        return [await query.fetch_all(), await query.clone().limit(2).fetch_all()]

    return act


@scenario()
async def query_update(w: World) -> Any:
    return lambda: w.db.select(w.models.Poet).filter(pk__gt=1).update({"age": 31})


@scenario()
async def query_delete(w: World) -> Any:
    return lambda: w.db.select(w.models.Poem).filter(poet__name="Ann").delete()


@scenario()
async def query_update_returning(w: World) -> Any:
    query = w.db.select(w.models.Poet).filter(pk__gt=1)
    return lambda: query.update_returning({"age": 31})


@scenario()
async def query_delete_returning(w: World) -> Any:
    query = w.db.select(w.models.Poem).filter(poet__name="Ann")
    return query.delete_returning


@scenario()
async def execute(w: World) -> Any:
    sql = "INSERT INTO themes (created_at, updated_at, name) VALUES (1, 2, ?)"
    return lambda: w.db.execute(sql, ["new"])


@scenario()
async def execute_that_changes_the_schema(w: World) -> Any:
    return lambda: w.db.execute("ALTER TABLE poets ADD COLUMN note TEXT")


@scenario()
async def fetch(w: World) -> Any:
    return lambda: w.db.fetch("SELECT pk, name FROM poets WHERE pk > ?", [1])


@scenario()
async def fetch_of_models(w: World) -> Any:
    return lambda: w.db.fetch("SELECT * FROM poets", model=w.models.Poet)


@scenario(sees_commit=False)
async def fetch_of_what_is_written(w: World) -> Any:
    sql = "UPDATE poets SET age = age + 1 RETURNING pk, age"
    return lambda: w.db.fetch(sql)
