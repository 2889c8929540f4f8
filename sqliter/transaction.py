"""Blocks with options: ``with db.transaction(...):``."""

from __future__ import annotations

from types import TracebackType
from typing import Generic, TypeVar, Unpack

from sqliter.core.scopes import BlockOptions
from sqliter.engines.blocking import BlockingEngine

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

    def __enter__(self) -> D:
        self._engine.enter(self._engine.mode(**self._options))
        return self._db

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._engine.leave(keep=kind is None)
