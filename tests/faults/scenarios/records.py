"""Single records and batches."""

from __future__ import annotations

from typing import Any

from faults.table import Play, scenario
from faults.world import World

from sqliter.exceptions import RecordInsertionError, RecordNotFoundError


@scenario()
async def insert(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))
    return lambda: w.db.insert(theme)


@scenario(cold=True, places=("file",))
async def first_insert(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))
    return lambda: w.db.insert(theme)


@scenario()
async def insert_with_an_object_saved_meanwhile(w: World) -> Any:
    poet = w.models.Poet(name="Dot")
    poem = w.keep(w.models.Poem(title="Haze", poet=poet))
    await w.db.insert(poet)
    return lambda: w.db.insert(poem)


@scenario()
async def insert_that_is_refused(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="sea"))
    return lambda: refused(RecordInsertionError, w.db.insert(theme))


@scenario(options={"journal_mode": "delete"}, places=("file",))
async def insert_with_a_rollback_journal(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))
    return lambda: w.db.insert(theme)


@scenario(options={"cache_enabled": True})
async def insert_beside_a_cache(w: World) -> Any:
    await w.db.select(w.models.Theme).fetch_all()
    theme = w.keep(w.models.Theme(name="new"))
    return lambda: w.db.insert(theme)


@scenario()
async def insert_that_is_read_again(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))
    return lambda: w.db.insert(theme, returning=True)


@scenario()
async def bulk_insert(w: World) -> Any:
    themes = w.keep([w.models.Theme(name=f"new {n}") for n in range(3)])
    return lambda: w.db.bulk_insert(themes)


@scenario()
async def bulk_insert_in_several_statements(w: World) -> Any:
    poets = [w.models.Poet(name=f"new {n}") for n in range(2)]
    poets += [w.models.Poet(pk=100 + n, name=f"keyed {n}") for n in range(2)]
    w.keep(poets)
    return lambda: w.db.bulk_insert(poets)


@scenario()
async def bulk_insert_that_is_refused(w: World) -> Any:
    themes = [w.models.Theme(name="new"), w.models.Theme(pk=90, name="sea")]
    w.keep(themes)
    return lambda: refused(RecordInsertionError, w.db.bulk_insert(themes))


@scenario()
async def get(w: World) -> Any:
    return lambda: w.db.get(w.models.Poet, 1)


@scenario(cold=True, places=("file",))
async def first_get(w: World) -> Any:
    return lambda: w.db.get(w.models.Poet, 1)


@scenario(options={"cache_enabled": True})
async def get_what_is_remembered(w: World) -> Any:
    await w.db.get(w.models.Poet, 2)

    async def act() -> Any:
        return [await w.db.get(w.models.Poet, key) for key in (1, 2, 1)]

    return act


@scenario()
async def update(w: World) -> Any:
    poet = w.keep(await w.db.get(w.models.Poet, 1))
    poet.name = "Annie"
    return lambda: w.db.update(poet)


@scenario(options={"cache_enabled": True})
async def update_beside_a_cache(w: World) -> Any:
    poet = w.keep(await w.db.get(w.models.Poet, 1))
    await w.db.select(w.models.Poet).fetch_all()
    poet.name = "Annie"
    return lambda: w.db.update(poet)


@scenario()
async def update_of_a_part(w: World) -> Any:
    poet = w.keep(await w.db.select(w.models.Poet, fields=["name"]).fetch_one())
    poet.name = "Annie"
    return lambda: w.db.update(poet)


@scenario()
async def update_of_some_fields(w: World) -> Any:
    poet = w.keep(await w.db.get(w.models.Poet, 1))
    poet.name, poet.age = "Annie", 99
    return lambda: w.db.update(poet, fields=["name"])


@scenario()
async def save(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))
    return lambda: w.db.save(theme)


@scenario()
async def refresh(w: World) -> Any:
    poet = w.keep(await w.db.get(w.models.Poet, 1))
    await w.db.update_where(w.models.Poet, {"pk": 1}, {"name": "Annie"})
    return lambda: w.db.refresh(poet)


@scenario()
async def upsert(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="sea"))
    return lambda: w.db.upsert(theme)


@scenario()
async def upsert_that_keeps_the_row(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="sea"))
    return lambda: w.db.upsert(theme, update=[])


@scenario(options={"cache_enabled": True})
async def upsert_beside_a_cache(w: World) -> Any:
    await w.db.select(w.models.Theme).fetch_all()
    theme = w.keep(w.models.Theme(name="sea"))
    return lambda: w.db.upsert(theme)


@scenario()
async def bulk_upsert(w: World) -> Any:
    themes = w.keep([w.models.Theme(name=name) for name in ("new", "sea", "new")])
    themes += [w.models.Theme(pk=90, name="newer")]
    return lambda: w.db.bulk_upsert(themes)


@scenario()
async def get_or_create(w: World) -> Any:
    return lambda: w.db.get_or_create(w.models.Theme, name="new")


@scenario()
async def update_or_create(w: World) -> Any:
    return lambda: w.db.update_or_create(w.models.Poet, {"age": 31}, pk=1)


@scenario()
async def bulk_update(w: World) -> Any:
    poets = w.keep(await w.db.select(w.models.Poet).fetch_all())
    for poet in poets:
        poet.name = f"{poet.name} the {poet.pk}."
    return lambda: w.db.bulk_update(poets, ["name"])


@scenario()
async def bulk_update_of_what_is_gone(w: World) -> Any:
    poets = w.keep(await w.db.select(w.models.Poet).fetch_all())
    poets.append(w.models.Poet(pk=999, name="Nobody"))
    return lambda: refused(RecordNotFoundError, w.db.bulk_update(poets, ["name"]))


@scenario()
async def bulk_delete(w: World) -> Any:
    poet = await w.db.get(w.models.Poet, 2)
    return lambda: w.db.bulk_delete(w.models.Poet, [1, poet])


@scenario()
async def update_where(w: World) -> Any:
    return lambda: w.db.update_where(w.models.Poet, {"pk__gt": 1}, {"age": 31})


@scenario()
async def delete(w: World) -> Any:
    return lambda: w.db.delete(w.models.Poet, 1)  # and the poems, by cascade


@scenario(options={"cache_enabled": True})
async def delete_beside_a_cache(w: World) -> Any:
    await w.db.select(w.models.Poem).fetch_all()
    await w.db.get(w.models.Poet, 1)
    return lambda: w.db.delete(w.models.Poet, 1)


@scenario()
async def delete_of_nothing(w: World) -> Any:
    return lambda: refused(RecordNotFoundError, w.db.delete(w.models.Poet, 999))


@scenario(options={"auto_commit": False}, is_pending=True, sees_commit=False)
async def insert_to_be_committed(w: World) -> Any:
    await w.db.insert(w.models.Theme(name="before"))
    theme = w.keep(w.models.Theme(name="new"))
    return Play(lambda: w.db.insert(theme), finish=w.db.commit)


@scenario(options={"auto_commit": False}, is_pending=True, sees_commit=False)
async def first_insert_to_be_committed(w: World) -> Any:
    theme = w.keep(w.models.Theme(name="new"))
    return Play(lambda: w.db.insert(theme), finish=w.db.commit)


@scenario(options={"auto_commit": False}, is_pending=True, sees_commit=False)
async def bulk_insert_to_be_committed(w: World) -> Any:
    await w.db.insert(w.models.Theme(name="before"))
    themes = w.keep([w.models.Theme(name="new"), w.models.Theme(pk=90, name="newer")])
    return Play(lambda: w.db.bulk_insert(themes), finish=w.db.commit)


async def refused(error: type[Exception], call: Any) -> str:
    """Await a call that must not work."""
    try:
        await call
    except error as refusal:
        if type(refusal) is not error:
            raise
        return error.__name__
    raise AssertionError("it worked")
