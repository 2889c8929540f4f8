"""Everything public says in a sentence what it is for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

import pytest
from structure.source import PUBLIC_MODULES, Module, modules


def _public(members: dict[str, object], home: str) -> Iterator[tuple[str, object]]:
    for name, member in members.items():
        documented = inspect.isclass(member) or inspect.isfunction(member)
        if documented and not name.startswith("_") and member.__module__ == home:
            yield name, member


def _undocumented(home: str) -> Iterator[str]:
    for name, member in _public(vars(importlib.import_module(home)), home):
        if not inspect.getdoc(member):
            yield f"{home}.{name}"
        if inspect.isclass(member):
            yield from _undocumented_members(f"{home}.{name}", member)


def _undocumented_members(path: str, owner: type) -> Iterator[str]:
    if getattr(owner, "_is_protocol", False):
        return  # its own docstring speaks for its members
    for name, member in vars(owner).items():
        target = getattr(member, "__func__", member)
        if name.startswith("_") or not isinstance(target, property | type(_public)):
            continue
        if not inspect.getdoc(getattr(owner, name)):  # an override may inherit it
            yield f"{path}.{name}"


@pytest.mark.parametrize("each", modules(), ids=lambda module: module.name)
def test_public_names_have_a_docstring(each: Module) -> None:
    missing = list(_undocumented(each.name))
    assert not missing, f"without a docstring: {', '.join(missing)}"


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_exported_names_have_a_docstring_of_their_own(name: str) -> None:
    exported = importlib.import_module(name)
    for each in exported.__all__:
        member = getattr(exported, each)
        if inspect.isclass(member) or inspect.isfunction(member):
            assert member.__doc__, f"{name}.{each}"


@pytest.mark.parametrize("each", modules(), ids=lambda module: module.name)
def test_modules_have_a_docstring(each: Module) -> None:
    assert importlib.import_module(each.name).__doc__
