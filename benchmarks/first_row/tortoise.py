"""Tortoise: start, read a row, print a name, end."""

import asyncio
import sys

from tortoise import Tortoise, fields
from tortoise.models import Model


class Author(Model):
    id = fields.IntField(primary_key=True)
    name = fields.TextField()
    country = fields.TextField()


async def main() -> None:
    url = f"sqlite://{sys.argv[1]}"
    await Tortoise.init(db_url=url, modules={"models": [__name__]})
    author = await Author.get(id=1)
    print(author.name)
    await Tortoise.close_connections()


asyncio.run(main())
