"""Single records: insert, get, update, delete."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, TypeVar

from sqliter.core.asked import UNANSWERED, Asked, Order, Question, Unanswered
from sqliter.core.context import Context
from sqliter.core.courses import Course, Parts, carry_out
from sqliter.core.effects import Effects
from sqliter.core.faults import Fault, reported_as
from sqliter.core.hooks import Hooks
from sqliter.core.statement import Memo, Result, Statement, Value
from sqliter.core.steps import (
    Steps,
    ask,
    reads,
    writes_shortly,
)
from sqliter.exceptions import (
    RecordDeletionError,
    RecordFetchError,
    RecordInsertionError,
    RecordNotFoundError,
    RecordUpdateError,
    SqliterError,
)
from sqliter.model.loaded import (
    bind,
    binder,
    has_attachments,
    remember_row,
)
from sqliter.model.loader import Loader, loader_of
from sqliter.model.model import BaseDBModel
from sqliter.model.row import encoder_of
from sqliter.model.table import Table, table_of
from sqliter.operations.assigning import assign, put
from sqliter.operations.change import Change, written_fields
from sqliter.operations.generating import read_back, reading_back
from sqliter.operations.preparing import (
    STAMPED,
    Stamps,
    check_keys,
    settle,
)
from sqliter.operations.schema import known, touch
from sqliter.operations.unwritten import explain_unwritten
from sqliter.planning import write
from sqliter.planning.keys import stored_key
from sqliter.planning.select import get_sql, get_statement

__all__ = [
    "delete",
    "get",
    "insert",
    "inserting",
    "update",
    "updating",
]

M = TypeVar("M", bound=BaseDBModel)


def insert(
    instance: M, context: Context, *, timestamp_override: bool = False
) -> Asked[M]:
    """Insert one record; the instance gets its key and timestamps."""
    again = functools.partial(_insert, instance, context, keep=timestamp_override)
    table = table_of(type(instance))
    if hooks := context.hooks.of[type(instance)].insert:
        return hooks.around([instance], again)
    if not _is_simple(instance, table, context):
        return again()
    stamps = Stamps(context.now(), keep=timestamp_override).of(instance)
    try:
        fields, row = _row(table, instance, stamps)
    except Fault:
        return again()  # it will be reported

    def done(result: Result) -> M:
        put(instance, {"pk": instance.pk or result.lastrowid, **stamps})
        if fields != table.fields:
            row.insert(table.fields.index("pk"), instance.pk)
        remember_row(instance, tuple(row))
        if binds:
            bind(instance, context.database)
        return instance

    binds = binder(table.model) is not None
    failure = table.prepare(_reported, RecordInsertionError)
    return Order(write.insert_statement(table, fields, [row]), done, failure, again)


def inserting(
    effects: Effects, instance: M, context: Context, *, keep: bool = False
) -> Steps[M]:
    """Insert one record, as a part of an operation; ``keep`` its own timestamps."""
    table = table_of(type(instance))
    with reported_as(RecordInsertionError, table.name):
        yield from known(table, context)
        yield from touch(effects, table, context)
        settle(effects, instance)
        stamps = Stamps(context.now(), keep=keep).of(instance)
        fields, row = _row(table, instance, stamps)
        result = yield from ask(write.insert_statement(table, fields, [row]))
        key = instance.pk or result.lastrowid
        assign(effects, instance, {"pk": key, **stamps})
        yield from read_back(effects, table, [instance], context)
    bind(instance, context.database)
    return instance


_insert = reading_back(writes_shortly(inserting))


def get(
    model: type[M],
    primary_key: Any,
    context: Context,
    *,
    bypass_cache: bool = False,
    cache_ttl: float | None = None,
) -> Asked[M | None]:
    """Return the record with this key, or ``None``."""
    table = table_of(model)
    is_long = cache_ttl is not None or (context.cache.enabled and not bypass_cache)
    key = primary_key
    if table.is_keyed:
        try:
            key = stored_key(table, primary_key)
        except Fault:
            is_long = True  # it will be reported
    if is_long or table not in context.known:
        return _get(model, primary_key, context, cache_ttl, bypass_cache=bypass_cache)
    sql, loader, failure = table.prepare(_getting, context.settings.return_local_time)
    load = loader.first
    if loader.binds:
        load = functools.partial(load, database=context.owner())
    return Question(Statement(sql, (key,)), load, failure)


def _getting(
    table: Table,
    local: bool,  # noqa: FBT001 - part of a key
) -> tuple[str, Loader[Any], reported_as]:
    failure = table.prepare(_reported, RecordFetchError)
    return get_sql(table), loader_of(table, None, local=local), failure


@reads
def _get(
    model: type[M],
    primary_key: object,
    context: Context,
    cache_ttl: float | None,
    *,
    bypass_cache: bool,
) -> Steps[M | None]:
    if cache_ttl is not None and cache_ttl < 0:
        msg = "cache_ttl must be non-negative"
        raise ValueError(msg)
    table = table_of(model)
    with reported_as(RecordFetchError, table.name):
        yield from known(table, context)
        statement = get_statement(table, primary_key)
        memo = None
        if context.cache.enabled and not bypass_cache:
            memo = _get_memo(table, statement.params[0], context, cache_ttl)
        result = yield from ask(statement, memo=memo)
        loader = loader_of(table, None, local=context.settings.return_local_time)
        return loader.first(result.rows, context.database)


def update(
    instance: BaseDBModel, context: Context, fields: Iterable[str] | None = None
) -> Asked[None]:
    """Write an instance's fields to its row; only those it has, if it is partial.

    Or only these ``fields``, and those that every update sets.
    """
    table = table_of(type(instance))
    only = None if fields is None else written_fields(table, fields)
    again = functools.partial(_update, instance, context, only)
    if hooks := context.hooks.of[type(instance)].update:
        return hooks.around([instance], again)
    if only is not None or not _is_simple(instance, table, context):
        return again()
    try:
        change = Change(table, instance, context.now())
    except Fault:
        return again()  # it will be reported
    statement = change.difference()
    if statement is None:
        return again()

    def done(result: Result) -> Unanswered | None:
        if not result.rowcount:
            return UNANSWERED  # it is another row than the one we know
        change.done()
        put(instance, change.stamp)
        return None

    return Order(statement, done, table.prepare(_reported, RecordUpdateError), again)


def updating(
    effects: Effects,
    instance: BaseDBModel,
    context: Context,
    only: tuple[str, ...] | None = None,
) -> Steps[None]:
    """Write an instance's fields, as a part of an operation."""
    table = table_of(type(instance))
    with reported_as(RecordUpdateError, table.name):
        yield from known(table, context)
        yield from touch(effects, table, context)
        settle(effects, instance, only)
        change = Change(table, instance, context.now(), only)
        result = yield from _write_change(change)
        if change.versions and not result.rowcount:
            yield from explain_unwritten(table, change.versions)
        _found(result, table, instance.pk)
        change.done()
        assign(effects, instance, change.stamp)
        yield from read_back(effects, table, [instance], context)


_update = reading_back(writes_shortly(updating))


def _write_change(change: Change) -> Steps[Result]:
    difference = change.difference()
    if difference is not None:
        result = yield from ask(difference)
        if result.rowcount:
            return result
    return (yield from ask(change.everything()))


def delete(model: type[BaseDBModel], primary_key: Any, context: Context) -> Asked[None]:
    """Delete the record with this key."""
    again = functools.partial(_delete, model, primary_key, context)
    table = table_of(model)
    if hooks := context.hooks.of[model].delete:
        return Course(_deletion(hooks, model, primary_key, context))
    if not context.allows_order(table):
        return again()

    def done(result: Result) -> None:
        _found(result, table, primary_key)

    try:
        statement = write.delete_statement(table, primary_key)
    except Fault:
        return again()  # it will be reported
    return Order(statement, done, table.prepare(_reported, RecordDeletionError), again)


def _deletion(
    hooks: Hooks, model: type[BaseDBModel], primary_key: Any, context: Context
) -> Parts[None]:
    """Fetch the record, which the hooks are told, and delete it."""
    get_it = _get(model, primary_key, context, None, bypass_cache=True)
    found = yield from carry_out(get_it)
    if found is None:
        raise RecordNotFoundError(primary_key, table=table_of(model).name)
    delete_it = functools.partial(_delete, model, primary_key, context)
    yield from hooks.surrounding([found], delete_it)


@writes_shortly
def _delete(
    effects: Effects, model: type[BaseDBModel], primary_key: Any, context: Context
) -> Steps[None]:
    table = table_of(model)
    with reported_as(RecordDeletionError, table.name):
        yield from known(table, context)
        yield from touch(effects, table, context, deletes=True)
        result = yield from ask(write.delete_statement(table, primary_key))
    _found(result, table, primary_key)


def _is_simple(instance: BaseDBModel, table: Table, context: Context) -> bool:
    """Whether nothing has to be done but to write its fields."""
    is_known = context.allows_order(table) and not table.generated
    return is_known and not has_attachments(instance)


def _reported(table: Table, error: type[SqliterError]) -> reported_as:
    return reported_as(error, table.name)


def _found(result: Result, table: Table, key: object) -> None:
    if result.rowcount == 0:
        raise RecordNotFoundError(key, table=table.name)


def _row(
    table: Table, instance: BaseDBModel, stamps: dict[str, int]
) -> tuple[tuple[str, ...], list[Value]]:
    """Return the fields to insert and their stored values."""
    if table.is_keyed:
        check_keys(table, [instance])
    fields = write.insert_fields(table, with_pk=instance.pk != 0)
    return fields, encoder_of(table, fields, STAMPED).encode(vars(instance), stamps)


def _get_memo(
    table: Table, primary_key: object, context: Context, ttl: float | None
) -> Memo:
    local = context.settings.return_local_time
    key = (table, local, "get", repr(primary_key))
    # "No such row" is remembered on request only: others may insert it.
    return Memo(key, table.name, (table.name,), ttl, keep_empty=ttl is not None)
