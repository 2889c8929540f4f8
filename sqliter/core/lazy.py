"""What is thought of lazy loads: fine, worth a word, or forbidden."""

from __future__ import annotations

import inspect
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sqliter.exceptions import LazyLoadError

__all__ = ["LazyLoads"]

_LIBRARY = f"{Path(__file__).parents[1]}{os.sep}"
_LOOP = 2  # loads from one place that look like a loop


class LazyLoads:
    """Watches foreign keys that are loaded one by one."""

    def __init__(self, warn: Callable[..., None]) -> None:
        self.are_forbidden = False
        self.are_watched = False
        self._warn = warn
        self._loads: Counter[tuple[str, str]] = Counter()

    def note(self, model: str, relation: str) -> None:
        """Take note of a load that is about to happen.

        Raises ``LazyLoadError`` where it is forbidden. Where it is watched, the
        second load from one place in the user's code is warned about, once.
        """
        if self.are_forbidden:
            raise LazyLoadError(f"{model}.{relation}")
        if not self.are_watched:
            return
        place = _place()
        self._loads[place, relation] += 1
        if self._loads[place, relation] == _LOOP:
            self._warn(
                "%s loads %s.%s row by row, a statement each: use "
                "select_related('%s') in the query",
                *(place, model, relation, relation),
            )


def _place() -> str:
    """Return where in the user's code the load was asked for."""
    frame = inspect.currentframe()
    assert frame is not None
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_LIBRARY):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
