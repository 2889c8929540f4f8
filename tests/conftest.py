"""What every test shares: coroutine tests, the time-out, the marker of repaired defects."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = str(Path(__file__).parent)
if TESTS not in sys.path:
    sys.path.insert(0, TESTS)

TIMEOUT_SECONDS = 60
WAITING_SECONDS = 45  # a coroutine test is cancelled first: that shows where it waits


def pytest_configure(config: pytest.Config) -> None:
    # Processes that share the tests must give them the same names: sets are shown in
    # the order of their hashes.
    os.environ.setdefault("PYTHONHASHSEED", "0")
    config.addinivalue_line(
        "markers",
        "defect(number): proves that a known defect of the older contract is repaired",
    )
    config.addinivalue_line(
        "markers",
        "only(name): run for one colour (sync, async) or one place (file, memory) only",
    )


@pytest.hookimpl(optionalhook=True)  # it is one of pytest-xdist
def pytest_xdist_auto_num_workers() -> int:
    """One more process than there are processors: many tests wait, for locks or a clock."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else 4


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("timeout") is None:
            # an event loop swallows what a signal raises in its callbacks
            method = "thread" if runs_in_a_loop(item) else "signal"
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS, method=method))


def runs_in_a_loop(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and "async" in callspec.params.get("backend", ())


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test in the loop its fixtures use, else in one of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 - pytest offers no public way
    body = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    runner = pyfuncitem.funcargs.get("runner")
    if runner is None:
        asyncio.run(in_time(body), debug=False)
    else:
        runner.run(in_time(body))
    return True


async def in_time(body: Coroutine[Any, Any, None]) -> None:
    """Run a test's body; cancel it when it hangs."""
    async with asyncio.timeout(WAITING_SECONDS):
        await body


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """The loop of one test, kept open for the fixtures that clean up after it."""
    with asyncio.Runner(debug=False) as runner:
        yield runner
