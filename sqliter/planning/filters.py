"""``filter(age__gt=3, author__name="Ann")``: from keywords to conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqliter.exceptions import InvalidFilterError, InvalidRelationshipError
from sqliter.model.documents import Part, field_of
from sqliter.model.keys import is_object
from sqliter.model.relations import ForwardKey, Relation, relation_of
from sqliter.model.table import Column, Table
from sqliter.planning.comparing import comparison
from sqliter.planning.computed import Names
from sqliter.planning.conditions import Comparison, Condition, Linked
from sqliter.planning.inside import operator_inside, side_inside
from sqliter.planning.operands import operand_of
from sqliter.sql.lookups import Lookup, Operand, find_lookup, splits
from sqliter.sql.lookups.lists import In
from sqliter.terms.term import TERMS, F, Term

__all__ = ["Side", "conditions", "own_conditions"]


class _About(NamedTuple):
    """The table that is asked about, and what names mean where the question began."""

    table: Table
    names: Names


class _Keyword(NamedTuple):
    """A keyword taken apart: a path of relations, a column at its end, an operator.

    ``at_relation``: no column was named, the keyword ends with a to-many relation.
    ``part``: what is meant of the JSON in the column.
    """

    key: str
    value: Any
    suffix: str
    relations: tuple[Relation, ...]
    table: Table
    column: Column
    at_relation: bool = False
    part: Part | None = None

    @property
    def hop(self) -> int:
        """Where the first to-many relation stands; after the last one if nowhere."""
        to_many = [n for n, each in enumerate(self.relations) if each.to_many]
        return to_many[0] if to_many else len(self.relations)

    @property
    def wants_none(self) -> bool | None:
        """For a question whether there are related rows at all: whether not."""
        if not self.at_relation or self.hop < len(self.relations) - 1:
            return None
        if self.suffix in ("__isnull", "__notnull"):
            return bool(self.value) is (self.suffix == "__isnull")
        is_null = self.value is None and self.suffix in ("__eq", "__ne")
        return self.suffix == "__eq" if is_null else None


def own_conditions(
    table: Table, keywords: dict[str, Any]
) -> tuple[Condition, ...] | None:
    """Return what keywords about columns of this very table mean, ``None`` for others.

    Raises as ``conditions`` does.
    """
    sides = table.prepare(_own_sides, tuple(keywords))
    if not sides or not TERMS.isdisjoint(map(type, keywords.values())):
        return None
    pairs = zip(sides, keywords.values(), strict=True)
    return tuple([side.compared(value) for side, value in pairs])


def conditions(names: Names, keywords: dict[str, Any]) -> tuple[Condition, ...]:
    """Return the conditions that keywords mean.

    Those that go through the same to-many relation mean the same related row. Parts of
    a datetime are what they are in the zone in which the database reads them.

    Raises ``InvalidFilterError`` for unknown fields, operators and values that the
    field cannot hold, ``InvalidRelationshipError`` for paths through what is no
    relation, ``TypeError`` for values the operator cannot take.
    """
    table = names.table
    found = own_conditions(table, keywords)
    if found is not None:
        return found
    about = _About(table, names)
    return _conditions(about, [_parsed(table, *each) for each in keywords.items()])


class Side(NamedTuple):
    """What a value is compared with, and how; ``plain`` as in the comparison."""

    operand: Operand
    lookup: Lookup
    plain: str | None = None

    def compared(self, value: Any) -> Comparison:
        """Return the condition, with the value checked."""
        operand, lookup, plain = self
        try:
            prepared = lookup.prepare(operand, value)
        except ValueError as error:
            raise _unfit(operand.name, value, error) from error
        if prepared is None:
            plain = None
        return Comparison(operand, lookup, value, prepared, (), plain)


def _own_sides(table: Table, keys: tuple[str, ...]) -> tuple[Side, ...]:
    """Return the keywords taken apart, if all are about columns of this very table."""
    sides = [_own_side(table, key) for key in keys]
    return () if None in sides else tuple(side for side in sides if side)


def _own_side(table: Table, key: str) -> Side | None:
    keyword = _parsed(table, key, None)
    side = None if keyword.relations else _side(keyword)
    if side is None or not side.lookup.remembered:
        return None
    return side._replace(plain=side.lookup.plain(side.operand))


def _side(keyword: _Keyword, *, local: bool = True) -> Side | None:
    name = keyword.key.removesuffix(keyword.suffix)
    table, column, suffix = keyword.table, keyword.column, keyword.suffix
    if keyword.part is not None:
        return Side(*side_inside(table, column, keyword.part, name, suffix))
    lookup = find_lookup(suffix)
    operand = operand_of(table, column, name, local=local)
    return None if lookup is None else Side(operand, lookup)


def _conditions(about: _About, keywords: Sequence[_Keyword]) -> tuple[Condition, ...]:
    """Return a condition per keyword, or per to-many relation they go through."""
    groups: dict[object, list[_Keyword]] = {}
    for each in keywords:
        alone = each.hop == len(each.relations) or each.wants_none is not None
        through = each.key if alone else each.relations[: each.hop + 1]
        groups.setdefault(through, []).append(each)
    return tuple(_condition(about, group) for group in groups.values())


def _condition(about: _About, group: list[_Keyword]) -> Condition:
    first = group[0]
    path = tuple(relation.name for relation in first.relations[: first.hop])
    for each in group:
        if isinstance(each.value, Term):
            return _compared(about.names, each, path)
    if first.hop == len(first.relations):
        return _comparison(first, path, local=about.names.local)
    relation = first.relations[first.hop]
    if first.wants_none is not None:
        return Linked(path, relation, negated=first.wants_none)
    inner = [each._replace(relations=each.relations[each.hop + 1 :]) for each in group]
    beyond = about._replace(table=relation.target_table)
    return Linked(path, relation, _conditions(beyond, inner))


def _compared(names: Names, keyword: _Keyword, path: tuple[str, ...]) -> Condition:
    name = keyword.key.removesuffix(keyword.suffix)
    if keyword.part:
        text = "an expression is not compared with parts of JSON"
        raise InvalidFilterError(name, message=f"Failed to apply filter: {text}")
    left = F("__".join((*path, keyword.column.field)))
    try:
        if keyword.hop < len(keyword.relations):
            msg = "an expression is not compared across a to-many relation"
            raise ValueError(msg)  # noqa: TRY301 - told like all that is wrong with it
        return comparison(names, left, keyword.suffix, keyword.value)
    except ValueError as error:
        text = f"Failed to apply filter: '{name}': {error}"
        raise InvalidFilterError(name, message=text, original=error) from error


def _comparison(
    keyword: _Keyword,
    path: tuple[str, ...],
    *,
    local: bool,
) -> Comparison:
    side = _side(keyword, local=local)
    assert side is not None
    if isinstance(side.lookup, In) and is_object(keyword.value):  # a model is iterable
        msg = f"{side.operand.name} requires a list for '{keyword.suffix}'"
        raise TypeError(msg)
    return side.compared(keyword.value)._replace(path=path)


def _parsed(table: Table, key: str, value: Any) -> _Keyword:
    """Take a keyword apart; exact names win over operators."""
    if _leads_somewhere(table, key):
        return _followed(table, key, key, "__eq", value)
    inside = _inside(table, key, value)
    if inside is not None:
        return inside
    name, suffix = key, "__eq"
    for name, suffix in splits(key):  # noqa: B007 - the last one is reported
        if _leads_somewhere(table, name):
            break
    return _followed(table, key, name, suffix, value)


def _inside(table: Table, key: str, value: Any) -> _Keyword | None:
    """Take apart a keyword about the JSON in a column, if it is one."""
    relations: list[Relation] = []
    rest = key
    while (field := field_of(table.by_field, rest)) is None:
        head, _, rest = rest.partition("__")
        relation = relation_of(table.model, head)
        if relation is None or not rest:
            return None
        relations.append(relation)
        table = relation.target_table
    column = table.by_field[field]
    found = operator_inside(column, key, rest[len(field) + 2 :])
    if found is None:
        return None
    return _Keyword(key, value, found[1], (*relations,), table, column, part=found[0])


def _leads_somewhere(table: Table, path: str) -> bool:
    """Whether all of a keyword is a path, and none of it an operator."""
    while not _ends(table, path):
        head, _, path = path.partition("__")
        relation = relation_of(table.model, head)
        if relation is None or not path:
            return False
        table = relation.target_table
    return True


def _ends(table: Table, name: str) -> bool:
    return name in table.by_field or relation_of(table.model, name) is not None


def _followed(table: Table, key: str, name: str, suffix: str, value: Any) -> _Keyword:
    relations: list[Relation] = []
    rest = name
    while not _ends(table, rest):
        head, _, tail = rest.partition("__")
        relation = relation_of(table.model, head)
        if relation is None or not tail:
            raise _unknown(table, key, name, rest, relations)
        relations.append(relation)
        table, rest = relation.target_table, tail
    end = relation_of(table.model, rest)
    if isinstance(end, ForwardKey):
        rest, end = end.field, None
    if end is None:
        column = table.by_field[rest]
        return _Keyword(key, value, suffix, tuple(relations), table, column)
    target, path = end.target_table, (*relations, end)
    return _Keyword(key, value, suffix, path, target, target.pk, at_relation=True)


def _unknown(
    table: Table, key: str, name: str, rest: str, relations: Sequence[Relation]
) -> Exception:
    first = rest.partition("__")[0]
    if first in table.by_field:
        label = name.removesuffix(rest.removeprefix(first))
        operator = key.removeprefix(f"{label}__")
        text = f"unknown operator '{operator}' for field '{label}'"
        return InvalidFilterError(label, message=f"Failed to apply filter: {text}")
    if first and first != rest:
        path = name.rpartition("__")[0]
        return InvalidRelationshipError(path, first, table.model.__name__)
    if not relations:
        return InvalidFilterError(name)
    model = table.model.__name__
    return InvalidFilterError(f"{key} - field '{rest}' not found in {model}")


def _unfit(name: str, value: Any, error: Exception) -> InvalidFilterError:
    text = f"Failed to apply filter: field '{name}' cannot be compared with "
    shown = repr(value)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return InvalidFilterError(name, message=text + shown, original=error)
