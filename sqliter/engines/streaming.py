"""Rows fetched bit by bit, from a state of the database that does not change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Generic, TypeVar

from sqliter.core.asked import Question
from sqliter.core.statement import Row
from sqliter.core.stop import Stop
from sqliter.engines.connections import Connections

R = TypeVar("R")
T = TypeVar("T")


class Stream(Generic[R]):
    """What one question gives, bit by bit, on a reader of its own.

    They may be asked for by one thread after another.
    """

    def __init__(
        self, connections: Connections, question: Question[list[R]], stop: Stop
    ) -> None:
        self._connections = connections
        self._question = question
        self._stop = stop
        self._connection = connections.lend(stop)
        self._cursor: sqlite3.Cursor | None = None

    def next(self, size: int) -> list[Row]:
        """Return the next rows; there are none when there is nothing left."""
        with self._question.failure, self._connection.working(self._stop):
            self._stop.check()
            if self._cursor is None:
                self._cursor = self._connection.open_cursor(self._question.statement)
            return self._connection.fetch_some(self._cursor, size)

    def load(self, rows: list[Row]) -> list[R]:
        """Return the instances."""
        with self._question.failure:
            return self._question.load(rows)

    def close(self) -> None:
        """Let others have the reader."""
        if self._cursor is not None:
            self._cursor.close()
        self._connections.take_back(self._connection)


def batches(found: list[T], size: int) -> Iterator[list[T]]:
    """Cut what is there already into batches."""
    for start in range(0, len(found), size):
        yield found[start : start + size]
