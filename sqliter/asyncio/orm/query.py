"""The other side of a foreign key, awaited: ``await author.books.fetch_all()``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Generic

from typing_extensions import TypeVar

from sqliter.asyncio.iteration import each_of
from sqliter.asyncio.query import AsyncQueryBuilder
from sqliter.model.model import BaseDBModel
from sqliter.orm.query import HasPKAndContext, ReverseRelationship
from sqliter.orm.reverse import BasePrefetched, BaseReverse

__all__ = [
    "AsyncPrefetchedResult",
    "AsyncReverseQuery",
    "AsyncReverseRelationship",
    "HasPKAndContext",
]

R = TypeVar("R", bound=BaseDBModel, default=Any)


class AsyncReverseQuery(BaseReverse[R, AsyncQueryBuilder[R]]):
    """The objects that refer to one object; asked of the database.

    ``filter``, ``order``, ``limit`` and ``offset`` give new queries. Without a
    database, or a key, there are none.

    Example:
        >>> await author.books.filter(year__gt=2000).order("-year").fetch_all()
    """

    builder = AsyncQueryBuilder
    is_async = True

    async def fetch_all(self) -> list[R]:
        """Return them all."""
        return await self.query.fetch_all() if self.can_ask else []

    async def fetch_one(self) -> R | None:
        """Return the first, or ``None``."""
        return await self.query.fetch_one() if self.can_ask else None

    async def count(self) -> int:
        """Return how many there are."""
        return await self.query.count() if self.can_ask else 0

    async def exists(self) -> bool:
        """Return whether there are any."""
        return self.can_ask and await self.query.exists()

    def __aiter__(self) -> AsyncIterator[R]:
        return each_of(self.fetch_all)


class AsyncFetched(Generic[R]):
    """Reads what is there already, without a statement."""

    items: list[R]

    async def fetch_all(self) -> list[R]:
        """Return them all, in a new list."""
        return list(self.items)

    async def fetch_one(self) -> R | None:
        """Return the first, or ``None``."""
        return self.items[0] if self.items else None

    async def count(self) -> int:
        """Return how many there are."""
        return len(self.items)

    async def exists(self) -> bool:
        """Return whether there are any."""
        return bool(self.items)

    def __aiter__(self) -> AsyncIterator[R]:
        return each_of(self.fetch_all)

    def __iter__(self) -> Iterator[R]:
        return iter(list(self.items))

    def __len__(self) -> int:
        return len(self.items)


class AsyncPrefetchedResult(AsyncFetched[R], BasePrefetched[R, AsyncReverseQuery[R]]):
    """The objects that refer to one object, fetched already: verbs cost nothing.

    ``filter``, ``order``, ``limit`` and ``offset`` go back to the database.
    """

    lazy = AsyncReverseQuery


class AsyncReverseRelationship(
    ReverseRelationship[R, AsyncReverseQuery[R] | AsyncPrefetchedResult[R]]
):
    """The attribute ``author.books``; it appears when ``Book`` is declared.

    Declare it for type checkers; the value may be left out.

    Example:
        >>> class Author(AsyncBaseDBModel):
        ...     books: ClassVar[AsyncReverseRelationship["Book"]]
    """
