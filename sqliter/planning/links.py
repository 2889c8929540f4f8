"""The statements on a table of many-to-many links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqliter.core.statement import Statement
from sqliter.helpers import quote_identifier
from sqliter.model.relations import Junction
from sqliter.sql.fragment import Fragment, join
from sqliter.sql.lookups import Operand
from sqliter.sql.lookups.lists import In, NotIn

__all__ = ["count", "delete", "delete_all", "insert"]

_MOST = 500  # links in one statement

_IN, _NOT_IN = In(), NotIn()


def insert(junction: Junction, key: int, others: Sequence[int]) -> Iterator[Statement]:
    """Yield the INSERTs of links; existing ones are left alone.

    A symmetrical link is kept once: the smaller key comes first.
    """
    columns = ", ".join(map(quote_identifier, junction[1:3]))
    pairs = [(key, other) for other in dict.fromkeys(others)]
    if junction.symmetrical:
        pairs = [(min(pair), max(pair)) for pair in pairs]
    for start in range(0, len(pairs), _MOST):
        part = pairs[start : start + _MOST]
        marks = ", ".join(["(?, ?)"] * len(part))
        sql = f"INSERT OR IGNORE INTO {junction.sql} ({columns}) VALUES {marks}"
        yield Statement(sql, tuple(value for pair in part for value in pair))


def delete(junction: Junction, key: int, others: Sequence[int]) -> Iterator[Statement]:
    """Yield the DELETEs of links with these."""
    if others:
        yield from _deletes(junction, key, _IN, others)


def delete_all(
    junction: Junction, key: int, *, but: Sequence[int] = ()
) -> Iterator[Statement]:
    """Yield the DELETEs of all links but these."""
    yield from _deletes(junction, key, _NOT_IN, but)


def count(junction: Junction, key: int) -> Statement:
    """Return the statement that counts the links of a row."""
    source = quote_identifier(junction.source)
    sql = f"SELECT COUNT(*) FROM {junction.links} AS t0 WHERE t0.{source} = ?"
    return Statement(sql, (key,))


def _deletes(
    junction: Junction, key: int, lookup: In, others: Sequence[int]
) -> Iterator[Statement]:
    sides = [junction, junction.turned()] if junction.symmetrical else [junction]
    for side in sides:
        own = Fragment(f"{side.sql}.{quote_identifier(side.source)} = ?", (key,))
        tests = [own]
        if others:
            column = f"{side.sql}.{quote_identifier(side.target)}"
            operand = Operand("", column, "INTEGER", int)
            tests.append(lookup.render(operand, (tuple(others), False)))
        where = join(" AND ", tests)
        yield Statement(f"DELETE FROM {side.sql} WHERE {where.sql}", where.params)
