"""Type checkers accept what users should write, and find what they should not.

No checker may report anything in a file named ``*right*.py``; in ``*wrong*.py`` each
of them has to report exactly the lines that end in ``# error``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import sqliter

HERE = Path(__file__).parent
ROOT = Path(sqliter.__file__).parents[1]
RIGHT, WRONG = sorted(HERE.glob("*right*.py")), sorted(HERE.glob("*wrong*.py"))
NAMES = [file.name for file in RIGHT + WRONG]
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

Finding = tuple[str, int, str]  # file, line, message
Check = Callable[[Path], list[Finding]]
Report = dict[str, dict[int, str]]

pytestmark = pytest.mark.timeout(300)  # pyright may have to be fetched


def _run(arguments: list[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def mypy(folder: Path) -> list[Finding]:
    """Return what mypy --strict reports: no plug-in, no settings of the project."""
    settings = folder / "mypy.ini"
    settings.write_text(f"[mypy]\nmypy_path = {ROOT}\n")
    options = [
        "--strict",
        f"--config-file={settings}",
        f"--cache-dir={folder / 'cache'}",
    ]
    output = _run(["mypy", *options, "--no-pretty", *NAMES], folder)
    errors = [line for line in output.splitlines() if "error:" in line]
    found = [re.fullmatch(r"([^:]+):(\d+): error: (.*)", line) for line in errors]
    assert all(found), output
    return [(each[1], int(each[2]), each[3]) for each in found if each]


def pyright(folder: Path) -> list[Finding]:
    """Return what pyright reports in strict mode."""
    settings = {
        "include": NAMES,
        "extraPaths": [str(ROOT)],
        "typeCheckingMode": "strict",
        "reportUnusedExpression": False,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    options = ["--outputjson", "--pythonpath", sys.executable, "--project", str(folder)]
    report = json.loads(_run(["pyright", *options], folder))
    assert report["summary"]["filesAnalyzed"] == len(NAMES)
    return [
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["message"])
        for each in report["generalDiagnostics"]
        if each["severity"] == "error"
    ]


def ty(folder: Path) -> list[Finding]:
    """Return what ty reports, warnings included: a forgotten ``await`` is one."""
    settings = folder / "ty.toml"
    settings.touch()  # instead of the user's own
    options = [
        f"--config-file={settings}",
        f"--python={sys.executable}",
        f"--python-version={VERSION}",
        f"--extra-search-path={ROOT}",
        "--error-on-warning",
        "--no-progress",
        "--output-format=gitlab",
    ]
    report = json.loads(_run(["ty", "check", *options, *NAMES], folder))
    places = [each["location"] for each in report]
    return [
        (
            Path(place["path"]).name,
            place["positions"]["begin"]["line"],
            each["description"],
        )
        for each, place in zip(report, places, strict=True)
    ]


@pytest.fixture(scope="module", params=[mypy, pyright, ty])
def report(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Report:
    """Return what a checker says about all files, by file and line."""
    check: Check = request.param
    folder = tmp_path_factory.mktemp(check.__name__)
    for file in RIGHT + WRONG:
        shutil.copy(file, folder)
    found: Report = {name: {} for name in NAMES}
    for name, line, text in check(folder):
        found[name][line] = text
    return found


def _marked(file: Path) -> set[int]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("# error")}


@pytest.mark.parametrize("file", RIGHT, ids=lambda file: file.stem)
def test_right_uses_pass(report: Report, file: Path) -> None:
    assert report[file.name] == {}


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_wrong_uses_are_found(report: Report, file: Path) -> None:
    found, marked = report[file.name], _marked(file)
    assert len(marked) >= 13
    assert marked - found.keys() == set(), "mistakes that nobody noticed"
    assert {line: found[line] for line in found.keys() - marked} == {}


@pytest.mark.parametrize("file", RIGHT, ids=lambda file: file.stem)
def test_what_checkers_accept_can_be_declared(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(file)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
