"""What lazy and prefetched handles of a reverse foreign key have in common."""

from __future__ import annotations

import copy
from typing import Any, ClassVar, Generic, Self, TypeVar

from sqliter.model.relations import ForwardKey, relation_of
from sqliter.model.table import table_of
from sqliter.orm.chain import Chain
from sqliter.orm.handles import check_kind
from sqliter.planning.ordering import Orderable
from sqliter.query.base import FilterValue
from sqliter.terms.q import Q
from sqliter.terms.term import Nulls

__all__ = ["BasePrefetched", "BaseReverse"]

R = TypeVar("R")
B = TypeVar("B", bound=Any)
L = TypeVar("L", bound=Any)


class BaseReverse(Generic[R, B]):
    """A query over the rows whose foreign key leads to one instance."""

    builder: ClassVar[type[Any]]
    is_async: ClassVar[bool] = False

    def __init__(
        self, instance: Any, to_model: type[R], fk_field: str, db_context: Any
    ) -> None:
        self.instance = instance
        self.to_model = to_model
        self.fk_field = fk_field
        self.db_context = db_context
        self.query: B = self._query()

    @property
    def fk_value(self) -> int | None:
        """The key of the instance, which the rows refer to."""
        key: int | None = self.instance.pk
        return key

    @property
    def can_ask(self) -> bool:
        """Whether there is a database to ask, and a key to ask for."""
        if self.db_context is None or not self.fk_value:
            return False
        relation = relation_of(self.to_model, self.fk_field)
        name = (relation.inverse if relation else None) or self.fk_field
        label = f"{type(self.instance).__name__}.{name}"
        check_kind(self.db_context, label, is_async=self.is_async)
        return True

    def filter(self, *parts: Q | bool, **conditions: FilterValue) -> Self:
        """Return a query for those that meet all conditions, too."""
        return self._narrowed(self.query.clone().filter(*parts, **conditions))

    def exclude_where(self, *parts: Q | bool, **conditions: FilterValue) -> Self:
        """Return a query without those that meet all conditions."""
        return self._narrowed(self.query.clone().exclude_where(*parts, **conditions))

    def order(
        self, *fields: Orderable, reverse: bool = False, nulls: Nulls | None = None
    ) -> Self:
        """Return a query that gives them in this order."""
        query = self.query.clone().order(*fields, reverse=reverse, nulls=nulls)
        return self._narrowed(query)

    def limit(self, count: int) -> Self:
        """Return a query for at most so many."""
        return self._narrowed(self.query.clone().limit(count))

    def offset(self, count: int) -> Self:
        """Return a query that leaves out so many first."""
        return self._narrowed(self.query.clone().offset(count))

    def _narrowed(self, query: B) -> Self:
        twin = copy.copy(self)
        twin.query = query
        return twin

    def _query(self) -> B:
        field = self.fk_field
        if field not in table_of(self.to_model).by_field:
            field = f"{field}_id"
        query: B = self.builder(self.db_context, self.to_model)
        query.filter(**{field: self.fk_value})
        if isinstance(relation_of(self.to_model, self.fk_field), ForwardKey):
            query.belonging(parent=(self.fk_field, self.instance))
        return query


class BasePrefetched(Chain[L], Generic[R, L]):
    """Rows that are there already; the database is asked for anything narrower."""

    lazy: ClassVar[type[Any]]

    def __init__(
        self,
        cached_items: list[R],
        instance: Any,
        to_model: type[R],
        fk_field: str,
        db_context: Any,
    ) -> None:
        self.items = cached_items
        self.instance = instance
        self.to_model = to_model
        self.fk_field = fk_field
        self.db_context = db_context

    def narrowing(self) -> L:
        query: L = self.lazy(
            self.instance, self.to_model, self.fk_field, self.db_context
        )
        return query
