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
        if isinstance(value, list):
            objects = [each for each in value if id(each) not in above]
            dumped[name] = [_dumped(each, options, above) for each in objects]
        elif id(value) not in above:
            dumped[name] = value and _dumped(value, options, above)
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


def _dumped(value: Any, options: dict[str, Any], above: tuple[int, ...]) -> Any:
    shared = {k: v for k, v in options.items() if k not in ("include", "exclude")}
    return with_related(value, shared, above)
