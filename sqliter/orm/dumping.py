"""Dumps that include what is loaded of the relations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from sqliter.model.loaded import TO_MANY, known_object, remembered
from sqliter.model.relations import ForwardKey, relations_of

__all__ = ["as_json", "with_related"]


def with_related(
    instance: Any, options: dict[str, Any], above: tuple[int, ...] = ()
) -> dict[str, Any]:
    """Return the fields and the loaded relations.

    An object that is being dumped further up is left out: a book's author does not
    list the book again.
    """
    dumped: dict[str, Any] = BaseModel.model_dump(instance, **options)
    above = (*above, id(instance))
    for name, value in _loaded(instance):
        if not _is_wanted(name, value, options):
            continue
        below = _options_below(name, options)
        if isinstance(value, list):
            objects = [each for each in value if id(each) not in above]
            dumped[name] = [with_related(each, below, above) for each in objects]
        elif id(value) not in above:
            dumped[name] = value and with_related(value, below, above)
    return dumped


def as_json(instance: Any, options: dict[str, Any]) -> str:
    """Return the same as JSON."""
    indent = options.pop("indent", None)
    ensure_ascii = options.pop("ensure_ascii", False)
    separators = (",", ":") if indent is None else None
    dumped = with_related(instance, {**options, "mode": "json"})
    return json.dumps(
        dumped, indent=indent, ensure_ascii=ensure_ascii, separators=separators
    )


def _loaded(instance: Any) -> Iterator[tuple[str, Any]]:
    for name, relation in relations_of(type(instance)).items():
        if not isinstance(relation, ForwardKey):
            continue
        found = known_object(instance, name)
        if found is not None or vars(instance).get(relation.field, 0) is None:
            yield name, found
    yield from remembered(instance, TO_MANY).items()


def _is_wanted(name: str, value: Any, options: dict[str, Any]) -> bool:
    include, exclude = options.get("include"), options.get("exclude") or ()
    if value is None and options.get("exclude_none"):
        return False
    if include is not None and name not in include:
        return False
    part = exclude.get(name) if isinstance(exclude, dict) else None
    return name not in exclude or isinstance(part, (dict, set))


def _options_below(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options for the objects of a relation."""
    below = {k: v for k, v in options.items() if k not in ("include", "exclude")}
    for choice in ("include", "exclude"):
        given = options.get(choice)
        part = given.get(name) if isinstance(given, dict) else None
        if isinstance(part, (dict, set)):
            below[choice] = part
    return below
