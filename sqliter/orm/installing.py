"""The attribute at the other end of a relation: its name, and its place.

A relation may name a class that does not exist yet, or that is defined anew later:
then the attribute is placed, or moved, when that class comes.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from sqliter.model.naming import pluralize
from sqliter.model.primary_key import refuse_relation
from sqliter.model.registry import full_name
from sqliter.model.relations import (
    Relation,
    Reverse,
    add_relation,
    relation_of,
    relations_of,
)
from sqliter.orm.accessors import Accessor

__all__ = ["Declared", "check_free", "check_related_name", "install"]


def check_related_name(name: object) -> None:
    """Raise ``ValueError`` for what can be no attribute's name."""
    if name is None or name is False:
        return
    is_name = isinstance(name, str) and name.isidentifier()
    if not is_name or keyword.iskeyword(str(name)) or "__" in str(name):
        msg = (
            f"related_name must be the name of an attribute, not {name!r}; "
            "related_name=False leaves it out"
        )
        raise ValueError(msg)


class Declared(Accessor):
    """A relation as it is declared; places the attribute at the other end."""

    related_name: str | Literal[False] | None = None
    declared: Any = None  # the relation of the declaring class
    joined: type[Any] | None = None  # the class that has the attribute
    taken: ClassVar[str]

    def check(self, relation: Any, target: type[Any]) -> str | None:
        """Return the name of the attribute at the other end, if there is to be one.

        Raises ``AttributeError`` if it is taken, ``InvalidForeignKeyError`` if there
        can be no relation to the target.
        """
        refuse_relation(target, f"'{relation.name}' of {relation.owner.__name__}")
        is_plain = not hasattr(target, "__handles__")  # no place for relations
        name = self.related_name
        if name is False or not self.has_reverse or (is_plain and name is None):
            return None
        name = name or pluralize(relation.owner.__name__.lower())
        check_free(target, name, relation, self.reverse_class, self.taken)
        return None if is_plain else name

    def join(self, target: type[Any]) -> None:
        """Place the attribute at the other end: the target is there."""
        relation = self.declared
        if self.joined is not target:
            self.withdraw()
        name = self.check(relation, target)
        if name is None:
            return
        accessor, reverse = self.reverse(relation, target, name)
        accessor.handles = self.kind(relation.owner)
        install(target, name, accessor, reverse)
        self.related_name = relation.inverse = name
        self.joined = target

    @property
    def has_reverse(self) -> bool:
        """Whether there is an attribute at the other end at all."""
        return True

    @property
    def reverse_class(self) -> type[Accessor]:
        """The class of the attribute at the other end."""
        raise NotImplementedError

    def reverse(
        self, relation: Any, target: type[Any], name: str
    ) -> tuple[Accessor, Relation]:
        """Return the attribute at the other end, and its relation."""
        raise NotImplementedError

    def withdraw(self) -> None:
        """Take the attribute at the other end away, if it is still this one's."""
        old, relation = self.joined, self.declared
        if old is None:
            return
        name, self.joined = str(relation.inverse), None
        known = relation_of(old, name)
        if isinstance(known, Reverse) and known.forward is relation:
            del relations_of(old)[name]
            type.__delattr__(old, name)


def check_free(
    target: type[Any],
    name: str,
    relation: Relation,
    accessor: type[Accessor],
    text: str,
) -> None:
    """Raise ``AttributeError`` if the target has something else of this name."""
    if _is_free(target, name, relation, accessor):
        return
    raise AttributeError(text.format(name=name, target=target.__name__))


def install(
    target: type[Any], name: str, accessor: Accessor, relation: Relation
) -> None:
    """Place the attribute; one that was declared there already is bound."""
    declared = vars(target).get(name)
    if isinstance(declared, type(accessor)):
        vars(declared).update(vars(accessor))
        accessor = declared
    accessor.__set_name__(target, name)
    type.__setattr__(target, name, accessor)
    add_relation(relation)


def _is_free(
    target: type[Any], name: str, relation: Relation, accessor: type[Accessor]
) -> bool:
    known = relation_of(target, name)
    if known is not None:
        return isinstance(known, Reverse) and _is_newer(known.forward, relation)
    declared = vars(target).get(name)
    if isinstance(declared, accessor):  # declared for type checkers, not bound yet
        return _is_meant(getattr(declared, "from_model", None), relation)
    if any(name in each.__pydantic_fields__ for each in _family(target)):
        return False
    inherited = getattr(target, name, None)
    is_reverse = isinstance(inherited, Accessor) and declared is None
    return is_reverse or not hasattr(target, name)


def _is_newer(old: Relation, new: Relation) -> bool:
    """Whether a class was defined anew, and this is its relation again."""
    if old.owner is new.owner:
        return old.name == new.name
    return full_name(old.owner) == full_name(new.owner)


def _is_meant(origin: Any, relation: Relation) -> bool:
    model: type[Any] = relation.owner
    if isinstance(origin, str):
        return origin.rpartition(".")[2] == model.__name__
    return origin is None or origin is model


def _family(model: type[Any]) -> Iterator[type[Any]]:
    yield model
    for child in model.__subclasses__():
        yield from _family(child)
