"""Importing the library loads little beyond Pydantic. Modules are counted, not timed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PYDANTIC = "import pydantic\nclass First(pydantic.BaseModel):\n    x: int = 0\n"

NEEDED = {
    "_colorize", "_compat_pickle", "_json", "_pickle", "_sqlite3", "_string", "atexit",
    "json", "logging", "pickle", "pydantic", "sqlite3", "sqliter", "string", "traceback",
}  # fmt: skip
"""What ``import sqliter`` may load beyond Pydantic with a first model: packages."""

NEVER = {
    "aiosqlite",
    "asyncio",
    "concurrent",
    "inflect",
    "opentelemetry",
    "rich",
    "ssl",
    "subprocess",
    "textual",
}

ASYNCIO_NEEDS = {"_queue", "queue", "sqliter"}
"""What ``import sqliter.asyncio`` may load beyond that and ``asyncio`` itself."""


def _loaded(code: str) -> set[str]:
    """Return the modules that are loaded after some code, in a new interpreter."""
    report = f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    command = [
        sys.executable,
        "-I",
        "-c",
        f"import sys; sys.path[:0] = {sys.path!r}\n{report}",
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return set(json.loads(output.splitlines()[-1]))


def _packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


@pytest.fixture(scope="module")
def pydantic_alone() -> set[str]:
    return _loaded(PYDANTIC)


@pytest.fixture(scope="module")
def with_sqliter() -> set[str]:
    return _loaded(f"{PYDANTIC}import sqliter")


def test_import_sqliter_loads_little(
    pydantic_alone: set[str], with_sqliter: set[str]
) -> None:
    assert _packages(with_sqliter - pydantic_alone) - NEEDED == set()


def test_import_sqliter_loads_nothing_heavy(
    pydantic_alone: set[str], with_sqliter: set[str]
) -> None:
    assert (_packages(with_sqliter) - _packages(pydantic_alone)) & NEVER == set()


def test_import_sqliter_loads_nothing_of_the_other_colour(
    with_sqliter: set[str],
) -> None:
    assert not {name for name in with_sqliter if name.startswith("sqliter.asyncio")}


def test_import_sqliter_asyncio_adds_asyncio_and_little_else() -> None:
    before = _loaded(f"{PYDANTIC}import sqliter, asyncio")
    added = _packages(_loaded(f"{PYDANTIC}import sqliter.asyncio") - before)
    assert added - ASYNCIO_NEEDS == set()


def test_defining_a_model_loads_nothing_more(with_sqliter: set[str]) -> None:
    code = (
        "from sqliter.model import BaseDBModel\n"
        "class Person(BaseDBModel):\n    name: str\n    likes: list[str] = []"
    )
    added = _loaded(f"{PYDANTIC}import sqliter\n{code}") - with_sqliter
    assert _packages(added) - {"sqliter"} == set()


@pytest.mark.parametrize("colour", ["sqliter", "sqliter.asyncio"])
def test_using_a_database_imports_no_optional_package(colour: str) -> None:
    code = f"import {colour}\nfrom sqliter import SqliterDB\nSqliterDB(memory=True).get_table_names()"
    assert (
        _packages(_loaded(code)) & {"aiosqlite", "inflect", "rich", "textual"} == set()
    )
