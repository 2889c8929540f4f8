"""``AsyncManyToMany``: ``article.tags``, awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Any, Self

from typing_extensions import TypeVar

from sqliter.asyncio.iteration import each_of
from sqliter.asyncio.orm.query import AsyncFetched
from sqliter.asyncio.query import AsyncQueryBuilder
from sqliter.model.model import BaseDBModel
from sqliter.operations import links
from sqliter.orm.links import BaseManager, BasePrefetchedLinks
from sqliter.orm.m2m import ManyToMany, ReverseManyToMany
from sqliter.orm.query import HasPKAndContext

__all__ = [
    "AsyncManyToMany",
    "AsyncManyToManyManager",
    "AsyncPrefetchedM2MResult",
    "AsyncRelatedQueryBuilder",
    "AsyncReverseManyToMany",
    "HasPKAndContext",
]

R = TypeVar("R", bound=BaseDBModel, default=Any)


class AsyncRelatedQueryBuilder(AsyncQueryBuilder[R]):
    """A query over linked objects. It may be awaited itself, and gives itself.

    So ``article.tags.filter(...)`` works with and without ``await``.
    """

    def __await__(self) -> Generator[Any, Any, Self]:
        yield from ()  # there is nothing to wait for
        return self


class AsyncManyToManyManager(BaseManager[R, AsyncRelatedQueryBuilder[R]]):
    """The objects linked to one object: ``article.tags``.

    Each of the verbs that write is all or nothing; arguments are checked first.
    Reading without a database, or a key, gives nothing; writing raises
    ``ManyToManyIntegrityError``.

    Example:
        >>> await article.tags.add(python, sqlite)
        >>> await article.tags.filter(name__startswith="p").fetch_all()
    """

    builder = AsyncRelatedQueryBuilder
    is_async = True

    async def fetch_all(self) -> list[R]:
        """Return them all."""
        return await self.rows.fetch_all() if self.can_ask else []

    async def fetch_one(self) -> R | None:
        """Return the first, or ``None``."""
        return await self.rows.fetch_one() if self.can_ask else None

    async def count(self) -> int:
        """Return how many there are."""
        if not self.can_ask:
            return 0
        found: int = await self.db_context.run(links.count(self.links, self.context))
        return found

    async def exists(self) -> bool:
        """Return whether there are any."""
        return await self.count() > 0

    async def add(self, *instances: R) -> None:
        """Link these, too; those that are linked stay so.

        Raises ``ForeignKeyLinkError`` for an object that is gone, ``TypeError`` for
        one of another model, ``JunctionTableError`` when SQLite fails.
        """
        own, keys = self.links, self.keys_of(instances)
        await self.db_context.run(links.add(own, keys, self.context))
        self.forget(instances)

    async def remove(self, *instances: R) -> None:
        """Unlink these; those that are not linked do not matter."""
        own, keys = self.links, self.saved_keys_of(instances)
        await self.db_context.run(links.remove(own, keys, self.context))
        self.forget(instances)

    async def clear(self) -> None:
        """Unlink all."""
        own, gone = self.links, self.known()
        await self.db_context.run(links.clear(own, self.context))
        self.forget(gone)

    async def set(self, *instances: R) -> None:
        """Have exactly these linked."""
        own, keys, before = self.links, self.keys_of(instances), self.known()
        await self.db_context.run(links.replace(own, keys, self.context))
        self.forget([*before, *instances])

    def __aiter__(self) -> AsyncIterator[R]:
        return each_of(self.fetch_all)


class AsyncPrefetchedM2MResult(
    AsyncFetched[R],
    BasePrefetchedLinks[R, AsyncManyToManyManager[R], AsyncRelatedQueryBuilder[R]],
):
    """The objects linked to one object, fetched already: reading costs nothing.

    Writing goes through the manager, which fetches the objects anew in the same
    transaction.
    """

    async def add(self, *instances: R) -> None:
        """Link these, too."""
        await self.manager.add(*instances)

    async def remove(self, *instances: R) -> None:
        """Unlink these."""
        await self.manager.remove(*instances)

    async def clear(self) -> None:
        """Unlink all."""
        await self.manager.clear()

    async def set(self, *instances: R) -> None:
        """Have exactly these linked."""
        await self.manager.set(*instances)


class AsyncManyToMany(
    ManyToMany[R, AsyncManyToManyManager[R] | AsyncPrefetchedM2MResult[R]]
):
    """A many-to-many relation; takes what ``sqliter.orm.ManyToMany`` takes.

    Example:
        >>> class Article(AsyncBaseDBModel):
        ...     title: str
        ...     tags: AsyncManyToMany[Tag] = AsyncManyToMany(Tag)
    """


class AsyncReverseManyToMany(
    ReverseManyToMany[R, AsyncManyToManyManager[R] | AsyncPrefetchedM2MResult[R]]
):
    """The attribute ``tag.articles``; it appears when ``Article`` is declared.

    Declare it for type checkers; the value may be left out.

    Example:
        >>> class Tag(AsyncBaseDBModel):
        ...     articles: ClassVar[AsyncReverseManyToMany["Article"]]
    """
