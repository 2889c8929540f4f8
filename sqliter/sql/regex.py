"""Regular expressions as they travel to the function of SQL that searches for them."""

from __future__ import annotations

import functools
import re

__all__ = ["matches", "packed"]

_ERRORS = (re.error, OverflowError, RecursionError)


def packed(pattern: str, *, ignores_case: bool) -> str:
    """Return what stands before the text in the argument of the function.

    Raises ``ValueError`` for a pattern that is none.
    """
    case = "i" if ignores_case else "c"
    try:
        _compiled(case, pattern)
    except _ERRORS as error:
        msg = f"{pattern!r} is no regular expression: {error}"
        raise ValueError(msg) from error
    return f"{case}{len(pattern)}:{pattern}"


def matches(argument: str) -> bool:
    """Whether the pattern is found in the text behind it."""
    head, _, rest = argument.partition(":")
    size = int(head[1:])
    # Not as the start of the search: "^" means the start of the text.
    return _compiled(head[0], rest[:size]).search(rest[size:]) is not None


@functools.lru_cache(256)
def _compiled(case: str, pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE if case == "i" else 0)
