"""What a class body says about relations, made into fields and relation data."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sqliter.exceptions import InvalidForeignKeyError
from sqliter.model.abstract import is_abstract
from sqliter.model.primary_key import refuse_relation
from sqliter.model.registry import full_name, models, register, when_ready
from sqliter.model.relations import ForwardKey, ManyLink, Relation, add_relation
from sqliter.orm.accessors import Accessor
from sqliter.orm.annotations import allows_none, own_annotations
from sqliter.orm.fields import FkId, ForeignKey
from sqliter.orm.installing import Declared
from sqliter.orm.m2m import ManyToMany

__all__ = ["declare_fields", "declare_relations"]


RESERVED = {
    "Meta", "created_at", "db_context", "deserialize_field", "fetch", "get_primary_key",
    "get_table_name", "serialize_field", "should_create_pk", "updated_at",
}  # fmt: skip


class Declaration(NamedTuple):
    """A relation of a class, and the attribute it was declared with."""

    accessor: Any
    relation: Any
    is_inherited: bool


def declare_fields(cls: type[Any]) -> None:
    """Give each foreign key its id field; called before Pydantic collects fields.

    Annotations of relations are kept as class variables: Pydantic leaves those alone
    in all its versions. The ids come after all other fields.
    """
    taken = _taken_from_bases(cls)
    annotations = {**taken, **own_annotations(cls)}
    own = {name: each for name, each in vars(cls).items() if isinstance(each, Accessor)}
    _check_names(cls, own)
    for name, (accessor, _) in _accessors(cls).items():
        if isinstance(accessor, ForeignKey):
            if name in own:
                _settle(accessor, annotations.get(name), cls)
                kind: Any = int | None if accessor.fk_info.null else int
                if name not in taken or not _has_field(cls, f"{name}_id"):
                    annotations.setdefault(f"{name}_id", kind)
            _declare_id(cls, accessor, annotations)
    annotations.update(dict.fromkeys(own, ClassVar[Any]))
    _refuse_stray_ids(cls)
    type.__setattr__(cls, "__annotations__", annotations)
    for attribute, kind in (
        ("fk_descriptors", ForeignKey),
        ("m2m_descriptors", ManyToMany),
    ):
        found = {name: each for name, each in own.items() if isinstance(each, kind)}
        type.__setattr__(cls, attribute, found)


def _declare_id(
    cls: type[Any], accessor: ForeignKey[Any], annotations: dict[str, Any]
) -> None:
    """Make the id a foreign key's field; a subclass may annotate it anew."""
    field = f"{accessor.attribute}_id"
    if field in annotations:
        type.__setattr__(cls, field, _id_field(accessor, vars(cls).get(field)))


def declare_relations(cls: type[Any]) -> None:
    """Make the relations of a class known, once it is complete.

    Everything is checked before anything is registered: a class that fails leaves
    no trace.
    """
    declarations = [_declaration(cls, *item) for item in _accessors(cls).items()]
    for each in declarations:
        if isinstance(each.relation, ManyLink):
            refuse_relation(cls, f"'{each.relation.name}' of {cls.__name__}")
    for each in declarations:
        add_relation(each.relation)
    own = [each for each in declarations if not each.is_inherited]
    _check(own)
    name = full_name(cls)
    replaced = [each for each in models(cls.__name__) if full_name(each) == name]
    register(cls)
    for each in own:
        each.accessor.declared = each.relation
        when_ready(each.relation.given, cls, each.accessor.join)
    _withdraw(replaced, {each.accessor.joined for each in own})


def _withdraw(models: list[type[Any]], targets: set[type[Any] | None]) -> None:
    """Take back what classes placed on these targets: they are defined anew."""
    for model in models:
        for accessor in list(vars(model).values()):
            if isinstance(accessor, Declared) and accessor.joined in targets:
                accessor.withdraw()


def _taken_from_bases(cls: type[Any]) -> dict[str, Any]:
    """Declare here what bases without a table declare; return its annotations.

    Those are abstract models, and mixins that are no models.
    """
    found: dict[str, Any] = {}
    for base in cls.__mro__[1:]:
        if hasattr(base, "__handles__") and not is_abstract(base):
            continue
        for name, value in vars(base).items():
            is_hidden = name in vars(cls) or _is_overridden(cls, base, name)
            if isinstance(value, (ForeignKey, ManyToMany)) and not is_hidden:
                twin = copy.deepcopy(value)  # it will know this class, not the base
                twin.__set_name__(cls, name)
                type.__setattr__(cls, name, twin)
                found[name] = own_annotations(base).get(name)
    return found


def _is_overridden(cls: type[Any], base: type[Any], name: str) -> bool:
    """Whether a model between a class and its abstract base has the attribute."""
    nearest = next(each for each in cls.__mro__[1:] if name in vars(each))
    return is_abstract(base) and nearest is not base


def _has_field(cls: type[Any], name: str) -> bool:
    """Whether a base has the field already."""
    bases = cls.__mro__[1:]
    return any(name in getattr(base, "__pydantic_fields__", ()) for base in bases)


def _check(declarations: list[Declaration]) -> None:
    """Raise if an attribute at the other end is taken, or wanted twice."""
    wanted: set[tuple[type[Any], str]] = set()
    for accessor, relation, _ in declarations:
        target = relation.given
        if isinstance(target, str):
            continue
        name = accessor.check(relation, target)
        if (target, name) in wanted:
            text = accessor.taken.format(name=name, target=target.__name__)
            raise AttributeError(text)
        if name is not None:
            wanted.add((target, name))


def _check_names(cls: type[Any], own: dict[str, Accessor]) -> None:
    """Raise ``InvalidForeignKeyError`` for names that relations cannot have."""
    private = {n for n, each in _private_values(cls) if isinstance(each, Accessor)}
    for name in (*own, *private):
        if name == "pk":
            problem = "is the primary key"
        elif name.startswith("_") or "__" in name:
            problem = "could not be written in a query"
        elif hasattr(BaseModel, name) or name in RESERVED:
            problem = "is a name of every model"
        elif name.removesuffix("_id") in own and name.endswith("_id"):
            problem = f"is the key of '{name.removesuffix('_id')}'"
        else:
            continue
        raise InvalidForeignKeyError(
            f"'{name}' of {cls.__name__} {problem}, and cannot be a relation"
        )


def _private_values(cls: type[Any]) -> list[tuple[str, Any]]:
    private = vars(cls).get("__private_attributes__", {})
    return [(name, attribute.default) for name, attribute in private.items()]


def _settle(accessor: ForeignKey[Any], annotation: Any, cls: type[Any]) -> None:
    if annotation is not None and allows_none(annotation, cls):
        accessor.fk_info.null = True
    accessor.settle()


def _id_field(accessor: ForeignKey[Any], given: Any) -> FieldInfo:
    """Return the field of the key; what the class says about it itself wins."""
    info = accessor.fk_info
    if given is None or isinstance(given, FkId):
        default: Any = None if info.null else PydanticUndefined
        made: Any = Field(default=default)
    else:
        made = given if isinstance(given, FieldInfo) else Field(default=given)
    field: FieldInfo = made
    column = info.db_column or f"{accessor.attribute}_id"
    field.metadata.append(dataclasses.replace(info, db_column=column))
    return field


def _refuse_stray_ids(cls: type[Any]) -> None:
    for name, value in vars(cls).items():
        if isinstance(value, FkId):
            raise InvalidForeignKeyError(
                f"'{name}' of {cls.__name__} is an fk_id(), but there is no foreign "
                f"key '{name.removesuffix('_id')}'"
            )


def _accessors(cls: type[Any]) -> dict[str, tuple[Any, bool]]:
    """Return the declared relations by name; those of bases are inherited."""
    found: dict[str, tuple[Any, bool]] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, (ForeignKey, ManyToMany)):
                found[name] = (value, base is not cls)
            elif name in found:
                del found[name]
    return found


def _declaration(cls: type[Any], name: str, place: tuple[Any, bool]) -> Declaration:
    accessor, is_inherited = place
    relation: Relation
    if isinstance(accessor, ForeignKey):
        relation = ForwardKey(cls, name, f"{name}_id", accessor.fk_info.to_model)
    else:
        info = accessor.m2m_info
        relation = ManyLink(
            cls,
            name,
            info.to_model,
            through=info.through,
            symmetrical=info.symmetrical,
            is_inherited=is_inherited,
        )
    return Declaration(accessor, relation, is_inherited)
