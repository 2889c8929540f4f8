"""``ForeignKey``: the attribute ``book.author``, kept in the column ``author_id``."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    Protocol,
    Self,
    overload,
    runtime_checkable,
)

from typing_extensions import TypeVar

from sqliter.exceptions import InvalidForeignKeyError
from sqliter.model.foreign_key import (
    FKAction,
    ForeignKeyInfo,
    check_actions,
    check_target,
)
from sqliter.model.keys import Deferred, is_object, key_of, misfit, row_of
from sqliter.model.loaded import attach, detach, in_the_making
from sqliter.model.model import BaseDBModel
from sqliter.model.registry import resolve
from sqliter.model.relations import ForwardKey, Relation, ReverseKey
from sqliter.orm.accessors import Accessor
from sqliter.orm.handles import Handles
from sqliter.orm.installing import Declared, check_related_name
from sqliter.orm.lazy import LazyLoader, related_object
from sqliter.terms.attribute import Path

__all__ = [
    "ForeignKey",
    "ForeignKeyDescriptor",
    "HasPK",
    "LazyLoader",
    "fk_id",
]

M = TypeVar("M", bound=BaseDBModel)
T = TypeVar("T", bound="BaseDBModel | None", default=Any)


@runtime_checkable
class HasPK(Protocol):
    """Anything with a key."""

    pk: int | None


class _To:
    """What ``Book.author.to`` is to type checkers: an author."""

    @overload
    def __get__(self, instance: ForeignKey[M | None], owner: type[Any]) -> M: ...
    @overload
    def __get__(self, instance: ForeignKey[M], owner: type[Any]) -> M: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        raise NotImplementedError


class ForeignKey(Declared, Generic[T]):
    """A foreign key of a model, read as the object it leads to.

    Args:
        to_model: the model referred to; or its name, ``"module.Class"``, ``"self"``.
        on_delete: what happens to this row when the other one is deleted.
        on_update: the same for a change of the other one's key.
        null: whether there may be none; ``ForeignKey[Author | None]`` says so, too.
        unique: whether each object may be referred to once only (one-to-one).
        related_name: the attribute at the other end; ``False`` for none. If not
            given it is the plural of the class's name in lower case.
        db_column: the column, if it is not named like the field ``<name>_id``.

    Raises:
        InvalidForeignKeyError: for unknown actions, and for ``SET NULL`` where there
            must be one.

    Example:
        >>> class Book(BaseDBModel):
        ...     title: str
        ...     author: ForeignKey[Author] = ForeignKey(Author, related_name="books")
        >>> db.get(Book, 1).author.name
    """

    taken = "Reverse relationship '{name}' already exists on {target}"

    @overload
    def __init__(
        self,
        to_model: str,
        *,
        on_delete: FKAction = ...,
        on_update: FKAction = ...,
        null: bool = ...,
        unique: bool = ...,
        related_name: str | Literal[False] | None = ...,
        db_column: str | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: ForeignKey[M | None],
        to_model: type[M],
        *,
        on_delete: FKAction = ...,
        on_update: FKAction = ...,
        null: Literal[True],
        unique: bool = ...,
        related_name: str | Literal[False] | None = ...,
        db_column: str | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        to_model: type[T],
        *,
        on_delete: FKAction = ...,
        on_update: FKAction = ...,
        null: Literal[False] = ...,
        unique: bool = ...,
        related_name: str | Literal[False] | None = ...,
        db_column: str | None = ...,
    ) -> None: ...
    def __init__(
        self,
        to_model: type[Any] | str,
        *,
        on_delete: FKAction = "RESTRICT",
        on_update: FKAction = "RESTRICT",
        null: bool = False,
        unique: bool = False,
        related_name: str | Literal[False] | None = None,
        db_column: str | None = None,
    ) -> None:
        check_target(to_model)
        check_related_name(related_name)
        self.fk_info = ForeignKeyInfo(
            to_model, on_delete, on_update, null, unique, None, db_column
        )
        self.related_name = related_name

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        relation = self.relation(type(instance))
        assert isinstance(relation, ForwardKey)
        return related_object(instance, relation, self.kind(type(instance)).loader)

    def __set__(self, instance: Any, value: T | int) -> None:
        key = self.key_for(value)
        with in_the_making(instance, {self.attribute: value}):
            setattr(instance, f"{self.attribute}_id", key)
        self.keep(instance, value)

    @property
    def to_model(self) -> type[Any] | str:
        """The model referred to; its name as long as it does not exist."""
        target = self.fk_info.to_model
        if not isinstance(target, str) or self.owner is None:
            return target
        try:
            return resolve(target, self.owner)
        except InvalidForeignKeyError:
            return target

    if TYPE_CHECKING:
        to = _To()
        """The fields at its other end, for conditions: ``Book.author.to.name``."""

        def __getattr__(self, name: str) -> Any: ...

    else:

        @property
        def to(self):
            """The fields at its other end, for conditions: ``Book.author.to.name``."""
            return Path(self.owner, self.attribute, self.relation(self.owner).target)

        def __getattr__(self, name):
            if name.startswith("_") or self.owner is None:
                raise AttributeError(name)
            return getattr(self.to, name)

    def id_of(self, instance: BaseDBModel) -> int | None:
        """Return the key an instance keeps, without asking the database."""
        key: int | None = getattr(instance, f"{self.attribute}_id")
        return key

    def settle(self) -> None:
        """Check the actions, once it is known whether there may be none."""
        info = self.fk_info
        check_actions(
            on_delete=info.on_delete, on_update=info.on_update, null=info.null
        )

    def key_for(self, value: Any) -> int | None:
        """Return the key of a value; 0 stands for an object that is not saved.

        Raises ``TypeError`` for what can be no value.
        """
        if value is None or type(value) is int:
            return value
        target = self.to_model
        reason = None
        if is_object(value) and not isinstance(target, str):
            reason = misfit(value, target)
            if reason is None:
                return key_of(value) or 0
        msg = f"FK value must be BaseModel, int, or None, got {type(value)}"
        raise TypeError(f"{msg}: {reason}" if reason else msg)

    def keep(self, instance: Any, value: Any) -> None:
        """Remember an assigned object as what the attribute leads to."""
        detach(instance, self.attribute)
        known = row_of(value).known if isinstance(value, Deferred) else value
        if isinstance(known, BaseDBModel):
            attach(instance, self.attribute, known, known.pk)

    @property
    def reverse_class(self) -> type[Accessor]:
        return self._kind.reverse_key

    def reverse(
        self, relation: Any, target: type[Any], name: str
    ) -> tuple[Accessor, Relation]:
        accessor = self._kind.reverse_key(relation.owner, relation.name, name)
        return accessor, ReverseKey(target, name, relation)

    @property
    def _kind(self) -> Handles:
        assert self.owner is not None
        return self.kind(self.owner)


ForeignKeyDescriptor = ForeignKey


class FkId:
    """Stands where a class makes the id of a foreign key visible."""


def fk_id() -> Any:
    """Return the value of a line that makes the id of a foreign key visible.

    Example:
        >>> class Book(BaseDBModel):
        ...     author_id: int = fk_id()
        ...     author: ForeignKey[Author] = ForeignKey(Author)
    """
    return FkId()
