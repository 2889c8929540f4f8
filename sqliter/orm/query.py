"""The other side of a foreign key: ``author.books``, lazy or prefetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, Protocol, runtime_checkable

from typing_extensions import TypeVar

from sqliter.model.model import BaseDBModel
from sqliter.model.relations import Relation, ReverseKey
from sqliter.orm.accessors import ToManyAccessor
from sqliter.orm.handles import Handles
from sqliter.orm.reverse import BasePrefetched, BaseReverse
from sqliter.query.query import QueryBuilder

__all__ = [
    "HasPKAndContext",
    "PrefetchedResult",
    "ReverseQuery",
    "ReverseRelationship",
]

R = TypeVar("R", bound=BaseDBModel, default=Any)


@runtime_checkable
class HasPKAndContext(Protocol):
    """Anything with a key, and a database it came from."""

    pk: int | None
    db_context: Any


class Listed(Generic[R]):
    """Iterates over what a verb fetches."""

    _length: int | None = None

    def fetch_all(self) -> list[R]:
        """Return them all."""
        raise NotImplementedError

    def count(self) -> int:
        """Return how many there are."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[R]:
        found = self.fetch_all()
        self._length = len(found)  # ``list()`` asks next: it costs no statement
        return iter(found)

    def __len__(self) -> int:
        length, self._length = self._length, None
        return self.count() if length is None else length


class ReverseQuery(Listed[R], BaseReverse[R, QueryBuilder[R]]):
    """The objects that refer to one object; asked of the database.

    ``filter``, ``order``, ``limit`` and ``offset`` give new queries. Without a
    database, or a key, there are none.

    Example:
        >>> author.books.filter(year__gt=2000).order("-year").fetch_all()
    """

    builder = QueryBuilder

    def fetch_all(self) -> list[R]:
        """Return them all."""
        return self.query.fetch_all() if self.can_ask else []

    def fetch_one(self) -> R | None:
        """Return the first, or ``None``."""
        return self.query.fetch_one() if self.can_ask else None

    def count(self) -> int:
        """Return how many there are."""
        return self.query.count() if self.can_ask else 0

    def exists(self) -> bool:
        """Return whether there are any."""
        return self.can_ask and self.query.exists()


class Fetched(Generic[R]):
    """Reads what is there already, without a statement."""

    items: list[R]

    def fetch_all(self) -> list[R]:
        """Return them all, in a new list."""
        return list(self.items)

    def fetch_one(self) -> R | None:
        """Return the first, or ``None``."""
        return self.items[0] if self.items else None

    def count(self) -> int:
        """Return how many there are."""
        return len(self.items)

    def exists(self) -> bool:
        """Return whether there are any."""
        return bool(self.items)

    def __iter__(self) -> Iterator[R]:
        return iter(self.fetch_all())

    def __len__(self) -> int:
        return len(self.items)


class PrefetchedResult(Fetched[R], BasePrefetched[R, ReverseQuery[R]]):
    """The objects that refer to one object, fetched already: verbs cost nothing.

    ``filter``, ``order``, ``limit`` and ``offset`` go back to the database.
    """

    lazy = ReverseQuery


H = TypeVar("H", default=ReverseQuery[R] | PrefetchedResult[R])


class ReverseRelationship(ToManyAccessor[H], Generic[R, H]):
    """The attribute ``author.books``; it appears when ``Book`` is declared.

    Declare it for type checkers; the value may be left out.

    Example:
        >>> class Author(BaseDBModel):
        ...     books: ClassVar[ReverseRelationship["Book"]]
    """

    def __init__(
        self,
        from_model: type[R] | str | None = None,
        fk_field: str | None = None,
        related_name: str | None = None,
    ) -> None:
        self.from_model: Any = from_model
        self.fk_field = fk_field
        self.related_name = related_name
        self.attribute = related_name or ""

    @property
    def refusal(self) -> str:
        model = getattr(self.from_model, "__name__", self.from_model)
        return (
            f"Cannot set reverse relationship '{self.attribute}'. "
            f"Use the ForeignKey field on {model} instead."
        )

    def opened(
        self,
        instance: Any,
        relation: Relation,
        handles: Handles,
        known: list[Any] | None,
    ) -> Any:
        assert isinstance(relation, ReverseKey)
        forward = relation.forward
        place = (instance, forward.owner, forward.name, instance.db_context)
        if known is None:
            return handles.query(*place)
        return handles.prefetched(known, *place)
