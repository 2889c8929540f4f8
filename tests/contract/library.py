"""A library: models with relations of every kind, in either colour, and a stock of rows.

Country <- Author <- Book <- Comment     a book may have an editor, a comment no book
Book - Tag                               many to many
Person - Person                          friends both ways, follows one way
Node <- Node                             a tree
"""

# No `from __future__ import annotations`: the annotations speak of local classes.

import functools
import importlib
from collections.abc import Iterable
from datetime import date
from types import SimpleNamespace
from typing import Any

from support import Colour, unwrap


class Library(SimpleNamespace):
    """The models of one colour."""

    colour: Colour
    prefetch_class: type[Any]

    @property
    def models(self) -> list[Any]:
        """The models, each after those it refers to."""
        names = ("Country", "Author", "Tag", "Book", "Comment", "Person", "Node")
        return [getattr(self, name) for name in names]

    def many(self, handle: Any) -> Any:
        """`author.books` with awaited verbs."""
        return self.colour.many(handle)

    def prefetch(self, path: str, query: Any) -> Any:
        """`Prefetch(path, query)` of the colour."""
        return self.prefetch_class(path, unwrap(query))

    async def create(self, db: Any) -> None:
        """Make the tables."""
        for model in self.models:
            await db.create_table(model)

    async def stock(self, db: Any) -> None:
        """Make the tables and put the rows of the page below into them."""
        async with db:
            await self.create(db)
            for rows in (COUNTRIES, AUTHORS, TAGS, BOOKS, COMMENTS, PEOPLE, NODES):
                model = getattr(self, rows[0])
                await db.bulk_insert([model(**row) for row in rows[1]])
            await self.link(db, "Book", "tags", TAGGED)
            await self.link(db, "Person", "follows", FOLLOWS)
            await self.link(db, "Person", "friends", FRIENDS)
        db.clear_cache()

    async def link(
        self, db: Any, model: str, name: str, links: Iterable[tuple[int, int]]
    ) -> None:
        """Add links between rows of these keys."""
        owner = getattr(self, model)
        other = getattr(owner, name).to_model
        for one, two in links:
            start, end = await db.get(owner, one), await db.get(other, two)
            await self.many(getattr(start, name)).add(end)


COUNTRIES = ("Country", [{"name": "England", "code": "GB"}, {"name": "Poland"}])
AUTHORS = (
    "Author",
    [
        {"name": "Jane", "age": 41, "country_id": 1},
        {"name": "Stan", "age": None, "country_id": 2},
        {"name": "Ada", "age": 36, "country_id": 1},
    ],
)
TAGS = ("Tag", [{"name": "classic"}, {"name": "space"}, {"name": "unused"}])
BOOKS = (
    "Book",
    [
        {"title": "Emma", "pages": 400, "author_id": 1, "editor_id": 3,
         "published": date(1815, 12, 23)},
        {"title": "Solaris", "pages": 200, "author_id": 2,
         "published": date(1961, 1, 1)},
        {"title": "Persuasion", "pages": 300, "author_id": 1},
        {"title": "Fiasco", "pages": 350, "author_id": 2, "editor_id": 1,
         "published": date(1987, 5, 1)},
    ],
)  # fmt: skip
COMMENTS = (
    "Comment",
    [
        {"text": "good", "stars": 5, "book_id": 1},
        {"text": "bad", "stars": 1, "book_id": 1},
        {"text": "good", "stars": 3, "book_id": 2},
        {"text": "stray"},
        {"text": "bad", "book_id": 4},
    ],
)
PEOPLE = ("Person", [{"name": name} for name in ("Pia", "Quinn", "Rob", "Sue")])
NODES = (
    "Node",
    [
        {"name": "trunk"},
        {"name": "left", "parent_id": 1},
        {"name": "right", "parent_id": 1},
        {"name": "seed", "parent_id": 2},
    ],
)
TAGGED = [(1, 1), (2, 1), (2, 2), (4, 2)]
FOLLOWS = [(1, 2), (1, 3), (2, 1), (3, 3)]
FRIENDS = [(1, 1), (1, 2), (3, 1), (3, 2)]  # one with herself, two told backwards


@functools.cache
def library(colour: Colour) -> Library:
    """The models of a colour; always the same classes."""
    home = "sqliter.asyncio.orm" if colour is Colour.ASYNC else "sqliter.orm"
    orm = importlib.import_module(home)
    prefix = "Async" if colour is Colour.ASYNC else ""
    base, key, many = (
        getattr(orm, prefix + name)
        for name in ("BaseDBModel", "ForeignKey", "ManyToMany")
    )

    class Country(base):
        name: str
        code: str | None = None

        class Meta:
            table_name = "countries"

    class Author(base):
        name: str
        age: int | None = None
        country: key[Country] = key(Country, related_name="authors")

        class Meta:
            table_name = "authors"

    class Tag(base):
        name: str

        class Meta:
            table_name = "tags"

    class Book(base):
        title: str
        pages: int = 0
        published: date | None = None
        author: key[Author] = key(Author, on_delete="CASCADE", related_name="books")
        editor: key[Author | None] = key(
            Author, null=True, on_delete="SET NULL", related_name="edited"
        )
        tags: many[Tag] = many(Tag, related_name="books")

        class Meta:
            table_name = "books"

    class Comment(base):
        text: str
        stars: int | None = None
        book: key[Book | None] = key(
            Book,
            null=True,
            on_delete="CASCADE",
            related_name="comments",
            db_column="about",
        )

        class Meta:
            table_name = "comments"

    class Person(base):
        name: str
        follows: many[Any] = many(
            "Person", through="followings", related_name="followers"
        )
        friends: many[Any] = many("Person", through="friendships", symmetrical=True)

        class Meta:
            table_name = "people"

    class Node(base):
        name: str
        parent: key["Node | None"] = key("self", null=True, related_name="children")

        class Meta:
            table_name = "nodes"

    return Library(
        colour=colour,
        prefetch_class=orm.Prefetch,
        Country=Country,
        Author=Author,
        Tag=Tag,
        Book=Book,
        Comment=Comment,
        Person=Person,
        Node=Node,
    )


async def stocked(db: Any, colour: Colour) -> Library:
    """The models of a colour, with their rows in the database."""
    lib = library(colour)
    await lib.stock(db)
    return lib


def initial(row: Any) -> str:
    """The first letter of what a row is called."""
    return (row.title if hasattr(row, "title") else row.name)[0]


def spell(rows: Iterable[Any]) -> str:
    """The first letters of the rows, in their order."""
    return "".join(initial(row) for row in rows)


async def initials(query: Any) -> str:
    """The first letters of the rows a query finds, by their keys."""
    return spell(await query.order("pk").fetch_all())


async def keys(query: Any) -> list[int]:
    """The keys of the rows a query finds, in their order."""
    return [row.pk for row in await query.order("pk").fetch_all()]
