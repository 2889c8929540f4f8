"""What must hold after an act, however it ended; what does not is said in words."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from faults.table import Play, Scenario
from faults.world import State, World, summary

from sqliter.exceptions import SqliterError

if TYPE_CHECKING:
    from faults.trial import Outcome, Reference


async def judge(
    scenario: Scenario,
    world: World,
    play: Play,
    outcome: Outcome,
    reference: Reference,
) -> list[str]:
    """Return what is wrong; nothing, if all is well."""
    found = list(_wrong_ending(scenario, outcome, reference))
    raised = outcome.error is not None
    outcome.error = None  # it holds frames, and they hold connections
    try:
        if play.finish is not None:
            await play.finish()
        found += [f"a transaction is open: {each}" for each in world.transacting()]
        served = await _served(world)
        state, kept = world.state(), world.kept()
        found += _wrong_state(scenario, outcome, reference, state, raised=raised)
        found += _wrong_objects(outcome, reference, state, kept, raised=raised)
        found += _wrong_service(served, state)
        found += [each async for each in _wrong_condition(world)]
        if raised and scenario.retries and state == reference.without.state:
            found += [each async for each in _wrong_again(world, play, reference)]
            state = world.state()
        found += [each async for each in _wrong_use(world, state)]
        await world.db.close()
        found += [f"never closed: {each}" for each in world.unclosed()]
    except (Exception, KeyboardInterrupt) as error:
        found.append(f"afterwards: {_shown(error)}")
    return found


def _wrong_ending(
    scenario: Scenario, outcome: Outcome, reference: Reference
) -> Iterator[str]:
    error = outcome.error
    if error is None:
        if outcome.must_raise and outcome.hit:
            yield "it was swallowed"
        if not outcome.hit and outcome.value != reference.complete.value:
            yield f"gave {outcome.value}"
        return
    if not outcome.hit:
        yield f"raised by itself: {_shown(error)}"
    elif not isinstance(error, (*outcome.expected, *scenario.errors)):
        yield f"raised {_shown(error)}"


def _wrong_state(
    scenario: Scenario,
    outcome: Outcome,
    reference: Reference,
    state: State,
    *,
    raised: bool,
) -> Iterator[str]:
    complete, without = reference.complete.state, reference.without.state
    allowed = [complete, *reference.others]
    if raised:
        allowed = [without]
        if scenario.commits > 1:
            allowed += reference.passed[:-1]
        if scenario.is_harmless:
            allowed += reference.passed
        if outcome.may_be_done:
            allowed += [complete, *reference.others]
        if outcome.was_lost and scenario.is_pending:
            allowed.append(reference.start)
    if state not in allowed:
        happened = "raised" if raised else "returned"
        yield f"{happened}, but {difference(without, state)}"


def _wrong_objects(
    outcome: Outcome, reference: Reference, state: State, kept: Any, *, raised: bool
) -> Iterator[str]:
    without, complete = reference.without, reference.complete
    allowed = []
    if state == complete.state:
        allowed.append(complete.kept)
    if state == without.state:
        allowed.append(without.kept)
    if raised and outcome.is_unknowable:
        allowed += [without.kept, complete.kept]
    if allowed and kept not in allowed:
        yield f"the objects are {kept}"


async def _served(world: World) -> dict[str, Any]:
    """What is read where a cache may be in the way; once others write, it is emptied."""
    if not world.is_cached:
        return {}
    db, found = world.db, world.models
    poets = await db.select(found.Poet).fetch_all()
    ann, poem = await db.get(found.Poet, 1), await db.get(found.Poem, 1)
    themes = await world.colour.many(poem.themes).fetch_all() if poem else []
    return {
        "poets": {poet.pk: (poet.name, poet.age) for poet in poets},
        "poet 1": ann and (ann.name, ann.age),
        "themes of poem 1": {theme.pk for theme in themes},
    }


def _wrong_service(served: dict[str, Any], state: State) -> Iterator[str]:
    poets = {row[0]: row[3:5] for row in state.get("poets", ())}
    links = {row[2] for row in state.get("poems_themes", ()) if row[1] == 1}
    there = {"poets": poets, "poet 1": poets.get(1), "themes of poem 1": links}
    for name, read in served.items():
        if read != there[name]:
            yield f"{name}: read {read}, there is {there[name]}"


async def _wrong_condition(world: World) -> AsyncIterator[str]:
    """Nothing is left over of what the act was doing."""
    health = await world.db.health()
    if health.writer is not None or health.waiting or health.in_transaction:
        yield f"the seat is taken: {health}"
    if world.db.in_transaction:
        yield "the caller is still in a block"
    for each in world.unenforced():
        yield f"foreign keys are not enforced any more: {each}"


async def _wrong_again(
    world: World, play: Play, reference: Reference
) -> AsyncIterator[str]:
    """The same act works now."""
    value = summary(await play.act())
    if play.finish is not None:
        await play.finish()
    complete = reference.complete
    if world.state() != complete.state:
        yield f"done again, {difference(complete.state, world.state())}"
    if (value, world.kept()) != (complete.value, complete.kept):
        yield f"done again, it gave {value}, the objects are {world.kept()}"


async def _wrong_use(world: World, state: State) -> AsyncIterator[str]:
    """What is written works, and what is read is what there is."""
    db, found = world.db, world.models
    themes = {row[0]: row[3] for row in state.get("themes", ())}
    if "themes" in state:
        theme = await db.insert(found.Theme(name="the next one"))
        if not db.auto_commit:
            await db.commit()
        themes[theme.pk] = theme.name
        read = await db.select(found.Theme).fetch_all()
        if {each.pk: each.name for each in read} != themes:
            yield f"there is {themes}, read was {read}"
    if world.transacting():
        yield "the next write left a transaction open"
    if "themes" in state and world.count("themes") != len(themes):
        yield "the next write is not there"


def difference(expected: State, found: State) -> str:
    """What is different, briefly."""
    names = [n for n in {**expected, **found} if expected.get(n) != found.get(n)]
    shown = [f"{name} is {found.get(name)}" for name in sorted(names)]
    return "; ".join(shown)[:600] or "nothing happened"


def _shown(error: BaseException) -> str:
    bare = "" if not isinstance(error, sqlite3.Error) else " (bare)"
    bare = "" if isinstance(error, SqliterError) else bare
    return f"{type(error).__name__}{bare}: {str(error)[:200]}"
