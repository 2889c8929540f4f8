"""``search("typed text")``: rows whose text matches, and how well it does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from sqliter.exceptions import InvalidSearchError
from sqliter.model.search import SearchIndex, needed_index_of
from sqliter.model.table import Table
from sqliter.planning.frame import Beside, Frame, Path
from sqliter.sql.fragment import Fragment
from sqliter.sql.match import NOTHING, typed

__all__ = ["Matches", "matching"]


class Matches(NamedTuple):
    """The row's text matches an expression of FTS5.

    ``given`` is what was searched for. A frame may have the row's entry of the index
    ``beside`` the row, which then knows its rank; else the condition is a sub-select.
    """

    beside: Beside
    expression: str
    given: str
    weights: str | None = None
    is_raw: bool = False
    paths: tuple[Path, ...] = ()
    is_own: bool = False  # it never is
    is_long: bool = False  # nor this

    @property
    def rank(self) -> str:
        """What the rows are ordered by, the best one first."""
        return f'{self.beside.alias}."rank"'

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        frame.reads.indexes.append(self.beside.index)
        alias, index = self.beside.alias, self.beside.index.sql
        sql, params = f"{alias}.{index} MATCH ?", [self.expression]
        if self.weights is not None:
            sql += f" AND {self.rank} MATCH ?"
            params.append(self.weights)
        if frame.beside == self.beside:
            return Fragment(sql, tuple(params))
        keys = f"SELECT {alias}.rowid FROM {index} AS {alias} WHERE {sql}"
        pk = f"{frame.prefix(())}{frame.table.pk.sql}"
        return Fragment(f"{pk} IN ({keys})", tuple(params))

    def described(self) -> Iterator[tuple[str, Any, str]]:
        """Yield it as ``(field, value, operator)``."""
        yield self.beside.index.name, self.given, "__match"


def matching(
    table: Table,
    conditions: Iterable[object],
    text: object,
    weights: Mapping[str, float] | None,
    *,
    raw: bool,
) -> Matches:
    """Return the condition for a text, beside those that a query has already.

    Raises ``InvalidSearchError`` for models and fields that are not searched, and for
    impossible weights; ``TypeError`` for what is no text.
    """
    index = needed_index_of(table)
    if not isinstance(text, str):
        msg = f"search() takes a text, not {type(text).__name__}"
        raise TypeError(msg)
    earlier = sum(isinstance(each, Matches) for each in conditions)
    beside = Beside(index, f'"_match{earlier}"')
    expression = _checked(text) if raw else typed(text)
    rank = None if weights is None else _bm25(index, weights)
    return Matches(beside, expression, text, rank, raw)


def _checked(text: str) -> str:
    """Return an expression in FTS5's own syntax, which reads up to the first NUL."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidSearchError(f"{text!r} is no text", original=error) from error
    if "\0" in text:
        raise InvalidSearchError(f"{text!r} has a NUL in it")
    return text if text.strip() else NOTHING


def _bm25(index: SearchIndex, weights: Mapping[str, float]) -> str:
    values = dict.fromkeys((column.field for column in index.columns), 1.0)
    for field, weight in weights.items():
        index.place_of(field)
        if not _is_weight(weight):
            msg = f"the weight of '{field}' must be a number from 0 on, not {weight!r}"
            raise InvalidSearchError(msg)
        values[field] = weight
    # FTS5 reads no exponents.
    texts = (format(Decimal(repr(float(value))), "f") for value in values.values())
    return f"bm25({', '.join(texts)})"


def _is_weight(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value >= 0 and math.isfinite(value)
