"""Blocks with options: ``async with db.transaction(...):``."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar, Unpack

from sqliter.core.scopes import BlockOptions

if TYPE_CHECKING:
    from sqliter.engines.awaiting import AwaitingEngine

__all__ = ["AsyncTransaction"]

D = TypeVar("D")


class AsyncTransaction(Generic[D]):
    """A block of one database; made by ``db.transaction()``, may be used again."""

    def __init__(
        self, db: D, engine: AwaitingEngine, **options: Unpack[BlockOptions]
    ) -> None:
        self._db = db
        self._engine = engine
        self._options = options

    async def __aenter__(self) -> D:
        await self._engine.enter(self._engine.mode(**self._options))
        return self._db

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._engine.leave(keep=kind is None)
