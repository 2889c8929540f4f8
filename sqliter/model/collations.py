"""Collations: the ways in which SQLite compares texts."""

from __future__ import annotations

from sqliter.model.codecs import Codec

__all__ = ["checked_collation", "holds_text"]

_KNOWN = ("BINARY", "NOCASE", "RTRIM")  # to every program


def checked_collation(name: object) -> str:
    """Return the name of a collation of SQLite; raises ``ValueError`` for others."""
    if not isinstance(name, str) or name.upper() not in _KNOWN:
        msg = f"collate must be one of {', '.join(_KNOWN)}, not {name!r}"
        raise ValueError(msg)
    return name.upper()


def holds_text(codec: Codec) -> bool:
    """Whether texts are kept as they are, so that a collation says how they compare."""
    kinds = (*codec.writes, *codec.reads)
    return codec.decode is None and kinds == (str, str)
