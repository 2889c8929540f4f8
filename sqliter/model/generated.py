"""Makes the functions that turn rows of one model into instances, and back.

It is Python text with a name for each column, because nothing else is as fast: no loop
over columns, no call for each row. The text contains no name of the user's that was
not quoted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from sqliter.core.statement import Row, Value
from sqliter.model.codecs.moments import DAY, EPOCH_DAY, decode_date, encode_date
from sqliter.model.codecs.scalars import decode_bool, encode_float

__all__ = ["Cell", "Encode", "Functions", "Part", "encode_function", "functions"]


_DECODING: dict[Callable[[Any], Any], str] = {
    decode_bool: "truths[{}]",
    decode_date: f"day({{}} // {DAY} + {EPOCH_DAY})",
}
"""What some decoders do, without a call. Where it fails, the decoder says why."""

_NAMES = {"truths": {0: False, 1: True}, "day": date.fromordinal}


class Cell(NamedTuple):
    """How one column of a row is read: which storage classes, and what they mean."""

    field: str
    reads: frozenset[type]
    nullable: bool
    decode: Callable[[Any], Any] | None


class Functions(NamedTuple):
    """``load(rows, database)``, and ``make(values, database)`` for one instance."""

    load: Callable[[Iterable[Row], Any], list[Any]]
    make: Callable[[dict[str, Any], Any], Any]


def functions(
    cells: Sequence[Cell],
    making: Sequence[str],
    keeping: Sequence[str],
    names: dict[str, Any],
    carefully: Callable[[Row], dict[str, Any]],
    rest: int = 0,
) -> Functions:
    """Return the functions for rows of these columns, and ``rest`` more behind them.

    ``making`` are the statements that make ``instance`` of ``values``, ``keeping``
    those that keep something of the ``row`` in it, ``names`` is what they refer to.
    ``carefully`` returns the values of a row that is not as expected, or raises.
    """
    namespace: dict[str, Any] = {**_NAMES, **names, "carefully": carefully}
    for number, cell in enumerate(cells):
        namespace[f"reads{number}"] = cell.reads
        namespace[f"decode{number}"] = cell.decode
    exec(_text(cells, making, keeping, rest), namespace)  # noqa: S102 - see above
    return Functions(namespace["load"], namespace["make"])


def _text(
    cells: Sequence[Cell], making: Sequence[str], keeping: Sequence[str], rest: int
) -> str:
    numbered = list(enumerate(cells))
    columns = ", ".join([*(f"v{number}" for number, _ in numbered), *"_" * rest])
    checks = " and ".join(_check(*each) for each in numbered)
    values = ", ".join(_item(*each) for each in numbered)
    return (
        _load_text(columns, checks, values, [*making, *keeping])
        + f"""
def make(values, database):
    {_lines(making, 4)}
    return instance
"""
    )


def _load_text(columns: str, checks: str, values: str, making: Sequence[str]) -> str:
    return f"""
def load(rows, database):
    found = []
    for row in rows:
        {columns}, = row
        if {checks}:
            try:
                values = {{{values}}}
            except Exception:
                values = carefully(row)
        else:
            values = carefully(row)
        {_lines(making, 8)}
        found.append(instance)
    return found
"""


def _lines(statements: Sequence[str], depth: int) -> str:
    return ("\n" + " " * depth).join(statements)


def _check(number: int, cell: Cell) -> str:
    """Return whether the storage class fits."""
    value = f"v{number}"
    kinds = [kind.__name__ for kind in cell.reads]
    fits = f"type({value}) in reads{number}"
    if len(kinds) == 1:
        fits = f"type({value}) is {kinds[0]}"
    return f"({value} is None or {fits})" if cell.nullable else fits


def _item(number: int, cell: Cell) -> str:
    """Return the field with its value."""
    value = f"v{number}"
    if cell.decode is not None:
        decoding = _DECODING.get(cell.decode, f"decode{number}({{}})")
        value = decoding.format(value)
        if cell.nullable:
            value = f"None if v{number} is None else {value}"
    return f"{cell.field!r}: {value}"


_ENCODING: dict[Callable[[Any], Value], str] = {
    encode_float: "{0} if type({0}) is float and {0} == {0} else {1}({0})",
    encode_date: f"({{0}}.toordinal() - {EPOCH_DAY}) * {DAY}",
}
"""What some encoders do with values of the very type, without a call."""

Encode: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], list[Value]]
"""Returns what is stored of an instance's values; those given apart come first."""


class Part(NamedTuple):
    """How one field is written: values of which types, and what is stored of them.

    The value of one that is ``apart`` is not among the instance's.
    """

    field: str
    writes: tuple[type, ...]
    encode: Callable[[Any], Any] | None
    apart: bool


def encode_function(parts: Sequence[Part], carefully: Encode) -> Encode:
    """Return ``encode(values, apart)``: what is stored of these fields, in order.

    ``carefully`` does the same with values that are not as expected, or raises.
    """
    namespace: dict[str, Any] = {"carefully": carefully}
    for number, part in enumerate(parts):
        namespace[f"writes{number}"] = part.writes
        namespace[f"encode{number}"] = part.encode
    exec(_encode_text(parts), namespace)  # noqa: S102 - see above
    encode: Encode = namespace["encode"]
    return encode


def _encode_text(parts: Sequence[Part]) -> str:
    numbered = list(enumerate(parts))
    values = [f"v{number} = {_given(part)}" for number, part in numbered]
    checks = [f"(type(v{n}) in writes{n} or v{n} is None)" for n, _ in numbered]
    return f"""
def encode(values, apart):
    try:
        {_lines(values, 8)}
        if {" and ".join(checks) or True}:
            return [{", ".join(_stored(number, part) for number, part in numbered)}]
    except Exception:
        pass
    return carefully(values, apart)
"""


def _given(part: Part) -> str:
    return f"{'apart' if part.apart else 'values'}[{part.field!r}]"


def _stored(number: int, part: Part) -> str:
    """Return what is stored of a value."""
    value = f"v{number}"
    if part.encode is None:
        return value
    encoding = _ENCODING.get(part.encode, "{1}({0})").format(value, f"encode{number}")
    return f"None if {value} is None else {encoding}"
