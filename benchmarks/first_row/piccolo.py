"""Piccolo: start, read a row, print a name, end."""

import asyncio
import sys

from piccolo.columns import Text
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.table import Table


class Author(Table, tablename="authors", db=SQLiteEngine(sys.argv[1])):
    name = Text()
    country = Text()


async def main() -> None:
    author = await Author.objects().get(Author.id == 1)
    assert author
    print(author.name)


asyncio.run(main())
