"""This library, with asyncio: start, read a row, print a name, end."""

import asyncio
import sys

from sqliter.asyncio import AsyncSqliterDB
from sqliter.model import BaseDBModel


class Author(BaseDBModel):
    name: str
    country: str

    class Meta:
        table_name = "authors"


async def main() -> None:
    db = AsyncSqliterDB(sys.argv[1])
    author = await db.get(Author, 1)
    assert author
    print(author.name)
    await db.close()


asyncio.run(main())
