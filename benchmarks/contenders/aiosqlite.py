"""``aiosqlite``, by hand: ``sqlite3`` in a thread, rows as tuples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import aiosqlite

from benchmarks.contenders import sql
from benchmarks.contenders.contender import AsyncContender, pragmas
from benchmarks.library import AuthorData, BookData

__all__ = ["Aiosqlite"]

Row = Any


class Aiosqlite(AsyncContender):
    """The shortest code on one connection."""

    typed = False

    async def open(self) -> None:
        self.db = await aiosqlite.connect(self.file, isolation_level=None)
        for name, value in pragmas(full=self.full).items():
            await self.db.execute(f"PRAGMA {name} = {value}")

    async def close(self) -> None:
        await self.db.close()

    async def create_tables(self) -> None:
        await self.db.executescript(sql.SCHEMA)

    async def add_authors(self, authors: Sequence[AuthorData]) -> None:
        await self._many(sql.INSERT_AUTHOR, authors)

    async def add_tags(
        self, names: Sequence[str], links: Sequence[tuple[int, int]]
    ) -> None:
        await self._many(sql.INSERT_TAG, ((name,) for name in names))
        await self._many(sql.INSERT_LINK, links)

    async def insert(self, books: Sequence[BookData]) -> None:
        for book in books:
            async with self.db.execute(sql.INSERT, sql.row(book)):
                pass

    async def bulk_insert(self, books: Sequence[BookData]) -> None:
        await self._many(sql.INSERT, [sql.row(book) for book in books])

    async def get(self, keys: Iterable[int]) -> list[Row]:
        return [await self._one(sql.BY_KEY, key) for key in keys]

    async def one(self, titles: Iterable[str]) -> list[Row]:
        return [await self._one(sql.BY_TITLE, title) for title in titles]

    async def select(self, year: int) -> list[Row]:
        return await self._all(sql.SINCE, (year,))

    async def eager(self) -> list[Row]:
        return await self._all(sql.EAGER)

    async def children(self) -> list[tuple[Row, list[Row]]]:
        authors = await self._all("SELECT id, name, country FROM authors")
        books = defaultdict(list)
        for row in await self._all(sql.CHILDREN):
            books[row[6]].append(row)
        return [(author, books[author[0]]) for author in authors]

    async def tagged(self) -> list[tuple[Row, list[Row]]]:
        books = await self._all(f"SELECT {sql.COLUMNS} FROM books")
        tags = defaultdict(list)
        for book, *tag in await self._all(sql.TAGS):
            tags[book].append(tag)
        return [(book, tags[book[0]]) for book in books]

    async def update(self, books: Sequence[Row], price: float) -> None:
        for book in books:
            async with self.db.execute(sql.UPDATE, (price, book[0])):
                pass

    async def update_where(self, year: int, price: float) -> int:
        async with self.db.execute(sql.UPDATE_SINCE, (price, year)) as cursor:
            return cursor.rowcount

    async def groups(self) -> list[Row]:
        return await self._all(sql.GROUPS)

    async def iterate(self, limit: int | None = None) -> AsyncIterator[Row]:
        count = -1 if limit is None else limit
        statement = f"SELECT {sql.COLUMNS} FROM books LIMIT ?"
        async with self.db.execute(statement, (count,)) as cursor:
            async for row in cursor:
                yield row

    async def _all(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return list(await self.db.execute_fetchall(statement, values))

    async def _one(self, statement: str, value: Any) -> Row:
        async with self.db.execute(statement, (value,)) as cursor:
            return await cursor.fetchone()

    async def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        await self.db.execute("BEGIN IMMEDIATE")
        await self.db.executemany(statement, rows)
        await self.db.execute("COMMIT")

    def book(self, row: Row) -> BookData:
        return sql.plain(row)

    def author_name(self, row: Row) -> str:
        return row[8]

    def key(self, row: Row) -> int:
        return row[0]
