"""Peewee: start, read a row, print a name, end."""

import sys

import peewee

database = peewee.SqliteDatabase(sys.argv[1])


class Author(peewee.Model):
    name = peewee.TextField()
    country = peewee.TextField()

    class Meta:
        database = database


print(Author.get_by_id(1).name)
database.close()
