"""A piece of SQL with the values of its placeholders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqliter.core.statement import Value


class Fragment(NamedTuple):
    """SQL text, and a value for each ``?`` in it."""

    sql: str
    params: tuple[Value, ...] = ()


def join(separator: str, fragments: Iterable[Fragment]) -> Fragment:
    """Return the fragments one after another."""
    parts = list(fragments)
    params = [value for part in parts for value in part.params]
    return Fragment(separator.join(part.sql for part in parts), tuple(params))
