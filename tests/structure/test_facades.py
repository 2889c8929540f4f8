"""The verbs of the public classes decide nothing: each is one statement."""

from __future__ import annotations

import ast

import pytest
from structure.source import FUNCTIONS, body_without_docstring, module

FACADES = (
    "sqliter.sqliter",
    "sqliter.writing",
    "sqliter.query.query",
    "sqliter.asyncio.db",
    "sqliter.asyncio.writing",
    "sqliter.asyncio.query",
)

EXCEPTIONS = {
    "SqliterDB._start": "builds the object",
    "SqliterDB.create": "a constructor: builds, connects, returns",
    "SqliterDB.close": "forgets the schema of the file it closed",
    "SqliterDB.__enter__": "enters and returns the object, as `with` wants it",
    "SqliterDB.fetch": "one operation for dicts, one for instances",
    "AsyncSqliterDB._start": "builds the object",
    "AsyncSqliterDB.create": "a constructor: builds, connects, returns",
    "AsyncSqliterDB.connect": "opens, then returns the connection",
    "AsyncSqliterDB.close": "forgets the schema of the file it closed",
    "AsyncSqliterDB.__aenter__": "enters and returns the object, as `with` wants it",
    "AsyncSqliterDB.fetch": "one operation for dicts, one for instances",
}
"""What takes more than one statement, and why."""


def _longer_bodies(name: str) -> set[str]:
    return {
        qualified
        for qualified, node in module(name).definitions()
        if isinstance(node, FUNCTIONS)
        and "." in qualified
        and len(body_without_docstring(node)) > 1
    }


@pytest.mark.parametrize("name", FACADES)
def test_a_verb_is_one_statement(name: str) -> None:
    longer = _longer_bodies(name) - EXCEPTIONS.keys()
    assert not longer, f"more than one statement: {', '.join(sorted(longer))}"


def test_no_exception_is_out_of_date() -> None:
    needed = set().union(*map(_longer_bodies, FACADES))
    assert EXCEPTIONS.keys() <= needed


@pytest.mark.parametrize("name", FACADES)
def test_a_verb_has_no_loop_and_catches_nothing(name: str) -> None:
    found = [
        f"line {node.lineno}"
        for node in ast.walk(module(name).tree)
        if isinstance(node, (ast.For, ast.While, ast.Try, ast.TryStar, ast.AsyncFor))
    ]
    assert not found, f"{name}: {', '.join(found)}"
