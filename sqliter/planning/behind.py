"""What comes behind a row, in an order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqliter.core.statement import Value
from sqliter.planning.frame import Frame, Path
from sqliter.sql.fragment import Fragment

__all__ = ["Behind", "Key"]


class Key(NamedTuple):
    """A column that rows are ordered by, at the end of a path.

    ``nulls_last``: it may be NULL, and then comes behind all values.
    """

    sql: str
    path: Path
    descending: bool
    nulls_last: bool


class Behind(NamedTuple):
    """The row comes behind the one that has these values.

    The last key must be unique and never NULL: it decides between equal rows. The
    paths are those of the order, so the condition asks for no joins of its own.
    """

    keys: tuple[Key, ...]
    values: tuple[Value, ...]
    paths: tuple[Path, ...] = ()
    is_own: bool = False  # it never is
    is_long: bool = False  # nor this

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        keys = [key._replace(sql=frame.prefix(key.path) + key.sql) for key in self.keys]
        return _behind(keys, self.values)

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield nothing: no user wrote it."""
        yield from ()


def _behind(keys: Sequence[Key], values: Sequence[Value]) -> Fragment:
    if _are_alike(keys, values):
        return _row_comparison(keys, values)
    (sql, _, descending, nulls_last), value = keys[0], values[0]
    then = _behind(keys[1:], values[1:])
    if value is None:
        text = f"IS NULL AND {then.sql}" if nulls_last else f"IS NOT NULL OR {then.sql}"
        return Fragment(f"({sql} {text})", then.params)
    after = "<" if descending else ">"
    params = (value, value, *then.params)
    if nulls_last:
        text = f"{sql} {after} ? OR {sql} IS NULL OR ({sql} = ? AND {then.sql})"
        return Fragment(f"({text})", params)
    # The first comparison says nothing new, but is one that an index can answer.
    return Fragment(f"({sql} {after}= ? AND ({sql} {after} ? OR {then.sql}))", params)


def _are_alike(keys: Sequence[Key], values: Sequence[Value]) -> bool:
    """Whether all run in one direction, with nothing but values behind these."""
    directions = {key.descending for key in keys}
    return len(directions) == 1 and not any(
        key.nulls_last or value is None for key, value in zip(keys, values, strict=True)
    )


def _row_comparison(keys: Sequence[Key], values: Sequence[Value]) -> Fragment:
    after = "<" if keys[0].descending else ">"
    if len(keys) == 1:
        return Fragment(f"{keys[0].sql} {after} ?", tuple(values))
    columns = ", ".join(key.sql for key in keys)
    marks = ", ".join("?" * len(keys))
    return Fragment(f"({columns}) {after} ({marks})", tuple(values))
