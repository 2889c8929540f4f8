"""What processes do with a database: a model that they can import, and programs of some lines.

Each program runs in an interpreter of its own: threads that other tests left would be forked along.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import warnings
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from support import Colour

from sqliter.exceptions import RecordInsertionError
from sqliter.model import BaseDBModel, unique


class User(BaseDBModel):
    name: str
    email: str | None = unique(default=None)

    class Meta:
        table_name = "users"


def run(method: str, program: str, colour: str, path: str) -> None:
    """Run one of the programs below; it raises what is wrong."""
    warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
    PROGRAMS[program](multiprocessing.get_context(method), colour, path)


def database(colour: str, path: str) -> Any:
    return Colour(colour).wrap(Colour(colour).database(path))


def insert(colour: str, path: str, user: User) -> User:
    """Insert a record through a database object of this process, which forgets it."""

    async def work() -> User:
        db = database(colour, path)
        await db.create_table(User)
        stored: User = await db.insert(user)
        return stored

    return asyncio.run(work())


def insert_ten(given: tuple[str, str]) -> None:
    for _ in range(10):
        assert insert(*given, User(name="worker")).pk


def refusal(colour: str, path: str) -> RecordInsertionError | None:
    """Return the error of a second record with the same address."""
    try:
        insert(colour, path, User(name="Eve", email="a@x"))
    except RecordInsertionError as error:
        return error
    return None


def pool(context: Any, colour: str, path: str) -> None:
    with context.Pool(3) as workers:
        workers.map(insert_ten, [(colour, path)] * 6)


def executor(context: Any, colour: str, path: str) -> None:
    insert(colour, path, User(name="Ada", email="a@x"))
    with ProcessPoolExecutor(2, mp_context=context) as workers:
        stored = workers.submit(insert, colour, path, User(name="Bob")).result()
        error = workers.submit(refusal, colour, path).result()
        raised = workers.submit(
            insert, colour, path, User(name="Eve", email="a@x")
        ).exception()
    assert (type(stored), stored.pk, stored.name) == (User, 2, "Bob")
    for each in error, raised:
        assert isinstance(each, RecordInsertionError)
        assert (each.table, each.kind) == ("users", "unique")
        assert "users.email" in str(each)


def open_parent(context: Any, colour: str, path: str) -> None:
    """The parent keeps its database open, and uses it before, meanwhile and after."""

    async def work() -> None:
        db = database(colour, path)
        await db.create_table(User)
        await db.insert(User(name="Ada"))
        assert await db.get(User, 1) is not None
        with context.Pool(2) as workers:
            result = workers.map_async(insert_ten, [(colour, path)] * 2)
            while not result.ready():
                await db.insert(User(name="parent"))
                await asyncio.sleep(0.01)
            result.get()
        assert await db.select(User).filter(name="worker").count() == 20
        await db.close()

    asyncio.run(work())


def forgotten_parent(context: Any, colour: str, path: str) -> None:
    """Nobody closes anything, and the children end before the parent does."""
    db = Colour(colour).database(path)
    insert(colour, path, User(name="Ada"))
    process = context.Process(target=insert_ten, args=((colour, path),))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert db.filename == path


PROGRAMS = {
    each.__name__: each for each in (pool, executor, open_parent, forgotten_parent)
}
