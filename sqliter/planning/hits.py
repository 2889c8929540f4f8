"""``fetch_hits()``: rows with what a search says about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqliter.core.context import Context
from sqliter.core.statement import Memo, Row, Statement
from sqliter.exceptions import InvalidSearchError
from sqliter.model.model import BaseDBModel
from sqliter.model.search import SearchIndex
from sqliter.planning.frame import Beside, Reads
from sqliter.planning.reading import Reader
from sqliter.planning.select import memo_of, rows_of
from sqliter.planning.spec import QuerySpec
from sqliter.sql.fragment import Fragment, join

__all__ = ["Hit", "HitPlan", "Marks", "plan_hits"]

M = TypeVar("M", bound=BaseDBModel)

MOST_WORDS = 64  # of FTS5


class Hit(NamedTuple, Generic[M]):
    """What a search found: the instance, how well it matches, and where.

    ``rank`` is FTS5's: the lower, the better. ``texts`` are the fields asked for, with
    the words that were found marked; ``None`` where the field is.
    """

    instance: M
    rank: float
    texts: dict[str, str | None]


Hit.__module__ = "sqliter.query.search"  # where users import it from


class Marks(NamedTuple):
    """Which fields are shown, what is put around words, and how many words at most."""

    fields: tuple[str, ...]
    before: str
    after: str
    words: int | None

    def check(self, index: SearchIndex) -> None:
        """Raise for fields that are not searched, and what is no number of words."""
        for field in self.fields:
            index.place_of(field)
        _check_text(self.before)
        _check_text(self.after)
        if self.words is None:
            return
        if type(self.words) is not int or not 1 <= self.words <= MOST_WORDS:
            msg = f"words must be from 1 to {MOST_WORDS}, or None for all of the text"
            raise ValueError(msg)

    def rendered(self, beside: Beside) -> list[Fragment]:
        """Return the SQL of each field."""
        entry = f"{beside.alias}.{beside.index.sql}"
        marks = (self.before, self.after)
        places = map(beside.index.place_of, self.fields)
        if self.words is None:
            return [Fragment(f"highlight({entry}, {n}, ?, ?)", marks) for n in places]
        params = (*marks, "…", self.words)
        return [Fragment(f"snippet({entry}, {n}, ?, ?, ?, ?)", params) for n in places]


class HitPlan(NamedTuple, Generic[M]):
    """A statement whose rows are an instance, its rank, and the fields shown."""

    statement: Statement
    reader: Reader[M]
    reads: Reads
    memo: Memo | None
    fields: tuple[str, ...]

    def load(self, rows: Sequence[Row], context: Context) -> list[Hit[M]]:
        """Return a hit per row."""
        found = self.reader.load(rows, context.database)
        size = len(self.fields)
        return [
            Hit(each, *self._rest(row[-size - 1 :]))
            for each, row in zip(found, rows, strict=True)
        ]

    def _rest(self, values: Any) -> tuple[float, dict[str, str | None]]:
        rank, *texts = values
        return rank, dict(zip(self.fields, texts, strict=True))


def plan_hits(spec: QuerySpec[M], marks: Marks, context: Context) -> HitPlan[M]:
    """Plan fetching what the last search of a query found."""
    search = spec.search
    if search is None:
        msg = "fetch_hits() shows what was found: call search() before"
        raise InvalidSearchError(msg)
    marks.check(search.beside.index)
    spec = spec.ranked()
    frame = spec.frame(spec.loaded, beside=search.beside)
    rest = 1 + len(marks.fields)
    reader = Reader(spec, frame, local=context.settings.return_local_time, rest=rest)
    columns = [Fragment(reader.columns), Fragment(search.rank)]
    columns += marks.rendered(search.beside)
    fragment = rows_of(spec, frame, join(", ", columns))
    memo = memo_of(spec, ("hits", marks, reader.fields), frame.reads, context)
    return HitPlan(Statement(*fragment), reader, frame.reads, memo, marks.fields)


def _check_text(mark: object) -> None:
    if not isinstance(mark, str):
        msg = f"what marks words must be a text, not {type(mark).__name__}"
        raise TypeError(msg)
