"""Numbers that queries are given, checked before anything is asked."""

from __future__ import annotations

from typing import TypeVar

from sqliter.model.model import BaseDBModel
from sqliter.planning.spec import QuerySpec

__all__ = ["checked_batch", "checked_int", "checked_keyset", "checked_page"]

M = TypeVar("M", bound=BaseDBModel)


def checked_batch(size: int) -> int:
    """Return the number of rows to fetch at a time, or raise."""
    if checked_int("batch", size) < 1:
        msg = f"batch must be at least 1, not {size}"
        raise ValueError(msg)
    return size


def checked_int(name: str, value: object) -> int:
    """Return a number that SQLite takes, or raise ``TypeError``."""
    if not isinstance(value, int) or isinstance(value, bool):
        msg = f"{name} must be an int, not {type(value).__name__}"
        raise TypeError(msg)
    return min(value, 2**63 - 1)  # no table has more rows


def checked_page(
    spec: QuerySpec[M], page: int, size: int
) -> tuple[QuerySpec[M], int, int]:
    """Return what ``paginate()`` asks, or raise ``ValueError``."""
    _check_positive("page", page)
    _check_positive("size", size)
    _check_unlimited(spec, "paginate")
    return spec, page, size


def checked_keyset(spec: QuerySpec[M], size: int) -> QuerySpec[M]:
    """Return what ``page_after()`` asks, or raise ``ValueError``."""
    _check_positive("size", size)
    _check_unlimited(spec, "page_after")
    return spec


def _check_positive(name: str, number: int) -> None:
    if checked_int(name, number) < 1:
        msg = f"{name} must be at least 1, not {number}"
        raise ValueError(msg)


def _check_unlimited(spec: QuerySpec[M], verb: str) -> None:
    if spec.limit is not None or spec.offset:
        msg = f"{verb}() sets limit and offset itself: leave them out"
        raise ValueError(msg)
