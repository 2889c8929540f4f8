"""Calls of SQL functions: of values, over groups, and over windows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqliter.model.codecs import DECIMAL_COLLATION
from sqliter.planning.aggregates import EXACT, AggregateSpec
from sqliter.planning.computed import (
    ANY,
    BYTES,
    NUMBERS,
    TEXT,
    Built,
    Computed,
    Kind,
    Level,
    Names,
    Stored,
    collated,
    direction,
)
from sqliter.planning.computing import common, of_one_kind
from sqliter.terms.call import Function, Over
from sqliter.terms.q import Q
from sqliter.terms.term import F, Given, Ordering, Term, term_of

__all__ = ["applied", "called", "counted", "ordering_of", "windowed"]


def _names_in(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SAME = _names_in(
    """coalesce ifnull nullif min max abs first_value last_value nth_value lag lead
    iif"""
)
"""Functions that give one of their arguments, or what is of the same kind."""

_KINDS: dict[Kind, frozenset[str]] = {
    TEXT: _names_in(
        """lower upper trim ltrim rtrim substr substring replace hex char typeof printf
        format quote concat concat_ws group_concat string_agg strftime date time
        datetime json json_array json_object json_quote json_group_array
        json_group_object"""
    ),
    int: _names_in(
        """length octet_length instr unicode count row_number rank dense_rank ntile sign
        random unixepoch json_array_length json_valid"""
    ),
    float: _names_in(
        """round total avg percent_rank cume_dist julianday sqrt exp ln log log10 log2
        pow power sin cos tan asin acos atan atan2 pi degrees radians"""
    ),
}
"""What functions give, if nobody has to look at their arguments."""

_AGGREGATES = _names_in(
    "count sum total avg group_concat string_agg json_group_array json_group_object"
)

_WINDOWS = _names_in(
    """row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value
    last_value nth_value"""
)

_BOUND = r"(UNBOUNDED (PRECEDING|FOLLOWING)|\d{1,9} (PRECEDING|FOLLOWING)|CURRENT ROW)"
_FRAME = re.compile(
    rf"(ROWS|RANGE|GROUPS) ({_BOUND}|BETWEEN {_BOUND} AND {_BOUND})"
    r"( EXCLUDE (NO OTHERS|CURRENT ROW|GROUP|TIES))?",
    re.ASCII,
)


def called(names: Names, term: Function) -> Computed:
    """Return a call; raises ``ValueError`` for what only makes sense over a window."""
    if term.name.lower() in _WINDOWS:
        msg = f"{term!r} is computed over a window: write {term!r}.over(...)"
        raise ValueError(msg)
    return _called(names, term)


def counted(names: Names, spec: AggregateSpec) -> Computed:
    """Return an aggregate of a field, or of rows."""
    return _called(names, _as_function(spec))


def windowed(names: Names, term: Over) -> Computed:
    """Return a call over a window."""
    call = term.call
    function = call if isinstance(call, Function) else _as_function(call)
    found = _called(names, function)
    parts = [_partition(names, term.partition), _order(names, term.order)]
    parts.append([_frame(term.frame)] if term.frame is not None else [])
    inner = [piece for part in parts if part for piece in (" ", *part)][1:]
    pieces = (found, " OVER (", *inner, ")")
    return Built(pieces, found.kind, found.like, found.decode, Level.WINDOW)


def ordering_of(given: Any) -> Ordering:
    """Return what ``"-age"``, a term or an order of one means as an order."""
    if isinstance(given, str):
        name = given.removeprefix("-")
        return Ordering(F(name), descending=name != given, nulls=None)
    if isinstance(given, Term):
        return given.asc()
    if isinstance(given, Ordering):
        return given
    msg = f"rows are ordered by names and expressions, not by {given!r}"
    raise TypeError(msg)


def _as_function(spec: Any) -> Function:
    field = () if spec.field is None else (F(spec.field),)
    return Function(spec.func.lower(), field, distinct=spec.distinct)


def _called(names: Names, term: Function) -> Built:
    name = term.name.lower()
    return applied(term, _arguments(names, name, term.arguments))


def applied(term: Function, given: Sequence[Computed]) -> Built:
    """Return a call with these arguments, which stand for its own."""
    name = term.name.lower()
    kind, like = _result(name, given, term)
    is_decimal = bool(given) and _is_decimal(given[0].like)
    sql = EXACT.get(name.upper(), term.name) if is_decimal else term.name
    compares = name in ("min", "max", "nullif") or term.distinct
    shown = [collated(each) for each in given] if compares else given
    inner = [piece for each in shown for piece in (", ", each)][1:]
    distinct = "DISTINCT " if term.distinct else ""
    star = "*" if name == "count" and not given else ""
    level = Level.GROUP if _is_aggregate(name, given) else Level.ROW
    return Built((f"{sql}({distinct}{star}", *inner, ")"), kind, like, None, level)


def _arguments(names: Names, name: str, given: Sequence[Term[Any]]) -> list[Computed]:
    _check_texts(names, name, given)
    if name in _SAME and name not in ("iif", "nth_value", "lag", "lead"):
        return of_one_kind(names, given)
    if name not in ("iif", "lag", "lead"):
        return [names.computed(each) for each in given]
    # the one that is asked about, or counted, is of another kind than the others
    apart = 0 if name == "iif" else 1
    others = of_one_kind(names, [e for n, e in enumerate(given) if n != apart])
    others[apart:apart] = [names.computed(each) for each in given[apart : apart + 1]]
    return others


def _check_texts(names: Names, name: str, given: Sequence[Term[Any]]) -> None:
    """Refuse the name of a field where it would be taken for a text."""
    if not all(isinstance(each, Given) for each in given):
        return
    for each in given:
        value = each.value if isinstance(each, Given) else None
        if isinstance(value, str) and value in names.table.by_field:
            msg = (
                f"func.{name}({value!r}) is about a text, not about a field: write "
                f"func.{name}(F({value!r}))"
            )
            raise ValueError(msg)


def _result(
    name: str, given: Sequence[Computed], term: Function
) -> tuple[Kind, Stored | None]:
    if name == "abs" and not all(_is_number(each) for each in given):
        msg = f"{term!r}: SQLite cannot compute with that exactly; cast() it to float"
        raise ValueError(msg)
    if name in ("substr", "substring") and given and given[0].kind == BYTES:
        return BYTES, None
    if name in _SAME and given:
        return common(given[1:] if name == "iif" else _values(name, given), term)
    if name in ("sum", "avg") and given:
        first = given[0].like
        if first is not None and first.column.codec.adds:
            return first.kind, first
        return (int if name == "sum" and given[0].kind is int else float), None
    return next((kind for kind, names in _KINDS.items() if name in names), ANY), None


def _values(name: str, given: Sequence[Computed]) -> Sequence[Computed]:
    """Return the arguments that may be the result."""
    if name in ("lag", "lead"):
        return [each for number, each in enumerate(given) if number != 1]
    return given[:1] if name in ("nullif", "nth_value") else given


def _is_aggregate(name: str, given: Sequence[Computed]) -> bool:
    return name in _AGGREGATES or (name in ("min", "max") and len(given) == 1)


def _is_number(value: Computed) -> bool:
    like = value.like
    adds = like is not None and like.column.codec.adds and not _is_decimal(like)
    return adds or value.kind in (*NUMBERS, ANY)


def _is_decimal(like: Stored | None) -> bool:
    return like is not None and like.column.codec.collation == DECIMAL_COLLATION


def _partition(names: Names, given: Iterable[Any]) -> list[str | Computed]:
    pieces = [
        piece for each in map(_parting, given) for piece in (", ", _sorted(names, each))
    ]
    return ["PARTITION BY ", *pieces[1:]] if pieces else []


def _parting(given: Any) -> Term[Any]:
    if isinstance(given, str):
        return F(given)
    if not isinstance(given, (Term, Q)):
        msg = f"windows are parted by names and expressions, not by {given!r}"
        raise TypeError(msg)
    return term_of(given)


def _order(names: Names, given: Iterable[Any]) -> list[str | Computed]:
    pieces: list[str | Computed] = []
    for term, descending, nulls in map(ordering_of, given):
        tail = direction(descending=descending, nulls=nulls)
        pieces += [", ", _sorted(names, term), f" {tail}"]
    return ["ORDER BY ", *pieces[1:]] if pieces else []


def _sorted(names: Names, term: Term[Any]) -> Computed:
    return collated(names.computed(term))


def _frame(given: str) -> str:
    found = " ".join(str(given).upper().split())
    if not _FRAME.fullmatch(found):
        msg = (
            f"{given!r} is no frame of a window, such as "
            "'ROWS BETWEEN 2 PRECEDING AND CURRENT ROW'"
        )
        raise ValueError(msg)
    return found
