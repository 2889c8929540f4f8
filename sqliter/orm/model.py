"""``BaseDBModel`` of ORM mode: a model with relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

from sqliter.model.loaded import KINDS, detach, in_the_making, like, unencumbered
from sqliter.model.model import BaseDBModel as PlainModel
from sqliter.model.relations import relations_of
from sqliter.orm.accessors import Accessor
from sqliter.orm.blocking import BLOCKING
from sqliter.orm.construction import initializer, taken_apart, validated
from sqliter.orm.declaring import declare_fields, declare_relations
from sqliter.orm.dumping import as_json, with_related
from sqliter.orm.fields import ForeignKey
from sqliter.orm.handles import Handles
from sqliter.orm.m2m import ManyToMany

__all__ = ["BaseDBModel"]

_ABSENT = object()


class BaseDBModel(PlainModel):  # noqa: PLW1641 - instances change, so no hash
    """Base of models with relations.

    ``db_context`` is the database object an instance came from; it is no field.

    Example:
        >>> class Author(BaseDBModel):
        ...     name: str
        >>> class Book(BaseDBModel):
        ...     title: str
        ...     author: ForeignKey[Author] = ForeignKey(Author)
        >>> Book(title="Guide", author=ada)
    """

    fk_descriptors: ClassVar[dict[str, ForeignKey[Any]]] = {}
    m2m_descriptors: ClassVar[dict[str, ManyToMany[Any, Any]]] = {}

    if TYPE_CHECKING:
        # What pydantic could convert is no right use: checkers that know pydantic
        # would let anything pass for a related object.
        model_config = ConfigDict(strict=True, extra="forbid")
        db_context: Any = None
    else:
        __slots__ = ("_database", "_given")
        __handles__: ClassVar[Handles] = BLOCKING

        model_config = ConfigDict(ignored_types=(Accessor,))

        def __init_subclass__(cls, **kwargs: Any) -> None:
            super().__init_subclass__(**kwargs)
            declare_fields(cls)

        @classmethod
        def __sqliter_complete__(cls) -> None:
            declare_relations(cls)

        def __init__(self, /, **data: Any) -> None:
            model = type(self)
            if relations_of(model).keys().isdisjoint(data) and "db_context" not in data:
                initialize = initializer(model)
                if initialize is not None:
                    initialize(data, self_instance=self)
                    return
            database = data.pop("db_context", None)
            given = taken_apart(model, data)
            if hasattr(database, "run"):  # data from outside is no database
                object.__setattr__(self, "_database", database)
            if not given:
                super().__init__(**data)
                return
            with in_the_making(self, {each.attribute: value for each, value in given}):
                super().__init__(**data)
            for accessor, value in given:
                accessor.keep(self, value)

        # Not an __init__ of its own in Pydantic's eyes: then validation would go
        # through it, and lose its context and strictness on the way.
        __init__.__pydantic_base_init__ = True

        @model_validator(mode="wrap")
        @classmethod
        def __sqliter_relate__(cls, value: Any, handler: Any) -> Any:
            """Take related objects in dicts, too."""
            return validated(cls, value, handler)

        def __getattr__(self, name: str) -> Any:
            accessor = getattr(type(self), name, None)
            if not isinstance(accessor, Accessor):
                return super().__getattr__(name)
            if isinstance(accessor, ForeignKey):
                return getattr(self, f"{name}_id")  # says what is missing
            raise AttributeError(accessor.why_absent(type(self)))

        def __setattr__(self, name: str, value: Any) -> None:
            is_field = name in type(self).__pydantic_fields__
            accessor = None if is_field else getattr(type(self), name, None)
            if isinstance(accessor, Accessor):
                accessor.__set__(self, value)
                return
            if KINDS.isdisjoint(vars(self)):
                super().__setattr__(name, value)
                return
            with unencumbered(self):
                super().__setattr__(name, value)
            if is_field:
                detach(self, name.removesuffix("_id"))

        @property
        def db_context(self) -> Any:
            """The database the instance came from, or ``None``."""
            return getattr(self, "_database", None)

        @db_context.setter
        def db_context(self, database: Any) -> None:
            type(self).__sqliter_bind__(self, database)

        def __copy__(self) -> Any:
            with unencumbered(self):
                twin = super().__copy__()
            return like(self, twin)

        def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
            with unencumbered(self):
                twin = super().__deepcopy__(memo)
            return like(self, twin)

        def __getstate__(self) -> dict[Any, Any]:
            state = super().__getstate__()
            fields = state["__dict__"].items()
            return {**state, "__dict__": {k: v for k, v in fields if k not in KINDS}}

    def model_dump(
        self, *, include_related: bool = False, **options: Any
    ) -> dict[str, Any]:
        """Return the fields as a dict; takes what Pydantic's method takes.

        ``include_related`` adds the relations that are loaded: objects as dicts,
        prefetched ones as lists of dicts.
        """
        if not include_related:
            return super().model_dump(**options)
        return with_related(self, options)

    def model_dump_json(self, *, include_related: bool = False, **options: Any) -> str:
        """Return the fields as JSON; takes what Pydantic's method takes.

        ``include_related`` adds the relations that are loaded.
        """
        if not include_related:
            return super().model_dump_json(**options)
        return as_json(self, options)

    def __eq__(self, other: object) -> bool:
        # Fields only: what is loaded beside them may lead back here.
        if not isinstance(other, BaseModel):
            return NotImplemented
        mine, theirs = vars(self), vars(other)
        return type(self) is type(other) and (
            all(
                mine.get(field, _ABSENT) == theirs.get(field, _ABSENT)
                for field in type(self).__pydantic_fields__
            )
            and self.__pydantic_private__ == other.__pydantic_private__
            and self.__pydantic_extra__ == other.__pydantic_extra__
        )


if not TYPE_CHECKING:
    BaseDBModel.__sqliter_bind__ = BaseDBModel.__dict__["_database"].__set__
