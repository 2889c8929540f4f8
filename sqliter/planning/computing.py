"""From terms to what they mean: values, arithmetic, ``CASE``, ``CAST``, parts."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any, NamedTuple

from sqliter.planning.computed import (
    ANY,
    BOOL,
    BYTES,
    DAY,
    NUMBERS,
    TEXT,
    Bound,
    Built,
    Computed,
    Decode,
    Kind,
    Level,
    Names,
    Stored,
)
from sqliter.planning.frame import Frame, Path
from sqliter.planning.operands import operand_of
from sqliter.sql.fragment import Fragment
from sqliter.sql.lookups import Transform, find_part
from sqliter.terms.call import Case, Cast, Extract
from sqliter.terms.term import Arithmetic, Given, Term

__all__ = [
    "Extracted",
    "arithmetic",
    "bound",
    "cased",
    "common",
    "converted",
    "extracted",
    "of_one_kind",
]

_SCALARS: dict[type, Kind] = {
    int: int,
    float: float,
    str: TEXT,
    bytes: BYTES,
    bool: BOOL,
    type(None): ANY,
}

_TARGETS = {
    int: ("INTEGER", int),
    float: ("REAL", float),
    str: ("TEXT", TEXT),
    bytes: ("BLOB", BYTES),
}


def bound(value: Any, like: Stored | None = None) -> Bound:
    """Return a value, stored as those of a column if there is one to be like."""
    if like is not None and value is not None:
        encoded = operand_of(like.table, like.column).encode(value)
        if not isinstance(encoded, tuple(like.column.codec.reads)):
            msg = (
                f"{value!r} is no value of {like.column.field}; cast() both to one type"
            )
            raise ValueError(msg)
        return Bound(encoded, like.kind, like)
    if type(value) not in _SCALARS:
        kind = type(value).__name__
        msg = f"{value!r} is a {kind}, and no column beside it says how to store that"
        raise ValueError(msg)
    if isinstance(value, str):
        value.encode()  # a lone surrogate is no text
    if isinstance(value, float) and isnan(value):
        msg = f"{value!r} is no number that SQLite has"
        raise ValueError(msg)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        msg = f"{value!r} is no number that SQLite has"
        raise ValueError(msg)
    return Bound(value, _SCALARS[type(value)])


def arithmetic(names: Names, term: Arithmetic) -> Computed:
    """Compute with numbers, or put texts together."""
    left, right = names.computed(term.left), names.computed(term.right)
    if term.operator == "+" and left.kind == right.kind == TEXT:
        return Built(("(", left, " || ", right, ")"), TEXT)
    for side, given in ((left, term.left), (right, term.right)):
        if side.kind not in NUMBERS:
            msg = (
                f"{given!r} is no int or float: SQLite cannot compute with it exactly; "
                "change the instances instead"
            )
            raise ValueError(msg)
    is_whole = left.kind is right.kind is int and term.operator != "/"
    kind = int if is_whole else float
    if term.operator == "/":  # of integers, SQLite would cut the rest off
        return Built(("(CAST(", left, " AS REAL) / ", right, ")"), kind)
    return Built(("(", left, f" {term.operator} ", right, ")"), kind)


def cased(names: Names, term: Case) -> Computed:
    """Return what stands behind the first condition that holds."""
    terms = [*(each.then for each in term.whens), term.otherwise]
    *thens, otherwise = values = of_one_kind(names, terms)
    pieces: list[str | Computed] = ["CASE"]
    for when, then in zip(term.whens, thens, strict=True):
        pieces += [" WHEN ", names.test(when.condition), " THEN ", then]
    kind, like = common(values, term)
    return Built((*pieces, " ELSE ", otherwise, " END"), kind, like)


def of_one_kind(names: Names, terms: Sequence[Term[Any]]) -> list[Computed]:
    """Return the terms; plain values are stored as the columns among them are."""
    found = {t: names.computed(t) for t in terms if not isinstance(t, Given)}
    like = next((each.like for each in found.values() if each.like), None)
    if like is not None and like.kind in NUMBERS:
        like = None  # a number is stored as it is, and may be of the other kind
    return [bound(t.value, like) if isinstance(t, Given) else found[t] for t in terms]


def common(values: Sequence[Computed], term: Term[Any]) -> tuple[Kind, Stored | None]:
    """Return the kind of a result that is one of these values."""
    known = [each for each in values if each.kind is not ANY]
    if not known:
        return ANY, None
    kind = known[0].kind
    if all(each.kind == kind for each in known):
        like = next((each.like for each in known if each.like), None)
        return kind, like
    if all(each.kind in NUMBERS for each in known):
        return float, None
    msg = f"{term!r} gives values of different types; cast() them to one"
    raise ValueError(msg)


def converted(names: Names, term: Cast[Any]) -> Computed:
    """Return a value as one of another type."""
    name, kind = _TARGETS[term.kind]
    return Built(("CAST(", names.computed(term.term), f" AS {name})"), kind)


def extracted(names: Names, term: Extract) -> Computed:
    """Return a part of a date, or the length of a text."""
    part, field = find_part(f"__{term.part}"), names.field(term.field)
    if part is None:
        msg = f"{term.part!r} is no part that SQLiter knows"
        raise ValueError(msg)
    if field.like is None:
        msg = f"{term.field!r} is no field: it has no parts"
        raise ValueError(msg)
    operand = operand_of(field.like.table, field.like.column, local=names.local)
    is_whole = part.of(operand).storage == "INTEGER"
    return Extracted(part, field.like, names.local, int if is_whole else DAY)


class Extracted(NamedTuple):
    """A part of a column."""

    part: Transform
    source: Stored
    local: bool
    kind: Kind
    like: Stored | None = None
    decode: Decode | None = None  # its kind says it
    level: Level = Level.ROW

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the column is, along foreign keys."""
        return self.source.paths

    @property
    def is_own(self) -> bool:
        """Whether the column is of the table itself."""
        return self.source.is_own

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        source = self.source
        operand = operand_of(source.table, source.column, local=self.local)
        column = operand.qualified(frame.prefix(source.path))
        sql = self.part.of(column).sql
        if self.kind is not int:  # a text, where fields of dates are seconds
            sql = f"CAST(strftime('%s', {sql}) AS INTEGER)"
        return Fragment(sql)
