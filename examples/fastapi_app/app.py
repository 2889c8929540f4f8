"""The application: the parts put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from sqliter.exceptions import SqliterError

from . import authors, books, readers
from .database import State, opened
from .errors import explain

__all__ = ["create_app"]


def create_app(
    filename: str | Path = "library.db", *, busy_timeout: float = 5.0
) -> FastAPI:
    """Return an application that keeps its library in a file."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with opened(filename, busy_timeout) as db:
            yield {"db": db}

    # One schema per model; what only the server writes is marked as readOnly in it.
    app = FastAPI(
        title="Library", lifespan=lifespan, separate_input_output_schemas=False
    )
    for noun in (authors, books, readers):
        app.include_router(noun.router)
    app.add_exception_handler(SqliterError, explain)
    return app
