"""The database: opened once, and what handlers get of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, TypeAlias, TypedDict

from fastapi import Depends, Request

from sqliter.asyncio import AsyncSqliterDB

from .models import TABLES

__all__ = ["Database", "State", "Transaction", "opened"]


class State(TypedDict):
    """What requests share."""

    db: AsyncSqliterDB


@asynccontextmanager
async def opened(
    filename: str | Path, busy_timeout: float
) -> AsyncIterator[AsyncSqliterDB]:
    """Open the database with all its tables; close it at the end."""
    db = AsyncSqliterDB(filename, busy_timeout=busy_timeout)
    try:
        for model in TABLES:
            await db.create_table(model)
        yield db
    finally:
        await db.close()


async def _database(request: Request) -> AsyncSqliterDB:
    db: AsyncSqliterDB = request.state.db
    return db


Database: TypeAlias = Annotated[AsyncSqliterDB, Depends(_database)]
"""For handlers that read."""


async def _transaction(db: Database) -> AsyncIterator[AsyncSqliterDB]:
    async with db:
        yield db


# Scope "function" commits before the response is sent: a client that has its answer
# can rely on it, one that reads slowly keeps nobody waiting.
Transaction: TypeAlias = Annotated[
    AsyncSqliterDB, Depends(_transaction, scope="function")
]
"""For handlers that write: one transaction, undone if the handler raises."""
