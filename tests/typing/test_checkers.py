"""Type checkers accept what users should write, and find what they should not."""

from __future__ import annotations

import json
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
RIGHT, WRONG = HERE / "right_uses.py", HERE / "wrong_uses.py"

Check = Callable[[Path, Path], list[tuple[int, str]]]

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


def mypy(file: Path, folder: Path) -> list[tuple[int, str]]:
    """Return what mypy --strict reports: no plug-in, no settings of the project."""
    settings = folder / "mypy.ini"
    settings.write_text(f"[mypy]\nmypy_path = {ROOT}\n")
    options = [
        "--strict",
        f"--config-file={settings}",
        f"--cache-dir={folder / 'cache'}",
    ]
    output = _run(
        ["mypy", *options, "--show-absolute-path", "--no-pretty", str(file)], folder
    )
    found = re.findall(
        rf"^{re.escape(str(file))}:(\d+): error: (.*)$", output, re.MULTILINE
    )
    strangers = [
        line
        for line in output.splitlines()
        if "error:" in line and str(file) not in line
    ]
    assert not strangers, "\n".join(strangers)
    return [(int(line), text) for line, text in found]


def pyright(file: Path, folder: Path) -> list[tuple[int, str]]:
    """Return what pyright reports in strict mode."""
    shutil.copy(file, folder)
    settings = {
        "include": [file.name],
        "extraPaths": [str(ROOT)],
        "typeCheckingMode": "strict",
        "reportUnusedExpression": False,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    options = ["--outputjson", "--pythonpath", sys.executable, "--project", str(folder)]
    report = json.loads(_run(["pyright", *options], folder))
    assert report["summary"]["filesAnalyzed"] == 1
    return [
        (each["range"]["start"]["line"] + 1, each["message"])
        for each in report["generalDiagnostics"]
        if each["severity"] == "error"
    ]


def _marked(file: Path) -> set[int]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("# error")}


@pytest.mark.parametrize("check", [mypy, pyright])
def test_right_uses_pass(check: Check, tmp_path: Path) -> None:
    assert check(RIGHT, tmp_path) == []


@pytest.mark.parametrize("check", [mypy, pyright])
def test_wrong_uses_are_found(check: Check, tmp_path: Path) -> None:
    found = dict(check(WRONG, tmp_path))
    marked = _marked(WRONG)
    assert marked - found.keys() == set(), "mistakes that nobody noticed"
    assert {line: found[line] for line in found.keys() - marked} == {}
