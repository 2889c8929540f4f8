"""The blocking query builder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, overload

from sqliter.core.page import KeysetPage, Page
from sqliter.model.model import BaseDBModel
from sqliter.operations import (
    annotated,
    bulk,
    columns,
    returning,
    search,
    select,
)
from sqliter.planning.annotated import AnnotatedRow
from sqliter.planning.hits import Hit, Marks
from sqliter.query.base import BATCH, BaseQuery, FilterValue
from sqliter.query.checks import checked_batch, checked_keyset
from sqliter.query.iteration import Database, each_row
from sqliter.query.naming import assigned, wanted
from sqliter.terms.attribute import Attribute
from sqliter.terms.term import Term

__all__ = ["FilterValue", "QueryBuilder"]

M = TypeVar("M", bound=BaseDBModel)
T = TypeVar("T")


class QueryBuilder(BaseQuery[M, Database]):
    """A query; made by ``db.select(Model)``, answered by the verbs below.

    Verbs raise ``RecordFetchError`` when SQLite fails or a row does not fit its
    model, and never change the builder.

    Example:
        >>> db.select(User).filter(age__gte=18).order("name").limit(10).fetch_all()
    """

    def __iter__(self) -> Iterator[M]:
        return iter(self.fetch_all())

    def iterate(self, batch: int = BATCH) -> Iterator[M]:
        """Yield every row as an instance, fetching so many at a time.

        Memory stays as small as a batch, whatever the number of rows. All of them are
        of the same state of the database, whatever is written meanwhile; inside a
        block, and in memory, the rows are therefore fetched at once. Prefetches are
        done per batch. A reader is in use until the end, or until the iterator is
        closed. Raises ``ValueError`` for a batch below 1.

        Example:
            >>> for user in db.select(User).iterate():
            ...     print(user.name)
        """
        return each_row(
            self.db, self._rows("iterate"), checked_batch(batch), self._seconds
        )

    def fetch_all(self) -> list[M]:
        """Return every row as an instance."""
        return self.db.run(
            select.fetch_all(self._rows("fetch_all"), self.db.context), self._seconds
        )

    def fetch_one(self) -> M | None:
        """Return the first row the query gives, or ``None``."""
        return self.db.run(
            select.fetch_one(self._rows("fetch_one"), self.db.context), self._seconds
        )

    def fetch_first(self) -> M | None:
        """Return the first row in the query's order (by ``pk`` if it has none)."""
        return self.db.run(
            select.fetch_first(self._rows("fetch_first"), self.db.context),
            self._seconds,
        )

    def fetch_last(self) -> M | None:
        """Return the last row in the query's order (by ``pk`` if it has none)."""
        return self.db.run(
            select.fetch_last(self._rows("fetch_last"), self.db.context), self._seconds
        )

    def fetch_dicts(self) -> list[dict[str, Any]]:
        """Return a dict per group: grouped fields, then aggregates."""
        return self.db.run(
            columns.groups(self._groups("fetch_dicts"), self.db.context), self._seconds
        )

    def fetch_annotated(self) -> list[AnnotatedRow[M]]:
        """Return every row as an instance, with its aggregates in ``values``.

        For ``with_count()``, and ``annotate()`` without ``group_by()``: each row is a
        group of its own. Raises ``InvalidProjectionError`` for other groups, filters
        along foreign keys, and ``select_related()``; prefetches are done.

        Example:
            >>> rows = db.select(Author).with_count("books").fetch_annotated()
            >>> rows[0].instance.name, rows[0].values["count"]
        """
        return self.db.run(
            annotated.fetch_annotated(self._groups("fetch_annotated"), self.db.context),
            self._seconds,
        )

    def fetch_hits(
        self,
        *fields: str,
        before: str = "<b>",
        after: str = "</b>",
        words: int | None = None,
    ) -> list[Hit[M]]:
        """Return what ``search()`` found, with the words marked in these fields.

        ``words`` cuts each text to so many (at most 64) around those found, else it is
        whole. Raises ``InvalidSearchError`` without a search, and for other fields.

        Example:
            >>> hits = db.select(Note).search("sea").fetch_hits("text", words=8)
            >>> hits[0].instance, hits[0].rank, hits[0].texts["text"]
        """
        return self.db.run(
            search.fetch_hits(
                self._rows("fetch_hits"),
                Marks(fields, before, after, words),
                self.db.context,
            ),
            self._seconds,
        )

    def count(self) -> int:
        """Return how many rows the query gives; limit and offset count."""
        return self.db.run(
            select.count(self._rows("count"), self.db.context), self._seconds
        )

    def exists(self) -> bool:
        """Return whether the query gives any row."""
        return self.db.run(
            select.exists(self._rows("exists"), self.db.context), self._seconds
        )

    def values(
        self, *names: Any, distinct: bool = False, **expressions: Any
    ) -> list[dict[str, Any]]:
        """Return these fields of every row as dicts; all fields if none is named.

        Names may go along foreign keys (``"author__name"``); expressions are given
        under the names of theirs. ``distinct`` leaves out repetitions. Raises
        ``ValueError`` for unknown names.

        Example:
            >>> db.select(User).values("name", length=func.length(User.name))
            [{'name': 'Ann', 'length': 3}]
        """
        return self.db.run(
            columns.dicts(
                self._rows("values"),
                wanted(self.model_class, names, expressions),
                self.db.context,
                distinct=distinct,
            ),
            self._seconds,
        )

    def tuples(self, *wanted: Any, distinct: bool = False) -> list[tuple[Any, ...]]:
        """Return these fields and expressions of every row; see ``values``."""
        return self.db.run(
            columns.tuples(
                self._rows("tuples"), wanted, self.db.context, distinct=distinct
            ),
            self._seconds,
        )

    @overload
    def scalars(self, wanted: Attribute[T], *, distinct: bool = ...) -> list[T]: ...
    @overload
    def scalars(self, wanted: str, *, distinct: bool = ...) -> list[Any]: ...
    @overload
    def scalars(self, wanted: Term[Any], *, distinct: bool = ...) -> list[Any]: ...
    @overload
    def scalars(self, wanted: T, *, distinct: bool = ...) -> list[T]: ...
    def scalars(self, wanted: Any, *, distinct: bool = False) -> list[Any]:
        """Return one field, or expression, of every row; see ``values``.

        Example:
            >>> db.select(User).order("name").scalars("name")
            ['Ann', 'Bob']
        """
        return self.db.run(
            columns.scalars(
                self._rows("scalars"), wanted, self.db.context, distinct=distinct
            ),
            self._seconds,
        )

    def sum(self, wanted: Any) -> Any:
        """Add the values of a field, or an expression, up; ``None`` if there are none.

        As all aggregates: NULLs do not count, limit and offset do. Raises
        ``ValueError`` for an unknown name.
        """
        return self.db.run(
            columns.aggregate(self._rows("sum"), "SUM", wanted, self.db.context),
            self._seconds,
        )

    def avg(self, wanted: Any) -> Any:
        """Return the mean of a field; ``None`` if there are no values."""
        return self.db.run(
            columns.aggregate(self._rows("avg"), "AVG", wanted, self.db.context),
            self._seconds,
        )

    def min(self, wanted: Any) -> Any:
        """Return the smallest value of a field; ``None`` if there is none."""
        return self.db.run(
            columns.aggregate(self._rows("min"), "MIN", wanted, self.db.context),
            self._seconds,
        )

    def max(self, wanted: Any) -> Any:
        """Return the greatest value of a field; ``None`` if there is none."""
        return self.db.run(
            columns.aggregate(self._rows("max"), "MAX", wanted, self.db.context),
            self._seconds,
        )

    def paginate(self, page: int = 1, size: int = 20) -> Page[M]:
        """Return one page of the rows (the first is 1), and how many there are in all.

        In the order of the query, else by ``pk``. Raises ``ValueError`` below 1, and
        for a query with a limit or an offset.

        Example:
            >>> page = db.select(User).order("name").paginate(2, size=50)
            >>> page.items, page.total, page.pages, page.has_next
        """
        return self.db.run(
            select.page(*self._page(page, size), self.db.context), self._seconds
        )

    def page_after(self, cursor: str | None = None, size: int = 20) -> KeysetPage[M]:
        """Return the rows that come behind a cursor; the first ones for ``None``.

        In the order of the query, which must be one of fields, then by ``pk``. The page
        has the ``next_cursor``. Whatever is written between two pages, no row that
        stays where it is comes twice, or is left out. Raises ``InvalidCursorError``,
        ``InvalidOrderError``, and ``ValueError`` as ``paginate``.

        Example:
            >>> page = db.select(User).order("-age").page_after(None, size=50)
            >>> page = db.select(User).order("-age").page_after(page.next_cursor)
        """
        return self.db.run(
            select.page_after(
                checked_keyset(self._rows("page_after"), size),
                cursor,
                size,
                self.db.context,
            ),
            self._seconds,
        )

    def update(self, values: Mapping[Any, Any]) -> int:
        """Write these values to every matching row; return how many there were.

        The model validates the values (``InvalidUpdateError``); expressions are
        computed by SQLite, for each row. ``"meta__theme"`` sets a part of what is kept
        as JSON. ``updated_at`` is set unless given.
        Raises ``RecordUpdateError`` when SQLite refuses.
        """
        return self.db.run(
            bulk.update(
                self._changes("update"),
                assigned(self.model_class, values),
                self.db.context,
            ),
            self._seconds,
        )

    def delete(self) -> int:
        """Delete every matching row; return how many there were.

        Limit, offset and order are ignored. Raises ``RecordDeletionError``.
        """
        return self.db.run(
            bulk.delete(self._changes("delete"), self.db.context), self._seconds
        )

    def update_returning(self, values: Mapping[Any, Any]) -> list[M]:
        """Write these values to every matching row; return the rows as they are then.

        As ``update``, in the same statement; the rows come in no particular order.
        Raises ``ValueError`` with ``select_related()`` or ``prefetch_related()``.

        Example:
            >>> db.select(Job).filter(done=0).update_returning({"done": 1})
        """
        return self.db.run(
            returning.update(
                self._changes("update_returning"),
                assigned(self.model_class, values),
                self.db.context,
            ),
            self._seconds,
        )

    def delete_returning(self) -> list[M]:
        """Delete every matching row; return the rows as they were.

        As ``delete``, in the same statement; the rows come in no particular order.
        Raises ``ValueError`` with ``select_related()`` or ``prefetch_related()``.

        Example:
            >>> db.select(Session).filter(expires__lt=now).delete_returning()
        """
        return self.db.run(
            returning.delete(self._changes("delete_returning"), self.db.context),
            self._seconds,
        )

    def explain(self) -> list[str]:
        """Return SQLite's plan for the query, a line per step."""
        return self.db.run(
            select.explain(self._statement(), self._spec, self.db.context),
            self._seconds,
        )
