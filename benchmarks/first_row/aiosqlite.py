"""`aiosqlite`: start, read a row, print a name, end."""

import asyncio
import sys

import aiosqlite


async def main() -> None:
    statement = "SELECT id, name, country FROM authors WHERE id = 1"
    async with (
        aiosqlite.connect(sys.argv[1]) as db,
        db.execute(statement) as cursor,
    ):
        row = await cursor.fetchone()
    assert row
    print(row[1])


asyncio.run(main())
