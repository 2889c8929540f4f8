"""What lazy and prefetched handles of a many-to-many relation have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeVar

from sqliter.exceptions import InvalidForeignKeyError, ManyToManyIntegrityError
from sqliter.model.keys import actual, is_object, key_of, misfit
from sqliter.model.loaded import TO_MANY, forget, remembered
from sqliter.model.registry import full_name, models
from sqliter.model.relations import Junction, ManyLink, Relation, links_of
from sqliter.model.table import is_table_of, table_name_of, table_of
from sqliter.operations.links import Links
from sqliter.orm.accessors import ToManyAccessor
from sqliter.orm.chain import Chain
from sqliter.orm.handles import Handles, check_kind
from sqliter.planning.conditions import Belongs

__all__ = [
    "BaseManager",
    "BasePrefetchedLinks",
    "LinkAccessor",
    "M2MSQLMetadata",
    "ManyToManyOptions",
    "check_link",
]

R = TypeVar("R")
B = TypeVar("B", bound=Any)
G = TypeVar("G", bound=Any)
H = TypeVar("H")

_NO_CONTEXT = (
    "No database context available. Insert the instance first or use within a "
    "db context."
)
_NO_KEY = (
    "Instance has no primary key. Insert the instance before managing relationships."
)
_UNRESOLVED = (
    "ManyToMany target model is unresolved. Define the target model class before "
    "accessing the relationship."
)
_NO_RELATED_KEY = (
    "Related instance has no primary key. Insert it before adding to a relationship."
)


@dataclass(frozen=True)
class M2MSQLMetadata:
    """The tables and columns of a many-to-many relation, seen from one side."""

    junction_table: str
    from_column: str
    to_column: str
    source_table: str
    target_table: str
    symmetrical: bool = False


@dataclass(frozen=True)
class ManyToManyOptions:
    """How a manager reads its junction table.

    ``symmetrical`` links hold in both directions; ``swap_columns`` reads a relation
    of a model to itself from its other end.
    """

    symmetrical: bool = False
    swap_columns: bool = False


M2MSQLMetadata.__module__ = "sqliter.orm.m2m"  # where users import them from
ManyToManyOptions.__module__ = "sqliter.orm.m2m"


def junction_between(
    source: str, target: str, name: str, options: ManyToManyOptions
) -> Junction:
    """Return a junction table, its columns named after the two tables."""
    if source != target:
        return Junction(name, f"{source}_pk", f"{target}_pk")
    sides = Junction(name, f"{source}_pk_left", f"{source}_pk_right")
    sides = sides._replace(symmetrical=options.symmetrical)
    return sides.turned() if options.swap_columns else sides


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
        self._tables = (table_of(from_model).name, table_of(to_model).name)
        self._junction = junction_between(
            *self._tables, junction_table, options or ManyToManyOptions()
        )
        self._names: tuple[str | None, str | None] = (None, None)

    @classmethod
    def of(cls, instance: Any, relation: Relation) -> Self:
        """Return the manager of a relation of an instance."""
        junction = relation.junction
        assert junction is not None
        context = instance.db_context
        made = cls(instance, relation.target, relation.owner, junction.name, context)
        made._junction = junction
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
        junction = self._junction
        return M2MSQLMetadata(*junction[:3], *self._tables, junction.symmetrical)

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
        return Links(self._junction, self.instance.pk, self._tables)

    @property
    def rows(self) -> B:
        """A query over the linked rows, always as of now."""
        links = self.links
        query: B = self.builder(self.db_context, self.to_model)
        query.belonging(Belongs(links.junction, links.key))
        return query

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

    def forget(self, instances: Iterable[Any]) -> None:
        """Forget what both ends remember of each other."""
        current, reverse = self._names
        others = list(instances)
        if current is not None:
            others = others or remembered(self.instance, TO_MANY).get(current, [])
            forget(self.instance, current)
        if reverse is not None:
            for other in others:
                forget(actual(other), reverse)

    def _key(self, instance: Any) -> int:
        key = key_of(self._checked(instance))
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

    @property
    def sql_metadata(self) -> M2MSQLMetadata:
        """The tables and columns, seen from this side."""
        metadata: M2MSQLMetadata = self.manager.sql_metadata
        return metadata

    def narrowing(self) -> B:
        query: B = self.manager.rows
        return query


class LinkAccessor(ToManyAccessor[H]):
    """A many-to-many relation as an attribute, of either side."""

    def relation(self, model: type[Any]) -> Relation:
        relation = super().relation(model)
        try:
            relation.target  # noqa: B018 - it may not exist yet
        except InvalidForeignKeyError as error:
            raise TypeError(_UNRESOLVED) from error
        return relation

    def metadata(self, model: type[Any]) -> M2MSQLMetadata:
        """Return the tables and columns of the relation of a class."""
        relation = self.relation(model)
        key = (M2MSQLMetadata, self.name)
        table = table_of(model)
        return table.prepare(key, lambda: _metadata(relation))

    def opened(
        self,
        instance: Any,
        relation: Relation,
        handles: Handles,
        known: list[Any] | None,
    ) -> Any:
        manager = handles.manager.of(instance, relation)
        return manager if known is None else handles.prefetched_links(known, manager)


def check_link(link: ManyLink, target: type[Any]) -> None:
    """Raise ``ValueError`` for links that would be mixed up with others."""
    if link.symmetrical and target is not link.owner:
        msg = (
            f"{link.owner.__name__}.{link.name} is symmetrical, but leads to another "
            f"model ({target.__name__})"
        )
        raise ValueError(msg)
    for other in [*links_of(link.owner), *links_of(target)]:
        if other is not link and _shares_table(link, other):
            msg = (
                f"{link.owner.__name__}.{link.name} and {other.owner.__name__}."
                f"{other.name} would share one table of links: give one of them "
                "another 'through'"
            )
            raise ValueError(msg)
    if link.through is not None:
        _check_through(link)


def _shares_table(link: ManyLink, other: ManyLink) -> bool:
    if other.through != link.through or _is_same(link, other):
        return False
    return not other.is_inherited and _models(other) == _models(link)


def _check_through(link: ManyLink) -> None:
    """Raise if the table is one of a model, or keeps the links of other tables."""
    for model in models():
        if is_table_of(link.through, model):
            msg = f"through='{link.through}' is the table of {model.__name__}"
            raise ValueError(msg)
    for other in (other for model in models() for other in links_of(model)):
        tables = _tables(other)
        if _is_same(link, other) or not tables or tables == _tables(link):
            continue
        if other.junction_name == link.through:
            msg = (
                f"through='{link.through}' is the table of links of "
                f"{other.owner.__name__}.{other.name}"
            )
            raise ValueError(msg)


def _is_same(link: ManyLink, other: ManyLink) -> bool:
    """Whether two are the same relation, of a class that was defined anew."""
    return link.name == other.name and full_name(link.owner) == full_name(other.owner)


def _tables(link: ManyLink) -> set[str]:
    """Return the tables at both ends; nothing while one is not known."""
    try:
        return {table_name_of(link.owner), table_name_of(link.target)}
    except ValueError:  # a target that does not exist, or an impossible name
        return set()


def _models(link: ManyLink) -> list[type[Any]]:
    """Return the classes at both ends; nothing while one is not known."""
    try:
        return sorted([link.owner, link.target], key=full_name)
    except InvalidForeignKeyError:
        return []


def _metadata(relation: Relation) -> M2MSQLMetadata:
    junction = relation.junction
    assert junction is not None
    source, target = table_of(relation.owner).name, relation.target_table.name
    return M2MSQLMetadata(*junction[:3], source, target, junction.symmetrical)


def _refuse(reason: str) -> NoReturn:
    msg = f"cannot be linked: {reason}"
    raise TypeError(msg)
