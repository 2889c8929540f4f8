"""``__all__`` of every public module is complete and true."""

from __future__ import annotations

import ast
import importlib
import inspect
from typing import Any, TypeVar

import pytest
from structure.source import FUNCTIONS, PUBLIC_MODULES, module

NOT_FOR_USERS = {
    "sqliter.model.foreign_key": {
        "check_actions": "shared with the relations",
        "check_target": "shared with the relations",
    },
    "sqliter.model.unique": {"unique_extra": "shared with foreign keys"},
    "sqliter.asyncio.orm.fields": {"AwaitedRow": "what stands behind a loader"},
    "sqliter.asyncio.orm.query": {"AsyncFetched": "shared by both prefetched handles"},
    "sqliter.orm.fields": {"FkId": "what fk_id() returns"},
    "sqliter.orm.query": {
        "Fetched": "shared by both prefetched handles",
        "Listed": "shared by both lazy handles",
    },
}
"""Names without an underscore that are used inside the library only, and why."""


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_all_is_true(name: str) -> None:
    exported = importlib.import_module(name)
    missing = [each for each in exported.__all__ if not hasattr(exported, each)]
    assert not missing
    assert list(exported.__all__) == sorted(set(exported.__all__))


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_all_is_complete(name: str) -> None:
    exported = importlib.import_module(name)
    defined = _defined(name)
    if not defined:  # a module that only hands on: all it imports is meant
        defined = _imported_from_library(name)
    public = {
        each for each in defined if not _is_private(each, getattr(exported, each))
    }
    assert (
        public - NOT_FOR_USERS.get(name, {}).keys() == set(exported.__all__) & defined
    )


@pytest.mark.parametrize("name", NOT_FOR_USERS)
def test_no_exception_is_out_of_date(name: str) -> None:
    exported = importlib.import_module(name)
    unused = NOT_FOR_USERS[name].keys() - (_defined(name) - set(exported.__all__))
    assert not unused


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_exported_classes_say_where_users_import_them_from(name: str) -> None:
    exported = importlib.import_module(name)
    strangers = {
        f"{each} says {member.__module__}"
        for each in exported.__all__
        if inspect.isclass(member := getattr(exported, each))
        and member is not Any  # an alias of it
        and member.__module__ not in PUBLIC_MODULES
    }
    assert not strangers


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_a_star_import_gives_the_public_names(name: str) -> None:
    given: dict[str, object] = {}
    exec(f"from {name} import *", given)
    assert given.keys() - {"__builtins__"} == set(importlib.import_module(name).__all__)


def _defined(name: str) -> set[str]:
    """Return the names that the module's own top-level statements bind."""
    bound: set[str] = set()
    for statement in module(name).tree.body:
        if isinstance(statement, (ast.ClassDef, *FUNCTIONS)):
            bound.add(statement.name)
        elif isinstance(statement, ast.Assign):
            bound.update(t.id for t in statement.targets if isinstance(t, ast.Name))
        elif isinstance(statement, ast.AnnAssign) and isinstance(
            statement.target, ast.Name
        ):
            bound.add(statement.target.id)
    return bound - {"__all__"}


def _imported_from_library(name: str) -> set[str]:
    return {
        alias.asname or alias.name
        for statement in module(name).tree.body
        if isinstance(statement, ast.ImportFrom)
        and (statement.module or "").startswith("sqliter")
        for alias in statement.names
    }


def _is_private(name: str, member: object) -> bool:
    return name.startswith("_") or isinstance(member, TypeVar)
