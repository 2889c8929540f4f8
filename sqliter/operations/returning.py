"""Changing or deleting rows, and giving them back."""

from __future__ import annotations

from typing import Any, TypeVar

from sqliter.core.context import Context
from sqliter.core.effects import Effects
from sqliter.core.statement import Result
from sqliter.core.steps import Operation, Steps, writes
from sqliter.exceptions import RecordDeletionError, RecordUpdateError
from sqliter.model.loaded import make_siblings
from sqliter.model.model import BaseDBModel
from sqliter.operations import bulk
from sqliter.operations.failures import reported_of
from sqliter.planning.frame import Frame
from sqliter.planning.reading import Reader
from sqliter.planning.spec import QuerySpec

__all__ = ["delete", "update"]

M = TypeVar("M", bound=BaseDBModel)


def update(
    spec: QuerySpec[M], values: dict[str, Any], context: Context
) -> Operation[list[M]]:
    """Write these values to every matching row; return the rows as they are then."""
    _check_alone(spec, "update_returning")
    return _update(spec, values, context)._replace(is_unit=True)


def delete(spec: QuerySpec[M], context: Context) -> Operation[list[M]]:
    """Delete every matching row; return the rows as they were."""
    _check_alone(spec, "delete_returning")
    return _delete(spec, context)._replace(is_unit=True)


@writes
def _update(
    effects: Effects, spec: QuerySpec[M], values: dict[str, Any], context: Context
) -> Steps[list[M]]:
    if not values:
        return []
    reader = _reader(spec, context)
    with reported_of(spec, RecordUpdateError):
        result = yield from bulk.updating(
            effects, spec, values, context, returning=reader.columns
        )
        return _loaded(reader, spec, result, context)


@writes
def _delete(effects: Effects, spec: QuerySpec[M], context: Context) -> Steps[list[M]]:
    reader = _reader(spec, context)
    with reported_of(spec, RecordDeletionError):
        result = yield from bulk.deleting(
            effects, spec, context, returning=reader.columns
        )
        return _loaded(reader, spec, result, context)


def _reader(spec: QuerySpec[M], context: Context) -> Reader[M]:
    local = context.settings.return_local_time
    return Reader(spec, Frame(spec.table), local=local)


def _loaded(
    reader: Reader[M], spec: QuerySpec[M], result: Result, context: Context
) -> list[M]:
    found = reader.load(result.rows, context.database)
    if spec.shares_lazy:
        make_siblings(found)
    return found


def _check_alone(spec: QuerySpec[Any], verb: str) -> None:
    if spec.related or spec.prefetch:
        msg = (
            f"{verb}() gives rows of one table: leave select_related() and "
            "prefetch_related() out"
        )
        raise ValueError(msg)
