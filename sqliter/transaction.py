"""Blocks with options: ``with db.transaction(...):``."""

from __future__ import annotations

from types import TracebackType
from typing import Generic, TypeVar, Unpack

from sqliter.core.scopes import BlockOptions, Scope
from sqliter.engines.blocking import BlockingEngine
from sqliter.exceptions import TransactionError

__all__ = ["Transaction"]

D = TypeVar("D")


class Transaction(Generic[D]):
    """A block of one database; made by ``db.transaction()``, may be used again."""

    def __init__(
        self, db: D, engine: BlockingEngine, **options: Unpack[BlockOptions]
    ) -> None:
        self._db = db
        self._engine = engine
        self._options = options
        self._entered: list[Scope] = []

    def __enter__(self) -> D:
        scope = self._engine.enter(self._engine.mode(**self._options))
        self._entered.append(scope)
        return self._db

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._entered:
            msg = "this block was never entered, or was left already"
            raise TransactionError(msg)
        scope = self._engine.leave(keep=kind is None, entered=self._entered)
        self._entered.remove(scope)
