"""The rows of a query one by one, fetched in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeVar

from sqliter.core.asked import Runner
from sqliter.core.context import Context
from sqliter.model.model import BaseDBModel
from sqliter.operations import select
from sqliter.planning.spec import QuerySpec

__all__ = ["Database", "each_row"]

M = TypeVar("M", bound=BaseDBModel)


class Database(Runner, Protocol):
    """What a query needs of a blocking database object."""

    @property
    def context(self) -> Context: ...


def each_row(
    db: Database, spec: QuerySpec[M], size: int, seconds: float | None
) -> Iterator[M]:
    """Yield every row as an instance, with what is prefetched for its batch."""
    question = db.run(select.streamed(spec, db.context), seconds)
    part = select.part_of(spec, size)
    for found in db.stream(question, size, part, seconds):
        if spec.prefetch:
            db.run(select.complete(found, spec, db.context), seconds)
        yield from found
