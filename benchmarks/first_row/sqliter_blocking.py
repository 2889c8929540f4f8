"""This library, blocking: start, read a row, print a name, end."""

import sys

from sqliter import SqliterDB
from sqliter.model import BaseDBModel


class Author(BaseDBModel):
    name: str
    country: str

    class Meta:
        table_name = "authors"


db = SqliterDB(sys.argv[1])
author = db.get(Author, 1)
assert author
print(author.name)
db.close()
