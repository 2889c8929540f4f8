"""What people type becomes an expression that FTS5 understands, and that means what they meant."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqliter.sql.match import NOTHING, typed

CASES = [
    ("", NOTHING),
    ("   ", NOTHING),
    ('"', NOTHING),
    ('""', NOTHING),
    ("*", NOTHING),
    ('" "', NOTHING),
    ("-sea", NOTHING),
    ("sea", '"sea"'),
    ("sea sea", '"sea"'),
    ("open sea", '"open" "sea"'),
    ('"open sea" wind', '"open sea" "wind"'),
    ('"open sea', '"open sea"'),
    ("sail*", '"sail"*'),
    ("sail***", '"sail"*'),
    ('"open se"*', '"open se"*'),
    ("sea -boat", '("sea") NOT ("boat")'),
    ('-boat sea -"old salt" -x*', '("sea") NOT ("boat" OR "old salt" OR "x"*)'),
    ("--boat sea", '("sea") NOT ("-boat")'),
    ("sea OR boat", '"sea" "OR" "boat"'),
    ("NEAR(a, 5)", '"NEAR(a," "5)"'),
    ("title: x^2 +y", '"title:" "x^2" "+y"'),
    ("five-o'clock", '"five-o\'clock"'),
    ('say"hi"now', '"say" "hi" "now"'),
    ("a\0b", '"a" "b"'),
    ("\ud800x", '"x"'),
]


@pytest.mark.parametrize(("text", "expression"), CASES)
def test_typed_text(text: str, expression: str) -> None:
    assert typed(text) == expression


@pytest.fixture(scope="module")
def notes() -> Iterator[sqlite3.Connection]:
    """Every choice of four words, in a table of FTS5; the key says which words."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE notes USING fts5(text)")
        for key in range(16):
            words = [word for n, word in enumerate(WORDS) if key >> n & 1]
            row = (key + 1, " ".join(words))
            connection.execute("INSERT INTO notes (rowid, text) VALUES (?, ?)", row)
        yield connection


WORDS = ("and", "bee", "beetle", "cat")

found = "SELECT rowid - 1 FROM notes WHERE notes MATCH ? ORDER BY rowid"
signs = st.text(
    st.sampled_from("ab\"'*-+^:(){}[],.\\ \t\n\0\u00e9\ud800") | st.characters()
)
parts = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "-"]),
    st.sampled_from([*WORDS, "be", "zoo", '"and bee"', "!?"]),
    st.sampled_from(["", "*"]),
)


@given(
    signs
    | st.lists(signs | st.sampled_from(["AND", "OR", "NOT", "NEAR"])).map(" ".join)
)
def test_whatever_is_typed_is_understood(notes: sqlite3.Connection, text: str) -> None:
    notes.execute(found, (typed(text),)).fetchall()


@given(st.lists(parts, max_size=5))
def test_it_means_what_it_says(notes: sqlite3.Connection, given: list[str]) -> None:
    keys = [key for (key,) in notes.execute(found, (typed(" ".join(given)),))]
    assert keys == [key for key in range(16) if is_meant(key, given)]


def is_meant(key: int, given: list[str]) -> bool:
    """Whether a note has what is wanted, and nothing of what is not."""
    words = [word for n, word in enumerate(WORDS) if key >> n & 1]
    telling = [part for part in given if "!?" not in part]
    wanted = [part for part in telling if not part.startswith("-")]
    unwanted = [part[1:] for part in telling if part.startswith("-")]
    has = [has_part(words, part) for part in wanted]
    return bool(has) and all(has) and not any(has_part(words, p) for p in unwanted)


def has_part(words: list[str], part: str) -> bool:
    literal = re.escape(part.rstrip("*").strip('"'))
    end = "" if part.endswith("*") else r"\b"
    return re.search(rf"\b{literal}{end}", " ".join(words)) is not None


def test_much_is_typed(notes: sqlite3.Connection) -> None:
    many = " ".join(f"w{n}" for n in range(5000))
    less = " ".join(f"-w{n}" for n in range(5000))
    assert notes.execute(found, (typed(many),)).fetchall() == []
    assert len(notes.execute(found, (typed(f"cat {less}"),)).fetchall()) == 8
    assert notes.execute(found, (typed(f'"{many}"'),)).fetchall() == []
