"""SQLAlchemy's ORM, blocking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from sqlalchemy import create_engine, func, insert, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from benchmarks.contenders import sqlalchemy_models
from benchmarks.contenders.contender import Contender
from benchmarks.contenders.sqlalchemy_models import configure, made
from benchmarks.library import AuthorData, BookData

__all__ = ["SqlAlchemyBlocking"]


class SqlAlchemyBlocking(Contender):
    """A session per call, ``expire_on_commit`` off."""

    models: ClassVar[Any] = sqlalchemy_models
    metadata: ClassVar[Any] = sqlalchemy_models.Base.metadata
    session_class: ClassVar[type[Session]] = Session

    def open(self) -> None:
        self.engine = create_engine(f"sqlite:///{self.file}")
        configure(self.engine, full=self.full)
        self.loaded = self.session()

    def close(self) -> None:
        self.loaded.close()
        self.engine.dispose()

    def session(self) -> Session:
        """Return a new session."""
        return self.session_class(self.engine, expire_on_commit=False)

    def create_tables(self) -> None:
        self.metadata.create_all(self.engine)

    def add_authors(self, authors: Sequence[AuthorData]) -> None:
        with self.session() as session, session.begin():
            session.add_all(self.models.Author(**each._asdict()) for each in authors)

    def add_tags(self, names: Sequence[str], links: Sequence[tuple[int, int]]) -> None:
        rows = [{"book_id": book, "tag_id": tag} for book, tag in links]
        with self.session() as session, session.begin():
            session.add_all(self.models.Tag(name=name) for name in names)
            session.flush()
            session.connection().execute(insert(self.models.links), rows)

    def insert(self, books: Sequence[BookData]) -> None:
        with self.session() as session:
            for book in books:
                session.add(made(self.models.Book, book))
                session.commit()

    def bulk_insert(self, books: Sequence[BookData]) -> None:
        with self.session() as session:
            session.add_all([made(self.models.Book, book) for book in books])
            session.commit()

    def get(self, keys: Iterable[int]) -> list[Any]:
        with self.session() as session:
            return [session.get(self.models.Book, key) for key in keys]

    def one(self, titles: Iterable[str]) -> list[Any]:
        book = self.models.Book
        with self.session() as session:
            return [
                session.scalars(select(book).where(book.title == title).limit(1)).one()
                for title in titles
            ]

    def select(self, year: int) -> list[Any]:
        return self._all(select(self.models.Book).where(self.models.Book.year >= year))

    def eager(self) -> list[Any]:
        book = self.models.Book
        return self._all(select(book).options(joinedload(book.author, innerjoin=True)))

    def children(self) -> list[tuple[Any, list[Any]]]:
        author = self.models.Author
        found = self._all(select(author).options(selectinload(author.books)))
        return [(each, each.books) for each in found]

    def tagged(self) -> list[tuple[Any, list[Any]]]:
        book = self.models.Book
        found = self._all(select(book).options(selectinload(book.tags)))
        return [(each, each.tags) for each in found]

    def load(self, keys: Iterable[int]) -> list[Any]:
        return [self.loaded.get(self.models.Book, key) for key in keys]

    def update(self, books: Sequence[Any], price: float) -> None:
        for book in books:
            book.price = price
            self.loaded.commit()

    def update_where(self, year: int, price: float) -> int:
        book = self.models.Book
        statement = update(book).where(book.year >= year).values(price=price)
        with self.session() as session:
            count: int = session.execute(statement).rowcount
            session.commit()
        return count

    def groups(self) -> list[Any]:
        book = self.models.Book
        columns = (book.year, func.count(), func.avg(book.price))
        with self.session() as session:
            return list(session.execute(select(*columns).group_by(book.year)))

    def iterate(self, limit: int | None = None) -> Iterator[Any]:
        query = select(self.models.Book).limit(limit)
        with self.session() as session:
            yield from session.scalars(query.execution_options(yield_per=1_000))

    def _all(self, query: Any) -> list[Any]:
        with self.session() as session:
            return list(session.scalars(query))
