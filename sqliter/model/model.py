"""``BaseDBModel``: a Pydantic model that is a table."""

from __future__ import annotations

import types
import typing
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sqliter.helpers import validate_table_name
from sqliter.model.abstract import check_concrete, inherit_options, is_abstract
from sqliter.model.codecs import natural_encode, read_natural
from sqliter.model.fields import coerce
from sqliter.model.loader import Loader, decoder, fits, loader_of
from sqliter.model.metaclass import ModelClass
from sqliter.model.naming import infer_table_name
from sqliter.model.registry import register
from sqliter.model.table import PRIMARY_KEY, table_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqliter.model.index import IndexEntry
    from sqliter.model.search import FullText

__all__ = ["BaseDBModel", "KeyedModel", "SerializableField"]

SerializableField: typing.TypeAlias = Any
"""What ``serialize_field`` takes: any value a column can hold."""

_CONTAINERS = (list, dict, set, tuple)
_UNIONS = (typing.Union, types.UnionType)


class BaseDBModel(BaseModel, metaclass=ModelClass):
    """Base of all models; each subclass has a table of its own.

    ``pk`` is given by SQLite at insert (0: not saved), unless the class has a key of
    another type: see ``KeyedModel``. ``created_at`` and ``updated_at`` are Unix
    seconds, set at insert and update.

    Example:
        >>> class User(BaseDBModel):
        ...     name: str
        ...     class Meta:
        ...         indexes = ["name"]
    """

    model_config = ConfigDict(
        extra="ignore",
        populate_by_name=True,
        validate_assignment=True,
        from_attributes=True,
    )

    if not TYPE_CHECKING:
        __slots__ = ("_row",)

    pk: int = Field(default=0)
    created_at: int = Field(default=0)
    updated_at: int = Field(default=0)

    if TYPE_CHECKING:
        Meta = Any  # checkers would want every Meta to inherit from this one
    else:

        class Meta:
            """Table options; subclasses may give any of them.

            ``table_name`` replaces the inferred name. ``indexes`` and
            ``unique_indexes`` list field names, tuples of them, or an ``Index``.
            ``fts`` lists the fields of text that ``search()`` looks at, or is a
            ``FullText``. ``version`` names an int field that counts the updates of a
            row. ``abstract`` says that there is no table: it is a base of others.
            ``checks`` are conditions that rows must meet, by name: SQL or ``Q``.
            ``strict`` makes SQLite refuse values of other types. ``without_rowid``
            keeps rows by a key that is no integer, and by nothing else.
            """

            table_name: ClassVar[str | None] = None
            indexes: ClassVar[Sequence[IndexEntry]] = ()
            unique_indexes: ClassVar[Sequence[IndexEntry]] = ()
            fts: ClassVar[Sequence[str] | FullText] = ()
            version: ClassVar[str | None] = None
            abstract: ClassVar[bool] = False
            strict: ClassVar[bool] = False
            without_rowid: ClassVar[bool] = False
            checks: ClassVar[Mapping[str, Any]] = types.MappingProxyType({})

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        inherit_options(cls)
        if not is_abstract(cls):
            cls.__sqliter_complete__()

    @classmethod
    def __sqliter_complete__(cls) -> None:
        """Make the class known: Pydantic is done with it."""
        register(cls)

    if not TYPE_CHECKING:  # hidden: checkers would believe that any name exists

        def __getattr__(self, name: str) -> Any:
            # Called for missing attributes only: whole instances never get here.
            if name in type(self).model_fields:
                msg = (
                    f"field {name!r} was not selected: this {type(self).__name__} "
                    "was fetched with only some of its fields"
                )
                raise AttributeError(msg)
            return super().__getattr__(name)

    @classmethod
    def get_table_name(cls) -> str:
        """Return ``Meta.table_name``, or the plural snake-case class name.

        A ``table_name`` belongs to the class that gives it; subclasses without a
        ``Meta`` of their own have their own table. Raises ``ValueError`` for a
        name that is unsafe in SQL, ``AbstractModelError`` where there is no table.
        """
        check_concrete(cls)
        name = getattr(cls.Meta, "table_name", None) if "Meta" in vars(cls) else None
        return (
            infer_table_name(cls.__name__)
            if name is None
            else validate_table_name(name)
        )

    @classmethod
    def get_primary_key(cls) -> str:
        """Return the name of the primary key field: ``"pk"``."""
        return PRIMARY_KEY

    @classmethod
    def should_create_pk(cls) -> bool:
        """Whether SQLite makes the primary key: if it is an integer."""
        return not table_of(cls).is_keyed

    @classmethod
    def serialize_field(cls, value: SerializableField) -> SerializableField:
        """Return a value as it is stored, by its own type.

        Dates become Unix seconds, containers JSON (as UTF-8 ``bytes``); anything
        SQLite takes as it is comes back unchanged.
        """
        if isinstance(value, _CONTAINERS):
            return str(natural_encode(value)).encode()
        return natural_encode(value)

    @classmethod
    def deserialize_field(
        cls, field_name: str, value: SerializableField, *, return_local_time: bool
    ) -> SerializableField:
        """Return the value that a stored one means for a field.

        ``None``, unknown fields and what cannot be decoded come back unchanged.
        """
        column = table_of(cls).by_field.get(field_name)
        if value is None or column is None:
            return value
        decode = decoder(column, local=return_local_time)
        if isinstance(value, bytes) and column.codec.storage == "TEXT":
            return _decoded_bytes(cls, field_name, value)
        if decode is None or not fits(column, type(value)):
            return value
        return decode(value)

    @classmethod
    def model_validate_partial(cls, obj: dict[str, Any]) -> Self:
        """Build an instance of the given fields only; the others are absent.

        Each value is converted to its field's type; validators of the model do
        not run. Raises ``ValueError`` for names that are no fields and
        ``pydantic.ValidationError`` for values that do not fit.
        """
        unknown = sorted(obj.keys() - cls.model_fields.keys())
        if unknown:
            msg = f"not fields of {cls.__name__}: {', '.join(unknown)}"
            raise ValueError(msg)
        values = {name: _partial_value(cls, name, value) for name, value in obj.items()}
        loader: Loader[Self] = loader_of(table_of(cls), tuple(values), local=True)
        return loader.build(values)


class KeyedModel(BaseDBModel):
    """Base of models whose records bring their keys along: texts, UUIDs, bytes.

    Any model may declare its ``pk`` anew. Deriving from this one, it does so with the
    consent of type checkers.

    Example:
        >>> class Document(KeyedModel):
        ...     pk: UUID = Field(default_factory=uuid4)
        >>> class Country(KeyedModel):
        ...     pk: str = Field()
    """

    if TYPE_CHECKING:
        # No default either: a key that has none says so to checkers by "= Field()".
        pk: Any  # pyright: ignore[reportGeneralTypeIssues]

    class Meta:
        """Each model that derives from this has a table of its own."""

        abstract = True


def _partial_value(model: type[BaseDBModel], name: str, value: Any) -> Any:
    if value is None:
        return None
    try:
        return coerce(model, name, value)
    except ValidationError:
        annotation = model.model_fields[name].annotation
        if typing.get_origin(annotation) in _UNIONS:
            return value  # none of the members fits: kept as it is
        raise


def _decoded_bytes(model: type[BaseDBModel], name: str, value: bytes) -> Any:
    """Read what ``serialize_field`` made of a container, or an older version did."""
    try:
        plain = read_natural(value)
        return coerce(model, name, plain)
    except ValueError:
        return value


if not TYPE_CHECKING:
    BaseDBModel.__sqliter_remember__ = BaseDBModel.__dict__["_row"].__set__
