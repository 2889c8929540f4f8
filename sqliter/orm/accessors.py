"""What all relation attributes have in common."""

from __future__ import annotations

from typing import Any, Generic, Never, Self, TypeVar, overload

from sqliter.exceptions import InvalidForeignKeyError
from sqliter.model.loaded import TO_MANY, remembered
from sqliter.model.relations import Junction, Relation, relation_of
from sqliter.model.table import Table, table_of
from sqliter.orm.handles import Handles
from sqliter.orm.metadata import M2MSQLMetadata, metadata_of

__all__ = ["Accessor", "LinkAccessor", "ToManyAccessor"]

_UNRESOLVED = (
    "ManyToMany target model is unresolved. Define the target model class before "
    "accessing the relationship."
)

H = TypeVar("H")


class Accessor:
    """A relation as an attribute of a class; the class itself gives this object."""

    attribute: str = ""
    owner: type[Any] | None = None
    handles: Handles | None = None

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.attribute = name
        self.owner = owner

    def relation(self, model: type[Any]) -> Relation:
        """Return the relation of a class; ``AttributeError`` if it has none.

        A subclass has a table of its own: what refers to the rows of its base does
        not refer to its rows.
        """
        relation = relation_of(model, self.attribute)
        if relation is None:
            raise AttributeError(self.why_absent(model))
        return relation

    def why_absent(self, model: type[Any]) -> str:
        """Say why a class does not have the attribute."""
        owner = self.owner.__name__ if self.owner else "another class"
        if self.owner is model:
            return (
                f"'{model.__name__}.{self.attribute}' is declared, but no relation of "
                f"another model has related_name='{self.attribute}'"
            )
        return (
            f"'{model.__name__}' has no '{self.attribute}': the relation belongs to "
            f"'{owner}', and '{model.__name__}' has a table of its own"
        )

    def kind(self, model: type[Any]) -> Handles:
        """Return what the relation is opened with: its own set, or the model's."""
        handles: Handles = self.handles or model.__handles__
        return handles


class ToManyAccessor(Accessor, Generic[H]):
    """An attribute that leads to many rows; ``H`` is what an instance gives."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> H: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        relation = self.relation(type(instance))
        known = remembered(instance, TO_MANY).get(self.attribute)
        return self.opened(instance, relation, self.kind(type(instance)), known)

    def __set__(self, instance: object, value: Never) -> None:
        raise AttributeError(self.refusal)

    @property
    def name(self) -> str:
        """The attribute."""
        return self.attribute

    @property
    def refusal(self) -> str:
        """What to say to somebody who assigns a value."""
        raise NotImplementedError

    def opened(
        self,
        instance: Any,
        relation: Relation,
        handles: Handles,
        known: list[Any] | None,
    ) -> Any:
        """Return the handle of an instance; ``known`` are rows that are there."""
        raise NotImplementedError


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
        relation, table = self.relation(model), table_of(model)
        junction, target = relation.junction, relation.target_table
        assert junction is not None
        return table.prepare(_metadata, junction, target)

    def opened(
        self,
        instance: Any,
        relation: Relation,
        handles: Handles,
        known: list[Any] | None,
    ) -> Any:
        manager = handles.manager.of(instance, relation)
        return manager if known is None else handles.prefetched_links(known, manager)


def _metadata(table: Table, junction: Junction, target: Table) -> M2MSQLMetadata:
    return metadata_of(junction, table.name, target.name)
