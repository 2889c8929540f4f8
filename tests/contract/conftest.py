"""Databases for contract tests: each test runs for {sync, async} x {file, memory}.

`@pytest.mark.only("file")`, `only("async")` … narrow that where a promise exists for one side alone.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import textwrap
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from support import Colour, Models, StatementLog

BACKENDS = tuple(itertools.product(("sync", "async"), ("file", "memory")))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" not in metafunc.fixturenames:
        return
    wanted = [set(mark.args) for mark in metafunc.definition.iter_markers("only")]
    backends = [pair for pair in BACKENDS if all(names & set(pair) for names in wanted)]
    metafunc.parametrize("backend", backends, ids="-".join)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Colour and place, as the test's id shows them."""
    return request.param


@pytest.fixture
def colour(backend: tuple[str, str]) -> Colour:
    """`"sync"` or `"async"`, with the classes of that colour."""
    return Colour(backend[0])


@pytest.fixture
def place(backend: tuple[str, str]) -> str:
    """`"file"` or `"memory"`."""
    return backend[1]


class DatabaseFactory:
    """Databases of one colour and place; every one is closed after the test."""

    def __init__(self, colour: Colour, place: str, folder: Path) -> None:
        self.colour, self.place, self.folder = colour, place, folder
        self.opened: list[Any] = []

    def __call__(self, **options: Any) -> Any:
        """A database on a file (or memory) of its own, or on `filename=`."""
        arguments = self._arguments(options)
        return self._keep(self.colour.database(**arguments))

    async def create(self, **options: Any) -> Any:
        """The same through the class method `create`, which is awaited in async."""
        made = self.colour.database.create(**self._arguments(options))
        return self._keep(await made if self.colour is Colour.ASYNC else made)

    def new_file(self) -> Path:
        return self.folder / f"database_{len(self.opened)}.db"

    def _arguments(self, options: dict[str, Any]) -> dict[str, Any]:
        filename = options.pop("filename", None)
        if filename is None and self.place == "memory":
            return {"memory": True} | options
        return {"db_filename": filename or str(self.new_file())} | options

    def _keep(self, database: Any) -> Any:
        wrapped = self.colour.wrap(database)
        self.opened.append(wrapped)
        return wrapped

    async def close_all(self) -> None:
        for database in self.opened:
            await database.close()


@pytest.fixture
def make_db(
    colour: Colour, place: str, tmp_path: Path, runner: asyncio.Runner
) -> Iterator[DatabaseFactory]:
    """`make_db(**options)` gives one more database of the test's colour and place."""
    factory = DatabaseFactory(colour, place, tmp_path)
    yield factory
    runner.run(factory.close_all())


@pytest.fixture
def db(make_db: DatabaseFactory) -> Any:
    """An open-on-demand database with default options."""
    return make_db()


@pytest.fixture
def together(colour: Colour) -> Callable[..., Coroutine[Any, Any, list[Any]]]:
    """`await together(a(), b())` runs them at once: as tasks (async) or in threads (sync)."""
    return colour.together


@pytest.fixture
def apart(colour: Colour) -> Callable[..., asyncio.Future[Any]]:
    """`await apart(coroutine)` runs it outside of all blocks: as a task, or in a thread."""
    return colour.apart


@pytest.fixture
def statements() -> StatementLog:
    """The SQL that `logged_db` runs."""
    return StatementLog()


@pytest.fixture
def logged_db(make_db: DatabaseFactory, statements: StatementLog) -> Any:
    """A database that writes its SQL to `statements`."""
    return make_db(debug=True, logger=statements.logger)


# Relations


@pytest.fixture
def orm(colour: Colour) -> Iterator[SimpleNamespace]:
    """The relation classes of the colour; the test's models are forgotten after it."""
    from sqliter.orm import ModelRegistry

    before = ModelRegistry.snapshot()
    yield colour.orm
    ModelRegistry.restore(before)


@pytest.fixture
def many(colour: Colour) -> Callable[[Any], Any]:
    """`many(author.books)`: the handle with awaited verbs, whatever the colour."""
    return colour.many


@pytest.fixture
def reach(colour: Colour) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    """`await reach(book.author)`: the related object, as code of the colour gets it."""
    return colour.reach


@pytest.fixture
def library(orm: SimpleNamespace) -> Models:
    """Authors and their books; a book may have an editor."""

    class Author(orm.BaseDBModel):
        name: str

    class Book(orm.BaseDBModel):
        title: str
        author: orm.ForeignKey[Author] = orm.ForeignKey(
            Author, on_delete="CASCADE", related_name="books"
        )
        editor: orm.ForeignKey[Author | None] = orm.ForeignKey(
            Author, null=True, on_delete="SET NULL", related_name="edited"
        )

    return Models(Author=Author, Book=Book)


@pytest.fixture
def press(orm: SimpleNamespace) -> Models:
    """Articles and their tags."""

    class Tag(orm.BaseDBModel):
        name: str

    class Article(orm.BaseDBModel):
        title: str
        tags: orm.ManyToMany[Tag] = orm.ManyToMany(Tag, related_name="articles")

    return Models(Tag=Tag, Article=Article)


@pytest.fixture
def seeded(library: Models) -> Callable[[Any], Coroutine[Any, Any, tuple[Any, ...]]]:
    """`await seeded(db)` makes the tables, two authors and a book of the first."""

    async def fill(db: Any) -> tuple[Any, ...]:
        await library.create(db)
        ada = await db.insert(library.Author(name="Ada"))
        bob = await db.insert(library.Author(name="Bob"))
        return ada, bob, await db.insert(library.Book(title="Notes", author_id=ada.pk))

    return fill


@pytest.fixture
def shelf(seeded: Any, library: Models) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    """`await shelf(db)` gives a book as it is fetched, its author not loaded."""

    async def fill(db: Any) -> Any:
        _, _, book = await seeded(db)
        return await db.get(library.Book, book.pk, bypass_cache=True)

    return fill


@pytest.fixture
def tagged(press: Models) -> Callable[[Any], Coroutine[Any, Any, tuple[Any, ...]]]:
    """`await tagged(db)` makes the tables, an article and three tags, not linked."""

    async def fill(db: Any) -> tuple[Any, ...]:
        await press.create(db)
        article = await db.insert(press.Article(title="Guide"))
        tags = [await db.insert(press.Tag(name=name)) for name in ("api", "sql", "web")]
        return article, *tags

    return fill


@pytest.fixture
def linked(
    tagged: Any, press: Models, many: Callable[[Any], Any]
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """`await linked(db, how)` gives an article with the tags api, sql and web."""

    async def make(db: Any, how: str = "lazy") -> Any:
        article, *tags = await tagged(db)
        await many(article.tags).add(*tags)
        if how == "lazy":
            return article
        return await db.select(press.Article).prefetch_related("tags").fetch_one()

    return make


@pytest.fixture
def people(orm: SimpleNamespace) -> Models:
    """Persons who follow each other one way and are friends both ways."""

    class Person(orm.BaseDBModel):
        name: str
        follows: orm.ManyToMany["Person"] = orm.ManyToMany(
            "Person", through="follows", related_name="followers"
        )
        friends: orm.ManyToMany["Person"] = orm.ManyToMany(
            "Person", through="friendships", symmetrical=True
        )

        class Meta:
            table_name = "people"

    return Models(Person=Person)


@pytest.fixture
def declare(
    orm: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., ModuleType]:
    """`declare(text)` runs the text of a module that has the relation classes."""

    def run(text: str, name: str = "shop", *, future: bool = False) -> ModuleType:
        module = sys.modules.get(name) or ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        vars(module).update(vars(orm))
        first = "from __future__ import annotations\n" if future else ""
        code = compile(first + textwrap.dedent(text), name, "exec", dont_inherit=True)
        exec(code, vars(module))
        return module

    return run
