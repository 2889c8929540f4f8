"""Why rows were not written that an UPDATE should have found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqliter.core.statement import Value
from sqliter.core.steps import Steps, ask
from sqliter.exceptions import RecordNotFoundError, StaleRecordError
from sqliter.model.table import Table
from sqliter.planning import write
from sqliter.planning.keys import stored_key

__all__ = ["explain_unwritten"]


def explain_unwritten(
    table: Table, versions: Mapping[Any, Value | None]
) -> Steps[None]:
    """Raise for the first of these keys that has no row, or a row of another version.

    ``None`` is no version. Returns if it was for another reason.
    """
    result = yield from ask(write.existing(table, list(versions)))
    found = {row[0]: row[1] for row in result.rows}
    for key, version in versions.items():
        stored = stored_key(table, key)
        if stored not in found:
            raise RecordNotFoundError(key, table=table.name)
        there = found[stored]
        if version is not None and there != version:
            raise StaleRecordError(table.name, key, expected=version, found=there)
