"""A lending library behind HTTP: FastAPI and ``AsyncSqliterDB``.

Run it with ``python -m uvicorn --factory examples.fastapi_app:create_app`` in a
checkout. Read ``models``, then ``books``; the README explains the choices.
"""

from __future__ import annotations

from .app import create_app

__all__ = ["create_app"]
