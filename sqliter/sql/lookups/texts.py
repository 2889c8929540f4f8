"""Operators that look into texts."""

from __future__ import annotations

from typing import Any, ClassVar

from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups.lookup import Lookup, Operand
from sqliter.sql.lookups.registry import register_lookup


class Text(Lookup):
    """Base of those that take a text."""

    typed = True

    def prepare(self, operand: Operand, value: Any) -> Any:
        if not isinstance(value, str):
            msg = f"{operand.name} requires a string value for '{self.suffix}'"
            raise TypeError(msg)
        value.encode()  # a lone surrogate is no text: better said here
        return value


class _Pattern(Text):
    def prepare(self, operand: Operand, value: Any) -> Any:
        if "\0" in super().prepare(operand, value):
            msg = "LIKE ends at a NUL character; use '__contains'"
            raise ValueError(msg)
        return value


@register_lookup
class Like(_Pattern):
    r"""``name__like="A%"``: ``%`` any text, ``_`` any character, ``\`` escapes."""

    suffix = "__like"

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        return Fragment(f"{operand.sql} LIKE ? ESCAPE '\\'", (prepared,))


class _Part(Text):
    """Compares bytes: literally, and across NUL characters."""

    test: ClassVar[str]

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        if not prepared:
            return Fragment(f"{operand.sql} IS NOT NULL")
        return self.tested(operand, prepared)

    def tested(self, operand: Operand, prepared: str) -> Fragment:
        text = f"CAST({self.subject(operand)} AS BLOB)"
        sql = self.test.format(text=text, part="CAST(? AS BLOB)")
        # Not as many as there are "?": a path in JSON may have some.
        return Fragment(sql, (self.fold(prepared),) * self.test.count("{part}"))

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
        return Fragment(
            f"({operand.sql} >= ? AND {operand.sql} < ?)", (prepared, after)
        )


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


@register_lookup
class IExact(_Folded):
    """``name__iexact="ada"``, case folded."""

    suffix, test = "__iexact", "{text} = {part}"

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        return self.tested(operand, prepared)


def _successor(prefix: str) -> str | None:
    """Return the smallest text after all that start with ``prefix``."""
    head = prefix.rstrip("\U0010ffff")
    if not head:
        return None
    code = ord(head[-1]) + 1
    return head[:-1] + chr(0xE000 if 0xD800 <= code < 0xE000 else code)
