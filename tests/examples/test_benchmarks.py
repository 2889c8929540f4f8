"""The benchmark runs, and finds every result right: small, and without the peers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import contenders  # noqa: E402
from benchmarks.figure import Figure, Unit  # noqa: E402
from benchmarks.items import ITEMS  # noqa: E402
from benchmarks.measure import Cell, Plan, Row  # noqa: E402
from benchmarks.page import replaced  # noqa: E402
from benchmarks.picture import picture  # noqa: E402
from benchmarks.table import losses, misses, table  # noqa: E402
from sqliter.query import QueryBuilder  # noqa: E402

FIGURES = {figure.title: figure for item in ITEMS.values() for figure in item.figures}
NUMBER = re.compile(r"\*?\*?(\d+\.\d\d|[\d,]+|\d+\.\d (ms|MiB))\*?\*?")
STREAMS = {
    figure.title
    for name in ("ticker-stream", "iterate", "iterate-memory")
    for figure in ITEMS[name].figures
}


def run(*options: str) -> str:
    command = [sys.executable, "-m", "benchmarks", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows_of(table: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in table.splitlines()]
    return {first: cells for first, *cells in lines if cells}


@pytest.fixture(scope="module")
def rows() -> dict[str, list[str]]:
    options = ("--scale", "0.01", "--rounds", "1", "--contender", "sqliter-blocking")
    return rows_of(run(*options))


def test_every_item_is_measured(rows: dict[str, list[str]]) -> None:
    heads = ["sqliter<br>blocking", "sqliter<br>asyncio", "wanted"]
    assert rows["over raw `sqlite3`"] == heads
    assert set(FIGURES) < set(rows)


@pytest.mark.parametrize("title", FIGURES)
def test_a_number_for_each_colour(rows: dict[str, list[str]], title: str) -> None:
    figure = FIGURES[title]
    for cell, target in zip(rows[title], (figure.blocking, figure.asyncio)):
        if target is None:
            assert cell == "—"
        elif title in STREAMS and not hasattr(QueryBuilder, "iterate"):
            assert cell == "not there"
        else:
            assert NUMBER.fullmatch(cell), (title, cell)


def test_growth_is_measured() -> None:
    found = rows_of(run("--growth", "--scale", "0.0001"))
    kinds = {"bulk insert", "select", "iterate", "`get` by key", "insert", "`IN` list"}
    assert kinds < set(found)
    assert {"raw", "sqliter-blocking", "sqliter-asyncio"} < set(found)


# --- tables and pictures ---


ENTRIES = [each for each in contenders.ENTRIES if each.package in {"sqliter", "peewee"}]
PLAN = Plan(ENTRIES, ["get"], rounds=1, scale=1)


def row(**values: float) -> Row:
    cells = {each.name: Cell(note="failed") for each in ENTRIES}
    cells |= {name.replace("_", "-"): Cell(value) for name, value in values.items()}
    return Row("get", Figure("`get`", blocking=1.4, asyncio=1.6), cells)


def test_the_best_is_marked() -> None:
    last = table(PLAN, [row(sqliter_blocking=2, peewee=1.2)]).splitlines()[-1]
    assert last == "| `get` | 2.00 | **1.20** | failed | 1.4 / 1.6 |"


def test_losses_are_named() -> None:
    rows = [row(sqliter_blocking=2, peewee=1.2, sqliter_asyncio=1.5)]
    assert losses(PLAN, rows) == ["get (blocking): Peewee has 1.20, sqliter 2.00"]
    assert misses(PLAN, rows) == ["get (blocking): 2.00, wanted 1.4"]
    assert losses(PLAN, [row(sqliter_blocking=1, peewee=1.2)]) == []


def test_what_failed_is_a_miss() -> None:
    assert misses(PLAN, [row(sqliter_blocking=1)]) == [
        "get (asyncio): failed, wanted 1.6"
    ]


def test_the_picture_has_a_bar_for_each_ratio() -> None:
    late = Row("x", Figure("<late>", Unit.MILLISECONDS), row(peewee=3).cells)
    root = ElementTree.fromstring(
        picture(PLAN, [row(peewee=3, sqliter_asyncio=0), late])
    )
    bars = root.findall("{*}rect")[1:]  # the first is the background
    assert len(bars) == 2
    texts = [each.text for each in root.findall("{*}text")]
    assert "3.00" in texts and "get" in texts and "<late>" not in texts


def test_a_number_is_shown_with_its_unit() -> None:
    assert Unit.RATIO.shown(0.104) == "0.10"
    assert Unit.TIMES.shown(31.4) == "31"
    assert Unit.MILLISECONDS.shown(2.25) == "2.2 ms"
    assert Figure("x", asyncio=2).target(is_async=False) is None


def test_a_section_of_the_page_is_replaced() -> None:
    page = "a\n<!-- begin: x -->\nold\n<!-- end: x -->\nb"
    assert replaced(page, "x", r"\1") == page.replace("old", r"\1")
    with pytest.raises(ValueError, match="no markers"):
        replaced(page, "y", "")
