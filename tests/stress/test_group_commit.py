"""Short writes of many at once may share a commit; each still succeeds or fails alone."""

from __future__ import annotations

import asyncio
import contextvars
import sqlite3
from collections.abc import Coroutine, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support import Colour, Signal, assert_no_transaction_left, committed

from sqliter.exceptions import (
    ForeignKeyDeletionError,
    RecordInsertionError,
    RecordNotFoundError,
    RecordUpdateError,
)
from sqliter.model import BaseDBModel, ForeignKey, unique

CROWD = 100


class Member(BaseDBModel):
    name: str = unique()
    age: int = 0

    class Meta:
        table_name = "members"


class Loan(BaseDBModel):
    member_id: int = ForeignKey(Member, on_delete="RESTRICT")

    class Meta:
        table_name = "loans"


async def opened(colour: Colour, folder: Path, durability: str) -> Any:
    file = folder / "members.db"
    db = colour.wrap(colour.database(file, durability=durability, busy_timeout=30))
    await db.create_table(Member)
    await db.create_table(Loan)
    return db


async def behind_a_block(
    colour: Colour, db: Any, works: Iterable[Coroutine[Any, Any, Any]]
) -> list[Any]:
    """Run all at once while the writer is taken, so that they queue up; the results."""
    taken = Signal()

    async def holder() -> None:
        async with db:
            taken.set()
            await asyncio.sleep(0.1)

    async def after(work: Coroutine[Any, Any, Any]) -> Any:
        await taken.wait()
        return await work

    _, *results = await colour.together(
        holder(), *map(after, works), return_exceptions=True
    )
    return results


async def acknowledged(db: Any, member: Member) -> Member:
    """Insert; when that has returned, another program must find the row."""
    await db.insert(member)
    with closing(sqlite3.connect(db.filename)) as connection:
        sql = "SELECT pk FROM members WHERE name = ?"
        assert connection.execute(sql, (member.name,)).fetchall() == [(member.pk,)]
    return member


@pytest.mark.parametrize("colour", Colour)
@pytest.mark.parametrize("durability", ["normal", "full"])
@pytest.mark.parametrize("rival", ["a row", "one of them"])
async def test_twenty_of_a_hundred_inserts_collide(
    tmp_path: Path, colour: Colour, durability: str, rival: str
) -> None:
    db = await opened(colour, tmp_path, durability)
    if rival == "a row":
        await db.insert(Member(name="taken"))
        names = [f"m{n}" if n % 5 else "taken" for n in range(CROWD)]
    else:
        names = [f"m{n}" if n % 5 else f"m{n + 1}" for n in range(CROWD)]
    members = [Member(name=name) for name in names]
    results = await behind_a_block(colour, db, [acknowledged(db, m) for m in members])

    refused = [error for error in results if not isinstance(error, Member)]
    assert [type(error) for error in refused] == [RecordInsertionError] * 20
    assert {error.kind for error in refused} == {"unique"}
    stored = {m.pk: m.name for m in results if isinstance(m, Member)}
    assert len(stored) == 80
    assert [bool(m.pk) for m in members] == [isinstance(m, Member) for m in results]
    pairs = committed(db, "SELECT pk || ' ' || name FROM members WHERE name != 'taken'")
    assert set(pairs) == {f"{key} {name}" for key, name in stored.items()}
    assert_no_transaction_left(db)
    await db.close()


@pytest.mark.parametrize("colour", Colour)
@pytest.mark.parametrize("durability", ["normal", "full"])
async def test_short_writes_of_all_kinds_stand_alone(
    tmp_path: Path, colour: Colour, durability: str
) -> None:
    db = await opened(colour, tmp_path, durability)
    await db.bulk_insert([Member(name=f"old {n}") for n in range(50)])
    await db.bulk_insert([Loan(member_id=key) for key in range(41, 51)])
    works, expected = [], []
    for n in range(10):  # the old members have the keys 1 to 50: ten for each kind
        works += [
            db.insert(Member(name=f"new {n}")),
            db.update(Member(pk=1 + n, name=f"old {n}", age=30)),
            db.update(Member(pk=11 + n, name="old 0")),
            db.bulk_insert([Member(name=f"one {n}"), Member(name=f"two {n}")]),
            db.bulk_insert([Member(name=f"half {n}"), Member(name="old 0")]),
            db.delete(Member, 31 + n),
            db.delete(Member, 41 + n),
            db.delete(Member, 1_000 + n),
        ]
        expected += [
            *(None, None, RecordUpdateError, None, RecordInsertionError),
            *(None, ForeignKeyDeletionError, RecordNotFoundError),
        ]
    results = await behind_a_block(colour, db, works)

    errors = [type(each) if isinstance(each, Exception) else None for each in results]
    assert errors == expected
    names = {f"old {n}" for n in (*range(30), *range(40, 50))}
    names |= {f"{word} {n}" for word in ("new", "one", "two") for n in range(10)}
    assert set(committed(db, "SELECT name FROM members")) == names
    assert sorted(committed(db, "SELECT pk FROM members WHERE age = 30")) == [
        *range(1, 11)
    ]
    assert_no_transaction_left(db)
    await db.close()


@pytest.mark.parametrize("colour", Colour)
@pytest.mark.parametrize("durability", ["normal", "full"])
async def test_a_write_that_ends_the_transaction_takes_no_other_along(
    tmp_path: Path, colour: Colour, durability: str
) -> None:
    db = await opened(colour, tmp_path, durability)
    await db.execute(
        "CREATE TRIGGER no BEFORE INSERT ON members WHEN new.age = 99 "
        "BEGIN SELECT RAISE(ROLLBACK, 'too old'); END"
    )
    ages = [1 if n % 5 else 99 for n in range(CROWD)]
    members = [Member(name=f"m{n}", age=age) for n, age in enumerate(ages)]
    results = await behind_a_block(colour, db, [acknowledged(db, m) for m in members])
    refused = [error for error in results if not isinstance(error, Member)]
    assert [type(error) for error in refused] == [RecordInsertionError] * 20
    await assert_stored(db, [member for member in members if member.age == 1])
    assert {bool(member.pk) for member in members if member.age == 99} == {False}


@pytest.mark.parametrize("durability", ["normal", "full"])
async def test_a_write_that_is_interrupted_takes_no_other_along(
    tmp_path: Path, durability: str
) -> None:
    db = await opened(Colour.ASYNC, tmp_path, durability)
    await db.execute(
        "CREATE TRIGGER slow BEFORE INSERT ON members WHEN new.age = 99 "
        "BEGIN INSERT INTO loans (created_at, updated_at, member_id) "
        "SELECT 0, 0, 1 FROM (WITH RECURSIVE n(i) AS "
        "(SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50000000) SELECT i FROM n) "
        "WHERE i < 0; END"
    )
    before = [Member(name=f"before {n}") for n in range(15)]
    slow = Member(name="slow", age=99)
    after = [Member(name=f"after {n}") for n in range(15)]
    async with db:
        queue = [
            asyncio.create_task(acknowledged(db, each), context=contextvars.Context())
            for each in (*before, slow, *after)
        ]
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    queue[len(before)].cancel()
    results = await asyncio.gather(*queue, return_exceptions=True)
    assert isinstance(results.pop(len(before)), asyncio.CancelledError)
    assert results == [*before, *after]
    await assert_stored(db, results)
    assert slow.pk == 0


async def assert_stored(db: Any, members: list[Member]) -> None:
    """These and no others, once each; nothing is left open."""
    found = committed(db, "SELECT pk || ' ' || name FROM members")
    assert sorted(found) == sorted(f"{each.pk} {each.name}" for each in members)
    assert_no_transaction_left(db)
    await db.close()
