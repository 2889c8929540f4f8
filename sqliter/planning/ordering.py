"""``order("-age", "name")``: from names to ordering terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from sqliter.exceptions import InvalidOrderError
from sqliter.planning.spec import Order

__all__ = ["Nulls", "order_terms", "split_direction"]

Nulls: TypeAlias = Literal["first", "last"]

_DIRECTIONS = ("ASC", "DESC")


def split_direction(
    names: Sequence[str | None], direction: str | None, is_field: Callable[[str], bool]
) -> tuple[list[str], str | None]:
    """Tell ``order("age", "name")`` from the deprecated ``order("age", "DESC")``."""
    fields = [name for name in names if name is not None]
    if len(names) == 2 and direction is None:
        last = names[1]
        if last is not None and not is_field(last.removeprefix("-")):
            return fields[:-1], last
    return fields, direction


def order_terms(
    fields: Sequence[str],
    term_of: Callable[[str], Order],
    *,
    direction: str | None = None,
    reverse: bool = False,
    nulls: Nulls | None = None,
) -> tuple[Order, ...]:
    """Return the terms; ``term_of`` gives the ascending one of a name, or raises."""
    terms = [term_of(field.removeprefix("-")) for field in fields]
    if direction and reverse:
        msg = "Cannot specify both 'direction' and 'reverse' as it is ambiguous."
        raise InvalidOrderError(msg)
    if direction and direction.upper() not in _DIRECTIONS:
        raise InvalidOrderError(f"'{direction}' is not a valid sorting direction.")
    if nulls not in (None, "first", "last"):
        raise InvalidOrderError(f"nulls must be 'first' or 'last', not {nulls!r}.")
    downwards = reverse or (direction or "").upper() == "DESC"
    return tuple(
        term._replace(descending=downwards != field.startswith("-"), nulls=nulls)
        for field, term in zip(fields, terms, strict=True)
    )
