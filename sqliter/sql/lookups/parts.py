"""Parts of dates and datetimes: ``published__year=2000``, ``at__hour__lt=12``.

They mean what they mean of the values that are loaded: days are never shifted, instants
are read in UTC or in local time, whichever the field and the database say.
"""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, date, datetime
from typing import Any

from sqliter.core.statement import Value
from sqliter.exceptions import InvalidFilterError
from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups.comparisons import Equal
from sqliter.sql.lookups.lookup import Kind, Lookup, Operand
from sqliter.sql.lookups.registry import register_transform
from sqliter.sql.lookups.transform import Transform, Transformed, encode_whole

_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()


class _Part(Transform):
    """``test`` is its SQL, in which ``{seconds}`` stands for Unix time."""

    test: str
    storage = "INTEGER"
    remembered = False  # databases differ in what time it is
    kinds = frozenset({Kind.DAY, Kind.UTC, Kind.LOCAL})
    has_kinds = "dates and datetimes; '{}' is neither"

    def of(self, operand: Operand) -> Operand:
        if operand.kind not in self.kinds:
            text = f"'{self.suffix}' is for {self.has_kinds.format(operand.name)}"
            message = f"Failed to apply filter: {text}"
            raise InvalidFilterError(operand.name, message=message)
        sql = self.test.format(seconds=_seconds(operand))
        name = f"{operand.name}{self.suffix}"
        return Operand(name, sql, self.storage, self.encode)

    def encode(self, value: Any) -> Value:
        """Return what the part is compared with; raises ``ValueError`` if unfit."""
        return encode_whole(value)


class _TimeOfDay(_Part):
    kinds = frozenset({Kind.UTC, Kind.LOCAL})
    has_kinds = "datetimes; '{}' is none"


def _seconds(operand: Operand) -> str:
    """Return the SQL of whole Unix seconds that show, as UTC, what a clock shows."""
    sql = operand.sql
    if operand.kind is Kind.DAY:
        return sql
    if operand.kind is Kind.LOCAL:
        return f"sqliter_local({sql})"
    # Rounded down: SQLite itself would round to milliseconds.
    return f"CAST({sql} AS INTEGER) - ({sql} < CAST({sql} AS INTEGER))"


def _number(code: str) -> str:
    return f"CAST(strftime('{code}', {{seconds}}, 'unixepoch') AS INTEGER)"


@register_transform
class Month(_Part):
    """``published__month=12``."""

    suffix, test = "__month", _number("%m")


@register_transform
class Day(_Part):
    """``published__day=24``: of the month."""

    suffix, test = "__day", _number("%d")


@register_transform
class WeekDay(_Part):
    """``published__week_day=1``: Monday is 1, Sunday 7, as in ISO 8601."""

    suffix = "__week_day"
    test = f"({_number('%w')} + 6) % 7 + 1"


@register_transform
class Hour(_TimeOfDay):
    """``at__hour=23``."""

    suffix, test = "__hour", _number("%H")


@register_transform
class Minute(_TimeOfDay):
    """``at__minute=59``."""

    suffix, test = "__minute", _number("%M")


class _Span(_Part):
    """A part whose equals lie side by side."""

    def then(self, lookup: Lookup, suffix: str) -> Lookup:
        if isinstance(lookup, Equal):
            return _Within(self, lookup, suffix)
        return super().then(lookup, suffix)

    def span(self, encoded: Any) -> tuple[int, int] | None:
        """Return where it begins and where the next one does, in Unix seconds."""
        raise NotImplementedError


@register_transform
class Year(_Span):
    """``published__year=2000``; uses an index on the column."""

    suffix, test = "__year", _number("%Y")

    def span(self, encoded: Any) -> tuple[int, int] | None:
        if not MINYEAR <= encoded <= MAXYEAR:
            return None
        last = date(encoded, 12, 31)
        return _start(date(encoded, 1, 1)), _start(last) + _DAY


@register_transform
class Date(_Span):
    """``at__date=date(2000, 12, 24)``; uses an index on the column."""

    suffix, test = "__date", "date({seconds}, 'unixepoch')"
    storage = "TEXT"

    def encode(self, value: Any) -> Value:
        day = date.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(day, datetime) or not isinstance(day, date):
            msg = f"a {type(day).__name__} is no date; use .date() of a datetime"
            raise ValueError(msg)
        return day.isoformat()

    def span(self, encoded: Any) -> tuple[int, int] | None:
        start = _start(date.fromisoformat(encoded))
        return start, start + _DAY


class _Within(Transformed):
    """A part compares as equal: the bare column is in a range, which an index finds."""

    def __init__(self, part: _Span, lookup: Lookup, suffix: str) -> None:
        super().__init__(part, lookup, suffix)
        self._span = part.span

    def prepare(self, operand: Operand, value: Any) -> Any:
        encoded = super().prepare(operand, value)
        return None if encoded is None else (encoded, self._span(encoded))

    def render(self, operand: Operand, prepared: Any) -> Fragment:
        encoded, span = prepared or (None, None)
        part = super().render(operand, encoded)
        if span is None:
            return part
        start, end = span
        bare = f"{operand.sql} >= ? AND {operand.sql} < ?"
        if operand.kind is not Kind.LOCAL:
            return Fragment(f"({bare})", (start, end))
        # Clocks are put back, even over midnight, and never differ from UTC by a day.
        params = (start - _DAY, end + _DAY, *part.params)
        return Fragment(f"({bare} AND {part.sql})", params)

    def plain(self, operand: Operand) -> str | None:
        return None


def _start(day: date) -> int:
    return (day.toordinal() - _EPOCH) * _DAY
