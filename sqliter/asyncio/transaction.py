"""Blocks with options: ``async with db.transaction(...):``."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar, Unpack

from sqliter.core.scopes import BlockOptions, Scope
from sqliter.exceptions import TransactionError

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
        self._entered: list[Scope] = []

    async def __aenter__(self) -> D:
        scope = await self._engine.enter(self._engine.mode(**self._options))
        self._entered.append(scope)
        return self._db

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._entered:
            msg = "this block was never entered, or was left already"
            raise TransactionError(msg)
        scope = await self._engine.leave(keep=kind is None, entered=self._entered)
        self._entered.remove(scope)
