"""``fetch_annotated()``: rows with the aggregates of a query beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqliter.core.context import Context
from sqliter.core.statement import Memo, Row, Statement
from sqliter.exceptions import InvalidProjectionError
from sqliter.model.model import BaseDBModel
from sqliter.planning.frame import Reads
from sqliter.planning.groups import Output, frame_of, grouped, outputs_of, values_of
from sqliter.planning.reading import Reader
from sqliter.planning.select import memo_of
from sqliter.planning.spec import QuerySpec
from sqliter.sql.fragment import Fragment, join

__all__ = ["AnnotatedPlan", "AnnotatedRow", "plan_annotated"]

M = TypeVar("M", bound=BaseDBModel)


class AnnotatedRow(NamedTuple, Generic[M]):
    """A row, and what ``annotate()`` and ``with_count()`` say of it, by their names."""

    instance: M
    values: dict[str, Any]


AnnotatedRow.__module__ = "sqliter.query.annotated"  # where users import it from


class AnnotatedPlan(NamedTuple, Generic[M]):
    """A statement whose rows are an instance, and its aggregates."""

    statement: Statement
    reader: Reader[M]
    reads: Reads
    memo: Memo | None
    outputs: tuple[Output, ...]
    local: bool

    def load(self, rows: Sequence[Row], context: Context) -> list[AnnotatedRow[M]]:
        """Return an instance with its aggregates per row."""
        found = self.reader.load(rows, context.database)
        rest = [row[-len(self.outputs) :] for row in rows]
        values = values_of(self.outputs, rest, local=self.local)
        return [AnnotatedRow(*pair) for pair in zip(found, values, strict=True)]


def plan_annotated(spec: QuerySpec[M], context: Context) -> AnnotatedPlan[M]:
    """Plan fetching rows, each a group of its own, with the aggregates of that."""
    spec = _by_row(spec)
    frame, local = frame_of(spec), context.settings.return_local_time
    outputs = outputs_of(spec, frame)
    reader: Reader[M] = Reader(spec, frame, local=local, rest=len(outputs))
    columns = [Fragment(reader.columns), *(each.sql for each in outputs)]
    statement = grouped(spec, frame, join(", ", columns))
    memo = memo_of(
        spec, ("annotated", reader.fields, repr(statement)), frame.reads, context
    )
    return AnnotatedPlan(statement, reader, frame.reads, memo, outputs, local)


def _by_row(spec: QuerySpec[M]) -> QuerySpec[M]:
    """Return the query with groups that are rows, or raise."""
    pk = spec.table.pk
    if not spec.aggregates:
        text = "fetch_annotated() gives aggregates of rows: annotate() or with_count()"
    elif spec.grouped or (spec.group_by and pk not in spec.group_by):
        text = "fetch_annotated() gives rows, not groups: use fetch_dicts() instead"
    else:
        return spec.but(group_by=spec.group_by or (pk,))
    raise InvalidProjectionError(text)
