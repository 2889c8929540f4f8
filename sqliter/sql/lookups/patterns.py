"""Operators that search texts for regular expressions, as Python's ``re`` does."""

from __future__ import annotations

from typing import Any

from sqliter.exceptions import InvalidFilterError
from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups.lookup import Kind, Operand
from sqliter.sql.lookups.registry import register_lookup
from sqliter.sql.lookups.texts import Text
from sqliter.sql.regex import packed


@register_lookup
class Regex(Text):
    r"""``name__regex=r"^\w+$"``: found anywhere in the text, as by ``re.search``."""

    suffix = "__regex"
    ignores_case = False

    def prepare(self, operand: Operand, value: Any) -> Any:
        if operand.kind is Kind.BYTES:
            text = f"'{self.suffix}' is for texts; '{operand.name}' holds bytes"
            message = f"Failed to apply filter: {text}"
            raise InvalidFilterError(operand.name, message=message)
        pattern = super().prepare(operand, value)
        return packed(pattern, ignores_case=self.ignores_case)

    def plain(self, operand: Operand) -> str:
        # Pattern and text are one value: functions that can be stopped take one.
        sql = operand.sql
        text = f"CASE typeof({sql}) WHEN 'blob' THEN NULL ELSE ? || {sql} END"
        return f"sqliter_regex({text})"

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        return Fragment(self.plain(operand), (prepared,))


@register_lookup
class IRegex(Regex):
    """The same with ``re.IGNORECASE``."""

    suffix = "__iregex"
    ignores_case = True
