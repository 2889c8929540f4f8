"""``Prefetch``: what to fetch along a path, and how much of it."""

from __future__ import annotations

from typing import Any, Protocol

from sqliter.exceptions import InvalidPrefetchError
from sqliter.model.table import Table
from sqliter.planning.paths import prefetch_nodes
from sqliter.planning.spec import PrefetchNode, QuerySpec

__all__ = ["Prefetch", "as_prefetch"]


class Query(Protocol):
    """A query builder, as far as its question goes."""

    @property
    def spec(self) -> QuerySpec[Any]: ...


class Prefetch:
    """A path for ``prefetch_related`` with a query for the rows at its end.

    The query may filter, order, and fetch further relations along. Its limit and
    offset count for each owner.

    Example:
        >>> newest = db.select(Book).order("-year").limit(3)
        >>> db.select(Author).prefetch_related(Prefetch("books", newest)).fetch_all()
    """

    def __init__(self, path: str, query: Query | None = None) -> None:
        if query is not None and not hasattr(query, "spec"):
            msg = f"a query is made by db.select(...), not {type(query).__name__}"
            raise TypeError(msg)
        self.path = path
        self._query = None if query is None else query.spec

    def __repr__(self) -> str:
        return f"Prefetch({self.path!r})"

    def added_to(
        self, nodes: tuple[PrefetchNode, ...], table: Table
    ) -> tuple[PrefetchNode, ...]:
        """Return the nodes with this path; raises ``InvalidPrefetchError``."""
        query = self._query
        found = prefetch_nodes(nodes, table, self.path, query)
        if query is not None:
            self._check(found, query)
        return found

    def _check(self, nodes: tuple[PrefetchNode, ...], query: QuerySpec[Any]) -> None:
        *_, last = self.path.split("__")
        node = _find(nodes, self.path)
        expected = node.relation.target_table
        if query.table is not expected or query.is_projection:
            text = (
                f"Invalid prefetch query for '{self.path}': it must be a query over "
                f"{expected.model.__name__}, without groups"
            )
            model = node.relation.owner.__name__
            raise InvalidPrefetchError(self.path, last, model, message=text)


Prefetch.__module__ = "sqliter.orm"  # where users import it from


def as_prefetch(path: object) -> Prefetch:
    """Return a path as a ``Prefetch``; ``TypeError`` for what is none."""
    if isinstance(path, Prefetch):
        return path
    if not isinstance(path, str):
        msg = f"a path is a string like 'books__tags', or a Prefetch, not {path!r}"
        raise TypeError(msg)
    return Prefetch(path)


def _find(nodes: tuple[PrefetchNode, ...], path: str) -> PrefetchNode:
    head, _, rest = path.partition("__")
    node = next(each for each in nodes if each.relation.name == head)
    return _find(node.children, rest) if rest else node
