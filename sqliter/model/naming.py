"""Table names: taken from ``Meta.table_name`` or inferred from the class name."""

from __future__ import annotations

import functools
import re
from typing import Any

from sqliter.helpers import validate_table_name

__all__ = ["infer_table_name", "other_spellings", "pluralize"]

_IRREGULAR = {"person": "people", "child": "children", "man": "men", "woman": "women"}

# Words that inflect takes for plurals.
_SINGULARS = {"alias", "atlas", "bias", "canvas", "data", "gas", "lens"}


def infer_table_name(class_name: str) -> str:
    """Return the plural snake-case name; ``Model`` at the end is dropped."""
    return validate_table_name(pluralize(_snake_case(class_name)))


def pluralize(word: str) -> str:
    """Return the plural; a word that is one already is left alone.

    The package ``inflect`` is used where it is installed. Without it an ``s`` is
    appended unless the word ends in one.
    """
    if len(word) == 1:  # "a" would become "some"
        return f"{word}s"
    try:
        import inflect  # noqa: PLC0415 - optional, and slow to import
    except ImportError:
        return word if word.endswith("s") else f"{word}s"
    return _inflected(word, inflect.engine)


def other_spellings(class_name: str) -> set[str]:
    """Return names the table may have in files made with other rules."""
    word = _snake_case(class_name)
    head, _, tail = word.rpartition("_")
    irregular = f"{head}_" * bool(head) + _IRREGULAR.get(tail, tail)
    spellings = {word, f"{word}s", f"{word}es", irregular, pluralize(word)}
    if word.endswith("y"):
        spellings.add(f"{word[:-1]}ies")
    if word.endswith("s"):
        spellings.add(word[:-1])
    return spellings


def _snake_case(class_name: str) -> str:
    name = class_name.removesuffix("Model") or class_name
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@functools.lru_cache(maxsize=1024)
def _inflected(word: str, make_engine: type) -> str:
    engine = _engine(make_engine)
    singular = engine.singular_noun(word)
    last = word.rpartition("_")[2]
    looks_plural = last not in _SINGULARS and not word.endswith(("ss", "us", "is"))
    return word if singular and looks_plural else str(engine.plural(word))


@functools.lru_cache(maxsize=1)
def _engine(make_engine: type) -> Any:
    return make_engine()
