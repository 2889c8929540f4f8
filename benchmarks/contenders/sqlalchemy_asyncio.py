"""SQLAlchemy's ORM with asyncio, over ``aiosqlite``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import joinedload, selectinload

from benchmarks.contenders.contender import AsyncContender
from benchmarks.contenders.sqlalchemy_models import (
    Author,
    Base,
    Book,
    Tag,
    configure,
    links,
    made,
)
from benchmarks.library import AuthorData, BookData

__all__ = ["SqlAlchemyAsyncio"]

PATIENCE = 60
"""Seconds to wait for other connections; with the usual five, crowds lose rows."""


class SqlAlchemyAsyncio(AsyncContender):
    """A session per call, ``expire_on_commit`` off."""

    async def open(self) -> None:
        url = f"sqlite+aiosqlite:///{self.file}"
        self.engine = create_async_engine(url, connect_args={"timeout": PATIENCE})
        configure(self.engine.sync_engine, full=self.full)
        self.loaded = self.session()

    async def close(self) -> None:
        await self.loaded.close()
        await self.engine.dispose()

    def session(self) -> AsyncSession:
        """Return a new session."""
        return AsyncSession(self.engine, expire_on_commit=False)

    async def create_tables(self) -> None:
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def add_authors(self, authors: Sequence[AuthorData]) -> None:
        async with self.session() as session, session.begin():
            session.add_all(Author(**each._asdict()) for each in authors)

    async def add_tags(
        self, names: Sequence[str], pairs: Sequence[tuple[int, int]]
    ) -> None:
        rows = [{"book_id": book, "tag_id": tag} for book, tag in pairs]
        async with self.session() as session, session.begin():
            session.add_all(Tag(name=name) for name in names)
            await session.flush()
            await session.execute(insert(links), rows)

    async def insert(self, books: Sequence[BookData]) -> None:
        async with self.session() as session:
            for book in books:
                session.add(made(Book, book))
                await session.commit()

    async def bulk_insert(self, books: Sequence[BookData]) -> None:
        async with self.session() as session:
            session.add_all([made(Book, book) for book in books])
            await session.commit()

    async def get(self, keys: Iterable[int]) -> list[Any]:
        async with self.session() as session:
            return [await session.get(Book, key) for key in keys]

    async def one(self, titles: Iterable[str]) -> list[Any]:
        async with self.session() as session:
            return [
                await session.scalar(select(Book).where(Book.title == title).limit(1))
                for title in titles
            ]

    async def select(self, year: int) -> list[Any]:
        return await self._all(select(Book).where(Book.year >= year))

    async def eager(self) -> list[Any]:
        query = select(Book).options(joinedload(Book.author, innerjoin=True))
        return await self._all(query)

    async def children(self) -> list[tuple[Any, list[Any]]]:
        found = await self._all(select(Author).options(selectinload(Author.books)))
        return [(each, each.books) for each in found]

    async def tagged(self) -> list[tuple[Any, list[Any]]]:
        found = await self._all(select(Book).options(selectinload(Book.tags)))
        return [(each, each.tags) for each in found]

    async def load(self, keys: Iterable[int]) -> list[Any]:
        return [await self.loaded.get(Book, key) for key in keys]

    async def update(self, books: Sequence[Any], price: float) -> None:
        for book in books:
            book.price = price
            await self.loaded.commit()

    async def update_where(self, year: int, price: float) -> int:
        statement = update(Book).where(Book.year >= year).values(price=price)
        async with self.session() as session:
            result: Any = await session.execute(statement)
            await session.commit()
        return result.rowcount

    async def groups(self) -> list[Any]:
        columns = (Book.year, func.count(), func.avg(Book.price))
        async with self.session() as session:
            return list(await session.execute(select(*columns).group_by(Book.year)))

    async def iterate(self, limit: int | None = None) -> AsyncIterator[Any]:
        query = select(Book).limit(limit).execution_options(yield_per=1_000)
        async with self.session() as session:
            async for book in await session.stream_scalars(query):
                yield book

    async def _all(self, query: Any) -> list[Any]:
        async with self.session() as session:
            return list(await session.scalars(query))
