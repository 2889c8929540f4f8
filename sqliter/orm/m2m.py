"""``ManyToMany``: ``article.tags`` and, at the other end, ``tag.articles``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal

from pydantic_core import core_schema
from typing_extensions import TypeVar

from sqliter.exceptions import InvalidForeignKeyError
from sqliter.helpers import validate_table_name
from sqliter.model.foreign_key import check_target
from sqliter.model.model import BaseDBModel
from sqliter.model.registry import resolve
from sqliter.model.relations import Relation, ReverseLink, add_link
from sqliter.operations import links
from sqliter.orm.accessors import Accessor, LinkAccessor
from sqliter.orm.conflicts import check_link
from sqliter.orm.handles import Handles
from sqliter.orm.installing import Declared, check_related_name
from sqliter.orm.junctions import (
    build_junction_index_sqls,
    build_junction_table_sql,
    create_junction_table,
)
from sqliter.orm.links import (
    BaseManager,
    BasePrefetchedLinks,
    ManyToManyOptions,
)
from sqliter.orm.metadata import M2MSQLMetadata
from sqliter.orm.query import Fetched, HasPKAndContext, Listed
from sqliter.query.query import QueryBuilder

__all__ = [
    "HasPKAndContext",
    "M2MSQLMetadata",
    "ManyToMany",
    "ManyToManyInfo",
    "ManyToManyManager",
    "ManyToManyOptions",
    "PrefetchedM2MResult",
    "ReverseManyToMany",
    "build_junction_index_sqls",
    "build_junction_table_sql",
    "create_junction_table",
]

R = TypeVar("R", bound=BaseDBModel, default=Any)


@dataclass
class ManyToManyInfo:
    """What a many-to-many relation says: its target, its table, its other end."""

    to_model: type[Any] | str
    through: str | None = None
    related_name: str | Literal[False] | None = None
    symmetrical: bool = False


class ManyToManyManager(Listed[R], BaseManager[R, QueryBuilder[R]]):
    """The objects linked to one object: ``article.tags``.

    Each of the verbs that write is all or nothing; arguments are checked first.
    Reading without a database, or a key, gives nothing; writing raises
    ``ManyToManyIntegrityError``.

    Example:
        >>> article.tags.add(python, sqlite)
        >>> article.tags.filter(name__startswith="p").fetch_all()
    """

    builder = QueryBuilder

    def fetch_all(self) -> list[R]:
        """Return them all."""
        return self.rows.fetch_all() if self.can_ask else []

    def fetch_one(self) -> R | None:
        """Return the first, or ``None``."""
        return self.rows.fetch_one() if self.can_ask else None

    def count(self) -> int:
        """Return how many there are."""
        if not self.can_ask:
            return 0
        found: int = self.db_context.run(links.count(self.links, self.context))
        return found

    def exists(self) -> bool:
        """Return whether there are any."""
        return self.count() > 0

    def add(self, *instances: R) -> None:
        """Link these, too; those that are linked stay so.

        Raises ``ForeignKeyLinkError`` for an object that is gone, ``TypeError`` for
        one of another model, ``JunctionTableError`` when SQLite fails.
        """
        own, keys = self.links, self.keys_of(instances)
        self.db_context.run(links.add(own, keys, self.context))
        self.forget(instances)

    def remove(self, *instances: R) -> None:
        """Unlink these; those that are not linked do not matter."""
        own, keys = self.links, self.saved_keys_of(instances)
        self.db_context.run(links.remove(own, keys, self.context))
        self.forget(instances)

    def clear(self) -> None:
        """Unlink all."""
        own, gone = self.links, self.known()
        self.db_context.run(links.clear(own, self.context))
        self.forget(gone)

    def set(self, *instances: R) -> None:
        """Have exactly these linked."""
        own, keys, before = self.links, self.keys_of(instances), self.known()
        self.db_context.run(links.replace(own, keys, self.context))
        self.forget([*before, *instances])


class PrefetchedM2MResult(
    Fetched[R], BasePrefetchedLinks[R, ManyToManyManager[R], QueryBuilder[R]]
):
    """The objects linked to one object, fetched already: reading costs nothing.

    Writing goes through the manager, which fetches the objects anew in the same
    transaction.
    """

    def add(self, *instances: R) -> None:
        """Link these, too."""
        self.manager.add(*instances)

    def remove(self, *instances: R) -> None:
        """Unlink these."""
        self.manager.remove(*instances)

    def clear(self) -> None:
        """Unlink all."""
        self.manager.clear()

    def set(self, *instances: R) -> None:
        """Have exactly these linked."""
        self.manager.set(*instances)


H = TypeVar("H", default=ManyToManyManager[R] | PrefetchedM2MResult[R])


class ManyToMany(LinkAccessor[H], Declared, Generic[R, H]):
    """A many-to-many relation of a model.

    Args:
        to_model: the model at the other end; or its name, ``"module.Class"``.
        through: the table of the links; both table names if not given.
        related_name: the attribute at the other end; ``False`` for none. If not
            given it is the plural of the class's name in lower case.
        symmetrical: for a relation of a model to itself: links hold both ways.

    Raises:
        ValueError: for a table name that is unsafe in SQL.

    Example:
        >>> class Article(BaseDBModel):
        ...     title: str
        ...     tags: ManyToMany[Tag] = ManyToMany(Tag, related_name="articles")
    """

    taken = "Reverse M2M accessor '{name}' already exists on {target}"

    def __init__(
        self,
        to_model: type[R] | str,
        *,
        through: str | None = None,
        related_name: str | Literal[False] | None = None,
        symmetrical: bool = False,
    ) -> None:
        check_target(to_model)
        if through is not None:
            validate_table_name(through)
        check_related_name(related_name)
        self.m2m_info = ManyToManyInfo(to_model, through, related_name, symmetrical)
        self.related_name = related_name

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return core_schema.any_schema()

    @property
    def to_model(self) -> type[Any] | str:
        """The model at the other end; its name as long as it does not exist."""
        given = self.m2m_info.to_model
        if not isinstance(given, str) or self.owner is None:
            return given
        try:
            return resolve(given, self.owner)
        except InvalidForeignKeyError:
            return given

    @property
    def junction_table(self) -> str | None:
        """The table of the links; ``None`` as long as the target does not exist."""
        if self.m2m_info.through is not None:
            return self.m2m_info.through
        if self.declared is None or isinstance(self.to_model, str):
            return None
        name: str = self.declared.junction_name
        return name

    @property
    def refusal(self) -> str:
        return (
            f"Cannot assign to ManyToMany field '{self.attribute}'. "
            "Use .add(), .remove(), .clear(), or .set() instead."
        )

    def resolve_forward_ref(self, model_class: type[Any]) -> None:
        """Say which class the name of the target means."""
        self.m2m_info.to_model = model_class

    @property
    def sql_metadata(self) -> M2MSQLMetadata | None:
        """The tables and columns; ``None`` as long as the target does not exist."""
        if self.owner is None or isinstance(self.to_model, str):
            return None
        return self.metadata(self.owner)

    def check(self, relation: Any, target: type[Any]) -> str | None:
        check_link(relation, target)  # ``ValueError`` if links would be mixed up
        return super().check(relation, target)

    def join(self, target: type[Any]) -> None:
        super().join(target)
        add_link(self.declared)

    @property
    def has_reverse(self) -> bool:
        return not self.m2m_info.symmetrical

    @property
    def reverse_class(self) -> type[Accessor]:
        return self._kind.reverse_link

    def reverse(
        self, relation: Any, target: type[Any], name: str
    ) -> tuple[Accessor, Relation]:
        accessor = self._kind.reverse_link(
            relation.owner, target, None, name, forward_name=relation.name
        )
        return accessor, ReverseLink(target, name, relation)

    @property
    def _kind(self) -> Handles:
        assert self.owner is not None
        return self.kind(self.owner)


class ReverseManyToMany(LinkAccessor[H], Generic[R, H]):
    """The attribute ``tag.articles``; it appears when ``Article`` is declared.

    Declare it for type checkers; the value may be left out.

    Example:
        >>> class Tag(BaseDBModel):
        ...     articles: ClassVar[ReverseManyToMany["Article"]]
    """

    def __init__(
        self,
        from_model: type[R] | str | None = None,
        to_model: type[Any] | None = None,
        junction_table: str | None = None,
        related_name: str | None = None,
        *,
        symmetrical: bool = False,
        forward_name: str | None = None,
    ) -> None:
        self.from_model: Any = from_model
        self.to_model = to_model
        self.related_name = related_name
        self.symmetrical = symmetrical
        self.forward_name = forward_name
        self.attribute = related_name or ""

    @property
    def refusal(self) -> str:
        return (
            f"Cannot assign to reverse ManyToMany '{self.attribute}'. "
            "Use .add(), .remove(), .clear(), or .set() instead."
        )

    @property
    def junction_table(self) -> str | None:
        """The table of the links."""
        return self.sql_metadata.junction_table if self.sql_metadata else None

    @property
    def sql_metadata(self) -> M2MSQLMetadata | None:
        """The tables and columns, seen from this side."""
        return self.metadata(self.owner) if self.owner else None
