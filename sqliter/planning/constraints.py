"""Conditions that are part of a schema: SQL with literals instead of parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqliter.exceptions import InvalidSchemaError, SqliterError
from sqliter.model.table import Table
from sqliter.planning.conditions import all_of
from sqliter.planning.frame import Frame
from sqliter.planning.scope import Rows
from sqliter.planning.spec import QuerySpec
from sqliter.sql.literals import inlined, unquoted
from sqliter.terms.q import Q

__all__ = ["checks_of", "condition_sql"]


def checks_of(table: Table) -> dict[str, str]:
    """Return the conditions that ``Meta.checks`` asks for, by name.

    Raises ``InvalidSchemaError``.
    """
    model = table.model.__name__
    given = getattr(table.model.Meta, "checks", None) or {}
    if not isinstance(given, Mapping):
        msg = f"Meta.checks of {model} is a dict of conditions by name, not {given!r}"
        raise InvalidSchemaError(msg)
    found: dict[str, str] = {}
    for name, condition in given.items():
        if not isinstance(name, str) or not name.strip() or "\0" in name:
            msg = f"a check of {model} needs a name, which {name!r} is not"
            raise InvalidSchemaError(msg)
        found[name] = condition_sql(table, condition, f"the check '{name}' of {model}")
    return found


def condition_sql(table: Table, given: object, label: str) -> str:
    """Return the SQL of a condition, given as that or as a ``Q``.

    Raises ``InvalidSchemaError``, which calls the condition ``label``.
    """
    if isinstance(given, Q):
        return _rendered(table, given, label)
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        msg = f"{label} is a text of SQL or a Q, not {given!r}"
        raise InvalidSchemaError(msg)
    return given


def _rendered(table: Table, q: Q, label: str) -> str:
    try:
        found = Rows(QuerySpec(table), None).conditions(q)
    except (SqliterError, ValueError, TypeError) as error:
        msg = f"{label} cannot be part of a table: {error}"
        raise InvalidSchemaError(msg, original=error) from error
    if not all(each.is_own for each in found):
        msg = f"{label} cannot be part of a table: it looks into other tables"
        raise InvalidSchemaError(msg)
    sql = inlined(all_of("CHECK", found, Frame(table))).removeprefix(" CHECK ")
    _check_portable(sql, label)
    return sql


def _check_portable(sql: str, label: str) -> None:
    """Raise for what only connections of this library know, or no schema can have."""
    plain = unquoted(sql)
    own = re.search(r"\bsqliter_\w+", plain)
    if own is None and not re.search(r"\bSELECT\b", plain) and plain:
        return
    if own is not None:
        reason = f"other programs have no {own[0]}, and could not write to the table"
    else:
        reason = "it is a list too long for that" if plain else "it says nothing"
    msg = f"{label} cannot be part of a table: {reason}. Write it as SQL"
    raise InvalidSchemaError(msg)
