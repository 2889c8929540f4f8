"""Operators that compare with one value, or with NULL."""

from __future__ import annotations

from typing import Any, ClassVar

from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups.lookup import Lookup, Operand, refuse_none
from sqliter.sql.lookups.registry import register_lookup


class _Comparison(Lookup):
    negates, compares = False, True
    operator: ClassVar[str]

    def prepare(self, operand: Operand, value: Any) -> Any:
        if isinstance(value, list):
            msg = f"{operand.name} requires scalar for '{self.suffix}', not list"
            raise TypeError(msg)
        return None if value is None else operand.encode(value)

    def plain(self, operand: Operand) -> str:
        return f"{operand.compared} {self.operator} ?"

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        return Fragment(self.plain(operand), (prepared,))


class _Ordering(_Comparison):
    typed = True

    def prepare(self, operand: Operand, value: Any) -> Any:
        refuse_none(operand, self.suffix, value)
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


@register_lookup
class IsNull(Lookup):
    """``age__isnull=True`` or ``False``."""

    suffix = "__isnull"
    negates, compares = False, True
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
