"""Whoever asks for something: a task of an event loop, or a thread."""

from __future__ import annotations

from typing import Any, TypeAlias

Asker: TypeAlias = Any
"""An ``asyncio.Task``, a ``threading.Thread``, ``None`` for a callback, or a name.

The classes are not named here: a program without an event loop imports none.
"""


def name_of(asker: Asker) -> str:
    """Return what messages call it."""
    if isinstance(asker, str):
        return asker
    if hasattr(asker, "get_name"):
        return f"task {asker.get_name()!r}"
    return "a callback" if asker is None else f"thread {asker.name!r}"
