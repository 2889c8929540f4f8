"""Accounts and transfers between them: the sum is constant, the ledger explains every balance.

Each transfer reads, thinks and writes in one block. Some are refused half-way, some put a wrong
step right in an inner block.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from stress.outcome import Outcome
from support import Colour, Signal, snapshot

from sqliter.model import BaseDBModel, unique

ACCOUNTS, OPENING = 10, 1_000
PATIENCE = 30  # seconds a writer waits: others are many, the machine is slow


class Account(BaseDBModel):
    balance: int

    class Meta:
        table_name = "accounts"


class Transfer(BaseDBModel):
    token: str = unique()
    source: int
    target: int
    amount: int

    class Meta:
        table_name = "transfers"
        indexes = ("source", "target")


class Refused(Exception):
    """The transfer must leave no trace."""


class Order(NamedTuple):
    token: str
    source: int
    target: int
    amount: int
    fate: str


def orders(clerk: str, count: int) -> Iterator[Order]:
    """What a clerk has to do: the same for the same name."""
    rng = random.Random(clerk)
    for number in range(count):
        source, target = rng.sample(range(1, ACCOUNTS + 1), k=2)
        fate = rng.choice(("plain", "plain", "plain", "refused", "corrected"))
        yield Order(f"{clerk}-{number}", source, target, rng.randint(1, 50), fate)


def bank(colour: Colour, filename: object) -> Any:
    """The database with awaited verbs, whatever the colour."""
    return colour.wrap(colour.database(str(filename), busy_timeout=PATIENCE))


async def open_accounts(db: Any) -> None:
    await db.create_table(Account)
    await db.create_table(Transfer)
    await db.bulk_insert([Account(balance=OPENING) for _ in range(ACCOUNTS)])


async def carry_out(db: Any, order: Order) -> None:
    async with db:
        await move(db, order.source, -order.amount)
        if order.fate == "refused":
            raise Refused
        if order.fate == "corrected":
            with contextlib.suppress(Refused):
                await move_too_much(db, order)
        await move(db, order.target, order.amount)
        await db.insert(Transfer(**order._asdict()))


async def move_too_much(db: Any, order: Order) -> None:
    async with db:
        await move(db, order.target, 2 * order.amount)
        raise Refused


async def move(db: Any, key: int, amount: int) -> None:
    account = await db.get(Account, key)
    await asyncio.sleep(0)
    account.balance += amount
    await db.update(account)


async def clerk(db: Any, name: str, count: int) -> list[str]:
    """Carry out one order after another; the tokens of those that were acknowledged."""
    done = []
    for order in orders(name, count):
        with contextlib.suppress(Refused):
            await carry_out(db, order)
            done.append(order.token)
    return done


# Readers beside


DIFFERENCES = f"""
    SELECT sum(balance) AS total, sum(balance != {OPENING}
        - (SELECT coalesce(sum(amount), 0) FROM transfers WHERE source = accounts.pk)
        + (SELECT coalesce(sum(amount), 0) FROM transfers WHERE target = accounts.pk)
    ) AS unexplained
    FROM accounts"""


async def auditor(db: Any, over: Signal) -> Outcome:
    """Look again and again; each look must see one moment of the bank."""
    outcome = Outcome()
    while not over.is_set():
        outcome.rounds += 1
        (seen,) = await db.fetch(DIFFERENCES)
        outcome.wrong += explained(seen["total"], seen["unexplained"])
        outcome.wrong += explained(*await counted_in_steps(db))
        await asyncio.sleep(0.002)
    return outcome


async def counted_in_steps(db: Any) -> tuple[int, int]:
    """The same by two queries of one snapshot."""
    async with snapshot(db):
        accounts = await db.select(Account).fetch_all()
        await asyncio.sleep(0.002)
        transfers = await db.select(Transfer).fetch_all()
    expected = replayed((each.source, each.target, each.amount) for each in transfers)
    balances = {each.pk: each.balance for each in accounts}
    return sum(balances.values()), len(set(balances.items()) - set(expected.items()))


def explained(total: int, unexplained: int) -> Iterator[str]:
    if total != ACCOUNTS * OPENING:
        yield f"a reader saw a sum of {total}"
    if unexplained:
        yield f"a reader saw {unexplained} balances that the ledger does not explain"


# Afterwards


def mistakes(filename: object, acknowledged: Collection[str]) -> Iterator[str]:
    """What is wrong in the file, as another program reads it."""
    with contextlib.closing(sqlite3.connect(str(filename))) as connection:
        stored = [
            token for (token,) in connection.execute("SELECT token FROM transfers")
        ]
        ledger = connection.execute("SELECT source, target, amount FROM transfers")
        expected = replayed(ledger.fetchall())
        balances = dict(connection.execute("SELECT pk, balance FROM accounts"))
    yield from (f"{token} is lost" for token in set(acknowledged) - set(stored))
    yield from (f"{token} is stored" for token in set(stored) - set(acknowledged))
    if sum(balances.values()) != ACCOUNTS * OPENING:
        yield f"the sum is {sum(balances.values())}"
    if balances != expected:
        yield f"the balances {balances} are not those of the ledger, {expected}"


def replayed(ledger: Iterable[tuple[int, int, int]]) -> dict[int, int]:
    balances = dict.fromkeys(range(1, ACCOUNTS + 1), OPENING)
    for source, target, amount in ledger:
        balances[source] -= amount
        balances[target] += amount
    return balances
