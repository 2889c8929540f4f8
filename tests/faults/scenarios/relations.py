"""What attributes of objects lead to, and links between objects."""

from __future__ import annotations

from typing import Any

from faults.scenarios.queries import each_of
from faults.table import Play, scenario
from faults.world import World
from support import unwrap


async def poem_of(w: World, *prefetched: str) -> Any:
    """A poem with the themes love and sea."""
    query = w.db.select(w.models.Poem).filter(pk=1)
    return await query.prefetch_related(*prefetched).fetch_one()


async def themes_of(w: World, poem: Any) -> Any:
    """The themes of the poem, and those that it has not."""
    return w.colour.many(poem.themes), await w.db.get(w.models.Theme, 3)


async def shown_of(w: World) -> Any:
    """Themes that were fetched with their poem; what they show is watched."""
    poem = await poem_of(w, "themes")
    themes, other = await themes_of(w, poem)
    w.keep(unwrap(themes).items)
    return themes, other


async def poems_of(w: World, *prefetched: str) -> Any:
    """The poems of a poet."""
    query = w.db.select(w.models.Poet).prefetch_related(*prefetched)
    return w.colour.many((await query.fetch_one()).poems)


# --- foreign keys ---


@scenario()
async def load(w: World) -> Any:
    poem = await poem_of(w)
    return lambda: w.db.load(poem.poet)


@scenario(colours=("async",))
async def fetch_of_a_foreign_key(w: World) -> Any:
    poem = await poem_of(w)
    return lambda: poem.poet.fetch()


@scenario(colours=("sync",), errors=(AttributeError,))
async def reading_of_a_foreign_key(w: World) -> Any:
    poem = await poem_of(w)

    async def act() -> Any:
        return poem.poet.name

    return act


@scenario()
async def load_for_all_rows_of_a_result(w: World) -> Any:
    poems = await w.db.select(w.models.Poem).share_lazy().fetch_all()

    async def act() -> Any:
        return [await w.db.load(poem.poet) for poem in poems]

    return act


# --- the other side ---


@scenario()
async def reverse_fetch_all(w: World) -> Any:
    return (await poems_of(w)).fetch_all


@scenario()
async def reverse_fetch_one(w: World) -> Any:
    return (await poems_of(w)).fetch_one


@scenario()
async def reverse_count(w: World) -> Any:
    return (await poems_of(w)).count


@scenario()
async def reverse_exists(w: World) -> Any:
    return (await poems_of(w)).exists


@scenario()
async def reverse_iteration(w: World) -> Any:
    poems = await poems_of(w)
    return lambda: each_of(poems)


@scenario(colours=("sync",))
async def reverse_length(w: World) -> Any:
    poems = await poems_of(w)

    async def act() -> int:
        return len(poems.wrapped)

    return act


@scenario(least=0)
async def reverse_reading_of_what_was_prefetched(w: World) -> Any:
    poems = await poems_of(w, "poems")
    return lambda: everything(poems)


# --- many to many ---


@scenario()
async def links_fetch_all(w: World) -> Any:
    themes, _ = await themes_of(w, await poem_of(w))
    return themes.fetch_all


@scenario()
async def links_fetch_one(w: World) -> Any:
    themes, _ = await themes_of(w, await poem_of(w))
    return themes.fetch_one


@scenario()
async def links_count(w: World) -> Any:
    themes, _ = await themes_of(w, await poem_of(w))
    return themes.count


@scenario()
async def links_exists(w: World) -> Any:
    themes, _ = await themes_of(w, await poem_of(w))
    return themes.exists


@scenario()
async def links_iteration(w: World) -> Any:
    themes, _ = await themes_of(w, await poem_of(w))
    return lambda: each_of(themes)


@scenario(colours=("sync",))
async def links_length(w: World) -> Any:
    themes, _ = await themes_of(w, await poem_of(w))

    async def act() -> int:
        return len(themes.wrapped)

    return act


@scenario()
async def links_add(w: World) -> Any:
    themes, other = await themes_of(w, await poem_of(w))
    return lambda: themes.add(other)


@scenario()
async def links_remove(w: World) -> Any:
    themes, _ = await themes_of(w, await poem_of(w))
    sea = await w.db.get(w.models.Theme, 2)
    return lambda: themes.remove(sea)


@scenario()
async def links_clear(w: World) -> Any:
    themes, _ = await themes_of(w, await poem_of(w))
    return themes.clear


@scenario()
async def links_set(w: World) -> Any:
    themes, other = await themes_of(w, await poem_of(w))
    return lambda: themes.set(other)


@scenario(options={"cache_enabled": True})
async def links_set_beside_a_cache(w: World) -> Any:
    themes, other = await themes_of(w, await poem_of(w))
    await themes.fetch_all()
    return lambda: themes.set(other)


@scenario(options={"auto_commit": False}, is_pending=True, sees_commit=False)
async def links_set_to_be_committed(w: World) -> Any:
    themes, other = await themes_of(w, await poem_of(w))
    await w.db.insert(w.models.Theme(name="before"))
    return Play(lambda: themes.set(other), finish=w.db.commit)


@scenario(least=0)
async def links_reading_of_what_was_prefetched(w: World) -> Any:
    themes, _ = await shown_of(w)
    return lambda: everything(themes)


@scenario()
async def links_add_to_what_was_prefetched(w: World) -> Any:
    themes, other = await shown_of(w)
    return lambda: themes.add(other)


@scenario()
async def links_remove_from_what_was_prefetched(w: World) -> Any:
    themes, _ = await shown_of(w)
    sea = await w.db.get(w.models.Theme, 2)
    return lambda: themes.remove(sea)


@scenario()
async def links_clear_of_what_was_prefetched(w: World) -> Any:
    themes, _ = await shown_of(w)
    return themes.clear


@scenario()
async def links_set_of_what_was_prefetched(w: World) -> Any:
    themes, other = await shown_of(w)
    return lambda: themes.set(other)


async def everything(handle: Any) -> Any:
    """What all reading verbs of a handle give."""
    verbs = (handle.fetch_all, handle.fetch_one, handle.count, handle.exists)
    length = len(unwrap(handle))
    return [length, await each_of(handle), *[await verb() for verb in verbs]]
