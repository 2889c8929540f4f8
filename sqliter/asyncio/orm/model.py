"""``AsyncBaseDBModel``: a model whose relations are awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from sqliter.asyncio.orm.awaited import AWAITED
from sqliter.orm.model import BaseDBModel

__all__ = ["AsyncBaseDBModel"]


class AsyncBaseDBModel(BaseDBModel):
    """Base of models with relations, for ``AsyncSqliterDB``.

    Example:
        >>> class Author(AsyncBaseDBModel):
        ...     name: str
    """

    if not TYPE_CHECKING:
        __handles__ = AWAITED

    async def fetch(self) -> Self:
        """Return this object: ``await book.author.fetch()`` works, loaded or not."""
        return self
