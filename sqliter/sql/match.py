"""What people type into a search field, as an expression of FTS5."""

from __future__ import annotations

import re

__all__ = ["NOTHING", "typed"]

NOTHING = '""'
"""The expression that no row matches."""

_PART = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))(\*?)')
_UNBINDABLE = re.compile(
    "[\0\ud800-\udfff]"
)  # FTS5 reads up to NUL; UTF-8 has no halves


def typed(text: str) -> str:
    """Return the expression for typed text; FTS5 understands it, whatever was typed.

    Rows must have all words and ``"quoted phrases"``, and none with a ``-`` before it;
    ``*`` at the end is any rest of a word. Everything else is literal. Where nothing is
    looked for, nothing is found.
    """
    wanted, unwanted = list[str](), list[str]()
    for minus, phrase, word, star in _PART.findall(_UNBINDABLE.sub(" ", text)):
        literal = phrase or word.rstrip("*")
        if literal.strip():
            is_prefix = star or word.endswith("*")
            parts = unwanted if minus else wanted
            parts.append(f'"{literal}"{"*" if is_prefix else ""}')
    if not wanted:
        return NOTHING
    # Side by side, not joined by AND: FTS5 then leaves out what has no letters at all.
    all_of = " ".join(dict.fromkeys(wanted))
    if not unwanted:
        return all_of
    # One NOT of many, not many of one: FTS5 limits how deep an expression may be.
    return f"({all_of}) NOT ({' OR '.join(dict.fromkeys(unwanted))})"
