"""Links that would be mixed up with others: found when a class is made."""

from __future__ import annotations

from typing import Any

from sqliter.exceptions import InvalidForeignKeyError
from sqliter.model.registry import full_name, models
from sqliter.model.relations import ManyLink, links_of, named_links
from sqliter.model.table import is_table_of, table_name_of

__all__ = ["check_link"]


def check_link(link: ManyLink, target: type[Any]) -> None:
    """Raise ``ValueError`` for links that would be mixed up with others."""
    if link.symmetrical and target is not link.owner:
        msg = (
            f"{link.owner.__name__}.{link.name} is symmetrical, but leads to another "
            f"model ({target.__name__})"
        )
        raise ValueError(msg)
    for other in [*links_of(link.owner), *links_of(target)]:
        if other is not link and _shares_table(link, other):
            msg = (
                f"{link.owner.__name__}.{link.name} and {other.owner.__name__}."
                f"{other.name} would share one table of links: give one of them "
                "another 'through'"
            )
            raise ValueError(msg)
    if link.through is not None:
        _check_models(link)
    _check_through(link)


def _shares_table(link: ManyLink, other: ManyLink) -> bool:
    if other.through != link.through or _is_same(link, other):
        return False
    return not other.is_inherited and _models(other) == _models(link)


def _check_models(link: ManyLink) -> None:
    """Raise if the table is that of a model."""
    for model in models():
        if is_table_of(link.through, model):
            msg = f"through='{link.through}' is the table of {model.__name__}"
            raise ValueError(msg)


def _check_through(link: ManyLink) -> None:
    """Raise if one of two relations is given the table that the other has."""
    others = named_links()
    if link.through is not None:
        others += (each for model in models() for each in links_of(model))
    for other in others:
        tables = _tables(other)
        if not tables or (tables == _tables(link) and other.name == link.name):
            continue
        if other.junction_name == link.junction_name:
            through = link.through or other.through
            msg = (
                f"through='{through}' is the table of links of "
                f"{other.owner.__name__}.{other.name}, too"
            )
            raise ValueError(msg)


def _is_same(link: ManyLink, other: ManyLink) -> bool:
    """Whether two are the same relation, of a class that was defined anew."""
    return link.name == other.name and full_name(link.owner) == full_name(other.owner)


def _tables(link: ManyLink) -> set[str]:
    """Return the tables at both ends; nothing while one is not known."""
    try:
        return {table_name_of(link.owner), table_name_of(link.target)}
    except ValueError:  # a target that does not exist, or an impossible name
        return set()


def _models(link: ManyLink) -> list[type[Any]]:
    """Return the classes at both ends; nothing while one is not known."""
    try:
        return sorted([link.owner, link.target], key=full_name)
    except InvalidForeignKeyError:
        return []
