"""The two colours have the same names and take the same arguments."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sqliter import SqliterDB
from sqliter.asyncio import AsyncQueryBuilder, AsyncSqliterDB
from sqliter.asyncio.orm import (
    AsyncManyToManyManager,
    AsyncPrefetchedM2MResult,
    AsyncPrefetchedResult,
    AsyncReverseQuery,
)
from sqliter.asyncio.transaction import AsyncTransaction
from sqliter.orm.m2m import ManyToManyManager, PrefetchedM2MResult
from sqliter.orm.query import PrefetchedResult, ReverseQuery
from sqliter.query import QueryBuilder
from sqliter.transaction import Transaction

PAIRS = [
    (SqliterDB, AsyncSqliterDB),
    (QueryBuilder, AsyncQueryBuilder),
    (ReverseQuery, AsyncReverseQuery),
    (PrefetchedResult, AsyncPrefetchedResult),
    (ManyToManyManager, AsyncManyToManyManager),
    (PrefetchedM2MResult, AsyncPrefetchedM2MResult),
    (Transaction, AsyncTransaction),
]

ONE_SIDED = {
    "SqliterDB.MEMORY_DB": "an old constant; new code writes memory=True",
    "SqliterDB.table_names": "a property cannot be awaited: `await get_table_names()`",
    "AsyncSqliterDB.now": "a name users of the async class rely on",
    "SqliterDB.__enter__": "`with`",
    "SqliterDB.__exit__": "`with`",
    "AsyncSqliterDB.__aenter__": "`async with`",
    "AsyncSqliterDB.__aexit__": "`async with`",
    "Transaction.__enter__": "`with`",
    "Transaction.__exit__": "`with`",
    "AsyncTransaction.__aenter__": "`async with`",
    "AsyncTransaction.__aexit__": "`async with`",
}
"""Names that one colour has alone, and why."""

SETTABLE_WHEN_BLOCKING = {"auto_commit", "debug"}
"""Properties that only the blocking class lets change: nobody relies on it elsewhere."""

SETTABLE = {"slow_query"}
"""Properties that may be changed in both colours: they touch no file."""

SAME_THING = {
    "AsyncConnection": "sqlite3.Connection",  # the driver's, as each colour can use it
    "AsyncQueryBuilder": "QueryBuilder",
    "AsyncDatabase": "Database",
    "AsyncTransaction": "Transaction",
    "AwaitingEngine": "BlockingEngine",
    "AsyncIterator": "Iterator",
    "AwaitedBatches": "Batches",
}

OF_THE_COLOUR = {"is_async", "builder", "lazy"}
"""Constants that say which colour it is, or what belongs to it."""

MORE_OVERLOADS = {"load": "the awaited one also takes a loader, which has a type there"}
"""Methods of which one colour has overloads that the other has not, and why."""
"""Annotations that differ by name and mean the same in the two colours."""

NEVER_AWAITED = {
    "__init__", "annotate", "belonging", "bypass_cache", "cache_get", "cache_set", "exclude_where",
    "cache_ttl", "clear_cache", "clone", "configure_cache_keys", "exclude", "fields",
    "filter", "forbid_lazy", "forget", "get_cache_stats", "ancestors", "descendants",
    "except_", "group_by", "intersect", "union", "having",
    "invalidate_table_cache", "iterate", "keys_of", "known", "limit", "narrowing", "now", "of", "offset",
    "on", "on_statement", "only", "order", "prefetch_related", "reset_cache_stats",
    "saved_keys_of", "search", "select", "select_related", "share_lazy", "stream", "timeout", "to_sql",
    "transaction", "validate_prefetch_path", "warn_lazy", "with_count",
}  # fmt: skip
"""Methods that touch no file by themselves, plain in both colours. All others are verbs."""

SPECIAL = {"__init__", "__enter__", "__exit__", "__aenter__", "__aexit__", "__copy__"}


def _names(owner: type) -> set[str]:
    public = {name for name in dir(owner) if not name.startswith("_")}
    return public | (
        SPECIAL & {name for each in owner.__mro__[:-1] for name in vars(each)}
    )


def _shared() -> Iterator[Any]:
    for blocking, awaiting in PAIRS:
        for name in sorted(_names(blocking) & _names(awaiting)):
            yield pytest.param(
                blocking, awaiting, name, id=f"{blocking.__name__}.{name}"
            )


def _member(owner: type, name: str) -> Any:
    member = inspect.getattr_static(owner, name)
    return member.__func__ if isinstance(member, classmethod) else member


def _shape(function: Callable[..., Any]) -> list[tuple[object, ...]]:
    """Return parameters (name, kind, default, annotation) and the return annotation."""
    signature = inspect.signature(function)
    parameters = [
        (each.name, each.kind, each.default, _neutral(each.annotation))
        for each in signature.parameters.values()
    ]
    return [*parameters, ("return", _neutral(signature.return_annotation))]


def _neutral(annotation: object) -> object:
    if not isinstance(annotation, str):
        return annotation
    for awaiting, blocking in SAME_THING.items():
        annotation = re.sub(rf"\b{awaiting}\b", blocking, annotation)
    return annotation


@pytest.mark.defect("D48")
@pytest.mark.parametrize(("blocking", "awaiting"), PAIRS)
def test_both_colours_have_the_same_names(blocking: type, awaiting: type) -> None:
    one_sided = {
        f"{blocking.__name__}.{n}" for n in _names(blocking) - _names(awaiting)
    }
    one_sided |= {
        f"{awaiting.__name__}.{n}" for n in _names(awaiting) - _names(blocking)
    }
    owners = (f"{blocking.__name__}.", f"{awaiting.__name__}.")
    assert one_sided == {name for name in ONE_SIDED if name.startswith(owners)}


@pytest.mark.parametrize(("blocking", "awaiting", "name"), list(_shared()))
def test_a_name_means_the_same_in_both_colours(
    blocking: type, awaiting: type, name: str
) -> None:
    one, other = _member(blocking, name), _member(awaiting, name)
    assert type(one) is type(other)
    if isinstance(one, property):
        assert _shape(one.fget) == _shape(other.fget)
        settable = (one.fset is not None, other.fset is not None)
        blocking_only = name in SETTABLE_WHEN_BLOCKING
        assert settable == (blocking_only or name in SETTABLE, name in SETTABLE)
    elif inspect.isfunction(one):
        assert name in MORE_OVERLOADS or _shape(one) == _shape(other)
        if name in MORE_OVERLOADS:
            return
        overloads = [list(map(_shape, typing.get_overloads(f))) for f in (one, other)]
        assert overloads[0] == overloads[1]
    else:
        assert name in OF_THE_COLOUR or one == other


@pytest.mark.parametrize(("blocking", "awaiting", "name"), list(_shared()))
def test_exactly_the_verbs_are_awaited(
    blocking: type, awaiting: type, name: str
) -> None:
    one, other = _member(blocking, name), _member(awaiting, name)
    if inspect.isfunction(one):
        assert not inspect.iscoroutinefunction(one)
        plain = name in NEVER_AWAITED or name == "__copy__"
        assert inspect.iscoroutinefunction(other) is not plain
