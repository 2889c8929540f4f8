"""No verb is missing in the table: each is called by some scenario, and not by another verb."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from faults.driver import Driver
from faults.table import scenarios
from faults.trial import Trial
from structure.test_twins import PAIRS
from support import Colour

from sqliter.asyncio.connection import AsyncConnection, AsyncCursor
from sqliter.asyncio.orm import AsyncLazyLoader

ENTERING = ("__enter__", "__exit__", "__aenter__", "__aexit__")
ITERATING = {Colour.SYNC: ("__iter__", "__len__"), Colour.ASYNC: ("__aiter__",)}

Called = set[tuple[str, str]]
_inside: ContextVar[bool] = ContextVar("inside", default=False)


@pytest.mark.parametrize("colour", list(Colour))
async def test_every_verb_is_in_the_table(
    colour: Colour,
    driver: Driver,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: Called = set()
    verbs = set(verbs_of(colour))
    for owner, name in verbs:
        monkeypatch.setattr(owner, name, noted(owner, name, called))
    for scenario in scenarios():
        if colour in scenario.colours:
            await Trial(scenario, colour, "file", driver, folder, {}).learn()
    missing = {f"{owner.__name__}.{name}" for owner, name in verbs - called}
    assert not missing, f"in no scenario: {', '.join(sorted(missing))}"


def verbs_of(colour: Colour) -> Iterator[tuple[type[Any], str]]:
    """What is awaited, or would be; blocks that are entered, rows that are iterated."""
    position = list(Colour).index(colour)
    for pair in PAIRS:
        for name in dir(pair[1]):
            is_public = not name.startswith("_")
            is_verb = is_public and is_awaited(pair[1], name)
            if is_verb and hasattr(pair[0], name):
                yield pair[position], name
        for name in (*ENTERING, *ITERATING[colour]):
            if hasattr(pair[position], name):
                yield pair[position], name
    if colour is Colour.ASYNC:
        for owner in (AsyncLazyLoader, AsyncConnection, AsyncCursor):
            for name in dir(owner):
                if not name.startswith("_") and is_awaited(owner, name):
                    yield owner, name


def is_awaited(owner: type[Any], name: str) -> bool:
    return inspect.iscoroutinefunction(getattr(owner, name))


def noted(owner: type[Any], name: str, called: Called) -> Any:
    """The same method; who calls it from outside the library is noted."""
    static = inspect.getattr_static(owner, name)
    function = static.__func__ if isinstance(static, classmethod) else static
    make = _awaited if inspect.iscoroutinefunction(function) else _blocking
    made = make(function, lambda: called.add((owner, name)))
    return classmethod(made) if isinstance(static, classmethod) else made


def _blocking(function: Callable[..., Any], note: Callable[[], None]) -> Any:
    def method(*args: Any, **kwargs: Any) -> Any:
        if _inside.get():
            return function(*args, **kwargs)
        note()
        token = _inside.set(True)
        try:
            return function(*args, **kwargs)
        finally:
            _inside.reset(token)

    return method


def _awaited(function: Callable[..., Any], note: Callable[[], None]) -> Any:
    async def method(*args: Any, **kwargs: Any) -> Any:
        if _inside.get():
            return await function(*args, **kwargs)
        note()
        token = _inside.set(True)
        try:
            return await function(*args, **kwargs)
        finally:
            _inside.reset(token)

    return method
