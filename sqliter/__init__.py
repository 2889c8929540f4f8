"""SQLiter: an ORM for SQLite on Pydantic v2, blocking and asyncio alike."""

from __future__ import annotations

from sqliter.core.events import StatementEvent
from sqliter.sqliter import SqliterDB

__all__ = ["SqliterDB", "StatementEvent"]
