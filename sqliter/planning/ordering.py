"""``order("-age", "name")``: from names to ordering terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from sqliter.exceptions import InvalidOrderError
from sqliter.planning.calling import ordering_of
from sqliter.planning.computed import Names, collated, name_of
from sqliter.planning.spec import Order
from sqliter.terms.term import Field, Nulls, Term

__all__ = ["Orderable", "order_terms", "split_direction"]

Orderable: TypeAlias = Any
"""What rows are ordered by: a name, a column, an expression, or an order of one."""

_DIRECTIONS = ("ASC", "DESC")


def split_direction(
    names: Sequence[Orderable], direction: str | None, is_field: Callable[[str], bool]
) -> tuple[list[Orderable], str | None]:
    """Tell ``order("age", "name")`` from the deprecated ``order("age", "DESC")``."""
    fields = [name for name in names if name is not None]
    if len(names) == 2 and direction is None:
        last = names[1]
        if isinstance(last, str) and not is_field(last.removeprefix("-")):
            return fields[:-1], last
    return fields, direction


def order_terms(
    fields: Sequence[Orderable],
    term_of: Callable[[str], Order],
    names: Names,
    *,
    direction: str | None = None,
    reverse: bool = False,
    nulls: Nulls | None = None,
) -> tuple[Order, ...]:
    """Return the terms; ``term_of`` gives the ascending one of a name, or raises."""
    terms = [_term(field, term_of, names) for field in fields]
    if direction and reverse:
        msg = "Cannot specify both 'direction' and 'reverse' as it is ambiguous."
        raise InvalidOrderError(msg)
    if direction and direction.upper() not in _DIRECTIONS:
        raise InvalidOrderError(f"'{direction}' is not a valid sorting direction.")
    if nulls not in (None, "first", "last"):
        raise InvalidOrderError(f"nulls must be 'first' or 'last', not {nulls!r}.")
    downwards = reverse or (direction or "").upper() == "DESC"
    return tuple(
        term._replace(
            descending=downwards != term.descending, nulls=nulls or term.nulls
        )
        for term in terms
    )


def _term(given: Orderable, term_of: Callable[[str], Order], names: Names) -> Order:
    term, descending, nulls = ordering_of(given)
    if isinstance(term, Field):
        found = term_of(name_of(names.table.model, term))
    else:
        found = _computed(term, names)
    return found._replace(descending=descending, nulls=nulls)


def _computed(term: Term[Any], names: Names) -> Order:
    try:
        found = names.computed(term)
    except ValueError as error:
        text = f"cannot order by {term!r}: {error}"
        raise InvalidOrderError(text) from error
    return Order(repr(term), path=None, computed=collated(found))
