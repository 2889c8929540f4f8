"""Modules, classes and functions stay as small as a reader can hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from structure.source import FUNCTIONS, Module, modules

LONGEST_MODULE = 300
LONGEST_CLASS = 250
LONGEST_FUNCTION = 25

EXCEPTIONS = {
    "sqliter.database:BaseDatabase.__init__": "a line for each option, no logic",
}
"""What may be longer, and why."""


@pytest.mark.parametrize("each", modules(), ids=lambda module: module.name)
def test_a_module_and_all_in_it_are_short(each: Module) -> None:
    too_long = [text for name, text in _too_long(each) if name not in EXCEPTIONS]
    assert not too_long, "\n".join(too_long)


def test_no_exception_is_out_of_date() -> None:
    needed = {name for each in modules() for name, _ in _too_long(each)}
    assert EXCEPTIONS.keys() <= needed


def _too_long(each: Module) -> Iterator[tuple[str, str]]:
    if len(each.code_lines) > LONGEST_MODULE:
        yield each.name, f"{each.name}: {len(each.code_lines)} lines of code"
    for name, node in each.definitions():
        limit = LONGEST_CLASS if isinstance(node, ast.ClassDef) else LONGEST_FUNCTION
        size = each.size(node)
        if size > limit and isinstance(node, (ast.ClassDef, *FUNCTIONS)):
            yield f"{each.name}:{name}", f"{each.name}:{name}: {size} lines of code"
