"""The driver's connection, for asyncio: a small awaitable one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqliter.engines.awaiting import AwaitingEngine

__all__ = ["AsyncConnection", "AsyncCursor"]


class AsyncCursor:
    """What a statement gave. All rows are there already."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._rows = iter(cursor.fetchall())
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid

    async def fetchone(self) -> Any:
        """Return the next row, or ``None``."""
        return next(self._rows, None)

    async def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        return list(self._rows)

    async def close(self) -> None:
        """Forget the rows that are left."""
        self._rows = iter(())


class AsyncConnection:
    """The connection that writes; statements take their turn with all other work.

    Errors of the driver come out as they are.
    """

    def __init__(self, engine: AwaitingEngine) -> None:
        self._engine = engine

    async def execute(self, sql: str, params: Iterable[Any] = ()) -> AsyncCursor:
        """Run one statement."""
        values = tuple(params)
        return await self._engine.on_writer(
            lambda raw: AsyncCursor(raw.execute(sql, values))
        )

    async def executemany(self, sql: str, rows: Iterable[Iterable[Any]]) -> AsyncCursor:
        """Run one statement for each row of values."""
        values = [tuple(row) for row in rows]
        return await self._engine.on_writer(
            lambda raw: AsyncCursor(raw.executemany(sql, values))
        )

    async def commit(self) -> None:
        """Commit what was begun on this connection."""
        await self._engine.on_writer(lambda raw: raw.commit())

    async def rollback(self) -> None:
        """Roll back what was begun on this connection."""
        await self._engine.on_writer(lambda raw: raw.rollback())
