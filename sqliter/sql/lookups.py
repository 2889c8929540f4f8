"""Filter operators: one small class each, registered under its suffix.

A lookup checks the value it is given (``prepare``) and writes the SQL of the
comparison (``render``). It knows neither models nor tables: an ``Operand`` is
all it sees of the left side.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from sqliter.core.statement import Value
from sqliter.sql.fragment import Fragment

__all__ = ["Lookup", "Operand", "find_lookup", "register_lookup", "split_suffix"]

FEW = 64
"""Lists up to this length are written out; longer ones travel as JSON."""


@dataclass(frozen=True, slots=True)
class Operand:
    """The left side of a comparison.

    ``name`` is what error texts call it, ``sql`` the expression, ``storage`` its
    declared type, ``encode`` turns a value of the user into a stored one.
    """

    name: str
    sql: str
    storage: str
    encode: Callable[[Any], Value]
    collation: str | None = None

    @property
    def compared(self) -> str:
        """The expression as it stands in comparisons."""
        return f"{self.sql} COLLATE {self.collation}" if self.collation else self.sql


class Lookup:
    """Base of the operators. ``suffix`` is what follows the field name."""

    suffix: ClassVar[str] = ""

    def prepare(self, operand: Operand, value: Any) -> Any:
        """Return the value ready for ``render``; raises ``TypeError`` if unfit."""
        raise NotImplementedError

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        """Return the SQL of the comparison."""
        raise NotImplementedError


_lookups: dict[str, Lookup] = {}
_suffixes: list[str] = []  # longest first

L = TypeVar("L", bound=type[Lookup])


def register_lookup(cls: L) -> L:
    """Make a lookup known under its suffix; usable as a decorator."""
    _lookups[cls.suffix] = cls()
    _suffixes[:] = sorted(_lookups, key=len, reverse=True)
    return cls


def find_lookup(suffix: str) -> Lookup | None:
    """Return the lookup of ``"__suffix"``, or ``None``."""
    return _lookups.get(suffix)


def split_suffix(key: str) -> tuple[str, str]:
    """Return ``(name, suffix)``; the longest known suffix counts, else ``__eq``."""
    for suffix in _suffixes:
        if key.endswith(suffix) and len(key) > len(suffix):
            return key.removesuffix(suffix), suffix
    return key, "__eq"


# --- comparisons ------------------------------------------------------------


class _Comparison(Lookup):
    operator: ClassVar[str]

    def prepare(self, operand: Operand, value: Any) -> Any:
        if isinstance(value, list):
            msg = f"{operand.name} requires scalar for '{self.suffix}', not list"
            raise TypeError(msg)
        return None if value is None else operand.encode(value)

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        return Fragment(f"{operand.compared} {self.operator} ?", (prepared,))


class _Ordering(_Comparison):
    def prepare(self, operand: Operand, value: Any) -> Any:
        if value is None:
            msg = (
                f"{operand.name} cannot be compared with None by '{self.suffix}'; "
                "use '__isnull'"
            )
            raise TypeError(msg)
        return super().prepare(operand, value)


@register_lookup
class Equal(_Comparison):
    """``age=3``; ``None`` means the NULL rows."""

    suffix, operator = "__eq", "="

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        if prepared is None:
            return Fragment(f"{operand.sql} IS NULL")
        return super().render(operand, prepared)


@register_lookup
class NotEqual(_Comparison):
    """``age__ne=3`` (NULL rows never match); ``None`` means the others."""

    suffix, operator = "__ne", "!="

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        if prepared is None:
            return Fragment(f"{operand.sql} IS NOT NULL")
        return super().render(operand, prepared)


@register_lookup
class Less(_Ordering):
    """``age__lt=3``."""

    suffix, operator = "__lt", "<"


@register_lookup
class LessOrEqual(_Ordering):
    """``age__lte=3``."""

    suffix, operator = "__lte", "<="


@register_lookup
class Greater(_Ordering):
    """``age__gt=3``."""

    suffix, operator = "__gt", ">"


@register_lookup
class GreaterOrEqual(_Ordering):
    """``age__gte=3``."""

    suffix, operator = "__gte", ">="


# --- NULL -------------------------------------------------------------------


@register_lookup
class IsNull(Lookup):
    """``age__isnull=True`` or ``False``."""

    suffix = "__isnull"
    when_true, when_false = "IS NULL", "IS NOT NULL"

    def prepare(self, operand: Operand, value: Any) -> Any:
        return bool(value)

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        test = self.when_true if prepared else self.when_false
        return Fragment(f"{operand.sql} {test}")


@register_lookup
class NotNull(IsNull):
    """``age__notnull=True`` or ``False``."""

    suffix = "__notnull"
    when_true, when_false = "IS NOT NULL", "IS NULL"


# --- lists ------------------------------------------------------------------


@register_lookup
class In(Lookup):
    """``age__in=[1, 2, None]``; ``None`` in the list means the NULL rows."""

    suffix = "__in"

    def prepare(self, operand: Operand, value: Any) -> Any:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            msg = f"{operand.name} requires a list for '{self.suffix}'"
            raise TypeError(msg)
        values = list(value)
        encoded = [operand.encode(each) for each in values if each is not None]
        return tuple(encoded), len(encoded) < len(values)

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        values, with_null = prepared
        listed = _in_list(operand, "IN", values)
        if with_null:
            return Fragment(f"({listed.sql} OR {operand.sql} IS NULL)", listed.params)
        return listed


@register_lookup
class NotIn(In):
    """``age__not_in=[1, 2]``; NULL rows match only an empty list."""

    suffix = "__not_in"

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        values, with_null = prepared
        listed = _in_list(operand, "NOT IN", values)
        if with_null:
            return Fragment(f"({listed.sql} AND {operand.sql} IS NOT NULL)", listed.params)
        return listed


def _in_list(operand: Operand, operator: str, values: tuple[Value, ...]) -> Fragment:
    if len(values) <= FEW:
        marks = ", ".join("?" * len(values))
        return Fragment(f"{operand.compared} {operator} ({marks})", values)
    # One text and one value for lists of any length. JSON has no blobs, ends texts
    # at NUL and may round floats: all those travel in hexadecimal.
    listed = "(SELECT sqliter_unhex(value) FROM json_each(?))"
    travelling = json.dumps([_as_json(value) for value in values])
    return Fragment(f"{operand.compared} {operator} {listed}", (travelling,))


def _as_json(value: Value) -> int | str | None:
    if isinstance(value, bytes):
        return f"b{value.hex()}"
    if isinstance(value, str):
        return f"s{value}" if "\0" not in value else f"t{value.encode().hex()}"
    return f"f{value.hex()}" if isinstance(value, float) else value


# --- text -------------------------------------------------------------------


class _Text(Lookup):
    def prepare(self, operand: Operand, value: Any) -> Any:
        if not isinstance(value, str):
            msg = f"{operand.name} requires a string value for '{self.suffix}'"
            raise TypeError(msg)
        value.encode()  # a lone surrogate is no text: better said here
        return value


class _Pattern(_Text):
    def prepare(self, operand: Operand, value: Any) -> Any:
        if "\0" in super().prepare(operand, value):
            msg = "LIKE ends at a NUL character; use '__contains'"
            raise ValueError(msg)
        return value


@register_lookup
class Like(_Pattern):
    """``name__like="A%"``: ``%`` any text, ``_`` any character, ``\\`` escapes."""

    suffix = "__like"

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        return Fragment(f"{operand.sql} LIKE ? ESCAPE '\\'", (prepared,))


class _Part(_Text):
    """Compares bytes: literally, and across NUL characters."""

    test: ClassVar[str]

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        if not prepared:
            return Fragment(f"{operand.sql} IS NOT NULL")
        text = f"CAST({self.subject(operand)} AS BLOB)"
        part = "CAST(? AS BLOB)"
        sql = self.test.format(text=text, part=part)
        return Fragment(sql, (self.fold(prepared),) * sql.count("?"))

    def subject(self, operand: Operand) -> str:
        return operand.sql

    def fold(self, value: str) -> str:
        return value


class _Folded(_Part):
    """The same with case folded, as Unicode defines it."""

    def subject(self, operand: Operand) -> str:
        return f"sqliter_casefold({operand.sql})"

    def fold(self, value: str) -> str:
        return value.casefold()


_CONTAINS = "instr({text}, {part}) > 0"
_STARTS = "substr({text}, 1, length({part})) = {part}"
_ENDS = "substr({text}, -length({part})) = {part}"


@register_lookup
class Contains(_Part):
    """``name__contains="da"``, case-sensitive."""

    suffix, test = "__contains", _CONTAINS


@register_lookup
class EndsWith(_Part):
    """``name__endswith="a"``, case-sensitive."""

    suffix, test = "__endswith", _ENDS


@register_lookup
class StartsWith(_Part):
    """``name__startswith="A"``, case-sensitive; uses an index on text columns."""

    suffix, test = "__startswith", _STARTS

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        after = _successor(prepared)
        if operand.storage != "TEXT" or operand.collation or after is None:
            return super().render(operand, prepared)
        return Fragment(f"({operand.sql} >= ? AND {operand.sql} < ?)", (prepared, after))


@register_lookup
class IContains(_Folded):
    """``name__icontains="da"``, case folded."""

    suffix, test = "__icontains", _CONTAINS


@register_lookup
class IStartsWith(_Folded):
    """``name__istartswith="a"``, case folded."""

    suffix, test = "__istartswith", _STARTS


@register_lookup
class IEndsWith(_Folded):
    """``name__iendswith="A"``, case folded."""

    suffix, test = "__iendswith", _ENDS


def _successor(prefix: str) -> str | None:
    """Return the smallest text after all that start with ``prefix``."""
    head = prefix.rstrip("\U0010ffff")
    if not head:
        return None
    code = ord(head[-1]) + 1
    return head[:-1] + chr(0xE000 if 0xD800 <= code < 0xE000 else code)
