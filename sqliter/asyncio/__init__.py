"""The asyncio API: the same as the blocking one in everything but ``await``."""

from __future__ import annotations

from sqliter.asyncio.db import AsyncSqliterDB
from sqliter.asyncio.query import AsyncQueryBuilder

__all__ = ["AsyncQueryBuilder", "AsyncSqliterDB"]
