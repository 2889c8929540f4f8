"""Instances on their way into rows: their model, keys of their objects, timestamps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

from sqliter.core.effects import Effects
from sqliter.core.faults import Fault
from sqliter.core.statement import Value
from sqliter.core.steps import Steps, breathe
from sqliter.model.loaded import attach, attached, attachments, has_attachments
from sqliter.model.model import BaseDBModel
from sqliter.model.relations import forward_of
from sqliter.model.row import encoder_of
from sqliter.model.table import Table
from sqliter.operations.assigning import assign
from sqliter.planning import write

__all__ = [
    "AT_ONCE",
    "FEW",
    "STAMPED",
    "Stamps",
    "check_keys",
    "common_model",
    "has_key",
    "in_batches",
    "settle",
    "settle_all",
]

M = TypeVar("M", bound=BaseDBModel)
T = TypeVar("T")

FEW = 500
"""Records that are prepared without a look at whether to stop."""

AT_ONCE = 5
"""Statements of many rows that are made between two looks."""

STAMPED = ("created_at", "updated_at")


def common_model(records: Sequence[M]) -> type[M]:
    """Return the model of all of them; raises ``TypeError`` if there are several."""
    expected = type(records[0])
    for record in records:
        if type(record) is not expected:
            msg = (
                "All instances must be the same model type. Expected "
                f"{expected.__name__}, got {type(record).__name__}."
            )
            raise TypeError(msg)
    return expected


def has_key(record: BaseDBModel) -> bool:
    """Whether a record brings its key along."""
    return record.pk != 0


def check_keys(table: Table, records: Iterable[BaseDBModel]) -> None:
    """Raise a ``Fault`` for the first record without a key that it has to bring."""
    for each in records:
        if not each.pk:
            model = table.model.__name__
            raise Fault(f"this {model} has no key: give it a pk, SQLite makes none")


def in_batches(
    table: Table,
    records: Sequence[BaseDBModel],
    stamps: Stamps,
    make: Callable[[bool, tuple[str, ...], list[list[Value]]], T],
) -> Steps[list[T]]:
    """Return what is made of the stored rows of records, as many as fit one INSERT.

    ``make`` gets whether they bring their keys, their fields, and the rows.
    """
    made: list[T] = []
    if table.is_keyed:
        check_keys(table, records)
    for with_pk, run in groupby(records, key=has_key):
        fields = write.insert_fields(table, with_pk=with_pk)
        encode = encoder_of(table, fields, STAMPED).encode
        for batch in write.batches(list(run), fields):
            if len(records) > FEW and len(made) % AT_ONCE == 0:
                yield from breathe()
            rows = [encode(vars(each), stamps.of(each)) for each in batch]
            made.append(make(with_pk, fields, rows))
    return made


def settle_all(effects: Effects, instances: Sequence[BaseDBModel]) -> Steps[None]:
    """Do so for many, which may take long."""
    if len(instances) > FEW:
        yield from breathe()
    for instance in filter(has_attachments, instances):
        settle(effects, instance)


def settle(
    effects: Effects, instance: BaseDBModel, only: tuple[str, ...] | None = None
) -> None:
    """Take over the keys of assigned objects: they may have got them since.

    Of all of them, or those that are kept in these fields ``only``.
    """
    for name, value in list(attachments(instance)):
        field = forward_of(type(instance), name).field
        if only is not None and field not in only:
            continue
        key = vars(instance)[field]
        if attached(instance, name, key) is None:  # the key was changed by hand
            continue
        if not value.pk:
            raise Fault(
                f"'{name}' of {type(instance).__name__} is an object that is not "
                "saved: insert it first"
            )
        if value.pk != key:
            assign(effects, instance, {field: value.pk})
            attach(instance, name, value, value.pk)


class Stamps:
    """The timestamps of new records; ``keep`` those that are not zero."""

    def __init__(self, now: int, *, keep: bool = False) -> None:
        self._now = {"created_at": now, "updated_at": now}
        self._keep = keep

    def of(self, instance: BaseDBModel) -> dict[str, int]:
        """Return those of a record."""
        if not self._keep:
            return self._now
        own = vars(instance)
        return {name: own.get(name) or now for name, now in self._now.items()}
