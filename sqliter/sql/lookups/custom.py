"""Operators that programs add."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from sqliter.core.statement import Value
from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups.lookup import Lookup, Operand, refuse_none
from sqliter.sql.lookups.registry import is_registered, put_lookup

__all__ = ["LookupFunction", "lookup"]

LookupFunction: TypeAlias = Callable[[str, Any], tuple[str, Sequence[Any]]]
"""Takes the SQL of a column and a value; gives SQL and a value for each ``?`` in it."""

F = TypeVar("F", bound=LookupFunction)

_QUOTED = re.compile("'[^']*'|\"[^\"]*\"")
_own: set[str] = set()


def lookup(name: str, *, raw: bool = False, replace: bool = False) -> Callable[[F], F]:
    """Register a filter operator: ``name__glob="[A-M]*"``.

    The function takes the SQL of the column and the value, and gives SQL with a ``?``
    for each of its parameters, and these. The value comes as the field stores it, or
    with ``raw`` as it was given. ``name__not_glob`` is the opposite. Where a name
    is both a field and an operator, it is the field.

    Raises ``ValueError`` for a name that cannot be one, or is taken; with ``replace``
    it is taken from another function.

    Example:
        >>> @lookup("glob")
        ... def glob(column, value):
        ...     return f"{column} GLOB ?", [value]
        >>> db.select(Author).filter(name__glob="[A-M]*").fetch_all()
    """
    _check_name(name)
    suffix = f"__{name}"
    if is_registered(suffix) and not (replace and suffix in _own):
        advice = "pass replace=True" if suffix in _own else "choose another name"
        msg = f"there is a lookup {name!r} already; {advice}"
        raise ValueError(msg)

    def register(function: F) -> F:
        _check_function(function)
        put_lookup(_Custom(suffix, function, raw=raw))
        _own.add(suffix)
        return function

    return register


class _Custom(Lookup):
    """An operator that is a function."""

    remembered = False  # it may be replaced

    def __init__(self, suffix: str, function: LookupFunction, *, raw: bool) -> None:
        self.suffix = suffix
        self._function, self._raw = function, raw

    def prepare(self, operand: Operand, value: Any) -> Any:
        prepared = value if self._raw else self._encoded(operand, value)
        self.render(operand, prepared)  # what is wrong with it is said at once
        return prepared

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        return _checked(self.suffix, self._function(operand.sql, prepared))

    def _encoded(self, operand: Operand, value: Any) -> Value:
        refuse_none(operand, self.suffix, value)
        return operand.encode(value)


def _check_function(function: object) -> None:
    if not callable(function):
        msg = f"{function!r} is no function"
        raise TypeError(msg)


def _check_name(name: object) -> None:
    text = name if isinstance(name, str) else ""
    if not text.isidentifier() or "__" in text or "_" in (text[0], text[-1]):
        msg = (
            f"{name!r} is no name of a lookup; use letters, digits and single "
            "underscores between them, such as 'soundslike'"
        )
        raise ValueError(msg)
    if text.startswith("not_"):
        msg = f"{name!r} is the opposite of {text[4:]!r}; register that one"
        raise ValueError(msg)


def _checked(suffix: str, made: Any) -> Fragment:
    """Return what a function gave as a fragment, if it is one."""
    if not isinstance(made, tuple) or len(made) != 2 or not isinstance(made[0], str):
        msg = f"the lookup '{suffix}' must return SQL and a list of its parameters"
        raise TypeError(msg)
    sql, params = made
    if not isinstance(params, (list, tuple)):
        msg = f"the parameters of the lookup '{suffix}' must be a list or a tuple"
        raise TypeError(msg)
    for each in params:
        if each is not None and not isinstance(each, (int, float, str, bytes)):
            msg = f"the lookup '{suffix}' binds {each!r}, which SQLite cannot hold"
            raise TypeError(msg)
    marks = _QUOTED.sub("", sql).count("?")
    if marks != len(params):
        msg = f"the lookup '{suffix}' has {marks} '?' but {len(params)} parameters"
        raise TypeError(msg)
    return Fragment(f"({sql})", tuple(params))
