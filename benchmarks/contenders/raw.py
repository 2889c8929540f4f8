"""``sqlite3`` of the standard library, by hand: what the others are compared with."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmarks.contenders import sql
from benchmarks.contenders.contender import Contender, pragmas
from benchmarks.library import AuthorData, BookData

__all__ = ["Raw"]

Row = tuple[Any, ...]


class Raw(Contender):
    """The shortest code, rows as tuples."""

    typed = False

    def open(self) -> None:
        self.db = sqlite3.connect(self.file, isolation_level=None)
        for name, value in pragmas(full=self.full).items():
            self.db.execute(f"PRAGMA {name} = {value}")

    def close(self) -> None:
        self.db.close()

    def create_tables(self) -> None:
        self.db.executescript(sql.SCHEMA)

    def add_authors(self, authors: Sequence[AuthorData]) -> None:
        self._many(sql.INSERT_AUTHOR, authors)

    def add_tags(self, names: Sequence[str], links: Sequence[tuple[int, int]]) -> None:
        self._many(sql.INSERT_TAG, ((name,) for name in names))
        self._many(sql.INSERT_LINK, links)

    def insert(self, books: Sequence[BookData]) -> None:
        for book in books:
            self.db.execute(sql.INSERT, sql.row(book))

    def bulk_insert(self, books: Sequence[BookData]) -> None:
        self._many(sql.INSERT, (sql.row(book) for book in books))

    def get(self, keys: Iterable[int]) -> list[Row]:
        return [self.db.execute(sql.BY_KEY, (key,)).fetchone() for key in keys]

    def one(self, titles: Iterable[str]) -> list[Row]:
        return [self.db.execute(sql.BY_TITLE, (each,)).fetchone() for each in titles]

    def select(self, year: int) -> list[Row]:
        return self.db.execute(sql.SINCE, (year,)).fetchall()

    def eager(self) -> list[Row]:
        return self.db.execute(sql.EAGER).fetchall()

    def children(self) -> list[tuple[Row, list[Row]]]:
        authors = self.db.execute("SELECT id, name, country FROM authors").fetchall()
        books = defaultdict(list)
        for row in self.db.execute(sql.CHILDREN):
            books[row[6]].append(row)
        return [(author, books[author[0]]) for author in authors]

    def tagged(self) -> list[tuple[Row, list[Row]]]:
        books = self.db.execute(f"SELECT {sql.COLUMNS} FROM books").fetchall()
        tags = defaultdict(list)
        for book, *tag in self.db.execute(sql.TAGS):
            tags[book].append(tag)
        return [(book, tags[book[0]]) for book in books]

    def update(self, books: Sequence[Row], price: float) -> None:
        for book in books:
            self.db.execute(sql.UPDATE, (price, book[0]))

    def update_where(self, year: int, price: float) -> int:
        return self.db.execute(sql.UPDATE_SINCE, (price, year)).rowcount

    def groups(self) -> list[Row]:
        return self.db.execute(sql.GROUPS).fetchall()

    def iterate(self, limit: int | None = None) -> Iterator[Row]:
        count = -1 if limit is None else limit
        return self.db.execute(f"SELECT {sql.COLUMNS} FROM books LIMIT ?", (count,))

    def within(self, keys: Sequence[int]) -> list[Row]:
        return self.db.execute(sql.WITHIN, (json.dumps(keys),)).fetchall()

    def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(statement, rows)
        self.db.execute("COMMIT")

    def book(self, row: Row) -> BookData:
        return sql.plain(row)

    def author_name(self, row: Row) -> str:
        return row[8]

    def key(self, row: Row) -> int:
        return row[0]
