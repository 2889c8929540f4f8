"""Oxyde: start, read a row, print a name, end."""

import asyncio
import sys

from oxyde import AsyncDatabase, Field, Model


class Author(Model):
    id: int | None = Field(default=None, db_pk=True)
    name: str
    country: str

    class Meta:
        is_table = True


async def main() -> None:
    db = AsyncDatabase(f"sqlite:///{sys.argv[1]}")
    await db.connect()
    author = await Author.objects.get(id=1)
    print(author.name)
    await db.disconnect()


asyncio.run(main())
