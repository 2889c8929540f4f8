"""How models refer to each other: relations as data.

A relation belongs to the class whose instances have the attribute. It says which
rows of another table belong to a row of this one, and nothing about how they are
fetched or handed out. Attributes (descriptors) stand above, in ``sqliter.orm``.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from sqliter.helpers import quote_identifier
from sqliter.model.registry import candidates, models, resolve
from sqliter.model.table import Column, Model, Table, table_name_of, table_of

__all__ = [
    "Declared",
    "ForwardKey",
    "Junction",
    "ManyLink",
    "Relation",
    "Reverse",
    "ReverseKey",
    "ReverseLink",
    "add_link",
    "add_relation",
    "forward_of",
    "link_columns",
    "links_of",
    "named_links",
    "relation_of",
    "relations_of",
]

_RELATIONS = "__sqliter_relations__"

_links_to: weakref.WeakKeyDictionary[Model, weakref.WeakSet[ManyLink]] = (
    weakref.WeakKeyDictionary()
)
_named: weakref.WeakSet[ManyLink] = weakref.WeakSet()  # those with a table by name


class Junction(NamedTuple):
    """A table of links, seen from one side: its columns ``source`` and ``target``.

    ``symmetrical`` links are kept once and hold in both directions.
    """

    name: str
    source: str
    target: str
    symmetrical: bool = False

    @property
    def sql(self) -> str:
        """The quoted name."""
        return quote_identifier(self.name)

    @property
    def links(self) -> str:
        """What is selected from: every link as a row, in each direction it holds."""
        if not self.symmetrical:
            return self.sql
        one, other = quote_identifier(self.source), quote_identifier(self.target)
        return (
            f"(SELECT {one}, {other} FROM {self.sql} "
            f"UNION SELECT {other}, {one} FROM {self.sql})"
        )

    def turned(self) -> Junction:
        """Return the same table as the other side sees it."""
        return self._replace(source=self.target, target=self.source)


class Relation:
    """From a row of ``owner``'s table to rows of ``target``'s.

    They belong together where ``source_column`` equals ``target_column``, or where
    the ``junction`` links the two.
    """

    to_many: ClassVar[bool] = True

    def __init__(self, owner: Model, name: str, inverse: str | None = None) -> None:
        self.owner = owner
        self.name = name
        self.inverse = inverse  # the attribute at the other end that leads back

    @property
    def target(self) -> Model:
        """The class at the other end; ``InvalidForeignKeyError`` if not there yet."""
        raise NotImplementedError

    @property
    def source_column(self) -> Column:
        """The column of the owner's table."""
        return table_of(self.owner).pk

    @property
    def target_column(self) -> Column:
        """The column of the target's table."""
        return self.target_table.pk

    @property
    def target_table(self) -> Table:
        """The table at the other end."""
        return table_of(self.target)

    @property
    def junction(self) -> Junction | None:
        """The table of links, if there is one between the two."""
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.owner.__name__}.{self.name}>"


class Declared(Relation):
    """A relation as its class declares it; ``given`` is the target, or its name."""

    def __init__(
        self, owner: Model, name: str, given: Model | str, inverse: str | None = None
    ) -> None:
        super().__init__(owner, name, inverse)
        self.given = given

    @property
    def target(self) -> Model:
        given = self.given
        return resolve(given, self.owner) if isinstance(given, str) else given


class Reverse(Relation):
    """The other side of a relation that was declared."""

    def __init__(self, owner: Model, name: str, forward: Declared) -> None:
        super().__init__(owner, name, forward.name)
        self.forward = forward

    @property
    def target(self) -> Model:
        return self.forward.owner


class ForwardKey(Declared):
    """A foreign key: ``book.author``, kept in ``field``."""

    to_many = False

    def __init__(self, owner: Model, name: str, field: str, given: Model | str) -> None:
        super().__init__(owner, name, given)
        self.field = field

    @property
    def source_column(self) -> Column:
        return table_of(self.owner).by_field[self.field]

    @property
    def is_required(self) -> bool:
        """Whether every row has one."""
        return self.source_column.required


class ReverseKey(Reverse):
    """The other side of a foreign key: ``author.books``."""

    forward: ForwardKey

    @property
    def target_column(self) -> Column:
        return self.forward.source_column


class ManyLink(Declared):
    """A many-to-many relation, as it was declared: ``article.tags``."""

    def __init__(
        self,
        owner: Model,
        name: str,
        given: Model | str,
        *,
        through: str | None = None,
        symmetrical: bool = False,
        is_inherited: bool = False,
    ) -> None:
        super().__init__(owner, name, given, name if symmetrical else None)
        self.symmetrical = symmetrical
        self.through = through
        self.is_inherited = is_inherited

    @property
    def is_defined(self) -> bool:
        """Whether there is a class that the target may mean."""
        given = self.given
        return not isinstance(given, str) or bool(candidates(given, self.owner))

    @property
    def is_to_itself(self) -> bool:
        """Whether both ends are the same class."""
        return self.target is self.owner

    @property
    def junction_name(self) -> str:
        """The table of the links: ``through``, or both table names, sorted.

        A subclass has a table of its own, so it has links of its own, too.
        """
        own = table_name_of(self.owner)
        if self.through is None:
            return "_".join(sorted([own, table_name_of(self.target)]))
        return f"{self.through}_{own}" if self.is_inherited else self.through

    @property
    def junction(self) -> Junction:
        sides = link_columns(table_name_of(self.owner), table_name_of(self.target))
        holds_both_ways = self.symmetrical and self.is_to_itself
        return Junction(self.junction_name, *sides, holds_both_ways)


class ReverseLink(Reverse):
    """The other side of a many-to-many relation: ``tag.articles``."""

    forward: ManyLink

    @property
    def junction(self) -> Junction:
        return self.forward.junction.turned()


def link_columns(source: str, target: str) -> tuple[str, str]:
    """Return the columns of a junction table between two tables, or one and itself."""
    if source == target:
        return f"{source}_pk_left", f"{source}_pk_right"
    return f"{source}_pk", f"{target}_pk"


def named_links() -> list[ManyLink]:
    """Return the many-to-many relations of models whose table was given a name."""
    return [each for each in list(_named) if each.owner in models(each.owner.__name__)]


def relations_of(model: Model) -> dict[str, Relation]:
    """Return the relations of a class by name; those of its bases do not count."""
    found: dict[str, Relation] = model.__dict__.get(_RELATIONS, {})
    return found


def relation_of(model: Model, name: str) -> Relation | None:
    """Return a relation of a class, or ``None``."""
    return relations_of(model).get(name)


def forward_of(model: Model, name: str) -> ForwardKey:
    """Return a foreign key of a class that is known to have it."""
    relation = relations_of(model)[name]
    assert isinstance(relation, ForwardKey)
    return relation


def add_relation(relation: Relation) -> None:
    """Make a relation known to the class it belongs to."""
    owner = relation.owner
    if _RELATIONS not in owner.__dict__:
        type.__setattr__(owner, _RELATIONS, {})
    relations_of(owner)[relation.name] = relation
    if isinstance(relation, ManyLink) and relation.through is not None:
        _named.add(relation)


def add_link(link: ManyLink) -> None:
    """Note, at the other end, that a junction table leads there."""
    _links_to.setdefault(link.target, weakref.WeakSet()).add(link)


def links_of(model: Model) -> Iterator[ManyLink]:
    """Yield the many-to-many relations that a class has part in, its own first."""
    own = [each for each in relations_of(model).values() if isinstance(each, ManyLink)]
    yield from own
    others = [each for each in _links_to.get(model, ()) if each not in own]
    yield from sorted(others, key=lambda each: each.junction_name)
