"""What lazy and prefetched handles of a many-to-many relation have in common."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeVar

from sqliter.core.asked import operation_of
from sqliter.core.steps import Operation
from sqliter.exceptions import ManyToManyIntegrityError
from sqliter.model.keys import actual, is_object, key_of, misfit
from sqliter.model.loaded import TO_MANY, forget, remembered
from sqliter.model.relations import Junction, Relation, link_columns
from sqliter.model.table import table_of
from sqliter.operations import select
from sqliter.operations.links import Links, Shown
from sqliter.orm.chain import Chain
from sqliter.orm.handles import check_kind
from sqliter.orm.metadata import M2MSQLMetadata, metadata_of
from sqliter.planning.conditions import Belongs
from sqliter.planning.spec import QuerySpec

__all__ = [
    "BaseManager",
    "BasePrefetchedLinks",
    "ManyToManyOptions",
]

R = TypeVar("R")
B = TypeVar("B", bound=Any)
G = TypeVar("G", bound=Any)

_NO_CONTEXT = (
    "No database context available. Insert the instance first or use within a "
    "db context."
)
_NO_KEY = (
    "Instance has no primary key. Insert the instance before managing relationships."
)
_NO_RELATED_KEY = (
    "Related instance has no primary key. Insert it before adding to a relationship."
)


@dataclass(frozen=True)
class ManyToManyOptions:
    """How a manager reads its junction table.

    ``symmetrical`` links hold in both directions; ``swap_columns`` reads a relation
    of a model to itself from its other end.
    """

    symmetrical: bool = False
    swap_columns: bool = False


ManyToManyOptions.__module__ = "sqliter.orm.m2m"  # where users import it from


def junction_between(
    source: str, target: str, name: str, options: ManyToManyOptions
) -> Junction:
    """Return a junction table, its columns named after the two tables."""
    junction = Junction(name, *link_columns(source, target))
    if source != target:
        return junction
    junction = junction._replace(symmetrical=options.symmetrical)
    return junction.turned() if options.swap_columns else junction


class BaseManager(Chain[B], Generic[R, B]):
    """The rows linked to one instance, and the links themselves."""

    builder: ClassVar[type[Any]]
    is_async: ClassVar[bool] = False

    def __init__(
        self,
        instance: Any,
        to_model: type[R],
        from_model: type[Any],
        junction_table: str,
        db_context: Any,
        options: ManyToManyOptions | None = None,
    ) -> None:
        self.instance = instance
        self.to_model = to_model
        self.from_model = from_model
        self.db_context = db_context
        self._given: tuple[str, ManyToManyOptions] | Relation = (
            junction_table,
            options or ManyToManyOptions(),
        )
        self._names: tuple[str | None, str | None] = (None, None)
        self.shown: list[R] | None = None  # what a prefetched handle shows

    @functools.cached_property
    def _tables(self) -> tuple[str, str]:
        return table_of(self.from_model).name, table_of(self.to_model).name

    @functools.cached_property
    def _junction(self) -> Junction:
        if isinstance(self._given, Relation):
            junction = self._given.junction
            assert junction is not None
            return junction
        return junction_between(*self._tables, *self._given)

    @classmethod
    def of(cls, instance: Any, relation: Relation) -> Self:
        """Return the manager of a relation of an instance."""
        made = cls(instance, relation.target, relation.owner, "", instance.db_context)
        made._given = relation
        made._names = (relation.name, relation.inverse)
        return made

    def configure_cache_keys(
        self, *, current_cache_key: str | None, reverse_cache_key: str | None
    ) -> None:
        """Say under which names both ends remember what was prefetched."""
        self._names = (current_cache_key, reverse_cache_key)

    @property
    def sql_metadata(self) -> M2MSQLMetadata:
        """The tables and columns, seen from this side."""
        return metadata_of(self._junction, *self._tables)

    @property
    def can_ask(self) -> bool:
        """Whether there is a database to ask, and a key to ask for."""
        if self.db_context is None or not self.instance.pk:
            return False
        self._check_kind()
        return True

    @property
    def context(self) -> Any:
        """What operations of the database share."""
        return self.db_context.context

    @property
    def links(self) -> Links:
        """The links of the instance; ``ManyToManyIntegrityError`` without a key."""
        if self.db_context is None:
            raise ManyToManyIntegrityError(_NO_CONTEXT)
        if not self.instance.pk:
            raise ManyToManyIntegrityError(_NO_KEY)
        self._check_kind()
        shown = None
        if self.shown is not None:
            shown = Shown(self.shown, self._reading)
        return Links(self._junction, self.instance.pk, self._tables, shown)

    @property
    def rows(self) -> B:
        """A query over the linked rows, always as of now."""
        links = self.links
        query: B = self.builder(self.db_context, self.to_model)
        query.belonging(Belongs(links.junction, links.key))
        return query

    def _reading(self) -> Operation[list[R]]:
        spec: QuerySpec[Any] = self.rows.spec
        return operation_of(select.fetch_all(spec, self.context))

    def narrowing(self) -> B:
        return self.rows

    def keys_of(self, instances: Iterable[Any]) -> list[int]:
        """Return the keys of these objects, all checked.

        Raises ``TypeError`` for objects of another model, and
        ``ManyToManyIntegrityError`` for objects that are not saved.
        """
        return [self._key(instance) for instance in instances]

    def saved_keys_of(self, instances: Iterable[Any]) -> list[int]:
        """Return the keys of those of these objects that are saved."""
        checked = [self._checked(instance) for instance in instances]
        return [key for each in checked if (key := key_of(each)) is not None]

    def known(self) -> list[Any]:
        """Return the objects that are known to be linked, without asking."""
        return list(remembered(self.instance, TO_MANY).get(self._names[0] or "", []))

    def forget(self, instances: Iterable[Any]) -> None:
        """Forget what both ends remember of each other."""
        current, reverse = self._names
        if current is not None:
            forget(self.instance, current)
        if reverse is not None:
            for other in instances:
                forget(actual(other), reverse)

    def _key(self, instance: Any) -> int:
        key: int | None = key_of(self._checked(instance))
        if key is None:
            raise ManyToManyIntegrityError(_NO_RELATED_KEY)
        return key

    def _checked(self, instance: Any) -> Any:
        if not is_object(instance):
            _refuse(f"{instance!r} has no key")
        reason = misfit(instance, self.to_model)
        if reason:
            _refuse(reason)
        return instance

    def _check_kind(self) -> None:
        name = self._names[0] or self._junction.name
        label = f"{type(self.instance).__name__}.{name}"
        check_kind(self.db_context, label, is_async=self.is_async)


class BasePrefetchedLinks(Chain[B], Generic[R, G, B]):
    """Linked rows that are there already; the manager does all the rest."""

    def __init__(self, cached_items: list[R], manager: G) -> None:
        self.items = cached_items
        self.manager = manager
        manager.shown = cached_items

    @property
    def sql_metadata(self) -> M2MSQLMetadata:
        """The tables and columns, seen from this side."""
        metadata: M2MSQLMetadata = self.manager.sql_metadata
        return metadata

    def narrowing(self) -> B:
        query: B = self.manager.rows
        return query


def _refuse(reason: str) -> NoReturn:
    msg = f"cannot be linked: {reason}"
    raise TypeError(msg)
