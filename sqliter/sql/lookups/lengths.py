"""The length of texts and bytes: ``name__len__lt=10``."""

from __future__ import annotations

from sqliter.exceptions import InvalidFilterError
from sqliter.sql.lookups.lookup import Kind, Operand
from sqliter.sql.lookups.registry import register_transform
from sqliter.sql.lookups.transform import Transform, encode_whole


@register_transform
class Length(Transform):
    """``name__len=3``: characters of a text, bytes of a blob."""

    suffix = "__len"

    def of(self, operand: Operand) -> Operand:
        if operand.kind not in (Kind.TEXT, Kind.BYTES):
            text = f"'{self.suffix}' is for str and bytes; '{operand.name}' is neither"
            message = f"Failed to apply filter: {text}"
            raise InvalidFilterError(operand.name, message=message)
        # SQLite's own length() ends at a NUL character.
        sql = f"sqliter_len({operand.sql})"
        return Operand(f"{operand.name}{self.suffix}", sql, "INTEGER", encode_whole)
